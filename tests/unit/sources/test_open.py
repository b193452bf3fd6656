from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from edge_daemon.config.models import CameraConfig
from edge_daemon.sources.open import open_source

if TYPE_CHECKING:
    from pathlib import Path


def camera(source: str, **more: Any) -> CameraConfig:
    question = {"id": "person", "ask": "Is there a person?"}
    return CameraConfig(id="gate", source=source, questions=[question], **more)


@pytest.mark.parametrize(
    ("address", "name", "live"),
    [
        ("rtsp://camera/1", "StreamSource", True),
        ("https://camera/video.mjpg", "StreamSource", True),
        ("clips/*.mp4", "FileSource", False),
        ("pictures/", "ImageSource", False),
        ("one.jpg", "ImageSource", False),
        ("/dev/video0", "V4l2Source", True),
        ("test:street", "SceneSource", False),
    ],
)
def test_each_kind_of_address_has_its_source(address: str, name: str, live: bool) -> None:
    settings = camera(address)

    source = open_source(settings, threading.Event())

    assert (type(source).__name__, source.live, source.camera) == (name, live, "gate")
    assert source.live == settings.source.live


def test_a_directory_without_a_slash_holds_pictures(tmp_path: Path) -> None:
    source = open_source(camera(str(tmp_path)), threading.Event())

    assert type(source).__name__ == "ImageSource"


@pytest.mark.parametrize(
    "address", ["rtsp://camera/1", "clip.mp4", "one.jpg", "/dev/video0", "test:street"]
)
def test_every_source_takes_the_settings_of_its_camera(address: str) -> None:
    settings = camera(address, sample={"keyframes": True}, transport="udp", stall_after="3s")

    assert open_source(settings, threading.Event()).camera == "gate"


@pytest.mark.parametrize(
    ("address", "heavy"), [("one.jpg", "av"), ("test:street", "av"), ("clip.mp4", "cv2")]
)
def test_only_the_library_of_the_source_is_imported(address: str, heavy: str) -> None:
    program = f"""
import sys, threading
from edge_daemon.config.models import CameraConfig
from edge_daemon.sources.open import open_source
question = {{"id": "person", "ask": "Is there a person?"}}
open_source(CameraConfig(id="gate", source={address!r}, questions=[question]), threading.Event())
print({heavy!r} in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout == "False\n"
