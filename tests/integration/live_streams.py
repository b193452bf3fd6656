"""A live stream as the tests open it."""

from __future__ import annotations

import subprocess
import threading
from collections import deque
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from edge_daemon.packets import Packet
from edge_daemon.sources.stream import StreamSource
from edge_daemon.types import Frame, SourceAddress


class Unwanted:
    """A sink that forgets what it gets."""

    def put(self, packet: Packet) -> None:
        pass

    def unfit(self, codec: str) -> None:
        pass


def write_sounding(path: Path, sound: str) -> Path:
    """A second of pictures, and a tone: sound is what ffmpeg is told of it."""
    call = "ffmpeg -v error -y -f lavfi -t 1 -i testsrc2=s=320x180:r=25 -f lavfi -i sine"
    video = "-c:v libx264 -preset ultrafast -g 25"
    subprocess.run(
        [*call.split(), *video.split(), *sound.split(), str(path)],
        check=True,
        stdin=subprocess.DEVNULL,
    )
    return path


def source(url: str, **more: Any) -> StreamSource:
    return StreamSource(
        camera="gate",
        address=SourceAddress(url),
        stop=more.pop("stop", threading.Event()),
        stall_after_s=more.pop("stall_after_s", 5.0),
        **more,
    )


def drain(frames: Iterator[Frame]) -> None:
    deque(frames, maxlen=0)


def first_frames(url: str, n_frames: int, **more: Any) -> list[Frame]:
    with source(url, **more) as opened:
        return list(islice(opened, n_frames))
