"""Lines through a street that lead through the picture, from one edge to the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_daemon.scenes.traffic import Route

if TYPE_CHECKING:
    from numpy.random import Generator

    from edge_daemon.scenes.place import Place

_FAR_M = 60.0
_BACK_M = 12.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """The seen part of a line along the road at x, from z1 to z2."""

    x_m: float
    z1_m: float
    z2_m: float

    @property
    def length_m(self) -> float:
        """How much of it is seen."""
        return self.z2_m - self.z1_m


def seen(place: Place, x_m: float, half_long_m: float, tall_m: float) -> Stretch | None:
    """Where something on a line along the road is in the picture at all; None where nowhere."""
    z = np.arange(-_BACK_M, _FAR_M, 0.25, dtype=np.float32)
    view = place.view
    c, s = np.cos(view.yaw_rad), np.sin(view.yaw_rad)
    depth = (x_m - view.x_m) * s + (z - view.z_m) * c
    right = (x_m - view.x_m) * c - (z - view.z_m) * s
    column = view.width / 2 + view.focal_px * right / np.maximum(depth, 0.6)
    reach = view.focal_px * half_long_m / np.maximum(depth, 0.6)
    top = view.horizon_px - view.focal_px * (tall_m - view.y_m) / np.maximum(depth, 0.6)
    foot = view.horizon_px + view.focal_px * view.y_m / np.maximum(depth, 0.6)
    inside = (
        (depth > 0.8) & (depth < _FAR_M) & (column + reach > 0) & (column - reach < view.width)
        & (top < view.height) & (foot > 0)
    )  # fmt: skip
    if not inside.any():
        return None
    return Stretch(x_m, float(z[inside][0]), float(z[inside][-1]))


def whole(place: Place, x_m: float, tall_m: float) -> Stretch | None:
    """Where something stands in the picture with head and foot, and not too far away."""
    z = np.arange(-_BACK_M, _FAR_M, 0.25, dtype=np.float32)
    view = place.view
    c, s = np.cos(view.yaw_rad), np.sin(view.yaw_rad)
    depth = np.maximum((x_m - view.x_m) * s + (z - view.z_m) * c, 0.01)
    right = (x_m - view.x_m) * c - (z - view.z_m) * s
    column = 0.5 + view.focal_px * right / depth / view.width
    foot = (view.horizon_px + view.focal_px * view.y_m / depth) / view.height
    high = view.focal_px * tall_m / depth / view.height
    good = (column > 0.06) & (column < 0.94) & (foot < 1.0) & (foot - high > 0.0) & (high > 0.11)
    if not good.any():
        return None
    return Stretch(x_m, float(z[good][0]), float(z[good][-1]))


def lane_route(place: Place, kind: str, side: int, half_long_m: float) -> Route | None:
    """A drive along the road, towards +z (side 1) or back (-1), through the picture."""
    from_middle = place.road_half_m - 0.75 if kind == "bicycle" else place.lane_m
    x = side * place.drives_right * from_middle
    stretch = seen(place, x, half_long_m, 3.0)
    if stretch is None or stretch.length_m < 2:
        return None
    margin = half_long_m + 1.0
    ends = (stretch.z1_m - margin, stretch.z2_m + margin)
    start, end = ends if side > 0 else ends[::-1]
    route = Route(np.array([(x, start), (x, end)], np.float32), f"{kind == 'bicycle'}{side}")
    if place.zebra_z is not None:
        halt = (place.zebra_z - 2.9 * side - start) * side
        if halt > half_long_m + 1:
            route.halt_m, route.clear_m = halt, halt + 4.6
    return route


def footways(place: Place) -> list[Stretch]:
    """Lines along both pavements on which somebody is well seen."""
    lines = []
    for side in (-1, 1):
        for share in (0.2, 0.4, 0.6, 0.8):
            x = side * (place.road_half_m + share * place.pavement_m)
            good = whole(place, x, 1.75)
            if good is not None and good.length_m > 2.5:
                lines.append(good)
    return lines


def walk_route(rng: Generator, place: Place, *, cross: bool) -> Route | None:
    """A walk through the picture: along a pavement, or over the crossing."""
    ways = footways(place)
    if cross and place.zebra_z is not None:
        route = _crossing_route(rng, place)
        if route is not None:
            return route
    if not ways:
        return None
    way = ways[int(rng.integers(len(ways)))]
    stretch = seen(place, way.x_m, 0.5, 1.75) or way
    z1, z2 = _ends(place, stretch)
    start, end = (z1, z2) if rng.random() < 0.5 else (z2, z1)
    wobble = rng.normal(0, 0.12, 2)
    points = [(way.x_m + wobble[0], start), (way.x_m + wobble[1], end)]
    return Route(np.array(points, np.float32))


def pacing_route(rng: Generator, place: Place) -> Route | None:
    """A few steps on a pavement, all well seen."""
    ways = footways(place)
    if not ways:
        return None
    way = ways[int(rng.integers(len(ways)))]
    middle = float(rng.uniform(way.z1_m + 0.3 * way.length_m, way.z2_m - 0.3 * way.length_m))
    half = min(0.3 * way.length_m, 2.5)
    return Route(np.array([(way.x_m, middle - half), (way.x_m, middle + half)], np.float32))


def _ends(place: Place, stretch: Stretch) -> tuple[float, float]:
    """Where to enter and leave: just outside, or far enough to be small."""
    far = 34.0 / max(abs(np.cos(place.view.yaw_rad)), 0.3)
    return stretch.z1_m - 0.4, min(stretch.z2_m + 0.4, place.view.z_m + far)


def _crossing_route(rng: Generator, place: Place) -> Route | None:
    zebra, r = place.zebra_z or 0.0, place.road_half_m
    side = float(rng.choice([-1, 1]))
    over = zebra + float(rng.uniform(-1.0, 1.0))
    kerb = r + 0.5
    legs = []
    for leg in (side, -side):
        x = leg * (r + float(rng.uniform(0.35, 0.8)) * place.pavement_m)
        stretch = seen(place, x, 0.5, 1.75)
        if stretch is None:
            legs.append((x, over))
            continue
        z1, z2 = _ends(place, stretch)
        # the shorter way out of the picture, most of the time
        nearer = z1 if abs(over - z1) < abs(over - z2) else z2
        chosen = nearer if rng.random() < 0.75 else (z1 if nearer == z2 else z2)
        legs.append((x, chosen))
    points = [legs[0], (legs[0][0], over), (side * kerb, over), (-side * kerb, over),
              (legs[1][0], over), legs[1]]  # fmt: skip
    route = Route(np.array(points, np.float32))
    route.halt_m, route.clear_m = float(route.along[2]), float(route.along[3])
    return route
