from __future__ import annotations

from itertools import count
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_daemon.errors import RecordingError, StorageFullError
from edge_daemon.recording.video import Timeline, VideoWriter

Picture = NDArray[np.uint8]


def plain(width: int, height: int, level: int = 100) -> Picture:
    return np.full((height, width, 3), level, np.uint8)


def noise(n: int, width: int, height: int) -> Picture:
    return np.random.default_rng(n).integers(0, 256, (height, width, 3), np.uint8)


def written(path: Path, pictures: list[Picture], times: list[float]) -> Path:
    with VideoWriter(path) as writer:
        for rgb, pts_s in zip(pictures, times):
            writer.write(rgb, pts_s)
    return path


def read(path: Path) -> tuple[list[float], list[Picture]]:
    with av.open(str(path)) as video:
        frames = list(video.decode(video=0))
        return [float(f.time) for f in frames], [f.to_ndarray(format="rgb24") for f in frames]


@given(times=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_ticks_always_grow(times: list[float]) -> None:
    timeline = Timeline()
    ticks = [timeline.tick(pts_s) for pts_s in times]

    assert ticks[0] == 0
    assert np.diff(ticks).min(initial=1) >= 1


def test_ticks_follow_stream_time_and_bridge_a_step_back() -> None:
    timeline = Timeline()
    ticks = [timeline.tick(pts_s) for pts_s in (7.0, 7.5, 9.0, 2.0, 2.5)]

    assert ticks == [0, 45_000, 180_000, 270_000, 315_000]


def test_video_keeps_the_time_of_every_frame(tmp_path: Path) -> None:
    times = [3.0, 3.04, 3.5, 3.51, 5.25, 5.29]
    got, _pictures = read(written(tmp_path / "a.mp4", [plain(64, 48)] * 6, times))

    assert got == pytest.approx([t - 3.0 for t in times], abs=1e-4)


def test_video_is_what_a_browser_plays(tmp_path: Path) -> None:
    path = written(tmp_path / "a.mp4", [plain(64, 48)] * 10, [n / 10 for n in range(10)])
    with av.open(str(path)) as video:
        stream = video.streams.video[0]
        codec = stream.codec_context

        assert (codec.name, codec.profile, codec.pix_fmt) == ("h264", "High", "yuv420p")
        assert codec.codec_tag == "avc1"
        assert float(stream.duration * stream.time_base) == pytest.approx(1.0)
        assert not codec.has_b_frames


def test_video_keeps_colours(tmp_path: Path) -> None:
    rgb = plain(96, 32)
    rgb[:, :32], rgb[:, 32:64], rgb[:, 64:] = (200, 30, 30), (30, 200, 30), (30, 30, 200)
    path = written(tmp_path / "a.mp4", [rgb] * 3, [0.0, 0.1, 0.2])
    with av.open(str(path)) as video:
        codec = video.streams.video[0].codec_context
        _times, pictures = read(path)

        assert (codec.colorspace, codec.color_range) == (6, 1)  # BT.601, limited
    assert np.abs(pictures[1][16, 16::32].astype(int) - rgb[16, 16::32]).max() <= 6


def test_video_has_a_key_frame_every_second(tmp_path: Path) -> None:
    times = [n / 25 for n in range(100)]
    path = written(tmp_path / "a.mp4", [noise(n % 3, 64, 48) for n in range(100)], times)
    with av.open(str(path)) as video:
        keys = [float(p.pts * p.time_base) for p in video.demux(video=0) if p.is_keyframe]

    assert {round(k, 2) for k in keys} >= {0.0, 0.04, 1.04, 2.04, 3.04}


@pytest.mark.parametrize("size", [(65, 48), (64, 49), (65, 49)])
def test_video_leaves_out_an_odd_row_or_column(tmp_path: Path, size: tuple[int, int]) -> None:
    _times, pictures = read(written(tmp_path / "a.mp4", [plain(*size)] * 2, [0.0, 0.1]))

    assert pictures[0].shape == (48, 64, 3)


def test_video_fits_a_picture_of_another_size_into_the_first(tmp_path: Path) -> None:
    path = written(tmp_path / "a.mp4", [plain(128, 64, 200), plain(64, 64, 200)], [0.0, 0.1])
    _times, pictures = read(path)
    edge, middle = pictures[1][32, 8], pictures[1][32, 64]

    assert pictures[1].shape == (64, 128, 3)
    assert edge.max() < 20
    assert middle.min() > 180


def test_video_replaces_a_file_unless_told_not_to(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_text("old")
    with pytest.raises(RecordingError, match="a file is in the way"):
        VideoWriter(path, replace=False).write(plain(64, 48), 0.0)
    written(path, [plain(64, 48)], [0.0])

    assert len(read(path)[0]) == 1


def test_video_without_a_picture_makes_no_file(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4"):
        pass

    assert list(tmp_path.iterdir()) == []


def test_video_of_one_picture_can_be_read(tmp_path: Path) -> None:
    assert len(read(written(tmp_path / "a.mp4", [plain(64, 48)], [5.0]))[0]) == 1


@pytest.mark.parametrize(
    ("path", "hint"),
    [("missing/a.mp4", "create the directory"), (".", "a directory is in the way")],
)
def test_video_says_what_is_wrong_with_a_path(tmp_path: Path, path: str, hint: str) -> None:
    with pytest.raises(RecordingError, match=hint):
        VideoWriter(tmp_path / path).write(plain(64, 48), 0.0)


def write_for_ever(writer: VideoWriter) -> None:
    for n in count():
        writer.write(noise(n, 320, 240), n / 25)


def test_video_on_a_full_disk_fails_once_and_closes_quietly() -> None:
    writer = VideoWriter(Path("/dev/full"))
    with pytest.raises(StorageFullError, match="/dev/full: No space left on device"):
        write_for_ever(writer)
    with pytest.raises(ValueError, match="of no more use"):
        writer.write(plain(320, 240), 9.0)
    writer.close()


def test_video_counts_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with VideoWriter(path) as writer:
        for n in range(60):
            writer.write(noise(n, 64, 48), n / 25)

        assert writer.size_bytes == path.stat().st_size > 10_000


def test_video_can_be_read_while_it_grows(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with VideoWriter(path) as writer:
        for n in range(3):
            writer.write(noise(n, 64, 48), n / 25)

        assert len(read(path)[0]) == 1
        for n in range(3, 60):
            writer.write(noise(n, 64, 48), n / 25)
        assert len(read(path)[0]) >= 26
