from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_daemon.sources.timeline import Timeline

STEP_S = 0.04


def placed(raw_s: list[float | None]) -> list[float]:
    timeline = Timeline()
    return [timeline.place(at_s, STEP_S) for at_s in raw_s]


def test_timeline_begins_at_zero_wherever_the_stream_does() -> None:
    assert placed([1.4, 1.44, 1.48]) == [0.0, 0.04, 0.08]


def test_timeline_keeps_gaps_and_uneven_steps() -> None:
    assert placed([5.0, 5.04, 9.0, 9.1]) == [0.0, 0.04, 4.0, 4.1]


def test_timeline_counts_where_the_stream_has_no_times() -> None:
    assert placed([None, None, None]) == [0.0, 0.04, 0.08]


def test_timeline_takes_an_rtsp_stream_whose_first_frame_has_no_time() -> None:
    assert placed([None, 0.0, 0.04]) == [0.0, 0.04, 0.08]


def test_timeline_fills_in_a_missing_time() -> None:
    assert placed([0.0, 0.04, None, 0.12]) == [0.0, 0.04, 0.08, 0.12]


def test_timeline_goes_on_when_the_camera_restarts_its_clock() -> None:
    assert placed([100.0, 100.04, 0.0, 0.04]) == [0.0, 0.04, 0.08, 0.12]


def test_timeline_goes_on_after_a_senseless_jump() -> None:
    assert placed([0.0, 0.04, 95443.7, 95443.74]) == [0.0, 0.04, 0.08, 0.12]


def test_timeline_does_not_shift_the_stream_for_a_little_jitter() -> None:
    assert placed([0.0, 0.04, 0.04, 0.039, 0.12]) == [0.0, 0.04, 0.041, 0.042, 0.12]


def test_timeline_continues_with_the_next_file() -> None:
    timeline = Timeline()
    first = [timeline.place(at_s, STEP_S) for at_s in (0.0, 0.04)]

    timeline.restart()
    second = [timeline.place(at_s, STEP_S) for at_s in (7.0, 7.04)]

    assert first + second == [0.0, 0.04, 0.08, 0.12]


@given(st.lists(st.none() | st.floats(-1e9, 1e9), min_size=2, max_size=50))
def test_timeline_always_grows(raw_s: list[float | None]) -> None:
    found = placed(raw_s)

    assert found[0] == 0.0
    assert all(earlier < later for earlier, later in pairwise(found))


@pytest.mark.parametrize("rate_hz", [25, 30, 30000 / 1001, 12.5])
def test_timeline_loses_nothing_in_a_day(rate_hz: float) -> None:
    timeline = Timeline()
    for n in range(0, int(86_400 * rate_hz), 1000):
        last_s = timeline.place(n / rate_hz, STEP_S)

    assert last_s == pytest.approx(n / rate_hz, abs=2e-6)
