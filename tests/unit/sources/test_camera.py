"""What can be said of V4L2 without a camera; with one see tests/device/test_v4l2.py."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from edge_daemon.errors import SourceFormatError, SourceUnavailableError
from edge_daemon.sources.camera import V4l2Source
from edge_daemon.types import SourceAddress


def source(path: str) -> V4l2Source:
    address, stop = SourceAddress(path), threading.Event()
    return V4l2Source(camera="porch", address=address, stop=stop, stall_after_s=5.0)


def test_a_camera_that_is_not_there_is_said_so() -> None:
    with pytest.raises(SourceUnavailableError) as caught, source("/dev/video987"):
        pass

    assert str(caught.value) == (
        "/dev/video987: no such device -- is it plugged in? v4l2-ctl --list-devices shows what"
        " there is"
    )


def test_another_device_is_no_camera() -> None:
    with pytest.raises(SourceFormatError) as caught, source("/dev/null"):
        pass

    assert str(caught.value) == "/dev/null: is no camera -- use /dev/video0 or the like"


def test_a_file_is_no_camera(tmp_path: Path) -> None:
    path = tmp_path / "video0"
    path.write_bytes(b"")

    with pytest.raises(SourceFormatError), source(str(path)):
        pass
