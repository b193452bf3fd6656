"""Streets and the cameras that look at them."""

from __future__ import annotations

import numpy as np
import pytest

from edge_daemon.scenes.place import Place, random_place
from edge_daemon.scenes.routes import footways, lane_route


def places(looks: str, **rest: bool) -> list[Place]:
    return [random_place(np.random.default_rng(n), looks, (640, 360), **rest) for n in range(60)]


@pytest.mark.parametrize("looks", ["along", "across", "diagonal"])
def test_the_camera_sees_the_crossing(looks: str) -> None:
    for place in places(looks):
        z = place.zebra_z or 0.0

        assert 0.0 < place.view.column(0.0, z) < 1.0
        assert 0.0 < place.view.row(place.view.depth(0.0, z)) < 1.0


@pytest.mark.parametrize("looks", ["along", "across", "diagonal"])
def test_both_lanes_lead_through_the_picture(looks: str) -> None:
    found = [lane_route(p, "car", sense, 2.2) for p in places(looks) for sense in (1, -1)]

    assert sum(route is not None for route in found) > 0.9 * len(found)


@pytest.mark.parametrize("looks", ["along", "across", "diagonal"])
def test_people_are_well_seen_on_some_pavement(looks: str) -> None:
    assert sum(bool(footways(place)) for place in places(looks)) > 50


def test_a_bus_passes_below_a_camera_above_the_road() -> None:
    for place in places("along", clear_of_traffic=True):
        assert abs(place.view.x_m) > place.road_half_m or place.view.y_m > 5


def test_those_who_drive_on_the_left_keep_left() -> None:
    sides = {p.drives_right: lane_route(p, "car", 1, 2.2) for p in places("diagonal")}

    assert {right: np.sign(route.points[0][0]) for right, route in sides.items() if route} == {
        1: 1,
        -1: -1,
    }
