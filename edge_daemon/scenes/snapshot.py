"""One random picture with its truth: training data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge_daemon.scenes.backdrop import paint_backdrop
from edge_daemon.scenes.cast import random_character
from edge_daemon.scenes.compose import Body, compose, drawn, mottled
from edge_daemon.scenes.daylight import Air, random_air
from edge_daemon.scenes.furniture import bin_or_box, lamp_post, traffic_light, tree
from edge_daemon.scenes.place import Place, random_place
from edge_daemon.scenes.shape import Pose
from edge_daemon.scenes.truth import Truth
from edge_daemon.scenes.weather import expose

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

_COUNTS: dict[str, tuple[float, ...]] = {  # weights of 0, 1, 2, ... in one picture
    "person": (0.45, 0.22, 0.14, 0.09, 0.06, 0.04),
    "car": (0.45, 0.27, 0.17, 0.11),
    "bus": (0.86, 0.14),
    "truck": (0.88, 0.12),
    "bicycle": (0.82, 0.14, 0.04),
    "motorcycle": (0.85, 0.12, 0.03),
    "dog": (0.85, 0.13, 0.02),
}
_ON_ROAD = ("car", "bus", "truck", "motorcycle")


def random_scene(
    rng: Generator, width: int = 320, height: int = 192
) -> tuple[NDArray[np.uint8], Truth]:
    """A street nobody saw before: uint8 RGB (height, width, 3), and what it shows."""
    time = str(rng.choice(["day", "dusk", "night"], p=[0.6, 0.13, 0.27]))
    weather = str(rng.choice(["clear", "rain", "fog"], p=[0.72, 0.18, 0.10]))
    place = random_place(rng, "any", width, height, zebra=bool(rng.random() < 0.5))
    air = random_air(rng, time, weather, random_lamps(rng, place))
    backdrop = paint_backdrop(rng, place, air, 2)
    bodies = random_furniture(rng, place, air)
    light = None
    if rng.random() < 0.4:
        light = str(rng.choice(["red", "yellow", "green"]))
        bodies += random_light(rng, place, light)
    bodies += _crowd(rng, place, air)
    canvas, boxes = compose(backdrop.rgb, drawn(bodies, place.view, air), place.view, air)
    canvas *= np.float32(rng.uniform(0.92, 1.08))
    picture = expose(canvas, air, rng, float(rng.choice([0.0, rng.uniform(0.3, 0.8)])))
    return picture, truth_of(boxes, air)


def truth_of(boxes: tuple, air: Air) -> Truth:
    """Boxes with the light that is seen, if any."""
    lights = [b.colour for b in boxes if b.kind == "traffic_light" and b.visible > 0.5]
    return Truth(boxes, lights[0] if lights else None, air.time, air.weather)


def random_lamps(rng: Generator, place: Place) -> NDArray[np.float32]:
    """Where street lamps stand, (N, 2)."""
    side = float(rng.choice([-1, 1])) * (place.road_half_m + 0.4)
    start, step = float(rng.uniform(-4, 8)), float(rng.uniform(12, 20))
    return np.array([(side, start + k * step) for k in range(-1, 5)], np.float32)


def random_furniture(
    rng: Generator, place: Place, air: Air, *, sparse: bool = False
) -> list[Body]:
    """Lamp posts, trees and smaller things on the pavements, none of them in the truth."""
    bodies = [lamp_post(float(x), float(z), air, mottled(rng)) for x, z in air.lamps]
    for _ in range(int(rng.integers(0, 5))):
        side = float(rng.choice([-1, 1]))
        back = place.walls[0 if side < 0 else 1]
        x = side * (place.edge_m + float(rng.uniform(0.0, min(back or 8.0, 8.0))))
        if back is not None and back < 2:
            x = side * (place.road_half_m + 0.5)
        z = float(rng.uniform(2, 50))
        if place.view.depth(x, z) > 7:
            bodies.append(tree(rng, x, z))
    for _ in range(int(rng.integers(0, 6))):
        side = float(rng.choice([-1, 1]))
        x = side * float(rng.choice([place.road_half_m + 0.35, place.edge_m - 0.3]))
        spot = _spot(rng, place, (x, x), far_m=30)
        if spot:
            bodies.append(bin_or_box(rng, *spot))
    return bodies


def random_light(rng: Generator, place: Place, lamp: str) -> list[Body]:
    """A traffic light somewhere in view, turned towards the camera."""
    for _ in range(12):
        side = float(rng.choice([-1, 1]))
        x = side * (place.road_half_m + 0.45)
        spot = _spot(rng, place, (x, x), far_m=24)
        if spot is None:
            continue
        turn = facing_camera(place, *spot) + float(rng.uniform(-0.5, 0.5))
        return list(traffic_light(lamp, Pose(spot[0], spot[1], turn), float(rng.uniform(2.0, 2.9)), 0))
    return []


def facing_camera(place: Place, x: float, z: float) -> float:
    """The heading from a place to the camera."""
    return float(np.arctan2(place.view.x_m - x, place.view.z_m - z))


def _spot(
    rng: Generator, place: Place, across: tuple[float, float], far_m: float, near_m: float = 4.0
) -> tuple[float, float] | None:
    """A random place between two lines along the road that is in the picture."""
    view = place.view
    for _ in range(24):
        x = float(rng.uniform(*across))
        depth = near_m * (far_m / near_m) ** float(rng.uniform(0, 1))
        right = float(rng.uniform(-0.55, 0.55)) * view.width / view.focal_px * depth
        c, s = np.cos(view.yaw_rad), np.sin(view.yaw_rad)
        if abs(s) > abs(c):  # the camera looks across: choose along the road
            z = view.z_m + (x - view.x_m) * c / s - right / s
        else:
            z = view.z_m + depth
        away, column = view.depth(x, z), view.column(x, z)
        foot = view.horizon_px + view.focal_px * view.y_m / max(away, 0.1)
        if away > near_m * 0.8 and away < far_m and 0.02 < column < 0.98 and foot < 1.12 * view.height:
            return x, float(z)
    return None


def _crowd(rng: Generator, place: Place, air: Air) -> list[Body]:
    """A random cast, nobody inside another."""
    bodies: list[Body] = []
    taken: list[tuple[float, float, float, float]] = []
    order = list(_COUNTS)
    for kind in order:
        weights = np.array(_COUNTS[kind])
        for _ in range(int(rng.choice(len(weights), p=weights / weights.sum()))):
            character = random_character(rng, kind, air)
            for _ in range(6):
                pose = _pose(rng, place, kind)
                if pose is None:
                    continue
                along = abs(np.cos(pose.heading_rad))
                half_z = (character.length_m * along + character.width_m * (1 - along)) / 2 + 0.15
                half_x = (character.width_m * along + character.length_m * (1 - along)) / 2 + 0.1
                new = (pose.x_m, pose.z_m, half_x, half_z)
                if any(abs(new[0] - o[0]) < new[2] + o[2] and abs(new[1] - o[1]) < new[3] + o[3] for o in taken):
                    continue
                taken.append(new)
                speed = float(rng.choice([0.0, 1.35, 1.35, 1.5])) if kind == "person" else 2.0
                bodies += character.bodies(pose, float(rng.uniform(0, 9)), speed)
                break
    return bodies


def _pose(rng: Generator, place: Place, kind: str) -> Pose | None:
    """A place and a heading that suit a kind."""
    r, e = place.road_half_m, place.edge_m
    side = float(rng.choice([-1, 1]))
    if kind in _ON_ROAD or (kind == "bicycle" and rng.random() < 0.7):
        lane = side * r / 2 if kind != "bicycle" else side * (r - 0.8)
        parked = kind == "car" and rng.random() < 0.3
        lane = side * (r - 1.0) if parked else lane
        spot = _spot(rng, place, (lane - 0.25, lane + 0.25), far_m=34, near_m=5.0)
        heading = 0.0 if side > 0 else np.pi
        heading += float(rng.normal(0, 0.04)) + (np.pi if rng.random() < 0.06 else 0.0)
    else:
        on_road = rng.random() < 0.35
        across = (-r, r) if on_road else (side * (r + 0.3), side * (e + 0.5))
        spot = _spot(rng, place, (min(across), max(across)), far_m=24, near_m=3.2)
        heading = float(rng.choice([0.0, np.pi])) + float(rng.normal(0, 0.35))
        heading += np.pi / 2 if on_road else 0.0
        if rng.random() < 0.2:
            heading = float(rng.uniform(0, 2 * np.pi))
    return None if spot is None else Pose(spot[0], spot[1], float(heading))
