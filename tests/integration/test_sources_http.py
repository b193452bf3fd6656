"""HTTP cameras: MJPEG and HLS."""

from __future__ import annotations

import threading
import time
from itertools import pairwise
from typing import TYPE_CHECKING

import av
import pytest

from edge_daemon.errors import (
    SourceFormatError,
    SourceRefusedError,
    SourceStalledError,
    SourceUnavailableError,
)
from tests.data.make_data import number_in, write_clip
from tests.integration.http_camera import HttpCamera
from tests.integration.live_streams import Unwanted, drain, first_frames, source, write_sounding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def camera(tmp_path: Path) -> Iterator[HttpCamera]:
    (tmp_path / "page.html").write_text("<html>log in</html>")
    with HttpCamera(tmp_path).serving() as serving:
        yield serving


def write_hls(folder: Path, *, ended: bool) -> None:
    """A playlist of two seconds in segments of one; one that has not ended is a live one."""
    clip = write_clip(folder / "clip.ts", gop=25)
    with (
        av.open(str(clip)) as file,
        av.open(str(folder / "live.m3u8"), "w", format="hls", options={"hls_time": "1"}) as out,
    ):
        video = out.add_stream_from_template(file.streams.video[0])
        for packet in file.demux(video=0):
            if packet.dts is not None:
                packet.stream = video
                out.mux(packet)
    if not ended:
        playlist = folder / "live.m3u8"
        playlist.write_text(playlist.read_text().replace("#EXT-X-ENDLIST", ""))


def test_mjpeg_frames_arrive_in_order(camera: HttpCamera) -> None:
    frames = first_frames(camera.url("mjpeg"), 10)

    assert [number_in(frame.picture.rgb()) for frame in frames] == list(range(10))


def test_mjpeg_time_is_the_time_of_arrival(camera: HttpCamera) -> None:
    camera.fps = 5.0

    frames = first_frames(camera.url("mjpeg"), 4)

    assert [b.pts_s - a.pts_s for a, b in pairwise(frames)] == pytest.approx([0.2] * 3, abs=0.1)


def test_mjpeg_slower_than_a_picture_a_second_is_read(camera: HttpCamera) -> None:
    camera.fps = 0.9

    assert len(first_frames(camera.url("mjpeg"), 2)) == 2


@pytest.mark.parametrize("ended", [True, False], ids=["recorded", "live"])
def test_hls_frames_arrive_in_order(camera: HttpCamera, tmp_path: Path, ended: bool) -> None:
    write_hls(tmp_path, ended=ended)

    frames = first_frames(camera.url("live.m3u8"), 40)

    assert [number_in(frame.picture.rgb()) for frame in frames] == list(range(40))


def test_a_recording_that_ends_is_a_connection_that_closed(
    camera: HttpCamera, tmp_path: Path
) -> None:
    write_hls(tmp_path, ended=True)

    with pytest.raises(SourceUnavailableError, match="connection closed by the camera"):
        first_frames(camera.url("live.m3u8"), 1000)


def test_user_and_password_open_the_stream(camera: HttpCamera) -> None:
    camera.credentials = "viewer:s3cret"

    assert len(first_frames(camera.url("mjpeg", "viewer:s3cret"), 2)) == 2


def test_a_wrong_password_is_refused_and_never_shown(camera: HttpCamera) -> None:
    camera.credentials = "viewer:s3cret"

    with pytest.raises(SourceRefusedError) as caught:
        first_frames(camera.url("mjpeg?token=t0ken", "viewer:wr0ng"), 1)

    assert str(caught.value).startswith(f"{camera.url('mjpeg')}: wrong or missing user or password")


def test_an_unknown_path_is_said_so(camera: HttpCamera) -> None:
    with pytest.raises(SourceUnavailableError, match="the camera knows no such stream -- "):
        first_frames(camera.url("nowhere"), 1)


def test_a_page_instead_of_a_video_is_said_so(camera: HttpCamera) -> None:
    with pytest.raises(SourceFormatError, match="is no video that can be read"):
        first_frames(camera.url("page.html"), 1)


def test_a_camera_that_falls_silent_is_a_stall(camera: HttpCamera) -> None:
    with source(camera.url("mjpeg"), stall_after_s=1.0) as opened:
        frames = iter(opened)
        next(frames)
        camera.silent.set()
        begun_s = time.monotonic()
        with pytest.raises(SourceStalledError, match="connected, but no picture for 1 s"):
            drain(frames)

    assert 0.9 < time.monotonic() - begun_s < 2.0


@pytest.mark.parametrize("sink", [None, Unwanted()], ids=["no sink", "sink"])
def test_nothing_is_left_behind_where_sound_goes_on_without_pictures(
    camera: HttpCamera, tmp_path: Path, sink: Unwanted | None
) -> None:
    write_sounding(tmp_path / "clip.ts", "-t 60 -c:a aac")
    camera.drip_s = 0.05
    with source(camera.url("clip.ts"), stall_after_s=1.0, sink=sink) as opened:
        frames = iter(opened)
        next(frames)
        with pytest.raises(SourceStalledError, match="connected, but no picture for 1 s"):
            drain(frames)
        opened.__exit__()

        assert "source gate" not in [thread.name for thread in threading.enumerate()]


def test_stop_is_noticed_within_a_second_of_silence(camera: HttpCamera) -> None:
    stop = threading.Event()
    with source(camera.url("mjpeg"), stop=stop) as opened:
        frames = iter(opened)
        next(frames)
        camera.silent.set()
        threading.Timer(0.2, stop.set).start()
        begun_s = time.monotonic()
        drain(frames)

    assert time.monotonic() - begun_s < 1.2


def test_a_camera_that_hangs_up_is_noticed_at_once(camera: HttpCamera) -> None:
    with source(camera.url("mjpeg")) as opened:
        frames = iter(opened)
        next(frames)
        camera.ended.set()
        begun_s = time.monotonic()
        with pytest.raises(SourceUnavailableError, match=r"connection (closed|failed)"):
            drain(frames)

    assert time.monotonic() - begun_s < 1.0
