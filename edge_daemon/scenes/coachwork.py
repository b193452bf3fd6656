"""What vehicles are put together from: profiles, panels, boxes and wheels."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import cos, pi, sin
from typing import TYPE_CHECKING

from edge_daemon.scenes.shape import Colour, Shape, Vec, times

if TYPE_CHECKING:
    from collections.abc import Sequence

Rib = tuple[float, float, float]
"""One line across a body: z, y, half width."""

TYRE: Colour = (24, 24, 26)
GLASS: Colour = (44, 54, 62)
SKY: Colour = (160, 178, 190)
AHEAD: Vec = (0.0, 0.0, 1.0)
BEHIND: Vec = (0.0, 0.0, -1.0)
UP: Vec = (0.0, 1.0, 0.0)


@dataclass(frozen=True, slots=True)
class Chassis:
    """Half the width, the two ends and the axles along z, the wheels' radius; metres."""

    half_m: float
    front_m: float
    rear_m: float
    axles_m: tuple[float, ...]
    wheel_m: float


def panel(x1: float, x2: float, y1: float, y2: float, z: float) -> list[Vec]:
    """A rectangle that faces forwards or backwards."""
    return [(x1, y1, z), (x2, y1, z), (x2, y2, z), (x1, y2, z)]


def side_panel(x: float, y1: float, y2: float, z1: float, z2: float) -> list[Vec]:
    """A rectangle that faces sideways."""
    return [(x, y1, z1), (x, y2, z1), (x, y2, z2), (x, y1, z2)]


def outward(side: int, up: float = 0.0) -> Vec:
    """The direction away from a side: -1 left, 1 right."""
    return (float(side), up, 0.0)


def box(shape: Shape, low: Vec, high: Vec, colour: Colour) -> None:
    """Add a box between two corners."""
    (xa, y1, z1), (xb, y2, z2) = low, high
    x1, x2 = min(xa, xb), max(xa, xb)
    shape.face([(x1, y2, z1), (x2, y2, z1), (x2, y2, z2), (x1, y2, z2)], colour, UP)
    for x, side in ((x1, -1), (x2, 1)):
        shape.face(side_panel(x, y1, y2, z1, z2), colour, outward(side))
    shape.face(panel(x1, x2, y1, y2, z1), colour, BEHIND)
    shape.face(panel(x1, x2, y1, y2, z2), colour, AHEAD)


def rounded(ribs: Sequence[Rib]) -> list[Rib]:
    """The profile with its corners cut off, its ends kept.

    Source: G. Chaikin, An algorithm for high-speed curve generation, CGIP 3, 1974.
    """
    smooth = [ribs[0]]
    for a, b in pairwise(ribs):
        smooth += [between(a, b, 0.25), between(a, b, 0.75)]
    return [*smooth, ribs[-1]]


def between(a: Rib, b: Rib, share: float) -> Rib:
    """The rib so far on the way from a to b."""
    z, y, half = (p + (q - p) * share for p, q in zip(a, b))
    return (z, y, half)


def extrude(shape: Shape, ribs: Sequence[Rib], paint: Colour) -> None:
    """Add a convex body by its profile, from the front's foot over the top to the rear's foot."""
    middle_z = sum(r[0] for r in ribs) / len(ribs)
    middle_y = sum(r[1] for r in ribs) / len(ribs)
    for side in (-1, 1):
        shape.face([(side * w, y, z) for z, y, w in ribs], times(paint, 0.93), outward(side, 0.12))
    for (z1, y1, w1), (z2, y2, w2) in pairwise([*ribs, ribs[0]]):
        up, ahead = z1 - z2, y2 - y1
        inwards = up * ((y1 + y2) / 2 - middle_y) + ahead * ((z1 + z2) / 2 - middle_z) < 0
        out = (0.0, -up, -ahead) if inwards else (0.0, up, ahead)
        shape.face([(-w1, y1, z1), (w1, y1, z1), (w2, y2, z2), (-w2, y2, z2)], paint, out)


def underside(shape: Shape, chassis: Chassis) -> None:
    """Add the dark below a body, and the wheels' parts that it half hides."""
    half, front, rear = chassis.half_m, chassis.front_m, chassis.rear_m
    w = half * 0.8
    low = [(-w, 0.16, front - 0.3), (w, 0.16, front - 0.3), (w, 0.16, rear + 0.3)]
    shape.face([*low, (-w, 0.16, rear + 0.3)], (14, 14, 15))
    for z in (front - 0.35, rear + 0.35):
        shape.face(panel(-half * 0.9, half * 0.9, 0.14, 0.4, z), (16, 16, 17))
    r = chassis.wheel_m
    for z in chassis.axles_m:
        for side in (-1, 1):
            x1, x2 = side * half * 0.7, side * half * 1.01
            tread = [(x1, 0.0, z + r * 0.8), (x2, 0.0, z + r * 0.8), (x2, 0.3, z - r * 0.9)]
            shape.face([*tread, (x1, 0.3, z - r * 0.9)], TYRE)
            for end in (-r, r):
                low_z, high_z = z + end * 0.8, z + end
                foot = [(x1, 0.03, low_z), (x2, 0.03, low_z)]
                shape.face([*foot, (x2, 0.45, high_z), (x1, 0.45, high_z)], TYRE)


def wheels(shape: Shape, chassis: Chassis) -> None:
    """Add the wheels' outer sides, over the body."""
    r = chassis.wheel_m
    for z in chassis.axles_m:
        for side in (-1, 1):
            x, out = side * chassis.half_m * 1.01, outward(side)
            shape.face(_disc(x, r + 0.02, z, r * 1.16), (12, 12, 13), out)
            shape.face(_disc(x * 1.005, r, z, r), TYRE, out)
            shape.face(_disc(x * 1.01, r, z, r * 0.66), (150, 153, 158), out)
            for turn in ring(5):
                hole = _disc(x * 1.015, r + r * 0.4 * sin(turn), z + r * 0.4 * cos(turn), r * 0.13)
                shape.face(hole, (46, 46, 50), out)
            shape.face(_disc(x * 1.015, r, z, r * 0.14), (100, 102, 106), out)


def ring(corners: int) -> list[float]:
    """Angles of a regular polygon's corners, radians, the first straight up."""
    return [2 * pi * k / corners + pi / 2 for k in range(corners)]


def _disc(x: float, y: float, z: float, radius: float) -> list[Vec]:
    """A disc that faces sideways."""
    corners = 16 if radius > 0.15 else 6
    return [(x, y + radius * sin(t), z + radius * cos(t)) for t in ring(corners)]
