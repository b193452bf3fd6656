"""Bodies: how they turn, and the order in which their parts are drawn."""

from __future__ import annotations

import numpy as np
import pytest

from edge_daemon.scenes.shape import Pose, Shape
from edge_daemon.scenes.sprite import draw
from edge_daemon.scenes.view import View

SUN = np.array([0.0, 1.0, 0.0], np.float32)


@pytest.fixture
def view() -> View:
    return View(200, 100, 100.0, 50.0, x_m=0.0, y_m=1.0, z_m=0.0, yaw_rad=0.0)


def test_a_pose_turns_to_the_right() -> None:
    pose = Pose(1.0, 2.0, np.pi / 2)
    ahead = pose.to_world(np.array([[0, 0, 3]], np.float32))[0]

    assert ahead == pytest.approx((4, 0, 2), abs=1e-5)
    assert pose.to_local(ahead) == pytest.approx((0, 0, 3), abs=1e-5)


def test_sections_are_drawn_farthest_first() -> None:
    shape = Shape()
    square = [(0, 0, 0), (1, 0, 0), (1, 1, 0)]
    shape.face(square, (1, 1, 1))
    shape.section((0, 0, -2))
    shape.face(square, (2, 2, 2))
    shape.section((0, 0, 2))
    shape.face(square, (3, 3, 3))
    shape.section(None)
    shape.face(square, (4, 4, 4))
    nothing = np.zeros(0, np.float32)

    assert shape.order(np.float32([0, 1, 9]), nothing) == [0, 1, 2, 3]
    assert shape.order(np.float32([0, 1, -9]), nothing) == [0, 2, 1, 3]


def test_a_sprite_covers_what_it_shows(view: View) -> None:
    shape = Shape()
    shape.face([(-1, 0, 0), (1, 0, 0), (1, 1, 0), (-1, 1, 0)], (200, 100, 50))
    sprite = draw(shape, Pose(0.0, 5.0, 0.0), view, SUN, 0.5)

    assert sprite is not None
    assert (sprite.rows, sprite.inside) == (pytest.approx((50, 70), abs=0.01), 1.0)
    assert sprite.alpha.sum() == pytest.approx(40 * 20, rel=0.03)
    middle = sprite.rgba[60 - sprite.top, 100 - sprite.left]
    assert middle == pytest.approx((200, 100, 50, 255), abs=1)


def test_a_face_turned_away_is_not_drawn(view: View) -> None:
    shape = Shape()
    shape.face([(-1, 0, 0), (1, 0, 0), (1, 1, 0), (-1, 1, 0)], (200, 100, 50), (0, 0, 1))
    away = draw(shape, Pose(0.0, 5.0, 0.0), view, SUN, 0.5)
    towards = draw(shape, Pose(0.0, 5.0, np.pi), view, SUN, 0.5)

    assert away is not None
    assert towards is not None
    assert away.rgba.max() == 0
    assert towards.rgba.max() == 255


@pytest.mark.parametrize("place", [(0.0, -5.0), (60.0, 5.0)])
def test_what_is_outside_the_picture_has_no_sprite(view: View, place: tuple[float, float]) -> None:
    shape = Shape()
    shape.limb((0, 0, 0), (0, 1.7, 0), (0.2, 0.2), (90, 90, 90))

    assert draw(shape, Pose(*place, 0.0), view, SUN, 0.5) is None


def test_a_long_body_that_leaves_the_picture_is_partly_inside(view: View) -> None:
    shape = Shape()
    shape.face([(0, 0, -6), (0, 3, -6), (0, 3, 6), (0, 0, 6)], (9, 9, 9), (-1, 0, 0))
    sprite = draw(shape, Pose(3.0, 6.0, 0.0), view, SUN, 0.5)

    assert sprite is not None
    assert 0.55 < sprite.inside < 0.8  # it is seen from z = 3 to z = 12
