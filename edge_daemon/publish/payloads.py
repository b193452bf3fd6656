"""What goes out over MQTT: topics and JSON, exactly as in the public contract.  Pure functions."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from datetime import timezone
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from edge_daemon.config.models import CameraConfig
    from edge_daemon.types import CameraId, Event, QuestionId, QuestionState, Reason, Verdict

EVENT_SCHEMA: Final = "edge-daemon/event/1"
ONLINE: Final = b"online"
OFFLINE: Final = b"offline"
ON: Final = b"ON"
OFF: Final = b"OFF"
_MAX_TOPIC_BYTES: Final = 65_535
_NOT_IN_TOPICS: Final = re.compile("[+#\0-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def is_topic(text: str) -> bool:
    """Whether a message may be published there; a broker may hang up on who tries it elsewhere.

    Source: MQTT 5, 1.5.4 "UTF-8 Encoded String" and 4.7 "Topic Names and Topic Filters".
    """
    is_clean = bool(text) and not _NOT_IN_TOPICS.search(text)
    return is_clean and len(text.encode()) <= _MAX_TOPIC_BYTES


@dataclass(frozen=True, slots=True)
class Topics:
    """Every topic of one device, below ``<base>/<device>``."""

    base: str
    device: str

    @property
    def root(self) -> str:
        """What all the others begin with, without a slash at the end."""
        return f"{self.base}/{self.device}"

    @property
    def status(self) -> str:
        """Whether the daemon is there; the last will."""
        return f"{self.root}/status"

    def camera_status(self, camera: CameraId) -> str:
        """Whether frames arrive from a camera."""
        return f"{self.root}/{camera}/status"

    def health(self, camera: CameraId) -> str:
        """How a camera fares."""
        return f"{self.root}/{camera}/health"

    def ask(self, camera: CameraId) -> str:
        """Incoming: a question to be answered once."""
        return f"{self.root}/{camera}/ask"

    def answer(self, camera: CameraId) -> str:
        """Answers to those who name no response topic."""
        return f"{self.root}/{camera}/answer"

    def verdict(self, camera: CameraId, question: QuestionId) -> str:
        """The verdict alone."""
        return f"{self.root}/{camera}/{question}/verdict"

    def state(self, camera: CameraId, question: QuestionId) -> str:
        """The verdict with its circumstances."""
        return f"{self.root}/{camera}/{question}/state"

    def event(self, camera: CameraId, question: QuestionId) -> str:
        """Changes of verdict, not retained."""
        return f"{self.root}/{camera}/{question}/event"

    def snapshot(self, camera: CameraId, question: QuestionId) -> str:
        """The picture behind the last event."""
        return f"{self.root}/{camera}/{question}/snapshot"

    def enabled(self, camera: CameraId, question: QuestionId) -> str:
        """Whether a question is asked."""
        return f"{self.root}/{camera}/{question}/enabled"

    def set(self, camera: CameraId, question: QuestionId) -> str:
        """Incoming: ask a question, or pause it."""
        return f"{self.root}/{camera}/{question}/set"

    def retained(self, camera: CameraConfig) -> Iterator[str]:
        """Yield every retained topic of a camera and its questions."""
        yield from (self.camera_status(camera.id), self.health(camera.id))
        for question in camera.questions:
            where = (camera.id, question.id)
            yield from (self.verdict(*where), self.state(*where))
            yield from (self.snapshot(*where), self.enabled(*where))

    def question_of(self, topic: str) -> tuple[CameraId, QuestionId] | None:
        """Return whose topic it is; None for another device's, a camera's or the daemon's own."""
        levels = topic[len(self.root) + 1 :].split("/")
        is_ours = topic.startswith(f"{self.root}/") and len(levels) == 3
        return (levels[0], levels[1]) if is_ours else None


