"""A question asked once is answered as a standing one would be: never NO where nothing is seen."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from threading import Thread
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from edge_daemon.config.load import parse_settings
from edge_daemon.config.models import EngineConfig
from edge_daemon.engine.open import open_engine
from edge_daemon.logs import FaultLog
from edge_daemon.metrics import Metrics
from edge_daemon.pipeline.board import Board, Origin
from edge_daemon.pipeline.inference import Inference
from edge_daemon.pipeline.mailbox import Mailboxes
from edge_daemon.pipeline.pulse import Pulse
from edge_daemon.publish.commands import AskRequest
from edge_daemon.service.asking import answer_once
from edge_daemon.sources.picture import ArrayPicture
from edge_daemon.types import Frame
from tests.data.colours import RED, lined
from tests.data.tiny_bundle import write_tiny_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from edge_daemon.config.models import CameraConfig, Settings
    from edge_daemon.pipeline.camera import Camera

AT = datetime(2026, 11, 22, 7, 30, tzinfo=timezone.utc)
BLACK = np.zeros((72, 128, 3), np.uint8)


@dataclass
class Gate:
    """As much of a camera as is asked."""

    settings: CameraConfig
    board: Board
    up: bool = True


@dataclass
class Bench:
    """A camera's board and the real inference behind it."""

    settings: Settings
    gate: Gate
    inference: Inference
    mailboxes: Mailboxes
    shown: int = 0

    def show(self, rgb: NDArray[np.uint8], age_s: float = 0.0) -> None:
        """Have a frame looked at, decoded so long ago."""
        mono_s = time.monotonic() - age_s
        frame = Frame("gate", self.shown, self.shown / 5, mono_s, AT, ArrayPicture(rgb))
        self.shown += 1
        self.mailboxes.put(frame, wait=True)
        self.mailboxes.join("gate")

    def ask(self, question: str = "Is it blue?") -> dict[str, Any]:
        request = AskRequest("gate", question, None, "answers", None)
        shared = self.settings.defaults.as_question()
        gate = cast("Camera", self.gate)
        found: dict[str, Any] = json.loads(answer_once(request, gate, self.inference, shared))
        return found


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    asked = [{"id": "red", "ask": "Is it red?"}]
    camera = {"id": "gate", "source": "rtsp://c/1", "blind_after": "60s", "questions": asked}
    settings = parse_settings({"version": 1, "cameras": [camera]}, where="test")
    bundle = write_tiny_bundle(tmp_path / "tiny")
    engine = open_engine(EngineConfig(bundle=str(bundle), threads=1))
    mailboxes = Mailboxes(on_drop=lambda _: None)
    inference = Inference(
        engine,
        mailboxes,
        metrics=Metrics(),
        faults=FaultLog(logging.getLogger("test")),
        pulse=Pulse("inference"),
    )
    board = Board(settings.cameras[0], Origin("porch", engine.info, lambda: True), [])
    inference.add(board, settings.cameras[0])
    mailboxes.open("gate", 10.0)
    thread = Thread(target=inference.run)
    thread.start()
    yield Bench(settings, Gate(settings.cameras[0], board), inference, mailboxes)
    mailboxes.close()
    thread.join(10)
    inference.close()


def test_what_is_seen_is_answered_with_the_time_of_its_frame(bench: Bench) -> None:
    bench.show(lined(RED))

    assert (bench.ask()["verdict"], bench.ask("Is it red?")["verdict"]) == ("NO", "YES")
    assert bench.ask()["captured_at"] == "2026-11-22T07:30:00.000Z"


def test_before_the_first_frame_nothing_is_known(bench: Bench) -> None:
    answer = bench.ask()

    assert (answer["verdict"], answer["reason"]) == ("UNKNOWN", "starting")
    assert answer["captured_at"] is None


def test_a_lens_that_was_just_covered_is_not_believed(bench: Bench) -> None:
    bench.show(lined(RED))
    bench.show(BLACK)
    answer = bench.ask()

    assert bench.gate.board.blindness is None  # that takes blind_after
    assert (answer["verdict"], answer["reason"]) == ("UNKNOWN", "camera_blind")


def test_a_picture_that_showed_nothing_is_not_believed_when_sight_is_back(bench: Bench) -> None:
    bench.show(BLACK)
    again = Frame("gate", 9, 9.0, time.monotonic(), AT, ArrayPicture(lined(RED)))
    bench.gate.board.look(again, lined(RED))  # and not answered yet
    answer = bench.ask()

    assert not bench.gate.board.sees_nothing
    assert (answer["verdict"], answer["reason"]) == ("UNKNOWN", "camera_blind")


def test_a_picture_that_is_too_old_is_no_answer(bench: Bench) -> None:
    bench.show(lined(RED), age_s=11.0)
    answer = bench.ask()

    assert (answer["verdict"], answer["reason"]) == ("UNKNOWN", "stale")


def test_a_camera_that_is_away_is_not_answered_for(bench: Bench) -> None:
    bench.show(lined(RED))
    bench.gate.up = False
    answer = bench.ask()

    assert (answer["verdict"], answer["reason"]) == ("UNKNOWN", "camera_offline")
