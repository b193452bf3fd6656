from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from itertools import count
from pathlib import Path
from shutil import disk_usage
from threading import Event as Flag
from threading import Thread
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_daemon.errors import RecordingError, StorageFullError
from edge_daemon.recording.limits import Limits, crowded_out, outdated
from edge_daemon.recording.retention import Archive
from edge_daemon.recording.segments import Segment

NOW = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
NO_LIMITS = Limits(None, None)
MB = 1_000_000
SECONDS = count()


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def segment(name: str, age_s: float, size: int = MB) -> Segment:
    return Segment(name, NOW - timedelta(seconds=age_s), size)


OLD_TO_NEW = [segment("a", 300), segment("b", 200), segment("c", 100)]


def names(segments: list[Segment]) -> str:
    return "".join(s.path for s in segments)


@pytest.mark.parametrize(
    ("limits", "growing", "gone"),
    [
        (Limits(None, None), 0, ""),
        (Limits(1000, 9 * MB), 0, ""),
        (Limits(250, None), 0, "a"),
        (Limits(50, None), 0, "abc"),
        (Limits(1e12, None), 0, ""),
        (Limits(9e15, None), 0, ""),
        (Limits(None, 3 * MB), 0, ""),
        (Limits(None, 3 * MB), 1, "a"),
        (Limits(None, 2 * MB), MB, "ab"),
        (Limits(None, 1), 9 * MB, "abc"),
        (Limits(250, 2 * MB), MB, "ab"),
    ],
)
def test_segments_go_by_age_and_by_size(limits: Limits, growing: int, gone: str) -> None:
    assert names(outdated(OLD_TO_NEW, limits, now=NOW, growing_bytes=growing)) == gone


@given(
    sizes=st.lists(st.integers(0, 100), max_size=20),
    most=st.integers(1, 500),
    growing=st.integers(0, 100),
)
def test_no_more_goes_than_must_and_the_rest_fits(
    sizes: list[int], most: int, growing: int
) -> None:
    segments = [segment(str(n), 1000 - n, size) for n, size in enumerate(sizes)]
    gone = outdated(segments, Limits(None, most), now=NOW, growing_bytes=growing)
    kept = sum(sizes[len(gone) :]) + growing

    assert gone == segments[: len(gone)]
    assert kept <= most or len(gone) == len(segments)
    assert not gone or kept + gone[-1].size_bytes > most


@pytest.mark.parametrize(("missing", "gone"), [(-5, ""), (0, ""), (1, "a"), (MB + 1, "ab")])
def test_crowded_disk_loses_the_oldest_of_all_cameras(missing: int, gone: str) -> None:
    shuffled = [OLD_TO_NEW[2], OLD_TO_NEW[0], OLD_TO_NEW[1]]

    assert names(crowded_out(shuffled, missing)) == gone


def put(archive: Archive, camera: str, size: int, limits: Limits = NO_LIMITS) -> Path:
    """Record a segment of that size."""
    name, _most = archive.begin(camera, NOW + timedelta(seconds=next(SECONDS)), limits, size)
    path = Path(name)
    path.write_bytes(b"x" * size)
    archive.end(name)
    return path


def disk(root: Path, total: int) -> Callable[[Path], Usage]:
    """A disk on which nothing lies but the recordings."""

    def usage(_path: Path) -> Usage:
        used = sum(f.lstat().st_size for f in root.rglob("*.mp4"))
        return Usage(total, used, total - used)

    return usage


def begin(archive: Archive, limits: Limits = NO_LIMITS, wanted: int = 1, written: int = 0) -> Path:
    """Begin a segment of the camera gate."""
    path = Path(archive.begin("gate", NOW, limits, wanted)[0])
    path.write_bytes(b"x" * written)
    return path