@dataclass(frozen=True, slots=True)
class CameraHealth:
    """How a camera fares: the retained health topic."""

    state: Literal["online", "offline"]
    reason: str | None  # why it is offline, blind or frozen
    fps_measured: float | None
    frames_dropped: int
    reconnects: int
    last_frame_at: datetime | None


def event_json(event: Event) -> bytes:
    """Return the event topic's payload."""
    return _json(event_facts(event))


def event_facts(event: Event) -> dict[str, Any]:
    """Return an event as it is published, for JSON."""
    model = event.model
    return {
        "schema": EVENT_SCHEMA,
        "id": event.id,
        "episode": event.episode,
        "seq": event.seq,
        "device": event.device,
        "camera": event.camera,
        "question": event.question,
        "ask": event.ask,
        "verdict": event.verdict.value,
        "previous": event.previous.value,
        "reason": _value(event.reason),
        "p_yes": _rounded(event.p_yes, 6),
        "yes_above": _rounded(event.yes_above, 6),
        "no_below": _rounded(event.no_below, 6),
        "frame": event.frame,
        "pts_s": _rounded(event.pts_s, 3),
        "captured_at": _utc(event.captured_at),
        "decided_at": _utc(event.decided_at),
        "clock_synced": event.clock_synced,
        "duration_s": _rounded(event.duration_s, 3),
        "model": {
            "bundle": model.bundle,
            "sha256": model.sha256,
            "backend": model.backend,
            "precision": model.precision,
        },
        "snapshot": event.snapshot,
        "clip": event.clip,
        "replayed": event.replayed,
    }


def as_replayed(payload: bytes) -> bytes:
    """Return an event's payload with ``replayed`` true and nothing else changed.

    Raises ValueError when payload is no event.
    """
    event = json.loads(payload)
    if not isinstance(event, dict) or "replayed" not in event:
        raise ValueError("not an event")
    return _json({**event, "replayed": True})


def state_json(state: QuestionState) -> bytes:
    """Return the state topic's payload."""
    return _json(
        {
            "verdict": state.verdict.value,
            "reason": _value(state.reason),
            "p_yes": _rounded(state.p_yes, 6),
            "since": _utc(state.since),
            "judged_at": _utc(state.judged_at),
            "event_id": state.event_id,
        }
    )


def health_json(health: CameraHealth) -> bytes:
    """Return the health topic's payload."""
    return _json(
        {
            "state": health.state,
            "reason": health.reason,
            "fps_measured": _rounded(health.fps_measured, 2),
            "frames_dropped": health.frames_dropped,
            "reconnects": health.reconnects,
            "last_frame_at": _utc(health.last_frame_at),
        }
    )


def answer_json(
    *,
    camera: CameraId,
    question: str,
    zone: str | None,
    verdict: Verdict,
    reason: Reason | None,
    p_yes: float | None,
    captured_at: datetime | None,
) -> bytes:
    """Return the answer to a question that was asked once."""
    return _json(
        {
            "camera": camera,
            "question": question,
            "zone": zone,
            "verdict": verdict.value,
            "reason": _value(reason),
            "p_yes": _rounded(p_yes, 6),
            "captured_at": _utc(captured_at),
        }
    )


def refusal_json(*, error: str, where: str, hint: str) -> bytes:
    """Return what the asker of a question gets that could not be understood."""
    return _json({"error": error, "where": where, "hint": hint})


def _json(found: dict[str, Any]) -> bytes:
    return json.dumps(found, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")


def _rounded(value: float | None, digits: int) -> float | None:
    """Return value without noise; None for what is no number, as JSON has no NaN."""
    return None if value is None or not math.isfinite(value) else round(float(value), digits)


def _value(reason: Reason | None) -> str | None:
    return None if reason is None else reason.value


def _utc(at: datetime | None) -> str | None:
    """Return RFC 3339 with milliseconds, in UTC.  Raises ValueError for a naive time."""
    if at is None:
        return None
    if at.tzinfo is None:
        raise ValueError("naive time")
    text = at.astimezone(timezone.utc).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
