"""What an outbox's file holds when it is opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edge_daemon.publish.payloads import is_topic
from edge_daemon.publish.said import by_question

if TYPE_CHECKING:
    from edge_daemon.publish.said import Said
    from edge_daemon.publish.storage import OutboxFile
    from edge_daemon.types import CameraId, QuestionId

SELECT_SAID: Final = "SELECT * FROM said"


@dataclass(frozen=True, slots=True)
class Contents:
    """Of earlier lives: events that wait and the last one's n, what was said, retained topics."""

    n_events: int
    last_n: int  # 0: there is none
    said: dict[tuple[CameraId, QuestionId], Said]
    topics: frozenset[str]
    ran_s: float  # how long the daemon has run with this outbox


def contents_of(file: OutboxFile) -> Contents:
    """Return what an open file holds.  Raises DamagedError or PublishError."""
    try:
        ((n_events, last_n),) = file.read("SELECT COUNT(*), MAX(n) FROM events")
        said = by_question(file.read(SELECT_SAID))
        topics = {topic for (topic,) in file.read("SELECT topic FROM topics")}
        ran_s = float(sum(ran_s for (ran_s,) in file.read("SELECT ran_s FROM clock")))
    except (ValueError, TypeError) as exc:
        raise file.damage(f"{type(exc).__name__}: {exc}") from exc
    whole = frozenset(filter(is_topic, topics))  # a damaged one could not even be emptied
    return Contents(n_events, last_n or 0, said, whole, ran_s)
