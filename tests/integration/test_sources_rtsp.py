"""RTSP cameras, good and bad, over real sockets."""

from __future__ import annotations

import threading
import time
import traceback
from datetime import datetime, timedelta, timezone
from itertools import islice, pairwise
from typing import TYPE_CHECKING

import pytest

from edge_daemon.errors import (
    SourceError,
    SourceRefusedError,
    SourceStalledError,
    SourceUnavailableError,
)
from tests.data.make_data import number_in, write_clip
from tests.integration.live_streams import Unwanted, drain, first_frames, source, write_sounding
from tests.integration.rtsp_server import RtspServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge_daemon.types import Frame

PASSWORD = "p@ss:w/rd"
QUOTED = "p%40ss%3Aw%2Frd"


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("rtsp")
    return {
        "gate": write_clip(folder / "gate.mp4"),
        "reordered": write_clip(folder / "reordered.mp4", b_frames=2),
        # Several packets each; x264 makes as many slices as there are cores, if not told.
        "large": write_clip(folder / "large.mp4", size=(1280, 720), crf="4", slices="4"),
        "h265": write_clip(folder / "h265.mp4", codec="libx265"),
        "slow": write_clip(folder / "slow.mp4", fps=2, n_frames=10),
    }


@pytest.fixture
def camera(clips: dict[str, Path]) -> Iterator[RtspServer]:
    with RtspServer(clips) as server:
        yield server


def numbers(frames: list[Frame]) -> list[int]:
    return [number_in(frame.picture.rgb()) for frame in frames]


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("name", ["gate", "reordered", "large", "h265"])
def test_frames_arrive_whole_and_in_order(camera: RtspServer, name: str, transport: str) -> None:
    frames = first_frames(camera.url(name), 20, transport=transport)

    assert numbers(frames) == list(range(20))
    assert frames[0].pts_s == 0.0
    assert [b.pts_s - a.pts_s for a, b in pairwise(frames)] == pytest.approx([0.04] * 19)
    setup = next(line for line in camera.seen if line.startswith("SETUP"))
    assert ("client_port" in setup) == (transport == "udp")


def test_a_clip_that_loops_goes_on_without_a_seam(camera: RtspServer) -> None:
    frames = first_frames(camera.url("gate"), 60)

    assert numbers(frames) == [n % 50 for n in range(60)]
    assert all(0.03 < b.pts_s - a.pts_s < 0.05 for a, b in pairwise(frames))


def test_parameter_sets_that_come_with_the_pictures_only_are_enough(camera: RtspServer) -> None:
    camera.described = False

    assert numbers(first_frames(camera.url("gate"), 3)) == [0, 1, 2]


def test_the_first_picture_is_there_as_soon_as_it_was_sent(camera: RtspServer) -> None:
    begun_s = time.monotonic()
    first_frames(camera.url("slow"), 1)

    assert time.monotonic() - begun_s < 1.5  # FFmpeg's own probing takes 2.5 s at 2 fps


def test_keyframes_only_gives_the_key_frames_at_once(camera: RtspServer) -> None:
    begun_s = time.monotonic()
    frames = first_frames(camera.url("reordered"), 3, keyframes_only=True)

    assert numbers(frames) == [0, 10, 20]
    assert time.monotonic() - begun_s < 1.6  # the third is sent after 0.8 s


def test_captured_at_is_the_clock_of_the_camera(camera: RtspServer) -> None:
    camera.clock_ahead_s = 7200.0

    frames = first_frames(camera.url("reordered"), 10)

    ahead = [frame.captured_at - datetime.now(timezone.utc) for frame in frames]
    assert all(timedelta(hours=1.99) < by < timedelta(hours=2.01) for by in ahead)
    apart_s = [(b.captured_at - a.captured_at).total_seconds() for a, b in pairwise(frames[1:])]
    assert apart_s == pytest.approx([0.04] * 8, abs=2e-3)


@pytest.mark.parametrize("why", ["sends none", "was never set"])
def test_captured_at_is_our_clock_where_the_camera_has_none(camera: RtspServer, why: str) -> None:
    camera.reports = why != "sends none"
    camera.clock_ahead_s = -time.time() + 60 if why == "was never set" else 0.0

    frames = first_frames(camera.url("gate"), 5)

    assert all(
        abs(frame.captured_at - datetime.now(timezone.utc)) < timedelta(seconds=5)
        for frame in frames
    )


@pytest.mark.parametrize("digest", [False, True], ids=["basic", "digest"])
def test_user_and_password_open_the_stream(camera: RtspServer, digest: bool) -> None:
    camera.credentials, camera.digest = ("viewer", PASSWORD), digest

    assert len(first_frames(camera.url("gate", f"viewer:{QUOTED}"), 2)) == 2


@pytest.mark.parametrize("digest", [False, True], ids=["basic", "digest"])
@pytest.mark.parametrize("given", ["viewer:wr0ng", ""], ids=["wrong", "none"])
def test_a_wrong_password_is_refused_and_never_shown(
    camera: RtspServer, digest: bool, given: str
) -> None:
    camera.credentials, camera.digest = ("viewer", PASSWORD), digest

    with pytest.raises(SourceRefusedError) as caught:
        first_frames(camera.url("gate", given), 1)

    assert str(caught.value) == (
        f"{camera.url('gate')}: wrong or missing user or password -- check user and password of"
        " its source, percent-encode special characters"
    )
    assert "wr0ng" not in "".join(traceback.format_exception(caught.value))