def test_archive_keeps_within_a_cameras_size(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    other = put(archive, "door", 3000)
    paths = [put(archive, "gate", 400_000, Limits(None, MB)) for _ in range(4)]

    assert [p.exists() for p in paths] == [False, False, True, True]
    assert other.exists()
    assert archive.size_bytes("gate") == 800_000


def test_archive_knows_what_was_recorded_before_it(tmp_path: Path) -> None:
    before = put(Archive(tmp_path), "gate", 700_000)
    archive = Archive(tmp_path)

    assert archive.size_bytes("gate") == 700_000
    begin(archive, Limits(None, MB), wanted=700_000)
    assert not before.exists()


def test_archive_counts_and_never_removes_what_is_being_written(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    done = put(archive, "gate", 400_000)
    path = begin(archive, written=900_000)

    assert archive.size_bytes("gate") == 1_300_000
    archive.make_room(str(path), Limits(None, 1), 1)
    assert path.exists()
    assert not done.exists()


def test_archive_removes_a_finished_segment_like_any_other(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    first = begin(archive, written=1000)
    archive.end(str(first))
    second = begin(archive, Limits(None, 1))

    assert not first.exists()
    assert second.exists()


def test_archive_removes_a_day_with_its_last_segment(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    path = put(archive, "gate", 1000)
    archive.begin("gate", NOW + timedelta(days=1), Limits(None, 1), 1)

    assert not path.parent.exists()
    assert [d.name for d in (tmp_path / "gate").iterdir()] == ["2026-11-21"]


def test_archive_leaves_the_day_of_a_segment_whose_file_is_yet_to_be_made(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    before = put(archive, "gate", 1000)
    name, _most = archive.begin("gate", NOW, NO_LIMITS, 1)
    archive.make_room(name, Limits(None, 1), 1)

    assert not before.exists()
    assert Path(name).parent == before.parent
    Path(name).write_bytes(b"x")


@pytest.mark.parametrize("size", [0, 88])
def test_archive_drops_a_segment_without_a_picture(tmp_path: Path, size: int) -> None:
    archive = Archive(tmp_path)

    assert not put(archive, "gate", size).exists()
    assert archive.size_bytes("gate") == 0


def test_archive_drops_what_a_killed_daemon_had_hardly_begun(tmp_path: Path) -> None:
    path = begin(Archive(tmp_path), written=88)
    put(Archive(tmp_path), "gate", 1000)

    assert not path.exists()


@pytest.mark.parametrize("sidecar", [False, True])
def test_matroska_of_a_killed_daemon_without_a_picture_goes_at_the_next_start_and_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, sidecar: bool
) -> None:
    caplog.set_level("INFO", "edge_daemon.recording")
    day = tmp_path / "gate" / "2026-11-20"
    day.mkdir(parents=True)
    header = bytes.fromhex("1a45dfa3") + bytes(668)  # measured: as long as with captions
    (day / "10-00-00Z.mkv").write_bytes(header)
    (day / "11-00-00Z.mkv").write_bytes(header + bytes.fromhex("1f43b675") + bytes(300))
    if sidecar:
        (day / "10-00-00Z.jsonl").write_bytes(bytes(1000))
    archive = Archive(tmp_path)
    put(archive, "door", 1000)  # of another camera
    rows = archive.index.find("gate", NOW - timedelta(days=1), NOW)

    assert [path.name for path in day.iterdir()] == ["11-00-00Z.mkv"]
    assert [row.path for row in rows] == ["gate/2026-11-20/11-00-00Z.mkv"]
    assert [r.getMessage() for r in caplog.records] == [
        f"{day}/10-00-00Z.mkv: removed: it was cut off before its first picture"
    ]


def test_what_lay_beside_a_video_that_was_never_made_goes_with_the_next_segment(
    tmp_path: Path,
) -> None:
    archive = Archive(tmp_path)
    name, _most = archive.begin("gate", NOW, NO_LIMITS, 1)
    captions = Path(name).with_suffix(".vtt")
    captions.write_bytes(b"WEBVTT\n\n")
    archive.end(name)
    put(archive, "gate", 1000)

    assert not captions.exists()


def test_answers_whose_video_was_taken_away_are_kept_but_not_indexed(tmp_path: Path) -> None:
    day = tmp_path / "gate" / "2026-11-20"
    day.mkdir(parents=True)
    (day / "10-00-00Z.jsonl").write_bytes(bytes(1000))
    archive = Archive(tmp_path)
    put(archive, "door", 1000)

    assert (day / "10-00-00Z.jsonl").exists()
    assert archive.index.find("gate", NOW - timedelta(days=1), NOW) == []


def test_archive_keeps_a_reserve_on_the_disk_whoever_recorded_first(tmp_path: Path) -> None:
    archive = Archive(tmp_path, disk(tmp_path, 10 * MB))
    paths = [put(archive, camera, 2 * MB) for camera in ("door", "gate", "gate", "gate")]
    begin(archive, wanted=2 * MB)

    assert [p.exists() for p in paths] == [False, True, True, True]


def test_archive_promises_the_same_room_only_once(tmp_path: Path) -> None:
    archive = Archive(tmp_path, disk(tmp_path, 10 * MB))
    first = begin(archive, wanted=6 * MB)

    with pytest.raises(StorageFullError):
        begin(archive, wanted=4 * MB)
    first.write_bytes(b"x" * 6 * MB)
    begin(archive, wanted=3 * MB)


def test_archive_says_when_nothing_is_left_to_remove(tmp_path: Path) -> None:
    archive = Archive(tmp_path, disk(tmp_path, 10 * MB))
    path = begin(archive, written=9 * MB)

    with pytest.raises(StorageFullError, match="the disk is full, and no recording is left"):
        archive.make_room(str(path), NO_LIMITS, MB)
    assert path.exists()


def test_archive_begins_nothing_on_a_full_disk(tmp_path: Path) -> None:
    archive = Archive(tmp_path, lambda _: Usage(10 * MB, 10 * MB, 0))

    with pytest.raises(StorageFullError):
        begin(archive)
    assert list(tmp_path.rglob("*.mp4")) == []


@pytest.mark.parametrize(
    ("total", "limit", "most"),
    [(160 * MB, None, 10 * MB), (160 * MB, 16 * MB, MB), (MB, None, 256_000)],
)
def test_archive_cuts_segments_into_parts_of_the_room(
    tmp_path: Path, total: int, limit: int | None, most: int
) -> None:
    archive = Archive(tmp_path, disk(tmp_path, total))

    assert archive.begin("gate", NOW, Limits(None, limit), 1)[1] == most


def test_archive_leaves_what_is_not_its_own(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    ours = put(archive, "gate", 1000)
    theirs = ours.with_name("holiday.mp4")
    theirs.write_bytes(b"x")
    begin(archive, Limits(None, 1))

    assert theirs.exists()
    assert not ours.exists()


def test_archive_looks_only_into_directories_of_cameras(tmp_path: Path) -> None:
    """Only root may look into lost+found, which is where a disk begins."""
    archive = Archive(tmp_path, disk(tmp_path, 10 * MB))
    stray = tmp_path / "lost+found" / "2026-11-20" / "10-00-00Z.mp4"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(bytes(6 * MB))

    with pytest.raises(StorageFullError):
        begin(archive, wanted=4 * MB)
    assert stray.exists()
    assert archive.size_bytes("lost+found") == 0


def test_archive_survives_segments_that_were_taken_away(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    put(archive, "gate", 1000).unlink()
    path = begin(archive)
    path.unlink()
    archive.make_room(str(path), Limits(None, 1), 1)
    archive.end(str(path))

    assert archive.size_bytes("gate") == 0


def test_archive_says_where_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "recordings").write_text("a file")

    with pytest.raises(RecordingError, match="a file is in the way"):
        begin(Archive(tmp_path / "recordings"))


def test_archive_on_a_disk_that_hangs_tells_its_size_to_nobody_and_keeps_nobody_waiting(
    tmp_path: Path,
) -> None:
    hangs, is_over = Flag(), Flag()

    def hang(path: str) -> Usage:
        hangs.set()
        is_over.wait(10)
        return Usage(*disk_usage(path))

    archive = Archive(tmp_path / "recordings", disk=hang)
    writer = Thread(target=archive.begin, args=("gate", NOW, NO_LIMITS, MB))
    writer.start()
    hangs.wait(10)
    with pytest.raises(RecordingError, match="the disk hangs"):
        archive.size_bytes("gate")
    is_at_work = writer.is_alive()
    is_over.set()
    writer.join(10)

    assert is_at_work
    assert archive.size_bytes("gate") == 0
