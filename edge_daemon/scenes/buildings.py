"""Houses along the street, each a front and a gable hung up in perspective."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import cv2
import numpy as np

from edge_daemon.scenes.facade import N_FACADES, Facade, facade, gable
from edge_daemon.scenes.sprite import FIX, fixed
from edge_daemon.scenes.view import NEAR_M

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from edge_daemon.scenes.place import Place
    from edge_daemon.scenes.view import View

    Points = NDArray[np.float32]

_FAR_M: Final = 90.0
_DEEP_M: Final = 9.0
_BEFORE_M: Final = 1.2  # a wall is cut off so far before the camera
_WINDOW_LIGHT: Final = np.array([255, 214, 140], np.float32) / np.float32(255)

Spot = tuple[float, float]
"""A place on the ground (x, z), metres."""


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """What is painted on: colour (H, W, 3), light of windows (H, W, 3), depth (H, W) metres."""

    rgb: Points
    glow: Points
    depth_m: Points


class _House(NamedTuple):
    """A house with its front on the line at x, from z1 to z2, on one side of the road."""

    x_m: float
    z1_m: float
    z2_m: float
    side: int
    number: int
    tint: Points


class _Seen(NamedTuple):
    """The part of a wall before the camera: its ends, and their shares of the length."""

    a: Spot
    b: Spot
    from_share: float
    to_share: float


def paint_buildings(layers: Layers, rng: Generator, place: Place, *, lit: bool) -> None:
    """Paint houses along both sides, nearer ones over farther ones; lit: some windows shine."""
    view = place.view
    for side, setback in ((-1, place.walls[0]), (1, place.walls[1])):
        if setback is None:
            continue
        x = side * (place.edge_m + setback)
        if (view.x_m - x) * side > -1.5:
            continue  # the camera hangs on this wall or behind it
        houses = _row(rng, x, side)
        for house in sorted(houses, key=lambda h: -abs((h.z1_m + h.z2_m) / 2 - view.z_m)):
            _paint_house(layers, view, house, lit=lit)


def _row(rng: Generator, x: float, side: int) -> list[_House]:
    z = -30.0 + float(rng.uniform(0, 8))
    houses = []
    while z < _FAR_M:
        number = int(rng.integers(N_FACADES))
        long = facade(number, lit=False).long_m
        tint = rng.uniform(0.75, 1.2) * rng.uniform(0.93, 1.07, 3)
        houses.append(_House(x, z, z + long, side, number, tint.astype(np.float32)))
        z += long + float(rng.choice([0.0, 0.0, rng.uniform(1.5, 9)]))
    return houses


def _paint_house(layers: Layers, view: View, house: _House, *, lit: bool) -> None:
    """The gable the camera can see, and the front along the street."""
    x, deep = house.x_m, house.x_m + house.side * _DEEP_M
    walls: list[tuple[Spot, Spot, Facade]] = []
    for z, visible in ((house.z1_m, view.z_m < house.z1_m), (house.z2_m, view.z_m > house.z2_m)):
        if visible:
            walls.append(((deep, z), (x, z), gable(house.number)))
    walls.append(((x, house.z1_m), (x, house.z2_m), facade(house.number, lit=lit)))
    for a, b, wall in walls:
        seen = _in_front(view, a, b)
        if seen is not None:
            _hang(layers, view, wall, house.tint, seen)


def _in_front(view: View, a: Spot, b: Spot) -> _Seen | None:
    da, db = view.depth(*a), view.depth(*b)
    if max(da, db) <= _BEFORE_M + 0.2:
        return None
    s1 = 0.0 if da >= _BEFORE_M else (_BEFORE_M - da) / (db - da)
    s2 = 1.0 if db >= _BEFORE_M else (_BEFORE_M - da) / (db - da)
    p, q = ((a[0] + (b[0] - a[0]) * s, a[1] + (b[1] - a[1]) * s) for s in (s1, s2))
    columns = view.column(*p), view.column(*q)
    if max(columns) < -0.02 or min(columns) > 1.02:
        return None
    return _Seen(p, q, s1, s2)


def _hang(layers: Layers, view: View, wall: Facade, tint: Points, seen: _Seen) -> None:
    """Put a facade on its wall, in perspective."""
    (x1, z1), (x2, z2), tall = seen.a, seen.b, wall.tall_m
    corners = [(x1, tall, z1), (x2, tall, z2), (x2, 0, z2), (x1, 0, z1)]
    target = view.project(np.array(corners, np.float32))
    left, top = (max(int(v), 0) for v in target.min(0))
    right = min(int(target[:, 0].max()) + 2, view.width)
    bottom = min(int(target[:, 1].max()) + 2, view.height)
    if right - left < 4 or bottom - top < 4:
        return
    target = target - np.array((left, top), np.float32)
    flat = _warped(wall.paint, target, seen, (right - left, bottom - top))
    cover = np.zeros((bottom - top, right - left), np.uint8)
    cv2.fillPoly(cover, [fixed(target)], (255,), cv2.LINE_AA, FIX)
    alpha = cover[:, :, None] * np.float32(1 / 255)
    area = np.s_[top:bottom, left:right]
    layers.rgb[area] += (flat[:, :, :3] * tint - layers.rgb[area]) * alpha
    layers.glow[area] += (flat[:, :, 3:] * _WINDOW_LIGHT - layers.glow[area]) * alpha
    da, db = (max(view.depth(*end), NEAR_M) for end in (seen.a, seen.b))
    ua, ub = float(target[0, 0]), float(target[1, 0])
    columns = np.arange(right - left, dtype=np.float32) + np.float32(0.5)
    share = np.clip((columns - ua) / ((ub - ua) or 1.0), 0, 1)
    depth = 1 / (1 / da + (1 / db - 1 / da) * share)
    np.copyto(layers.depth_m[area], depth.astype(np.float32)[None], where=cover > 127)


def _warped(paint: NDArray[np.uint8], target: Points, seen: _Seen, size: tuple[int, int]) -> Points:
    """The seen part of a picture (H, W, 4), its corners moved to target (4, 2)."""
    h, w = paint.shape[:2]
    s1, s2 = seen.from_share * w, seen.to_share * w
    source = np.array([(s1, 0), (s2, 0), (s2, h), (s1, h)], np.float32)
    matrix = cv2.getPerspectiveTransform(source, target)
    flat = cv2.warpPerspective(
        paint, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return flat.astype(np.float32)
