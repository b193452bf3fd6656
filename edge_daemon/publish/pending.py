"""An event that waits for the broker, and its row in the outbox's file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge_daemon.types import CameraId, QuestionId


@dataclass(frozen=True, slots=True)
class Pending:
    """An event that the broker has not acknowledged; n orders all of them."""

    n: int
    id: str
    camera: CameraId
    question: QuestionId
    payload: bytes

    @property
    def key(self) -> tuple[CameraId, QuestionId]:
        """Of whom it tells."""
        return self.camera, self.question


@dataclass(frozen=True, slots=True)
class Waiting:
    """A Pending that is not on disk yet, and when it came."""

    pending: Pending
    at_s: float

    @property
    def row(self) -> tuple[Any, ...]:
        """Return it as a row of the table events."""
        event = self.pending
        return event.n, event.id, event.camera, event.question, self.at_s, event.payload
