"""Video files, made by the tests: nothing lost, nothing doubled, twice the same."""

from __future__ import annotations

import logging
import threading
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edge_daemon.errors import SourceError, SourceFormatError, SourceUnavailableError
from edge_daemon.sources.files import FileSource
from edge_daemon.types import SourceAddress
from tests.data.make_data import damaged, garbage, number_in, truncated, write_clip

if TYPE_CHECKING:
    from pathlib import Path

    from edge_daemon.types import Frame


def source(path: Path | str, **more: Any) -> FileSource:
    stop = more.pop("stop", threading.Event())
    return FileSource(camera="gate", address=SourceAddress(str(path)), stop=stop, **more)


def read(path: Path | str, **more: Any) -> list[Frame]:
    with source(path, **more) as opened:
        return list(opened)


def numbers(frames: list[Frame]) -> list[int]:
    return [number_in(frame.picture.rgb()) for frame in frames]


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("h264.mp4", {}),
        ("b-frames.mp4", {"b_frames": 3}),
        ("b-frames.ts", {"b_frames": 3}),
        ("b-frames.avi", {"codec": "mpeg4", "b_frames": 0, "bf": "2"}),
        ("h265.mp4", {"codec": "libx265", "b_frames": 2}),
        ("h264.mkv", {}),
        ("h264.ts", {"start_pts": 500}),
        ("mjpeg.avi", {"codec": "mjpeg", "pix_fmt": "yuvj420p"}),
        ("mpeg4.avi", {"codec": "mpeg4"}),
        ("ten-bit.mp4", {"codec": "libx265", "pix_fmt": "yuv420p10le"}),
        ("grey.mp4", {"pix_fmt": "gray"}),
        ("with-sound.mp4", {"lead_in": True}),
        ("bare.h264", {}),
    ],
)
def test_every_frame_of_a_file_comes_once_and_in_order(
    tmp_path: Path, name: str, how: dict[str, Any]
) -> None:
    frames = read(write_clip(tmp_path / name, **how))

    assert numbers(frames) == list(range(50))
    assert [frame.index for frame in frames] == list(range(50))
    assert [frame.pts_s for frame in frames] == pytest.approx([n / 25 for n in range(50)], abs=2e-3)


