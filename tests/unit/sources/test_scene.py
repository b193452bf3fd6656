"""Rendered scenes as a source."""

from __future__ import annotations

import threading
from datetime import datetime, timezone
from itertools import islice
from typing import Any

import numpy as np
import pytest

from edge_daemon.errors import SourceFormatError
from edge_daemon.scenes.options import parse_scene
from edge_daemon.scenes.street import Street
from edge_daemon.sources.scene import SceneSource
from edge_daemon.types import SourceAddress

NOON = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)
ADDRESS = "test:street?size=96x64&seconds=1&fps=5&seed=3"


def source(address: str = ADDRESS, stop: threading.Event | None = None, **rest: Any) -> SceneSource:
    stop = stop or threading.Event()
    return SceneSource("gate", SourceAddress(address), stop=stop, now=lambda: NOON, **rest)


def test_frames_are_those_of_the_street() -> None:
    with source() as scene:
        frames = list(scene)
    street = Street(parse_scene(ADDRESS))

    assert [(f.camera, f.index, f.pts_s) for f in frames] == [
        ("gate", n, pytest.approx(n / 5)) for n in range(5)
    ]
    assert all(np.array_equal(f.picture.rgb(), street.frame(f.index)[0]) for f in frames)
    assert {(f.picture.width, f.picture.height) for f in frames} == {(96, 64)}
    assert {f.captured_at for f in frames} == {NOON}


def test_a_loop_begins_again_and_time_goes_on() -> None:
    with source(loop=True) as scene:
        frames = list(islice(scene, 7))

    assert np.array_equal(frames[0].picture.rgb(), frames[5].picture.rgb())
    assert frames[6].index == 6
    assert frames[6].pts_s == pytest.approx(1.2)


def test_realtime_gives_no_frame_before_its_time() -> None:
    with source("test:street?size=96x64&seconds=0.3&fps=20", pace="realtime") as scene:
        frames = list(scene)

    assert len(frames) == 6
    assert frames[5].mono_s - frames[0].mono_s > 0.15


def test_a_stopped_source_returns() -> None:
    stop = threading.Event()
    with source(stop=stop, loop=True) as scene:
        frames = iter(scene)
        next(frames)
        stop.set()

        assert list(frames) == []


def test_a_bad_address_is_refused_with_its_remedy() -> None:
    with pytest.raises(SourceFormatError) as caught:
        source("test:street?time=noon")

    assert str(caught.value) == "camera gate: time=noon -- use one of: day, dusk, night"
