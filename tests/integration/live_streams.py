"""A live stream as the tests open it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Any

from edge_daemon.sources.stream import StreamSource
from edge_daemon.types import Frame, SourceAddress


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
