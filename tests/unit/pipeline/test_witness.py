from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import cv2
import numpy as np
import pytest

from edge_daemon.config.load import parse_settings
from edge_daemon.config.models import CameraConfig
from edge_daemon.logs import FaultLog
from edge_daemon.metrics import Metrics
from edge_daemon.pipeline.board import Board, Origin
from edge_daemon.pipeline.witness import Witness
from edge_daemon.recording.evidence import read_pack
from edge_daemon.recording.jpeg import comment_of
from edge_daemon.recording.retention import Archive
from edge_daemon.recording.shelves import Kind, find_kept
from edge_daemon.types import EngineInfo, Event, Reason, Verdict
from tests.data.colours import BLUE, lined
from tests.processes import wait_until
from tests.unit.pipeline.conftest import MakeFrame
from tests.unit.pipeline.test_board import Notes

ORIGIN = Origin("porch", EngineInfo("tiny", "0" * 64, "onnxruntime", "fp32"), lambda: True)
INPUT = np.random.default_rng(0).integers(0, 256, (36, 64, 3), np.uint8)


def camera(source: str = "clip.mp4", **events: Any) -> CameraConfig:
    questions = [{"id": q, "ask": f"Is there a {q}?", "hold": None} for q in ("person", "car")]
    cameras = [
        {"id": "gate", "source": source, "questions": questions, "record": {"events": events}}
    ]
    return parse_settings({"version": 1, "cameras": cameras}, where="test").cameras[0]


class Stage:
    """A board with its witness, whose thread runs when it is told to."""

    def __init__(self, data_dir: Path, settings: CameraConfig, most_bytes: int = 10**6) -> None:
        self.sent: list[tuple[Event, bytes]] = []
        self.now_s = 0.0
        self.data_dir, self.notes, self.metrics = data_dir, Notes(), Metrics()
        self.witness = Witness(
            Archive(data_dir / "recordings"),
            configuration_sha256=lambda: "c" * 64,
            on_snapshot=lambda event, jpeg: self.sent.append((event, jpeg)),
            metrics=self.metrics,
            faults=FaultLog(logging.getLogger("test")),
            most_bytes=most_bytes,
            clock=lambda: self.now_s,
        )
        of = self.witness.of(settings)
        self.board = Board(settings, ORIGIN, [self.notes], witness=of)

    def answer(self, frame: Any, *p_yes: float, picture: np.ndarray = INPUT) -> None:
        self.board.look(frame, picture)
        maps = np.zeros((len(p_yes), 2, 2), np.float32)
        self.board.judged(frame, np.asarray(p_yes, np.float32), maps)

    def write(self) -> None:
        self.witness.close()
        self.witness.run()

    def files(self, kind: Kind) -> list[Path | None]:
        return [find_kept(self.data_dir, kind, event.id) for event in self.notes.events]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    return Stage(tmp_path, camera())


def test_each_event_gets_its_picture_and_its_evidence(stage: Stage, frame: MakeFrame) -> None:
    stage.answer(frame(pts_s=1.0, index=5), 0.9, 0.1)
    stage.write()
    yes, no = stage.notes.events
    (jpeg, _), (path, _) = stage.files(Kind.SNAPSHOT), stage.files(Kind.EVIDENCE)

    assert jpeg is not None
    assert path is not None
    assert yes.snapshot == str(jpeg.relative_to(stage.data_dir))
    assert no.snapshot is not None
    assert "car-NO-" in no.snapshot
    assert comment_of(jpeg.read_bytes()) == yes.id
    assert [event.id for event, _ in stage.sent] == [yes.id, no.id]
    drawn = cv2.imread(str(jpeg)).astype(int)
    assert np.abs(drawn - 128).max() > 60  # of a grey frame
    pack = read_pack(path)
    assert (pack.picture == INPUT).all()
    assert pack.p_yes == np.float32(0.9)
    assert (pack.place, [a.ask for a in pack.asked][1]) == (0, "Is there a car?")
    assert pack.event["id"] == yes.id


def test_events_without_a_picture_behind_them_have_none(stage: Stage, frame: MakeFrame) -> None:
    stage.answer(frame(), 0.9, 0.9)
    stage.board.tell_camera(up=False)
    stage.board.pause("car", paused=True)
    stage.write()

    lost = stage.notes.events[2:]
    assert [e.reason for e in lost] == [Reason.CAMERA_OFFLINE] * 2
    assert [e.snapshot for e in lost] == [None, None]
    assert len(stage.sent) == 2


def test_a_blind_camera_is_shown(stage: Stage, frame: MakeFrame) -> None:
    black = np.zeros((72, 128, 3), np.uint8)
    stage.answer(frame(pts_s=0.0), 0.9, 0.9, picture=lined(BLUE))
    for n in range(1, 8):
        stage.answer(frame(pts_s=float(n)), 0.9, 0.9, picture=black)
    stage.write()

    blind = [e for e in stage.notes.events if e.reason is Reason.CAMERA_BLIND]
    assert [e.verdict for e in blind] == [Verdict.UNKNOWN] * 2
    assert all(e.snapshot and (stage.data_dir / e.snapshot).exists() for e in blind)


