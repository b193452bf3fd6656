"""RTSP cameras behind TLS, whose certificates nobody signed: rtsps://."""

from __future__ import annotations

import socket
import time
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from edge_daemon.errors import SourceRefusedError, SourceStalledError, SourceUnavailableError
from tests.data.make_data import number_in, write_clip
from tests.integration.certificates import Authority
from tests.integration.live_streams import drain, first_frames, source
from tests.integration.rtsp_server import RtspServer
from tests.integration.tls_front import TlsFront

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("rtsps") / "gate.mp4")


@pytest.fixture
def camera(clip: Path) -> Iterator[RtspServer]:
    with RtspServer({"gate": clip}) as server:
        yield server


@pytest.fixture
def url(camera: RtspServer, tmp_path: Path) -> Iterator[str]:
    own = Authority.make(tmp_path / "its own")
    with TlsFront(camera.port, own.certificate, own.key) as front:
        yield f"rtsps://viewer:s3cret@127.0.0.1:{front.port}/gate"


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_frames_arrive_over_the_one_connection(
    camera: RtspServer, url: str, transport: str
) -> None:
    camera.credentials = ("viewer", "s3cret")

    frames = first_frames(url, 20, transport=transport)

    assert [number_in(frame.picture.rgb()) for frame in frames] == list(range(20))
    assert not any("client_port" in line for line in camera.seen)  # UDP would be in the clear


def test_a_wrong_password_is_refused(camera: RtspServer, url: str) -> None:
    camera.credentials = ("viewer", "another")

    with pytest.raises(SourceRefusedError, match="wrong or missing user or password"):
        first_frames(url, 1)


def test_a_camera_that_falls_silent_is_a_stall(camera: RtspServer, url: str) -> None:
    with source(url, stall_after_s=1.0) as opened:
        frames = iter(opened)
        list(islice(frames, 3))
        camera.silent = True
        begun_s = time.monotonic()
        with pytest.raises(SourceStalledError, match="connected, but no picture for 1 s"):
            drain(frames)

    assert 0.9 < time.monotonic() - begun_s < 2.0


def test_a_camera_that_loses_its_power_is_noticed_at_once(camera: RtspServer, url: str) -> None:
    with source(url) as opened:
        frames = iter(opened)
        next(frames)
        camera.kill()
        begun_s = time.monotonic()
        with pytest.raises(SourceUnavailableError, match="connection closed by the camera"):
            drain(frames)

    assert time.monotonic() - begun_s < 1.0


def test_a_port_that_never_greets_is_given_up() -> None:
    begun_s = time.monotonic()
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(SourceUnavailableError, match=r"nothing came within 0\.7 s"),
    ):
        first_frames(f"rtsps://127.0.0.1:{silent.getsockname()[1]}/gate", 1, connect_within_s=0.7)

    assert time.monotonic() - begun_s < 1.7


def test_rtsp_where_tls_is_spoken_is_no_camera(url: str) -> None:
    # The door answers by an alert and hangs up: which of the two comes first is a race.
    with pytest.raises(SourceUnavailableError, match=r"is no RTSP camera|closed by the camera"):
        first_frames(url.replace("rtsps:", "rtsp:"), 1)
