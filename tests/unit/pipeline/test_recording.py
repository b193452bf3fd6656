"""A recorder whose disk takes nothing: what waits for it stays small."""

from __future__ import annotations

import logging
import time
import weakref
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edge_daemon.config.load import parse_settings
from edge_daemon.errors import RecordingError
from edge_daemon.logs import FaultLog
from edge_daemon.metrics import Metrics
from edge_daemon.pipeline import soft
from edge_daemon.pipeline.recording import RecorderThread
from edge_daemon.recording.retention import Archive
from edge_daemon.recording.ring import PacketRing
from edge_daemon.recording.soft import SoftRecorder
from edge_daemon.sources.picture import ArrayPicture
from edge_daemon.types import Frame, QuestionState, Reason, Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from edge_daemon.config.models import CameraConfig
    from edge_daemon.recording.beside import Note

AT = datetime(2026, 11, 22, tzinfo=timezone.utc)
STATES = {"q": QuestionState(Verdict.UNKNOWN, Reason.STARTING, None, AT, None, None)}


class Failing:
    """A recorder on a disk that takes nothing."""

    def write(self, *_: Any) -> None:
        raise RecordingError("Read-only file system", where="test", hint="")

    def note(self, _note: Note) -> bool:
        raise AssertionError("nothing was recorded that could be written about")

    def close(self) -> None:
        pass


def camera() -> CameraConfig:
    cameras = [
        {"id": "gate", "source": "rtsp://c/1", "questions": [{"id": "q", "ask": "Is it red?"}]}
    ]
    return parse_settings({"version": 1, "cameras": cameras}, where="test").cameras[0]


def test_no_picture_is_kept_for_a_disk_that_takes_nothing() -> None:
    recording = RecorderThread(
        Failing(), camera(), metrics=Metrics(), faults=FaultLog(logging.getLogger("test"))
    )
    pixels = np.zeros((1080, 1920, 3), np.uint8)
    frame = Frame("gate", 0, 0.0, 0.0, AT, ArrayPicture(pixels))
    kept = weakref.ref(pixels)
    recording.note(frame, STATES)
    del frame, pixels

    assert kept() is None


def test_a_recorder_that_does_not_keep_up_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics()
    recording = RecorderThread(
        Failing(), camera(), metrics=metrics, faults=FaultLog(logging.getLogger("test"))
    )
    frame = Frame("gate", 0, 0.0, 0.0, AT, ArrayPicture(np.zeros((36, 64, 3), np.uint8)))
    for _ in range(60):  # nobody takes them
        recording.write(frame, STATES)

    (line,) = caplog.messages
    assert line.startswith("recording gate: its pictures come faster than they are drawn")
    assert b'edge_recording_dropped_total{camera="gate"} 56.0' in metrics.page()


def test_a_soft_recorder_that_hangs_is_told_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(soft, "_SLOW_S", 0.05)
    settings, metrics = camera(), Metrics()
    recording = soft.SoftThread(
        settings,
        SoftRecorder("gate", Archive(tmp_path), settings.record, live=True),
        PacketRing(keep_s=1.0, max_bytes=10**6, live=True),
        lambda: pytest.fail("it is not recorded burned"),
        metrics=metrics,
        faults=FaultLog(logging.getLogger("test")),
    )
    recording.note(None, STATES)
    time.sleep(0.06)  # nobody turns
    recording.note(None, STATES)
    time.sleep(0.06)
    recording.close()
    recording.note(None, STATES)  # its file has ended, and a question is paused

    assert caplog.messages == [
        "recording gate: its disk takes nothing -- see what else uses it, or replace it"
    ]
    assert b'edge_faults_total{part="recording"} 1.0' in metrics.page()
