"""One random picture with its truth: training data."""

from __future__ import annotations

from math import cos, pi, sin
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_daemon.scenes.backdrop import paint_backdrop
from edge_daemon.scenes.cast import Character, Motion, random_character
from edge_daemon.scenes.compose import compose, drawn
from edge_daemon.scenes.daylight import Air, random_air
from edge_daemon.scenes.furniture import clutter, lamp_post, traffic_light, tree
from edge_daemon.scenes.place import Place, random_place
from edge_daemon.scenes.shape import Pose
from edge_daemon.scenes.truth import Truth
from edge_daemon.scenes.weather import expose

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from edge_daemon.scenes.body import Body

_COUNTS: Final[dict[str, tuple[float, ...]]] = {  # shares of pictures with 0, 1, 2, ... of a kind
    "person": (0.45, 0.22, 0.14, 0.09, 0.06, 0.04),
    "car": (0.45, 0.27, 0.17, 0.11),
    "bus": (0.86, 0.14),
    "truck": (0.88, 0.12),
    "bicycle": (0.82, 0.14, 0.04),
    "motorcycle": (0.85, 0.12, 0.03),
    "dog": (0.85, 0.13, 0.02),
}
_ON_ROAD: Final = ("car", "bus", "truck", "motorcycle")


def random_scene(
    rng: Generator, width: int = 320, height: int = 192
) -> tuple[NDArray[np.uint8], Truth]:
    """A street nobody saw before: uint8 RGB (height, width, 3), and what it shows."""
    time = str(rng.choice(["day", "dusk", "night"], p=[0.6, 0.13, 0.27]))
    weather = str(rng.choice(["clear", "rain", "fog"], p=[0.72, 0.18, 0.10]))
    place = random_place(rng, "any", (width, height), zebra=bool(rng.random() < 0.5))
    air = random_air(rng, time, weather, random_lamps(rng, place))
    backdrop = paint_backdrop(rng, place, air)
    bodies = random_furniture(rng, place, air)
    if rng.random() < 0.4:
        bodies += _random_light(rng, place)
    bodies += _random_crowd(rng, place, air)
    canvas, boxes = compose(backdrop, drawn(bodies, place.view, air), place.view, air)
    canvas *= np.float32(rng.uniform(0.92, 1.08))
    softness_px = float(rng.choice([0.0, rng.uniform(0.3, 0.8)]))
    return expose(canvas, air, rng, softness_px), Truth.of(boxes, time, weather)


def random_lamps(rng: Generator, place: Place) -> NDArray[np.float32]:
    """Where street lamps stand, (N, 2) metres."""
    x = float(rng.choice([-1, 1])) * (place.road_half_m + 0.4)
    start, step = float(rng.uniform(-4, 8)), float(rng.uniform(12, 20))
    return np.array([(x, start + k * step) for k in range(-1, 5)], np.float32)


def random_furniture(
    rng: Generator, place: Place, air: Air, *, clear_view: bool = False
) -> list[Body]:
    """Lamp posts, trees and smaller things on the pavements, none of them in the truth.

    With clear_view, nothing stands between the camera and what it looks at.
    """
    bodies = [lamp_post(float(x), float(z), air) for x, z in air.lamps]
    for _ in range(int(rng.integers(0, 5))):
        side = int(rng.choice([-1, 1]))
        behind = place.walls[0 if side < 0 else 1]
        room = float(rng.uniform(0.0, 8.0 if behind is None else behind))
        at_kerb = behind is not None and behind < 2
        x = side * (place.road_half_m + 0.5 if at_kerb else place.edge_m + room)
        z = float(rng.uniform(2, 50))
        if place.view.depth(x, z) > 7:
            bodies.append(tree(rng, x, z))
    for _ in range(int(rng.integers(0, 6))):
        from_middle = float(rng.choice([place.road_half_m + 0.35, place.edge_m - 0.3]))
        x = float(rng.choice([-1, 1])) * from_middle
        spot = _spot(rng, place, (x, x), (4.0, 30.0))
        if spot is not None:
            bodies.append(clutter(rng, *spot))
    return [b for b in bodies if not (clear_view and _in_the_way(place, b.pose))]


def _in_the_way(place: Place, pose: Pose) -> bool:
    """Whether something there would hide the street in the middle of the picture."""
    away, column = place.view.depth(pose.x_m, pose.z_m), place.view.column(pose.x_m, pose.z_m)
    return 0.05 < column < 0.95 and 0 < away < place.view.depth(0.0, place.middle_z) + 4.0


