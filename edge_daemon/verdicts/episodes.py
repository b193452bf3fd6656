"""Numbers changes of verdict and ties them into episodes."""

from __future__ import annotations

from dataclasses import dataclass

from edge_daemon.types import Verdict


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event stands among its question's events."""

    seq: int
    episode: str | None


@dataclass(slots=True)
class Episodes:
    """The events of one question: seq without gaps, an episode from each YES to its end.

    seq and episode are those of the last event; a question without one begins at 0 and None.
    """

    seq: int = 0
    episode: str | None = None

    def add(self, event_id: str, verdict: Verdict) -> Place:
        """Return the place of the next event; the one that ends an episode still belongs to it."""
        self.seq += 1
        if verdict is Verdict.YES:
            self.episode = event_id
        place = Place(self.seq, self.episode)
        if verdict is not Verdict.YES:
            self.episode = None
        return place
