"""The shipped clip shows DEMO_SCENE."""

from __future__ import annotations

import av
import numpy as np
import pytest

from edge_daemon.scenes import DEMO_SCENE
from edge_daemon.scenes.options import parse_scene
from edge_daemon.scenes.street import Street
from tests.conftest import REPO

CLIP = REPO / "edge_daemon" / "demo" / "street.mp4"


def test_the_clip_shows_the_scene_in_h264() -> None:
    options = parse_scene(DEMO_SCENE)
    street = Street(options)
    with av.open(str(CLIP)) as clip:
        stream = clip.streams.video[0]
        format_ = (stream.codec.name, stream.width, stream.height, float(stream.average_rate or 0))
        frames = [frame.to_ndarray(format="rgb24") for frame in clip.decode(video=0)]

    assert format_ == ("h264", *options.size, options.fps)
    assert len(frames) == options.n_frames
    for index in (0, 100, 300):
        picture = street.frame(index)[0].astype(np.float32)
        assert np.abs(picture - frames[index]).mean() == pytest.approx(0, abs=6)


def test_the_clip_is_small_enough_to_ship() -> None:
    assert CLIP.stat().st_size < 3_000_000