def _random_light(rng: Generator, place: Place) -> list[Body]:
    """A traffic light somewhere in view, turned towards the camera."""
    lamp = str(rng.choice(["red", "yellow", "green"]))
    for _ in range(12):
        x = float(rng.choice([-1, 1])) * (place.road_half_m + 0.45)
        spot = _spot(rng, place, (x, x), (4.0, 24.0))
        if spot is not None:
            turn = place.heading_to_camera(*spot) + float(rng.uniform(-0.5, 0.5))
            return traffic_light(lamp, Pose(*spot, turn), float(rng.uniform(2.0, 2.9)))
    return []


def _random_crowd(rng: Generator, place: Place, air: Air) -> list[Body]:
    """A random cast, nobody inside another."""
    bodies: list[Body] = []
    taken: list[tuple[float, ...]] = []
    for kind, shares in _COUNTS.items():
        weights = np.array(shares) / sum(shares)
        for _ in range(int(rng.choice(len(weights), p=weights))):
            character = random_character(rng, kind, air)
            pose = _free_pose(rng, place, character, taken)
            if pose is not None:
                speed_mps = float(rng.choice([0.0, 1.35, 1.35, 1.5])) if kind == "person" else 2.0
                motion = Motion(float(rng.uniform(0, 9)), speed_mps)
                bodies += character.bodies(pose, motion)
    return bodies


def _free_pose(
    rng: Generator, place: Place, character: Character, taken: list[tuple[float, ...]]
) -> Pose | None:
    """A pose that overlaps nobody's ground; added to taken (x, z, half width, half length)."""
    for _ in range(6):
        pose = _pose(rng, place, character.kind)
        if pose is None:
            continue
        along = abs(cos(pose.heading_rad))
        long, wide = character.length_m, character.width_m
        half_x = (wide * along + long * (1 - along)) / 2 + 0.1
        half_z = (long * along + wide * (1 - along)) / 2 + 0.15
        x, z = pose.x_m, pose.z_m
        if all(abs(x - a) > half_x + c or abs(z - b) > half_z + d for a, b, c, d in taken):
            taken.append((x, z, half_x, half_z))
            return pose
    return None


def _pose(rng: Generator, place: Place, kind: str) -> Pose | None:
    """A place in the picture and a heading that suit a kind."""
    side = float(rng.choice([-1, 1]))
    if kind in _ON_ROAD or (kind == "bicycle" and rng.random() < 0.7):
        return _pose_on_road(rng, place, kind, side)
    r, edge = place.road_half_m, place.edge_m
    crossing = rng.random() < 0.35
    a, b = (-r, r) if crossing else (side * (r + 0.3), side * (edge + 0.5))
    spot = _spot(rng, place, (min(a, b), max(a, b)), (3.2, 24.0))
    heading = float(rng.choice([0.0, pi])) + float(rng.normal(0, 0.35))
    heading += pi / 2 if crossing else 0.0
    if rng.random() < 0.2:
        heading = float(rng.uniform(0, 2 * pi))
    return None if spot is None else Pose(*spot, heading)


def _pose_on_road(rng: Generator, place: Place, kind: str, side: float) -> Pose | None:
    from_middle = place.lane_m
    if kind == "bicycle":
        from_middle = place.road_half_m - 0.8
    elif kind == "car" and rng.random() < 0.3:  # at the kerb
        from_middle = place.road_half_m - 1.0
    x = side * from_middle
    spot = _spot(rng, place, (x - 0.25, x + 0.25), (5.0, 34.0))
    wrong_way = rng.random() < 0.06
    heading = 0.0 if (side * place.drives_right > 0) != wrong_way else pi
    return None if spot is None else Pose(*spot, heading + float(rng.normal(0, 0.04)))


def _spot(
    rng: Generator, place: Place, across: tuple[float, float], depths: tuple[float, float]
) -> tuple[float, float] | None:
    """A random place (x, z) between two lines along the road that is in the picture."""
    view = place.view
    near, far = depths
    c, s = cos(view.yaw_rad), sin(view.yaw_rad)
    for _ in range(24):
        x = float(rng.uniform(*across))
        depth = near * (far / near) ** float(rng.uniform(0, 1))
        aside = float(rng.uniform(-0.55, 0.55)) * view.width / view.focal_px * depth
        looks_across = abs(s) > abs(c)
        z = view.z_m + ((x - view.x_m) * c / s - aside / s if looks_across else depth)
        away = view.depth(x, z)
        seen = 0.02 < view.column(x, z) < 0.98 and view.row(away) < 1.12
        if 0.8 * near < away < far and seen:
            return x, z
    return None
