from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

import pytest
from uuid6 import uuid7

from edge_daemon.errors import StorageFullError
from edge_daemon.recording.limits import Limits
from edge_daemon.recording.retention import Archive
from edge_daemon.recording.shelves import Kind, Shelf, event_path, find_kept
from edge_daemon.types import EngineInfo, Event, Verdict
from tests.conftest import missing

NOON = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
NO_LIMITS = Limits(None, None)
KB = 1000


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def disk(root: Path, total: int) -> Callable[[Path], Usage]:
    """A disk on which nothing lies but our files; the index is small beside them."""

    def usage(_path: Path) -> Usage:
        files = [f for f in root.rglob("*") if f.is_file() and f.suffix != ".sqlite"]
        used = sum(f.lstat().st_size for f in files)
        return Usage(total, used, total - used)

    return usage


@pytest.fixture
def two_disks(tmp_path: Path) -> Iterator[Path]:
    """A data_dir whose recordings lie on another disk."""
    shm = Path("/dev/shm")
    if not shm.is_dir() or shm.stat().st_dev == tmp_path.stat().st_dev:
        missing("no second disk at /dev/shm", "REQUIRE_MOUNT")
    with tempfile.TemporaryDirectory(dir=shm) as other:
        (tmp_path / "recordings").symlink_to(other)
        yield tmp_path


def disks(data_dir: Path, total: int) -> Callable[[str], Usage]:
    """Two disks of a size on which nothing lies but our files."""
    both = {root.stat().st_dev: root for root in (data_dir, (data_dir / "recordings").resolve())}

    def usage(path: str) -> Usage:
        return disk(both[Path(path).stat().st_dev], total)(Path(path))

    return usage


def event(second: float = 0.0, camera: str = "gate", at: datetime = NOON) -> Event:
    return Event(
        id=str(uuid7()),
        episode=None,
        seq=1,
        device="box",
        camera=camera,
        question="dog",
        ask="Is there a dog?",
        verdict=Verdict.YES,
        previous=Verdict.NO,
        reason=None,
        p_yes=0.9,
        yes_above=0.6,
        no_below=0.4,
        frame=1,
        pts_s=0.1,
        captured_at=None,
        decided_at=at + timedelta(seconds=second),
        clock_synced=True,
        duration_s=1.0,
        model=EngineInfo("tiny", "ab", "onnxruntime", "fp32"),
    )


def keep(
    archive: Archive, kind: Kind, of: Event, size: int = KB, limits: Limits = NO_LIMITS
) -> Path:
    name = archive.place(event_path(kind, of))
    archive.begin_kept(kind, of.camera, name, limits, size)
    path = Path(name)
    path.write_bytes(b"x" * size)
    archive.end(name)
    return path


def record(archive: Archive, size: int, second: int) -> Path:
    name, _ = archive.begin("gate", NOON + timedelta(seconds=second), NO_LIMITS, size)
    path = Path(name)
    path.write_bytes(b"x" * size)
    archive.end(name)
    return path


def alive(paths: list[Path]) -> list[bool]:
    return [path.exists() for path in paths]


def test_files_are_named_by_time_question_verdict_and_id() -> None:
    found = event(7.9)

    assert event_path(Kind.SNAPSHOT, found) == (
        f"snapshots/gate/2026-11-20/12-00-07Z-dog-YES-{found.id}.jpg"
    )
    assert event_path(Kind.EVIDENCE, found).endswith(f"-dog-YES-{found.id}.zip")


def test_file_is_found_by_its_events_id(tmp_path: Path) -> None:
    archive, found = Archive(tmp_path / "recordings"), event()
    path = keep(archive, Kind.EVIDENCE, found)

    assert find_kept(tmp_path, Kind.EVIDENCE, found.id) == path
    assert find_kept(tmp_path, Kind.SNAPSHOT, found.id) is None
    assert find_kept(tmp_path, Kind.EVIDENCE, "*") is None


def test_shelf_knows_what_was_kept_before_it_the_oldest_first(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "recordings")
    late, early = event(9, "door"), event(3, "gate")
    older = event(20, "gate", NOON - timedelta(days=1))
    for one in (late, early, older):
        keep(archive, Kind.SNAPSHOT, one)
    shelf = Shelf(tmp_path, Kind.SNAPSHOT)

    assert [k.at for k in shelf.oldest()] == [e.decided_at for e in (older, early, late)]
    assert [k.at for k in shelf.oldest("door")] == [late.decided_at]
    assert list(shelf.older("door", than=late.decided_at)) == []
    assert [k.at for k in shelf.older("door", than=late.decided_at + timedelta(seconds=1))] == [
        late.decided_at
    ]
    assert (shelf.size_bytes("gate"), shelf.size_bytes("none")) == (2 * KB, 0)


def test_what_was_never_finished_is_removed_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / event_path(Kind.SNAPSHOT, event())
    path.parent.mkdir(parents=True)
    half, other = path.with_name(f".{path.name}"), path.with_name(".keep")
    half.touch()
    other.touch()

    assert Shelf(tmp_path, Kind.SNAPSHOT).size_bytes("gate") == 0
    assert alive([half, other]) == [False, True]


