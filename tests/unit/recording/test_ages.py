"""Ages of files where the wall clock was wrong for a while."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path

import pytest

from edge_daemon.recording.ages import Ages
from edge_daemon.recording.limits import Keep, Limits
from edge_daemon.recording.retention import Archive
from edge_daemon.recording.shelves import Kind, event_path
from tests.unit.recording.test_shelves import event

HOUR_S, DAY_S = 3600.0, 86_400.0
TODAY_S = datetime(2026, 11, 20, 12, tzinfo=timezone.utc).timestamp()
A_WEEK = Keep(7 * DAY_S, 7 * DAY_S)


class Device:
    """A machine whose clock may be wrong; it starts when it is made."""

    def __init__(self, data_dir: Path, *, wall_s: float, is_synced: bool) -> None:
        self.data_dir, self.wall_s, self.mono_s, self.is_synced = data_dir, wall_s, 0.0, is_synced
        self.restart()

    def restart(self) -> None:
        ages = Ages(lambda: self.is_synced, wall=lambda: self.wall_s, mono=lambda: self.mono_s)
        self.archive = Archive(self.data_dir / "recordings", ages=ages)

    def work(self, seconds: float) -> None:
        self.wall_s += seconds
        self.mono_s += seconds

    def segment(self) -> Path:
        at = datetime.fromtimestamp(self.wall_s, timezone.utc)
        path = Path(self.archive.begin("gate", at, Limits(A_WEEK.segments_s, None), 1)[0])
        path.write_bytes(bytes(1000))
        os.utime(path, (self.wall_s, self.wall_s))
        self.archive.end(str(path))
        return path

    def clip(self) -> Path:
        at = datetime.fromtimestamp(self.wall_s, timezone.utc)
        path = self.data_dir / event_path(Kind.CLIP, event(camera="gate", at=at))
        self.archive.begin_kept(Kind.CLIP, "gate", str(path), Limits(None, None), 1)
        path.write_bytes(bytes(1000))
        self.archive.end(str(path))
        return path

    def files(self) -> list[Path]:
        """Make one of each."""
        return [self.segment(), self.clip()]

    def alive(self, files: list[Path]) -> list[bool]:
        """Look through what is too old, and return which files are left."""
        while self.archive.expire("gate", A_WEEK):
            pass
        return [path.exists() for path in files]


def test_a_clock_that_jumps_weeks_forward_makes_nothing_old(tmp_path: Path) -> None:
    device = Device(tmp_path, wall_s=TODAY_S - 30 * DAY_S, is_synced=False)
    early = device.files()
    device.work(HOUR_S)
    device.wall_s, device.is_synced = TODAY_S, True
    late = device.files()  # room is made for it, too

    assert device.alive(early + late) == [True] * 4

    device.work(7 * DAY_S - HOUR_S / 2)

    assert device.alive(early + late) == [False, False, True, True]


@pytest.mark.parametrize("begins_at_s", [TODAY_S + 27_000 * DAY_S, TODAY_S - 5000 * DAY_S])
def test_a_clock_that_nobody_keeps_makes_nothing_old(tmp_path: Path, begins_at_s: float) -> None:
    device = Device(tmp_path, wall_s=TODAY_S, is_synced=True)
    files = device.files()
    device.wall_s, device.is_synced = begins_at_s, False
    device.restart()

    assert device.alive(files) == [True, True]

    device.work(DAY_S)
    files.append(device.segment())
    device.wall_s, device.is_synced = TODAY_S + DAY_S, True

    assert device.alive(files) == [True] * 3

    device.work(7 * DAY_S + HOUR_S)

    assert device.alive(files) == [False] * 3


def test_what_is_older_than_allowed_by_the_time_worked_goes_by_any_clock(tmp_path: Path) -> None:
    device = Device(tmp_path, wall_s=TODAY_S, is_synced=False)
    before = device.files()
    device.restart()
    device.work(DAY_S)
    since = device.files()
    device.work(6 * DAY_S + HOUR_S)

    assert device.alive(before + since) == [False, False, True, True]


def test_what_an_earlier_life_left_goes_by_a_clock_that_is_kept(tmp_path: Path) -> None:
    device = Device(tmp_path, wall_s=TODAY_S, is_synced=True)
    files = device.files()
    device.wall_s += 8 * DAY_S
    device.restart()

    assert device.alive(files) == [False, False]


def test_young_files_of_a_wrong_clock_hold_up_no_old_ones(tmp_path: Path) -> None:
    device = Device(tmp_path, wall_s=TODAY_S - 20 * DAY_S, is_synced=True)
    old = device.files()
    device.wall_s, device.is_synced = TODAY_S - 30 * DAY_S, False
    device.restart()
    device.work(HOUR_S)
    young = device.files()
    device.wall_s, device.is_synced = TODAY_S, True

    assert device.alive(old + young) == [False, False, True, True]


def test_size_bounds_the_disk_by_any_clock(tmp_path: Path) -> None:
    device = Device(tmp_path, wall_s=TODAY_S, is_synced=False)
    old = device.segment()
    at = datetime.fromtimestamp(TODAY_S, timezone.utc)
    device.archive.begin("gate", at, Limits(A_WEEK.segments_s, 1500), 1000)

    assert not old.exists()
