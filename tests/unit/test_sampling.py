from __future__ import annotations

from datetime import datetime, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_daemon.config.models import SampleConfig
from edge_daemon.sampling import Sampler
from edge_daemon.sources.picture import ArrayPicture
from edge_daemon.types import Frame

PICTURE = ArrayPicture(np.zeros((2, 2, 3), np.uint8))
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)


def taken(times_s: list[float], **sample: object) -> list[int]:
    """Indices of the frames that are asked."""
    sampler = Sampler(SampleConfig.model_validate(sample))
    frames = [Frame("gate", n, at_s, at_s, NOW, PICTURE) for n, at_s in enumerate(times_s)]
    return [frame.index for frame in frames if sampler.wants(frame)]


def steady(rate_hz: float, seconds: float) -> list[float]:
    return [round(n / rate_hz, 6) for n in range(int(rate_hz * seconds))]


def test_every_takes_the_first_and_each_nth() -> None:
    assert taken(steady(25, 1), every=10) == [0, 10, 20]


def test_keyframes_takes_all_that_the_source_hands_over() -> None:
    assert taken([0.0, 2.0, 4.0], keyframes=True) == [0, 1, 2]


@pytest.mark.parametrize(("rate_hz", "fps"), [(25, 2), (29.97, 2), (30, 7), (60, 24), (12.5, 5)])
def test_fps_takes_the_nearest_frame_to_each_point_of_the_grid(rate_hz: float, fps: float) -> None:
    times_s = steady(rate_hz, 60)

    found = [times_s[n] for n in taken(times_s, fps=fps)]

    assert len(found) == pytest.approx(60 * fps, abs=1)
    assert max(abs(at_s * fps - round(at_s * fps)) for at_s in found) <= fps / rate_hz / 2 + 1e-3


def test_fps_does_not_drift_in_two_hours() -> None:
    times_s = [n * 0.0333667 for n in range(int(7_200 / 0.0333667))]

    found = taken(times_s, fps=1)

    assert len(found) == 7_200
    assert abs(times_s[found[-1]] - 7_199) < 0.02


@pytest.mark.parametrize("rate_hz", [1, 5, 10])
def test_fps_above_the_rate_of_the_camera_takes_every_frame(rate_hz: float) -> None:
    times_s = steady(rate_hz, 10)

    assert taken(times_s, fps=10) == list(range(len(times_s)))


def test_fps_samples_on_at_once_after_a_gap() -> None:
    times_s = [*steady(10, 2), *(62 + at_s for at_s in steady(10, 2))]

    assert [times_s[n] for n in taken(times_s, fps=1)] == [0, 1, 62, 63]


def test_fps_begins_anew_when_the_stream_does() -> None:
    assert taken([*steady(10, 2), *steady(10, 2)], fps=1) == [0, 10, 20, 30]


@given(
    st.lists(st.floats(0.001, 3.0), min_size=1, max_size=200),
    st.floats(0.1, 30.0),
)
def test_fps_never_takes_two_frames_for_one_point(steps_s: list[float], fps: float) -> None:
    times_s = np.cumsum([0.0, *steps_s]).tolist()

    found = [times_s[n] for n in taken(times_s, fps=fps)]

    assert len(found) <= times_s[-1] * fps + 1.5
    assert found == [times_s[n] for n in taken(times_s, fps=fps)]
