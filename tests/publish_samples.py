"""Events, states and cameras to publish, for unit and integration tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from edge_daemon.config.models import CameraConfig, DeviceConfig, QuestionConfig
from edge_daemon.types import EngineInfo, Event, QuestionState, Reason, Verdict

NOON = datetime(2026, 3, 1, 12, 0, 0, 250_999, tzinfo=timezone.utc)
MODEL = EngineInfo("street", "ab" * 32, "onnxruntime", "int8")
DEVICE = DeviceConfig(id="porch-pi", name="Porch Pi")

EVENT = Event(
    id="0195-yes",
    episode="0195-yes",
    seq=1,
    device="porch-pi",
    camera="gate",
    question="pedestrian",
    ask="Is there a pedestrian?",
    verdict=Verdict.YES,
    previous=Verdict.UNKNOWN,
    reason=None,
    p_yes=0.8765432109,
    yes_above=0.7,
    no_below=0.4,
    frame=25,
    pts_s=1.0004,
    captured_at=NOON,
    decided_at=NOON + timedelta(milliseconds=40),
    clock_synced=True,
    duration_s=0.5,
    model=MODEL,
)

STATE = QuestionState(Verdict.YES, None, 0.9, NOON, NOON, EVENT.id)
UNKNOWN = QuestionState(Verdict.UNKNOWN, Reason.CAMERA_OFFLINE, None, NOON, None, None)


def nth(n: int, question: str = "pedestrian") -> Event:
    """Return a question's event number n, from 1: YES and NO in turn."""
    verdict, previous = (Verdict.YES, Verdict.NO) if n % 2 else (Verdict.NO, Verdict.YES)
    return replace(
        EVENT,
        id=f"{question}-{n}",
        episode=f"{question}-{n if n % 2 else n - 1}",
        seq=n,
        question=question,
        verdict=verdict,
        previous=previous,
        decided_at=NOON + timedelta(seconds=n),
    )


def camera(name: str = "gate", *questions: str) -> CameraConfig:
    """Return a camera with these questions."""
    return CameraConfig(
        id=name,
        source="test:street",
        questions=tuple(
            QuestionConfig(id=question, ask=f"Is there a {question}?")
            for question in questions or ("pedestrian", "car")
        ),
    )
