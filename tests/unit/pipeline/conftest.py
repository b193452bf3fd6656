from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timezone

import numpy as np
import pytest

from edge_daemon.sources.picture import ArrayPicture
from edge_daemon.types import Frame

MakeFrame = Callable[..., Frame]


@pytest.fixture
def frame() -> MakeFrame:
    """Frames of a grey picture, at a stream time."""

    def make(camera: str = "gate", pts_s: float = 0.0, index: int = 0) -> Frame:
        grey = np.full((36, 64, 3), 128, np.uint8)
        at = datetime(2026, 11, 20, tzinfo=timezone.utc)
        return Frame(camera, index, pts_s, time.monotonic() + pts_s, at, ArrayPicture(grey))

    return make
