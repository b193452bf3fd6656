from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_daemon.recording.segments import SegmentClock, find_segments, segment_path

START = datetime(2026, 11, 20, 22, 54, 58, tzinfo=timezone.utc)


def cuts(clock: SegmentClock, times: list[tuple[float, float]]) -> list[bool]:
    """Feed frames at (stream time, seconds after START)."""
    return [clock.starts_new(pts, START + timedelta(seconds=wall)) for pts, wall in times]


def test_live_recording_is_cut_on_the_minute_of_the_wall_clock() -> None:
    clock = SegmentClock(60, live=True)
    times = [(n * 0.5, n * 0.5) for n in range(8)]

    assert cuts(clock, times) == [True, False, False, False, True, False, False, False]


def test_recording_of_a_file_is_cut_by_stream_time() -> None:
    clock = SegmentClock(60, live=False)
    times = [(0.0, 0.0), (59.9, 0.1), (60.0, 0.2), (119.9, 0.3), (121.0, 0.4), (121.1, 90.0)]

    assert cuts(clock, times) == [True, False, True, False, True, False]


@pytest.mark.parametrize("live", [True, False])
def test_recording_is_cut_where_stream_time_steps_back(live: bool) -> None:
    clock = SegmentClock(3600, live=live)

    assert cuts(clock, [(5.0, 0.0), (5.1, 0.1), (0.0, 0.2), (0.1, 0.3)])[2:] == [True, False]


@pytest.mark.parametrize("jump", [(7200.0, 0.2), (5.2, 400.0), (5.2, -400.0)])
def test_live_recording_is_cut_where_a_clock_jumps(jump: tuple[float, float]) -> None:
    clock = SegmentClock(86400, live=True)

    assert cuts(clock, [(5.0, 0.0), (5.1, 0.1), jump])[2]


def test_live_recording_with_rare_frames_is_not_cut_between_them() -> None:
    clock = SegmentClock(86400, live=True)

    assert cuts(clock, [(0.0, 0.0), (30.0, 30.5), (60.0, 60.1)]) == [True, False, False]


@given(length_s=st.sampled_from([1.0, 10.0, 300.0]), steps=st.lists(st.floats(0.01, 50)))
def test_segments_of_a_file_begin_at_multiples_of_their_length(
    length_s: float, steps: list[float]
) -> None:
    clock, pts, slots = SegmentClock(length_s, live=False), 0.0, []
    for step in [0.0, *steps]:
        pts += step
        if clock.starts_new(pts, START):
            slots.append(pts // length_s)

    assert slots == sorted(set(slots))
    assert slots[-1] == pts // length_s


def test_segment_is_named_by_its_start_in_utc(tmp_path: Path) -> None:
    local = START.astimezone(timezone(timedelta(hours=3)))

    assert segment_path(str(tmp_path), local) == f"{tmp_path}/2026-11-20/22-54-58Z.mp4"


def test_segment_never_takes_a_name_that_is_taken(tmp_path: Path) -> None:
    day = tmp_path / "2026-11-20"
    day.mkdir()
    (day / "22-54-58Z.mp4").touch()
    (day / "22-54-58Z-2.mp4").symlink_to("nowhere")

    assert segment_path(str(tmp_path), START) == f"{day}/22-54-58Z-3.mp4"


def touch(path: Path, age_s: float = 0.0, size: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    at = START.timestamp() - age_s
    os.utime(path, (at, at))
    return path


def test_segments_are_found_oldest_first(tmp_path: Path) -> None:
    new = touch(tmp_path / "2026-11-20" / "10-00-00Z.mp4", age_s=10, size=7)
    old = touch(tmp_path / "2026-11-20" / "09-00-00Z-2.mp4", age_s=99)
    found = find_segments(str(tmp_path))

    assert [s.path for s in found] == [str(old), str(new)]
    assert found[1].size_bytes == 7
    assert found[1].ended_at == START - timedelta(seconds=10)


@pytest.mark.parametrize(
    "name",
    [
        "holiday.mp4",
        "2026-11-20/holiday.mp4",
        "2026-11-20/10-00-00Z.mp4.part",
        "2026-11-20/10-00-00.mp4",
        "2026-11-20/deeper/10-00-00Z.mp4",
        "2026-11-20x/10-00-00Z.mp4",
        "2026-11-20/10-00-00Z.mp4\n",
        "10-00-00Z.mp4",
    ],
)
def test_other_files_are_not_segments(tmp_path: Path, name: str) -> None:
    touch(tmp_path / name)

    assert find_segments(str(tmp_path)) == []


def test_links_are_not_segments(tmp_path: Path) -> None:
    elsewhere = touch(tmp_path / "elsewhere" / "2026-11-20" / "10-00-00Z.mp4")
    camera = tmp_path / "camera"
    camera.mkdir()
    (camera / "2026-11-19").symlink_to(elsewhere.parent)
    (camera / "2026-11-20").mkdir()
    (camera / "2026-11-20" / "10-00-00Z.mp4").symlink_to(elsewhere)

    assert find_segments(str(camera)) == []


def test_nothing_is_found_where_nothing_was_recorded(tmp_path: Path) -> None:
    assert find_segments(str(tmp_path / "camera")) == []
