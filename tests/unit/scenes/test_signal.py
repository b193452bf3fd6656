"""The traffic light's clock."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pytest

from edge_daemon.scenes.signal import CYCLE_S, Signal


def test_a_cycle_goes_green_yellow_red() -> None:
    signal = Signal("cycle")
    lamps = [lamp for lamp, _ in groupby(signal.lamp(t) for t in np.arange(0, CYCLE_S, 0.1))]

    assert lamps == ["green", "yellow", "red"]


def test_a_cycle_repeats() -> None:
    signal = Signal("cycle", offset_s=4.0)

    assert all(signal.lamp(t) == signal.lamp(t + CYCLE_S) for t in np.arange(0.05, 20, 0.7))


def test_people_begin_to_cross_only_while_traffic_stands() -> None:
    signal = Signal("cycle")
    walking = [t for t in np.arange(0, CYCLE_S, 0.1) if signal.may_walk(t)]

    assert len(walking) > 20
    assert all(signal.lamp(t) == "red" for t in walking)


@pytest.mark.parametrize(
    ("mode", "lamp", "stops"),
    [("red", "red", True), ("green", "green", False), ("none", None, False)],
)
def test_a_fixed_light_never_changes(mode: str, lamp: str | None, stops: bool) -> None:
    signal = Signal(mode)

    assert {(signal.lamp(t), signal.stops(t)) for t in np.arange(0, 60, 0.5)} == {(lamp, stops)}