def test_an_unknown_path_is_said_so(camera: RtspServer) -> None:
    with pytest.raises(SourceUnavailableError, match="the camera knows no such stream -- "):
        first_frames(camera.url("nowhere"), 1)


def test_a_dead_port_is_said_so_at_once(camera: RtspServer) -> None:
    camera.kill()

    begun_s = time.monotonic()
    with pytest.raises(SourceUnavailableError, match="connection refused -- is the camera on"):
        first_frames(camera.url("gate", "viewer:s3cret"), 1)

    assert time.monotonic() - begun_s < 1.0


def test_a_host_that_has_no_address_is_said_so() -> None:
    url = f"rtsp://viewer:{QUOTED}@nowhere.invalid/1"

    with pytest.raises(SourceUnavailableError, match=r"^rtsp://nowhere\.invalid/1: ") as caught:
        first_frames(url, 1)

    assert QUOTED not in "".join(traceback.format_exception(caught.value))


def test_a_camera_that_accepts_and_says_nothing_is_given_up(camera: RtspServer) -> None:
    camera.mute = True

    begun_s = time.monotonic()
    with pytest.raises(SourceUnavailableError, match=r"nothing came within 0\.7 s -- is the"):
        first_frames(camera.url("gate", "viewer:s3cret"), 1, connect_within_s=0.7)

    assert time.monotonic() - begun_s < 1.7


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_camera_that_loses_its_power_is_noticed_at_once(
    camera: RtspServer, transport: str
) -> None:
    with source(camera.url("gate"), transport=transport) as opened:
        frames = iter(opened)
        next(frames)
        camera.kill()
        begun_s = time.monotonic()
        with pytest.raises(SourceUnavailableError, match="connection closed by the camera"):
            drain(frames)

    assert time.monotonic() - begun_s < 1.0


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_camera_that_falls_silent_is_a_stall(camera: RtspServer, transport: str) -> None:
    with source(camera.url("gate"), transport=transport, stall_after_s=1.0) as opened:
        frames = iter(opened)
        next(frames)
        camera.silent = True
        begun_s = time.monotonic()
        with pytest.raises(SourceStalledError, match="connected, but no picture for 1 s"):
            drain(frames)

    assert 0.9 < time.monotonic() - begun_s < 2.0


def test_nothing_is_left_behind_where_sound_goes_on_without_pictures(tmp_path: Path) -> None:
    clip = write_sounding(tmp_path / "clip.mkv", "-t 4 -c:a pcm_alaw -ar 8000")
    with (
        RtspServer({"gate": clip}) as camera,
        source(camera.url("gate"), stall_after_s=1.0, sink=Unwanted()) as opened,
    ):
        frames = iter(opened)
        next(frames)
        camera.silent = True
        with pytest.raises(SourceStalledError, match="connected, but no picture for 1 s"):
            drain(frames)
        opened.__exit__()

        assert "source gate" not in [thread.name for thread in threading.enumerate()]


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("name", ["large", "h265"])
def test_a_camera_that_sends_what_cannot_be_decoded_is_a_stall(
    camera: RtspServer, name: str, transport: str
) -> None:
    camera.keyless = True
    with (
        source(camera.url(name), stall_after_s=1.0, transport=transport) as opened,
        pytest.raises(
            SourceStalledError, match=r"sends, but nothing that makes a picture, for 1 s"
        ),
    ):
        drain(opened)


def test_a_short_silence_is_a_gap_and_nothing_more(camera: RtspServer) -> None:
    with source(camera.url("gate")) as opened:
        frames = iter(opened)
        before = next(frames)
        camera.silent = True
        threading.Timer(1.0, setattr, (camera, "silent", False)).start()
        later = list(islice(frames, 30))

    assert max(b.pts_s - a.pts_s for a, b in pairwise([before, *later])) > 0.8
    assert all(a.pts_s < b.pts_s for a, b in pairwise(later))


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_stop_is_noticed_within_a_second_of_silence(camera: RtspServer, transport: str) -> None:
    stop = threading.Event()
    with source(camera.url("gate"), transport=transport, stop=stop) as opened:
        frames = iter(opened)
        next(frames)
        camera.silent = True
        threading.Timer(0.2, stop.set).start()
        begun_s = time.monotonic()
        drain(frames)

    assert time.monotonic() - begun_s < 1.2


def test_lost_packets_are_counted_and_the_stream_goes_on(camera: RtspServer) -> None:
    camera.lost, counted = 0.2, []

    frames = first_frames(
        camera.url("large"), 40, transport="udp", on_corrupt=lambda: counted.append(1)
    )

    assert len(frames) == 40
    assert counted
    assert all(a.pts_s < b.pts_s for a, b in pairwise(frames))


def test_a_camera_that_returns_is_read_again(camera: RtspServer) -> None:
    with source(camera.url("gate")) as opened:
        camera.kill()
        with pytest.raises(SourceError):
            drain(iter(opened))

    camera.listen()

    assert numbers(first_frames(camera.url("gate"), 3)) == [0, 1, 2]


def test_leaving_frees_thread_and_connection(camera: RtspServer) -> None:
    first_frames(camera.url("gate"), 2)

    names = [thread.name for thread in threading.enumerate()]
    camera.wait_for_goodbye()

    assert "source gate" not in names
    assert camera.seen[-1] == "TEARDOWN"