def test_a_second_run_gives_the_same_frames_to_the_byte(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", b_frames=2)

    first, second = read(clip), read(clip)

    assert [frame.pts_s for frame in first] == [frame.pts_s for frame in second]
    for one, other in zip(first, second):
        assert np.array_equal(one.picture.resized(96, 54), other.picture.resized(96, 54))


def test_a_glob_plays_its_files_in_sorted_order_as_one_stream(tmp_path: Path) -> None:
    write_clip(tmp_path / "b.mp4", first=20, n_frames=10)
    write_clip(tmp_path / "c.ts", first=30, n_frames=10, start_pts=1000)
    write_clip(tmp_path / "a.mp4", first=0, n_frames=20)
    (tmp_path / "d.mp4").mkdir()

    frames = read(tmp_path / "*.*")

    assert numbers(frames) == list(range(40))
    assert [frame.index for frame in frames] == list(range(40))
    assert [frame.pts_s for frame in frames] == pytest.approx([n / 25 for n in range(40)])


def test_a_file_whose_name_looks_like_a_glob_is_read(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "gate[1].mp4", n_frames=5)

    assert len(read(clip)) == 5


def test_loop_begins_again_and_time_goes_on(tmp_path: Path) -> None:
    clip, stop, found = write_clip(tmp_path / "clip.mp4", n_frames=10), threading.Event(), []
    with source(clip, loop=True, stop=stop) as opened:
        for frame in opened:
            found.append(frame)
            if len(found) == 25:
                stop.set()

    assert numbers(found) == [n % 10 for n in range(25)]
    assert [frame.pts_s for frame in found] == pytest.approx([n / 25 for n in range(25)])


def test_realtime_plays_at_the_pace_of_the_file(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", n_frames=20)

    begun_s = time.monotonic()
    frames = read(clip, pace="realtime")

    assert time.monotonic() - begun_s == pytest.approx(19 / 25, abs=0.3)
    assert all(frame.mono_s - begun_s > frame.pts_s - 0.1 for frame in frames)


def test_stop_ends_a_realtime_wait_at_once(tmp_path: Path) -> None:
    clip, stop = write_clip(tmp_path / "slow.mp4", n_frames=3, fps=1), threading.Event()

    begun_s = time.monotonic()
    with source(clip, pace="realtime", stop=stop) as opened:
        for _ in opened:
            stop.set()

    assert time.monotonic() - begun_s < 0.5


@pytest.mark.parametrize("how", [{}, {"b_frames": 2}, {"codec": "libx265", "b_frames": 2}])
def test_keyframes_only_gives_the_key_frames_and_nothing_else(
    tmp_path: Path, how: dict[str, Any]
) -> None:
    frames = read(write_clip(tmp_path / "clip.mp4", gop=10, **how), keyframes_only=True)

    assert numbers(frames) == [0, 10, 20, 30, 40]
    assert [frame.pts_s for frame in frames] == pytest.approx([0.0, 0.4, 0.8, 1.2, 1.6])


@pytest.mark.parametrize(("degrees", "corner"), [(90, "bottom"), (-90, "top"), (180, "right")])
def test_a_clip_held_sideways_is_turned(tmp_path: Path, degrees: int, corner: str) -> None:
    clip = write_clip(tmp_path / "turned.mp4", size=(160, 96), n_frames=2, rotation=degrees)

    picture = read(clip)[0].picture
    rgb = picture.rgb()
    height, width = rgb.shape[:2]
    red = rgb[:, :, 0].astype(int) - rgb[:, :, 2] > 60
    at = {"bottom": red[height // 2 :], "top": red[: height // 2], "right": red[:, width // 2 :]}

    assert (picture.width, picture.height) == ((96, 160) if abs(degrees) == 90 else (160, 96))
    assert at[corner].sum() > 0.9 * red.sum() > 0
    assert picture.resized(48, 80).shape == (80, 48, 3)


def test_a_change_of_size_in_mid_stream_goes_on(tmp_path: Path) -> None:
    small = write_clip(tmp_path / "a.ts", n_frames=10)
    large = write_clip(tmp_path / "b.ts", n_frames=10, first=10, size=(640, 360))
    both = tmp_path / "both.ts"
    both.write_bytes(small.read_bytes() + large.read_bytes())

    frames = read(both)

    assert numbers(frames) == list(range(20))
    assert [frame.picture.width for frame in frames] == [320] * 10 + [640] * 10
    assert all(one.pts_s < other.pts_s for one, other in pairwise(frames))


def test_a_title_in_another_encoding_does_not_matter(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.avi", codec="mpeg4", n_frames=3, title="XXXX")
    content = clip.read_bytes()
    clip.write_bytes(content.replace(b"XXXX", "caf\u00e9".encode("latin-1")))

    assert b"XXXX" in content
    assert len(read(clip)) == 3


def test_odd_sizes_keep_every_pixel(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "odd.mp4", size=(333, 187), pix_fmt="yuv444p", n_frames=3)

    frames = read(clip)

    assert numbers(frames) == [0, 1, 2]
    assert frames[0].picture.rgb().shape == (187, 333, 3)


@pytest.mark.parametrize("name", ["faststart.mp4", "clip.ts", "clip.mkv", "clip.avi"])
def test_a_file_that_was_cut_off_gives_what_is_in_it(tmp_path: Path, name: str) -> None:
    muxer = {"movflags": "faststart"} if name.endswith("mp4") else {}
    codec = {"codec": "mpeg4"} if name.endswith("avi") else {}
    whole = write_clip(tmp_path / name, muxer=muxer, **codec)

    frames = read(truncated(whole, 0.6, tmp_path / f"cut-{name}"))

    assert 15 <= len(frames) < 50
    assert numbers(frames)[:-1] == list(range(len(frames) - 1))  # the last may be cut as well


def test_damage_is_skipped_counted_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clip = damaged(write_clip(tmp_path / "clip.ts"), tmp_path / "damaged.ts")
    counted = []

    with caplog.at_level(logging.WARNING):
        frames = read(clip, on_corrupt=lambda: counted.append(1))

    assert 20 < len(frames) <= 50
    assert counted
    assert caplog.messages == [
        f"gate: {clip}: {len(counted)} damaged places were skipped"
        " -- the file is cut off or damaged"
    ]


def test_damage_of_a_file_that_loops_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clip = damaged(write_clip(tmp_path / "clip.ts"), tmp_path / "damaged.ts")
    n_frames, stop, counted = len(read(clip)), threading.Event(), []
    caplog.clear()
    with source(clip, loop=True, stop=stop, on_corrupt=lambda: counted.append(1)) as opened:
        for frame in opened:
            if frame.index == 3 * n_frames:
                stop.set()

    assert len(caplog.messages) == 1
    assert len(counted) >= 3 * int(caplog.messages[0].split()[2])


def test_a_file_that_loops_and_vanishes_is_a_failure(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", n_frames=5)
    with source(clip, loop=True) as opened:
        frames = iter(opened)
        for _ in range(8):
            next(frames)
        clip.unlink()
        with pytest.raises(SourceUnavailableError, match="no such file"):
            list(frames)


@pytest.mark.parametrize("ending", ["mp4", "ts", "mkv", "avi"])
@pytest.mark.parametrize("seed", range(6))
def test_a_damaged_file_ends_in_frames_or_in_one_line(
    tmp_path: Path, ending: str, seed: int
) -> None:
    codec = {"codec": "mpeg4"} if ending == "avi" else {}
    clip = write_clip(tmp_path / f"clip.{ending}", n_frames=25, **codec)
    bad = damaged(clip, tmp_path / f"bad.{ending}", n_bytes=150, seed=seed)

    frames, said = [], str(bad)
    try:
        frames = read(bad)
    except SourceError as fault:
        said = str(fault)

    assert said.startswith(str(bad))
    assert all(one.pts_s < other.pts_s for one, other in pairwise(frames))
    assert all(frame.picture.rgb().shape[2] == 3 for frame in frames)


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("nope.mp4", SourceUnavailableError, "no such file -- check the path"),
        (
            "*.nope",
            SourceUnavailableError,
            "matches no file -- check the path; quote globs in a shell",
        ),
        (
            "garbage.mp4",
            SourceFormatError,
            "is no video that can be read (Invalid data found when processing input) -- check"
            " that it plays elsewhere; name a video file or a camera's stream",
        ),
        (
            "empty.mp4",
            SourceFormatError,
            "is no video that can be read (Invalid data found when processing input) -- check"
            " that it plays elsewhere; name a video file or a camera's stream",
        ),
        (
            "no-index.mp4",
            SourceFormatError,
            "is no video that can be read (Invalid data found when processing input) -- check"
            " that it plays elsewhere; name a video file or a camera's stream",
        ),
        (
            "sound.wav",
            SourceFormatError,
            "holds no video -- name a video file or a camera's video stream",
        ),
        (
            "no-pictures.mp4",
            SourceFormatError,
            "no picture in it can be decoded -- the file is cut off or damaged: record it again,"
            " or leave it out",
        ),
    ],
)
def test_what_is_no_video_is_said_in_one_line(
    tmp_path: Path, name: str, kind: type[SourceError], said: str
) -> None:
    garbage(tmp_path / "garbage.mp4")
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "sound.wav").write_bytes(_silence())
    truncated(write_clip(tmp_path / "clip.mp4"), 0.7, tmp_path / "no-index.mp4")
    _without_pictures(tmp_path)
    path = tmp_path / name

    with pytest.raises(kind) as caught:
        read(path)

    assert str(caught.value) == f"{path}: {said}"


def test_a_glob_stops_at_a_file_that_is_none(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mp4", n_frames=5)
    garbage(tmp_path / "b.mp4")

    with source(tmp_path / "*.mp4") as opened, pytest.raises(SourceFormatError, match=r"b\.mp4"):
        list(opened)


def test_decoding_time_is_reported(tmp_path: Path) -> None:
    spent_s: list[float] = []

    read(write_clip(tmp_path / "clip.mp4", n_frames=10), on_decode_s=spent_s.append)

    assert len(spent_s) >= 10
    assert 0 < sum(spent_s) < 5


@pytest.mark.shared_data
def test_the_shared_clips_decode_whole(shared_data: Path) -> None:
    wanted = {
        "bgslib_lane.avi": (374, 12.467),
        "highway_cdnet_like.avi": (1699, 28.333),
        "intel_car_detection.mp4": (377, 30.16),
        "intel_one_by_one_person.mp4": (1394, 139.4),
        "m30_motorway.avi": (748, 30.0),
        "mot_night_street.mp4": (8, 2.667),
        "nl_motorway.mp4": (335, 11.178),
        "pedestrian_surveillance.mp4": (242, 8.067),
        "udacity_test_video.mp4": (38, 1.52),
    }  # Source: ffprobe -count_frames, duration

    found = {}
    for name in wanted:
        with source(shared_data / "videos" / name) as opened:
            times_s = [frame.pts_s for frame in opened]
        usual_s = np.median(np.diff(times_s))
        found[name] = (len(times_s), pytest.approx(times_s[-1] + usual_s, abs=0.1))

    assert wanted == found


def _silence() -> bytes:
    header = b"RIFF\x24\x08\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0"
    return header + b"data\0\x08\0\0" + bytes(2048)


def _without_pictures(folder: Path) -> None:
    """An MP4 whose index is whole, but whose pictures are zeros."""
    content = bytearray(write_clip(folder / "whole.mp4", n_frames=5).read_bytes())
    start = content.index(b"mdat") + 4
    end = content.index(b"moov") - 4
    content[start:end] = bytes(end - start)
    (folder / "no-pictures.mp4").write_bytes(bytes(content))