@pytest.mark.parametrize(
    "name", ["notes.txt", "12-00-00Z.jpg", "99-99-99Z-dog-YES-{}.jpg", "12-00-00Z-dog-MAYBE-{}.jpg"]
)
def test_files_that_are_not_ours_are_never_touched(tmp_path: Path, name: str) -> None:
    archive = Archive(tmp_path / "recordings", disk(tmp_path, 10 * KB))
    theirs = tmp_path / "snapshots" / "gate" / "2026-11-19" / name.format(event().id)
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"x" * 6 * KB)
    ours = keep(archive, Kind.SNAPSHOT, event(), 2 * KB)
    with pytest.raises(StorageFullError, match="the disk is full"):
        keep(archive, Kind.SNAPSHOT, event(1), 4 * KB)

    assert alive([theirs, ours]) == [True, False]


def test_segments_go_first_then_clips_and_snapshots_then_evidence(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "recordings", disk(tmp_path, 100 * KB))
    one, two = event(0), event(1)
    evidence = [keep(archive, Kind.EVIDENCE, e, 10 * KB) for e in (one, two)]
    snapshot = keep(archive, Kind.SNAPSHOT, two, 10 * KB)
    clip = keep(archive, Kind.CLIP, one, 10 * KB)
    segments = [record(archive, 20 * KB, n) for n in (2, 3)]
    files = [*segments, clip, snapshot, *evidence]
    order = []
    for second in range(4, 9):
        keep(archive, Kind.EVIDENCE, event(second), 20 * KB)
        order.append(alive(files))

    assert order == [
        [False, True, True, True, True, True],
        [False, False, True, True, True, True],
        [False, False, False, True, True, True],
        [False, False, False, False, False, True],
        [False, False, False, False, False, False],
    ]


def test_a_new_segment_takes_the_place_of_old_pictures_when_no_segment_is_left(
    tmp_path: Path,
) -> None:
    archive = Archive(tmp_path / "recordings", disk(tmp_path, 100 * KB))
    snapshots = [keep(archive, Kind.SNAPSHOT, event(n), 30 * KB) for n in range(3)]
    record(archive, 20 * KB, 9)

    assert alive(snapshots) == [False, True, True]


def test_room_for_pictures_is_made_on_their_own_disk(two_disks: Path) -> None:
    archive = Archive(two_disks / "recordings", disks(two_disks, 100 * KB))
    segment = record(archive, 90 * KB, 1)
    snapshots = [keep(archive, Kind.SNAPSHOT, event(n), 40 * KB) for n in range(3)]

    assert alive([segment, *snapshots]) == [True, False, True, True]


def test_room_for_segments_costs_no_pictures_on_another_disk(two_disks: Path) -> None:
    archive = Archive(two_disks / "recordings", disks(two_disks, 100 * KB))
    evidence = keep(archive, Kind.EVIDENCE, event(), 40 * KB)
    first = record(archive, 60 * KB, 1)
    second = record(archive, 60 * KB, 2)
    with pytest.raises(StorageFullError, match="the disk is full"):
        record(archive, 160 * KB, 3)

    assert alive([evidence, first, second]) == [True, False, False]


def test_room_on_one_disk_is_not_promised_to_a_file_on_another(two_disks: Path) -> None:
    archive = Archive(two_disks / "recordings", disks(two_disks, 100 * KB))
    archive.begin("gate", NOON, NO_LIMITS, 90 * KB)

    assert keep(archive, Kind.SNAPSHOT, event(), 90 * KB).exists()


def test_limits_of_a_cameras_events_count_all_kinds_and_no_other_camera(tmp_path: Path) -> None:
    archive, limits = Archive(tmp_path / "recordings"), Limits(None, 50 * KB)
    other = keep(archive, Kind.SNAPSHOT, event(0, "door"), 40 * KB, limits)
    evidence = keep(archive, Kind.EVIDENCE, event(0), 20 * KB, limits)
    snapshots = [keep(archive, Kind.SNAPSHOT, event(n), 15 * KB, limits) for n in (1, 2, 3)]

    assert alive([other, evidence, *snapshots]) == [True, True, False, False, True]
    assert archive.size_bytes("gate") == 35 * KB


def test_what_is_being_written_is_not_removed(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "recordings", disk(tmp_path, 10 * KB))
    of = event()
    clip = tmp_path / event_path(Kind.CLIP, of)
    archive.begin_kept(Kind.CLIP, "gate", str(clip), NO_LIMITS, 4 * KB)
    clip.write_bytes(b"x" * 4 * KB)
    with pytest.raises(StorageFullError):
        keep(archive, Kind.SNAPSHOT, event(1), 8 * KB)

    assert clip.exists()


def test_the_day_of_a_file_that_is_yet_to_be_made_stays(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "recordings", disk(tmp_path, 10 * KB))
    before = keep(archive, Kind.CLIP, event(), 4 * KB)
    path = tmp_path / event_path(Kind.CLIP, event(1))
    archive.begin_kept(Kind.CLIP, "gate", str(path), NO_LIMITS, 4 * KB)
    keep(archive, Kind.SNAPSHOT, event(2), 4 * KB)

    assert not before.exists()
    assert path.parent == before.parent
    path.write_bytes(b"x")