@pytest.mark.parametrize("kept", [Kind.SNAPSHOT, Kind.EVIDENCE])
def test_either_can_be_switched_off(tmp_path: Path, frame: MakeFrame, kept: Kind) -> None:
    others = {"snapshots": kept is Kind.SNAPSHOT, "evidence": kept is Kind.EVIDENCE}
    stage = Stage(tmp_path, camera(**others))
    stage.answer(frame(), 0.9, 0.5)
    stage.write()
    (event,) = stage.notes.events

    assert {kind: stage.files(kind) != [None] for kind in (Kind.SNAPSHOT, Kind.EVIDENCE)} == {
        kind: kind is kept for kind in (Kind.SNAPSHOT, Kind.EVIDENCE)
    }
    assert (event.snapshot is not None) == (kept is Kind.SNAPSHOT) == bool(stage.sent)


def test_a_live_camera_never_waits_for_its_pictures(tmp_path: Path, frame: MakeFrame) -> None:
    stage = Stage(tmp_path, camera("rtsp://host/1"), most_bytes=1)
    for n in range(4):
        stage.answer(frame(pts_s=float(n)), 0.9 if n % 2 else 0.1, 0.5)
    stage.write()

    assert [e.snapshot is not None for e in stage.notes.events] == [True, False, False, False]
    assert stage.metrics.recording_dropped.labels("gate")._value.get() == 3
    assert len(stage.sent) == 1


def test_a_file_loses_no_picture_and_waits_before_its_next_frame(
    tmp_path: Path, frame: MakeFrame
) -> None:
    stage = Stage(tmp_path, camera(), most_bytes=1)
    for n in range(4):
        stage.answer(frame(pts_s=float(n)), 0.9 if n % 2 else 0.1, 0.5)
    waiting = Thread(target=stage.board.catch_up)
    waiting.start()
    waiting.join(0.05)
    was_waiting = waiting.is_alive()
    stage.write()
    waiting.join(5)

    assert was_waiting
    assert not waiting.is_alive()
    assert len(stage.sent) == 4


def test_files_leave_half_of_the_room_to_live_cameras(tmp_path: Path, frame: MakeFrame) -> None:
    stage = Stage(tmp_path, camera(), most_bytes=60_000)  # an event and its frame: 18 kB
    for n in range(3):
        stage.answer(frame(pts_s=float(n)), 0.9 if n % 2 else 0.1, 0.5)
    waiting = Thread(target=stage.board.catch_up)
    waiting.start()
    waiting.join(0.05)
    was_waiting = waiting.is_alive()
    settings = camera("rtsp://host/1")
    stage.board = Board(settings, ORIGIN, [stage.notes], witness=stage.witness.of(settings))
    stage.answer(frame(), 0.9, 0.5)
    stage.write()
    waiting.join(5)

    assert was_waiting
    assert not waiting.is_alive()
    assert len(stage.sent) == 4
    assert stage.metrics.recording_dropped.labels("gate")._value.get() == 0


def test_what_waits_is_bounded_by_all_that_it_holds(tmp_path: Path, frame: MakeFrame) -> None:
    stage = Stage(tmp_path, camera("rtsp://host/1"), most_bytes=600_000)
    large = np.tile(INPUT, (6, 6, 1))  # 249 kB, of a frame of 5 kB
    for n in range(6):
        stage.answer(frame(pts_s=float(n)), 0.9 if n % 2 else 0.1, 0.5, picture=large)

    assert [e.snapshot is not None for e in stage.notes.events] == [True] * 3 + [False] * 3


def test_a_disk_that_fails_costs_the_files_and_not_the_pictures_sent(
    tmp_path: Path, frame: MakeFrame, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "recordings").mkdir()
    (tmp_path / "snapshots").write_text("a file is in the way")
    stage = Stage(tmp_path, camera())
    stage.answer(frame(), 0.9, 0.1)
    stage.write()

    assert len(stage.sent) == 2
    assert all(stage.files(Kind.EVIDENCE))
    assert "a file is in the way: choose another place" in caplog.text
    assert len(caplog.records) <= 3


def test_a_witness_that_must_end_leaves_what_it_has_no_time_for(
    stage: Stage, frame: MakeFrame, caplog: pytest.LogCaptureFixture
) -> None:
    stage.answer(frame(), 0.9, 0.1)
    stage.witness.close(within_s=-1.0)
    stage.witness.run()

    assert stage.sent == []
    assert not stage.witness.is_busy
    assert caplog.messages == ["files of 2 events are not written: the daemon ends"]


def test_what_is_too_old_goes_also_while_nothing_happens(tmp_path: Path) -> None:
    old = tmp_path / "recordings" / "gate" / "2026-01-01" / "00-00-00Z.mp4"
    old.parent.mkdir(parents=True)
    old.write_bytes(bytes(1000))
    os.utime(old, (0, 0))
    stage = Stage(tmp_path, camera())
    stage.now_s = 61.0
    thread = Thread(target=stage.witness.run)
    thread.start()
    try:
        wait_until(lambda: not old.exists())
    finally:
        stage.witness.close()
        thread.join(10)
