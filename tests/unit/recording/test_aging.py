from __future__ import annotations

import logging
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from edge_daemon.config.record import RecordConfig
from edge_daemon.errors import RecordingError
from edge_daemon.logs import FaultLog
from edge_daemon.recording.aging import Aging
from edge_daemon.recording.limits import Limits
from edge_daemon.recording.retention import Archive
from edge_daemon.recording.shelves import Kind, event_path
from tests.unit.recording.test_shelves import event

NOW = datetime.now(timezone.utc)
SETTLED_S = 1000.0


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Stage:
    """What cameras have kept, and who looks through it."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir, self.clock = data_dir, Clock()
        self.archive = Archive(data_dir / "recordings")
        self.faults = FaultLog(logging.getLogger("test"))
        self.aging = Aging(self.archive, self.faults, self.clock)

    def segment(self, camera: str, age_d: float) -> Path:
        at = NOW - timedelta(days=age_d)
        path = self.data_dir / f"recordings/{camera}/{at:%Y-%m-%d}/{at:%H-%M-%S}Z.mp4"
        return self.written(path, at)

    def kept(self, kind: Kind, camera: str, age_d: float) -> Path:
        at = NOW - timedelta(days=age_d)
        return self.written(self.data_dir / event_path(kind, event(camera=camera, at=at)), at)

    def written(self, path: Path, at: datetime) -> Path:
        path.parent.mkdir(parents=True)
        path.write_bytes(bytes(1000))
        os.utime(path, (at.timestamp(), at.timestamp()))
        return path

    def configure(self, camera: str, **record: Any) -> None:
        self.aging.of(camera, RecordConfig.model_validate(record))

    def look(self, after_s: float = 60.0) -> None:
        self.clock.now_s += after_s
        self.aging.tick()


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def alive(*paths: Path) -> list[bool]:
    return [path.exists() for path in paths]


def test_what_a_quiet_camera_kept_goes_when_it_is_too_old(stage: Stage) -> None:
    segments = [stage.segment("gate", days) for days in (400, 8, 6)]
    pictures = [stage.kept(Kind.SNAPSHOT, "gate", days) for days in (400, 4, 2)]
    evidence = stage.kept(Kind.EVIDENCE, "gate", 4)
    stage.configure("gate", keep="7d", events={"keep": "3d"})
    stage.look()

    assert alive(*segments) == [False, False, True]
    assert alive(*pictures, evidence) == [False, False, True, False]
    assert not segments[0].parent.exists()
    assert not pictures[0].parent.exists()


def test_what_is_too_old_is_looked_for_once_a_minute(stage: Stage) -> None:
    stage.configure("gate", keep="7d")
    stage.look()
    name, _ = stage.archive.begin("gate", NOW, Limits(None, None), 1)
    Path(name).write_bytes(bytes(1000))
    os.utime(name, (0, 0))
    stage.archive.end(name)
    stage.look(30.0)
    before = Path(name).exists()
    stage.look(30.0)

    assert before
    assert not Path(name).exists()


def test_each_camera_has_its_own_limits_and_null_is_none(stage: Stage) -> None:
    gate, door = stage.segment("gate", 400), stage.segment("door", 400)
    picture = stage.kept(Kind.CLIP, "door", 400)
    stage.configure("gate", keep="7d")
    stage.configure("door", keep=None, events={"keep": None})
    stage.look()

    assert alive(gate, door, picture) == [False, True, True]


@pytest.mark.parametrize(
    ("keep", "gone"), [("1d", [8, 40]), ("7d", [8, 40]), ("30d", [40]), (None, [])]
)
def test_unknown_camera_keeps_what_the_longest_limit_allows(
    stage: Stage, keep: str | None, gone: list[int]
) -> None:
    paths = {days: stage.segment("old", days) for days in (2, 8, 40)}
    stage.configure("gate", keep="2d")
    stage.configure("door", keep=keep)
    stage.look(SETTLED_S)

    assert [days for days, path in paths.items() if not path.exists()] == gone


def test_unknown_camera_keeps_pictures_for_thirty_days(stage: Stage) -> None:
    pictures = [stage.kept(Kind.SNAPSHOT, "old", days) for days in (31, 29)]
    stage.configure("gate", events={"keep": "1d"})
    stage.look(SETTLED_S)

    assert alive(*pictures) == [False, True]


def test_camera_is_unknown_only_when_all_that_are_configured_have_come(stage: Stage) -> None:
    path = stage.segment("late", 8)
    stage.look()
    stage.configure("gate")
    stage.look(SETTLED_S / 2)
    stage.configure("late", keep="9d")
    stage.look(SETTLED_S)

    assert path.exists()


def test_what_is_being_written_stays(stage: Stage) -> None:
    name, _ = stage.archive.begin("gate", NOW - timedelta(days=30), Limits(None, None), 1)
    Path(name).write_bytes(bytes(1000))
    os.utime(name, (0, 0))
    stage.configure("gate", keep="7d")
    stage.look()

    assert Path(name).exists()


def test_nothing_is_made_where_nothing_was_kept(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.configure("gate")
    stage.look(SETTLED_S)

    assert list(stage.data_dir.iterdir()) == []
    assert caplog.messages == []


class SickDisk(Archive):
    """Cannot be read once."""

    n_looks = 0

    def cameras(self) -> list[str]:
        self.n_looks += 1
        if self.n_looks == 1:
            raise RecordingError("Input/output error", where="disk", hint="check it")
        return super().cameras()


def test_disk_that_cannot_be_read_is_told_and_tried_again(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "test")
    stage.aging = Aging(SickDisk(stage.archive.root), stage.faults, stage.clock)
    path = stage.segment("gate", 8)
    stage.configure("gate", keep="7d")
    stage.look()
    before, n_told = path.exists(), len(caplog.messages)
    stage.look()

    assert (before, path.exists(), n_told) == (True, False, 1)
    assert caplog.messages == [
        "old recordings: disk: Input/output error -- check it",
        "old recordings: looked through again",
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may remove all")
def test_files_that_cannot_be_removed_cost_one_line(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    paths = [stage.kept(Kind.SNAPSHOT, "gate", days) for days in (40, 41, 42)]
    stage.configure("gate")
    for path in paths:
        path.parent.chmod(0o500)
    stage.look()
    for path in paths:
        path.parent.chmod(0o700)

    home = stage.data_dir / "snapshots" / "gate"
    (line,) = caplog.messages
    assert line.startswith(f"old files: {home}: old files cannot be removed: Permission denied -- ")


def test_what_is_too_old_goes_in_a_run_of_less_than_a_minute(stage: Stage) -> None:
    picture = stage.kept(Kind.SNAPSHOT, "gate", 400)
    stage.configure("gate", events={"keep": "3d"})
    stage.look(after_s=0.0)

    assert not picture.exists()


def test_however_much_is_too_old_all_of_it_goes(stage: Stage) -> None:
    segments = [stage.segment("gate", days) for days in range(10, 75)]
    pictures = [stage.kept(Kind.SNAPSHOT, "gate", days) for days in range(10, 75)]
    stage.configure("gate", keep="7d", events={"keep": "3d"})
    stage.look()

    assert not any(alive(*segments, *pictures))


def test_segment_that_cannot_be_removed_still_counts_and_is_tried_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    segments = [stage.segment("gate", days) for days in (400, 300)]
    stage.configure("gate", keep="7d")
    with monkeypatch.context() as patch:
        patch.setattr("edge_daemon.recording.retention.remove_file", refuse)
        stage.look()
    counted = stage.archive.size_bytes("gate")
    stage.look()

    assert counted == 2000
    assert not any(alive(*segments))


def refuse(path: object) -> None:
    raise OSError(30, "Read-only file system")
