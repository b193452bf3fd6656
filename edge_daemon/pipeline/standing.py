"""One standing question of a camera, and how it goes on after a restart."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from edge_daemon.types import QuestionState, Reason
from edge_daemon.verdicts.episodes import Episodes
from edge_daemon.verdicts.hysteresis import Hysteresis

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edge_daemon.config.models import QuestionConfig
    from edge_daemon.publish.said import Said
    from edge_daemon.types import Frame


@dataclass(frozen=True, slots=True)
class Judged:
    """The frame of an answer, without its picture: a paused question keeps it for long."""

    index: int
    pts_s: float
    captured_at: datetime

    @classmethod
    def of(cls, frame: Frame) -> Judged:
        """Return what is kept of a frame."""
        return cls(frame.index, frame.pts_s, frame.captured_at)


@dataclass(slots=True)
class Standing:
    """One question and all that is known of it."""

    settings: QuestionConfig
    machine: Hysteresis
    episodes: Episodes
    since: datetime
    paused: bool = False
    is_resumed: bool = False  # what an earlier life said still stands
    frame: Judged | None = None
    judged_mono_s: float | None = None
    event_id: str | None = None
    evidence: NDArray[np.float32] | None = field(default=None, repr=False)

    def state(self) -> QuestionState:
        """Return what is said of it now."""
        return QuestionState(
            verdict=self.machine.said,
            reason=self.machine.reason,
            p_yes=self.machine.p_yes,
            since=self.since,
            judged_at=self.frame.captured_at if self.frame else None,
            event_id=self.event_id,
        )


def resumed(settings: QuestionConfig, said: Said | None) -> Standing:
    """Return a question at its start, going on from what an earlier life said last."""
    machine = Hysteresis(
        settings.yes_above,
        settings.no_below,
        settings.hold_s,
        settings.unknown_after,
        settings.unsure_after,
    )
    if said is None:
        return Standing(settings, machine, Episodes(), since=datetime.now(timezone.utc))
    machine.said = said.verdict
    episodes = Episodes(said.seq, said.episode)
    return Standing(
        settings,
        machine,
        episodes,
        since=said.since,
        paused=said.reason is Reason.PAUSED,
        is_resumed=True,
        event_id=said.event_id or None,
    )
