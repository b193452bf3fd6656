"""Which of two things is in front of the other."""

from __future__ import annotations

import pytest

from edge_daemon.scenes.body import Body
from edge_daemon.scenes.occlusion import far_to_near
from edge_daemon.scenes.shape import Pose, Shape
from edge_daemon.scenes.view import View


def body(x: float, z: float, half_w: float, half_l: float, nearer_m: float = 0.0) -> Body:
    pose = Pose(x, z, 0.0)
    return Body(None, Shape(), pose, (half_w, half_l), 1.0, nearer_m=nearer_m)


@pytest.fixture
def view() -> View:
    return View(640, 360, 500.0, 120.0, x_m=8.0, y_m=3.0, z_m=0.0, yaw_rad=-0.9)


def test_a_bus_hides_the_cyclist_behind_it(view: View) -> None:
    bus, cyclist = body(2.0, 12.0, 1.3, 6.0), body(-2.5, 8.0, 0.3, 0.9)

    assert view.depth(2.0, 12.0) > view.depth(-2.5, 8.0) - 3
    assert far_to_near([bus, cyclist], view) == [1, 0]


def test_the_cyclist_beside_the_camera_hides_the_bus(view: View) -> None:
    bus, cyclist = body(-2.0, 8.0, 1.3, 6.0), body(2.5, 13.0, 0.3, 0.9)

    assert far_to_near([bus, cyclist], view) == [0, 1]


def test_of_two_in_one_place_the_rider_is_in_front(view: View) -> None:
    machine, rider = body(0, 9, 0.2, 0.9), body(0, 9, 0, 0, nearer_m=0.02)

    assert far_to_near([rider, machine], view) == [1, 0]


def test_nobody_is_lost(view: View) -> None:
    crowd = [body((n * 7) % 5 - 2, 4 + (n * 3) % 11, 0.3, 0.3) for n in range(20)]

    assert sorted(far_to_near(crowd, view)) == list(range(20))
    assert far_to_near([], view) == []
