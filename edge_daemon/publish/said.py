"""What was said last of each question, and its row in the outbox's file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from edge_daemon.types import Reason, Verdict

if TYPE_CHECKING:
    from typing_extensions import Self

    from edge_daemon.types import CameraId, Event, QuestionId


@dataclass(frozen=True, slots=True)
class Said:
    """What was said last of a question: goes on after a restart."""

    seq: int
    verdict: Verdict
    reason: Reason | None
    episode: str | None  # id of the YES that began it, while one is open
    event_id: str  # empty: there was none yet
    since: datetime

    @classmethod
    def nothing(cls) -> Self:
        """Return what is known of a question before its first event."""
        return cls(0, Verdict.UNKNOWN, None, None, "", datetime.now(timezone.utc))

    def after(self, earlier: Said | None) -> Said:
        """Return what is said when this comes after what was: numbers never go back."""
        return self if earlier is None else replace(self, seq=max(self.seq, earlier.seq))


def said_by(event: Event) -> Said:
    """Return what an event says."""
    return Said(
        seq=event.seq,
        verdict=event.verdict,
        reason=event.reason,
        episode=event.episode if event.verdict is Verdict.YES else None,
        event_id=event.id,
        since=event.decided_at,
    )


def row_of(key: tuple[CameraId, QuestionId], said: Said) -> tuple[Any, ...]:
    """Return a row of the table said."""
    reason = said.reason.value if said.reason else None
    return (*key, said.seq, said.verdict.value, reason, said.episode, said.event_id,
            said.since.isoformat())  # fmt: skip


def by_question(rows: list[tuple[Any, ...]]) -> dict[tuple[CameraId, QuestionId], Said]:
    """Return what was said from rows as row_of() made them.  Raises ValueError, TypeError."""
    return {
        (camera, question): Said(
            seq=int(seq),
            verdict=Verdict(verdict),
            reason=Reason(reason) if reason else None,
            episode=episode,
            event_id=event_id,
            since=datetime.fromisoformat(since),
        )
        for camera, question, seq, verdict, reason, episode, event_id, since in rows
    }
