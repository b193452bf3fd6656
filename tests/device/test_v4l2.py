"""A real /dev/video0, or the kernel's test camera: modprobe vivid n_devs=1."""

from __future__ import annotations

import threading
import time
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_daemon.errors import SourceUnavailableError
from edge_daemon.sources.camera import V4l2Source
from edge_daemon.types import SourceAddress
from tests.conftest import missing

if TYPE_CHECKING:
    from edge_daemon.types import Frame

DEVICE = "/dev/video0"


@pytest.fixture(autouse=True)
def camera() -> None:
    if not Path(DEVICE).exists():
        missing(f"no {DEVICE}", "REQUIRE_CAMERA")


def source(stop: threading.Event | None = None) -> V4l2Source:
    address, stop = SourceAddress(DEVICE), stop or threading.Event()
    return V4l2Source(camera="porch", address=address, stop=stop, stall_after_s=5.0)


def first_frames(n_frames: int) -> list[Frame]:
    with source() as opened:
        return list(islice(opened, n_frames))


def test_frames_arrive_at_the_pace_of_the_camera() -> None:
    frames = first_frames(20)

    steps_s = [b.pts_s - a.pts_s for a, b in pairwise(frames)]
    assert [frame.index for frame in frames] == list(range(20))
    assert 0.005 < np.median(steps_s) < 0.5
    assert frames[0].picture.rgb().shape == (frames[0].picture.height, frames[0].picture.width, 3)


def test_the_first_frame_is_there_within_two_seconds() -> None:
    begun_s = time.monotonic()
    first_frames(1)

    assert time.monotonic() - begun_s < 2.0


def test_a_camera_in_use_is_said_so() -> None:
    with (
        source() as opened,
        pytest.raises(SourceUnavailableError, match="is another program using it") as caught,
        source(),
    ):
        next(iter(opened))

    assert str(caught.value).startswith(f"{DEVICE}: sends no video -- ")


def test_stop_is_noticed_within_a_second() -> None:
    stop = threading.Event()
    with source(stop) as opened:
        threading.Timer(0.3, stop.set).start()
        begun_s = time.monotonic()
        for _ in opened:
            pass

    assert time.monotonic() - begun_s < 1.3


def test_the_camera_is_free_again_after_use() -> None:
    first_frames(1)

    assert len(first_frames(2)) == 2
