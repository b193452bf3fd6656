"""A model that fails: told, lived with for a while, then given up together with the process."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timezone
from threading import Thread
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_daemon.config.load import parse_settings
from edge_daemon.config.models import EngineConfig
from edge_daemon.engine.open import open_engine
from edge_daemon.errors import EngineRunError
from edge_daemon.logs import FaultLog
from edge_daemon.metrics import Metrics
from edge_daemon.pipeline import inference
from edge_daemon.pipeline.board import Board, Origin
from edge_daemon.pipeline.mailbox import Mailboxes
from edge_daemon.pipeline.pulse import Pulse
from edge_daemon.sources.picture import ArrayPicture
from edge_daemon.types import Frame, Reason
from tests.data.colours import RED, lined
from tests.data.tiny_bundle import write_tiny_bundle
from tests.processes import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

AT = datetime(2026, 11, 22, 7, 30, tzinfo=timezone.utc)


class OutOfOrder:
    """An engine that fails for as long as it is told to."""

    def __init__(self, bundle: Path) -> None:
        self._engine = open_engine(EngineConfig(bundle=str(bundle), threads=1))
        self.input_size, self.info, self.drift = self._engine.input_size, self._engine.info, None
        self.prepare, self.answer = self._engine.prepare, self._engine.answer
        self.close = self._engine.close
        self.fails = True

    def look(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        if self.fails:
            raise EngineRunError("the GPU has fallen off the bus", where="image.onnx")
        return self._engine.look(pictures)


def test_a_model_that_never_answers_again_ends_the_daemon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inference, "_MOST_FAILING_S", 0.2)
    question = {"id": "red", "ask": "Is it red?"}
    camera = {"id": "gate", "source": "rtsp://c/1", "questions": [question]}
    settings = parse_settings({"version": 1, "cameras": [camera]}, where="test").cameras[0]
    engine, mailboxes = OutOfOrder(write_tiny_bundle(tmp_path / "tiny")), Mailboxes(lambda _: None)
    body = inference.Inference(
        engine,  # type: ignore[arg-type]  as much of one as is asked
        mailboxes,
        metrics=Metrics(),
        faults=FaultLog(logging.getLogger("test")),
        pulse=Pulse("inference"),
    )
    board = Board(settings, Origin("porch", engine.info, lambda: True), [])
    body.add(board, settings)
    mailboxes.open("gate", 10.0)
    thread = Thread(target=body.run, daemon=True)
    thread.start()

    def show() -> None:
        frame = Frame("gate", 0, 0.0, time.monotonic(), AT, ArrayPicture(lined(RED)))
        mailboxes.put(frame, wait=True)
        mailboxes.join("gate")

    show()
    assert not body.is_broken()  # once is nothing
    wait_until(lambda: show() or body.is_broken())  # type: ignore[func-returns-value]
    assert board.states()["red"].reason is Reason.ENGINE_FAULT
    engine.fails = False
    show()

    assert not body.is_broken()
    mailboxes.close()
    thread.join(10)
    body.close()
