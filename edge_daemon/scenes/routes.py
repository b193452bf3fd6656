"""Lines through a street that lead through the picture, from one edge to the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import cos
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from edge_daemon.scenes.place import Place

_Z: Final = np.arange(-12.0, 60.0, 0.25)  # where lines along the road are looked at
_FAR_M: Final = 60.0
_WALKED_TO_M: Final = 34.0  # farther away, people are too small to follow
_KERB_M: Final = 0.5  # how far from the kerb people wait
_PERSON_M: Final = 1.75


@dataclass(slots=True)
class Route:
    """A line of places (x, z) and what stops those who follow it.

    lane: those in one lane keep behind each other (None: on foot).  halt_m: metres along the
    route of the stop line, or of the kerb at a crossing.  clear_m: where the crossing ends.
    """

    points: Sequence[tuple[float, float]]
    lane: str | None = None
    halt_m: float | None = None
    clear_m: float = 0.0
    along_m: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        steps = np.hypot(*np.diff(np.array(self.points), axis=0).T)
        self.along_m = np.concatenate([[0.0], np.cumsum(steps)])

    @property
    def length_m(self) -> float:
        """From the first place to the last."""
        return float(self.along_m[-1])

    def at(self, metres: float) -> tuple[float, float]:
        """The place (x, z) after so many metres."""
        x = np.interp(metres, self.along_m, [p[0] for p in self.points])
        z = np.interp(metres, self.along_m, [p[1] for p in self.points])
        return float(x), float(z)

    def heading_rad(self, metres: float) -> float:
        """The direction there, corners rounded off."""
        (x1, z1), (x2, z2) = self.at(metres - 0.45), self.at(metres + 0.45)
        return float(np.arctan2(x2 - x1, z2 - z1))


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


def partly_seen(place: Place, x_m: float, half_long_m: float) -> Stretch | None:
    """Where something of that length, up to 3 m high, is in the picture at all."""
    view = place.view
    depth, column, reach = _projected(place, x_m, half_long_m)
    near = np.maximum(depth, 0.6)
    top = view.horizon_px - view.focal_px * (3.0 - view.y_m) / near
    foot = view.horizon_px + view.focal_px * view.y_m / near
    across = (column + reach > 0) & (column - reach < 1)
    return _stretch(
        x_m, (depth > 0.8) & (depth < _FAR_M) & across & (top < view.height) & (foot > 0)
    )


def wholly_seen(place: Place, x_m: float) -> Stretch | None:
    """Where a person stands in the picture with head and foot, and not too far away."""
    view = place.view
    depth, column, _ = _projected(place, x_m, 0.0)
    near = np.maximum(depth, 0.01)
    foot = (view.horizon_px + view.focal_px * view.y_m / near) / view.height
    high = view.focal_px * _PERSON_M / near / view.height
    across = (column > 0.06) & (column < 0.94)
    return _stretch(x_m, across & (foot < 1.0) & (foot - high > 0.0) & (high > 0.11))


def lane_route(place: Place, kind: str, sense: int, half_long_m: float) -> Route | None:
    """A drive along the road, towards +z (sense 1) or back (-1), through the picture."""
    from_middle = place.road_half_m - 0.75 if kind == "bicycle" else place.lane_m
    x = sense * place.drives_right * from_middle
    stretch = partly_seen(place, x, half_long_m)
    if stretch is None or stretch.length_m < 2:
        return None
    margin = half_long_m + 1.0
    ends = (stretch.z1_m - margin, stretch.z2_m + margin)
    start, end = ends if sense > 0 else ends[::-1]
    lane = f"{'kerb' if kind == 'bicycle' else 'lane'} {sense}"
    route = Route([(x, start), (x, end)], lane)
    if place.zebra_z is not None:
        halt = (place.zebra_z - 2.9 * sense - start) * sense
        if halt > half_long_m + 1:
            route.halt_m, route.clear_m = halt, halt + 4.6
    return route


def footways(place: Place) -> list[Stretch]:
    """Lines along both pavements on which somebody is well seen."""
    lines = []
    for side in (-1, 1):
        for share in (0.2, 0.4, 0.6, 0.8):
            good = wholly_seen(place, side * (place.road_half_m + share * place.pavement_m))
            if good is not None and good.length_m > 2.5:
                lines.append(good)
    return lines


def walk_route(rng: Generator, place: Place) -> Route | None:
    """A walk along a pavement through the picture; None where no pavement is well seen."""
    ways = footways(place)
    if not ways:
        return None
    way = ways[int(rng.integers(len(ways)))]
    ends = _ends(place, partly_seen(place, way.x_m, 0.5) or way)
    start, end = ends if rng.random() < 0.5 else ends[::-1]
    wobble = rng.normal(0, 0.12, 2).tolist()
    return Route([(way.x_m + wobble[0], start), (way.x_m + wobble[1], end)])


def crossing_route(rng: Generator, place: Place, zebra_z: float) -> Route:
    """A walk over the crossing: along one pavement, across, and away along the other."""
    side = float(rng.choice([-1, 1]))
    over = zebra_z + float(rng.uniform(-1.0, 1.0))
    kerb = side * (place.road_half_m + _KERB_M)
    here, there = (_way_out(rng, place, sign, over) for sign in (side, -side))
    route = Route([here, (here[0], over), (kerb, over), (-kerb, over), (there[0], over), there])
    route.halt_m, route.clear_m = float(route.along_m[2]), float(route.along_m[3])
    return route


def pacing_route(rng: Generator, place: Place) -> Route:
    """A few steps to and fro on a pavement, well seen where any is."""
    ways = footways(place)
    if not ways:
        x = -float(np.sign(place.view.x_m)) * (place.road_half_m + _KERB_M)
        return Route([(x, place.middle_z - 1.5), (x, place.middle_z + 1.5)])
    way = ways[int(rng.integers(len(ways)))]
    half = min(0.3 * way.length_m, 2.5)
    middle = float(rng.uniform(way.z1_m + half, way.z2_m - half))
    return Route([(way.x_m, middle - half), (way.x_m, middle + half)])


def standing_route(place: Place, x_m: float, z_m: float) -> Route:
    """A place to stand, heading as traffic on that side does."""
    ahead = 0.05 * float(np.sign(x_m)) * place.drives_right
    return Route([(x_m, z_m - ahead), (x_m, z_m + ahead)])


def parking_route(rng: Generator, place: Place, width_m: float) -> Route:
    """A place at the kerb on the far side of the road, in the middle of the picture."""
    side = -float(np.sign(place.view.x_m))
    x = side * (place.road_half_m - width_m / 2 - 0.2)
    seen = partly_seen(place, x, 0.0) or Stretch(x, place.middle_z, place.middle_z + 1)
    long = min(seen.length_m, 26.0)
    return standing_route(place, x, seen.z1_m + long * float(rng.uniform(0.15, 0.85)))


def _way_out(rng: Generator, place: Place, side: float, over_z: float) -> tuple[float, float]:
    """Where somebody comes from or goes to on one side: mostly the nearer edge of the picture."""
    x = side * (place.road_half_m + float(rng.uniform(0.35, 0.8)) * place.pavement_m)
    stretch = partly_seen(place, x, 0.5)
    if stretch is None:
        return x, over_z
    near, far = sorted(_ends(place, stretch), key=lambda z: abs(z - over_z))
    return x, near if rng.random() < 0.75 else far


def _ends(place: Place, stretch: Stretch) -> tuple[float, float]:
    """Where to enter and leave: just outside, or far enough to be small."""
    far = _WALKED_TO_M / max(abs(cos(place.view.yaw_rad)), 0.3)
    return stretch.z1_m - 0.4, min(stretch.z2_m + 0.4, place.view.z_m + far)


def _projected(
    place: Place, x_m: float, half_long_m: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Depth, column and reach aside (shares of the width) along the line at x, each (N,)."""
    view = place.view
    c, s = np.cos(view.yaw_rad), np.sin(view.yaw_rad)
    depth = (x_m - view.x_m) * s + (_Z - view.z_m) * c
    aside = (x_m - view.x_m) * c - (_Z - view.z_m) * s
    scale = view.focal_px / np.maximum(depth, 0.6) / view.width
    return depth, 0.5 + aside * scale, half_long_m * scale


def _stretch(x_m: float, seen: NDArray[np.bool_]) -> Stretch | None:
    if not seen.any():
        return None
    return Stretch(x_m, float(_Z[seen][0]), float(_Z[seen][-1]))
