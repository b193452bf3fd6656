"""The camera: where things fall in the picture."""

from __future__ import annotations

import numpy as np
import pytest

from edge_daemon.scenes.view import NEAR_M, View, cut


@pytest.fixture
def view() -> View:
    return View(640, 360, 500.0, 120.0, x_m=2.0, y_m=3.0, z_m=1.0, yaw_rad=-0.7)


def test_a_thing_straight_ahead_is_in_the_middle(view: View) -> None:
    ahead = view.eye + 10 * np.array([np.sin(-0.7), 0, np.cos(-0.7)], np.float32)
    pixel = view.project(ahead[None])[0]

    assert pixel == pytest.approx((320, 120), abs=1e-3)


def test_a_thing_to_the_right_is_to_the_right(view: View) -> None:
    x, z = view.place(np.float32([1.0]), np.float32([10.0]))

    assert view.aside(x[0], z[0]) == pytest.approx(1.0, abs=1e-5)
    assert view.depth(x[0], z[0]) == pytest.approx(10.0, abs=1e-5)
    assert view.column(x[0], z[0]) == pytest.approx(0.5 + 500 / 10 / 640, abs=1e-5)


def test_rows_agree_with_projection(view: View) -> None:
    point = np.array([[0.0, 1.7, 9.0]], np.float32)
    row = view.row(view.depth(0.0, 9.0), 1.7)

    assert view.project(point)[0, 1] / 360 == pytest.approx(row, abs=1e-5)


def test_a_finer_view_shows_the_same(view: View) -> None:
    points = np.array([[0, 0, 12], [1, 2, 20], [-3, 0.5, 8]], np.float32)

    assert view.finer(2).project(points) == pytest.approx(2 * view.project(points), rel=1e-4)


def test_ground_behind_the_camera_is_cut_off(view: View) -> None:
    behind = view.eye - 5 * np.array([np.sin(-0.7), 0, np.cos(-0.7)], np.float32)
    corners = behind + np.array([(0, -3, 0), (0.3, -3, 0), (0.3, -3, 0.3)], np.float32)

    assert len(view.polygon(corners)) == 0


def test_a_cut_polygon_keeps_its_near_side() -> None:
    square = np.array([(-1, 0, -1), (1, 0, -1), (1, 0, 3), (-1, 0, 3)], np.float32)
    kept = cut(square, np.array([(0, 0, 1, -NEAR_M)], np.float32))

    assert len(kept) == 4
    assert kept[:, 2].min() == pytest.approx(NEAR_M)
    assert kept[:, 2].max() == pytest.approx(3)
