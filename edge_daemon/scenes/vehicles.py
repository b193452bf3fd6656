"""Cars, buses and trucks: profiles drawn out to a width, with glass, wheels and lamps."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sin
from typing import TYPE_CHECKING

from edge_daemon.scenes.shape import Colour, Shape, Vec, mix, times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator

Rib = tuple[float, float, float]  # z, y, half width: one line across a body

PAINTS: dict[str, tuple[Colour, ...]] = {
    "white": ((236, 236, 234), (222, 224, 226)),
    "black": ((26, 27, 30), (40, 41, 46)),
    "grey": ((112, 116, 120), (84, 88, 94)),
    "silver": ((176, 180, 184), (192, 196, 198)),
    "red": ((176, 26, 30), (140, 20, 28), (206, 40, 34)),
    "blue": ((28, 58, 128), (40, 92, 168), (22, 40, 84)),
    "green": ((34, 84, 58), (88, 110, 70)),
    "yellow": ((236, 190, 40), (244, 208, 60)),
    "brown": ((110, 82, 58), (160, 136, 104)),
    "orange": ((218, 104, 34),),
}
_COMMON = ("white",) * 4 + ("black",) * 4 + ("grey",) * 3 + ("silver",) * 3 + ("red",) * 2
_PAINT_NAMES = (*_COMMON, "blue", "blue", "green", "yellow", "brown", "orange")
GLASS: Colour = (44, 54, 62)
TYRE: Colour = (24, 24, 26)


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A vehicle's body and what others need to know of it.

    lamps and tail_lamps are places (x, y, z) in its own metres; colour is a paint's name.
    """

    kind: str  # car | bus | truck
    colour: str
    shape: Shape
    length_m: float
    width_m: float
    height_m: float
    lamps: tuple[Vec, ...]
    tail_lamps: tuple[Vec, ...]


def random_paint(rng: Generator) -> tuple[str, Colour]:
    """A paint's name and a colour near it."""
    name = str(rng.choice(_PAINT_NAMES))
    tones = PAINTS[name]
    base = tones[int(rng.integers(len(tones)))]
    shift = rng.normal(0, 4)
    return name, (base[0] + shift, base[1] + shift, base[2] + shift)


# Lengths in metres: length, width, height, belt line, bonnet, boot, and the cabin's corners
# (foot and top of windscreen, top and foot of rear window) as shares of the length.
_CARS: dict[str, tuple[float, ...]] = {
    "saloon": (4.6, 1.82, 1.45, 0.90, 0.84, 0.97, 0.72, 0.53, 0.27, 0.10),
    "hatch": (4.1, 1.78, 1.48, 0.92, 0.86, 0.94, 0.74, 0.56, 0.20, 0.03),
    "estate": (4.7, 1.84, 1.48, 0.92, 0.86, 0.94, 0.73, 0.54, 0.14, 0.03),
    "suv": (4.5, 1.90, 1.66, 1.06, 1.00, 1.05, 0.74, 0.58, 0.17, 0.03),
    "mpv": (4.5, 1.86, 1.66, 1.00, 0.92, 0.98, 0.82, 0.58, 0.14, 0.02),
    "coupe": (4.4, 1.84, 1.34, 0.88, 0.80, 0.92, 0.68, 0.49, 0.32, 0.07),
    "small": (3.6, 1.68, 1.50, 0.92, 0.88, 0.92, 0.78, 0.60, 0.20, 0.03),
}


def random_car(rng: Generator, *, night: bool = False) -> Vehicle:
    """Some car."""
    body = _CARS[str(rng.choice(list(_CARS)))]
    name, paint = random_paint(rng)
    return _car(body, name, paint, night=night, taxi=bool(rng.random() < 0.04))


def _car(
    body: tuple[float, ...], name: str, paint: Colour, *, night: bool, taxi: bool
) -> Vehicle:
    length, width, height, belt, bonnet, boot = body[:6]
    a, b, c, d = (length * (share - 0.5) for share in body[6:])
    half, front, rear = width / 2, length / 2, -length / 2
    radius = 0.33 if height < 1.6 else 0.37
    axles = (front - 0.19 * length, rear + 0.19 * length)
    shape = Shape()
    under(shape, half, front, rear)
    wheels(shape, axles, half, radius, behind=True)
    hull = [
        (front - 0.10, 0.22, half * 0.86), (front, 0.42, half * 0.90), (front - 0.03, 0.62, half * 0.91),
        (front - 0.16, bonnet - 0.12, half * 0.93), (a + 0.02, bonnet + 0.02, half * 0.97),
        (c, belt, half), (d, boot, half * 0.96), (rear + 0.03, boot - 0.10, half * 0.93),
        (rear, 0.52, half * 0.93), (rear + 0.10, 0.24, half * 0.90),
    ]  # fmt: skip
    _extrude(shape, _rounded(hull), paint)
    cabin = [
        (a + 0.10, bonnet - 0.02, half * 0.90), (b, height - 0.03, half * 0.72),
        ((b + c) / 2, height, half * 0.73), (c, height - 0.04, half * 0.72),
        (d + 0.05, boot - 0.04, half * 0.88),
    ]  # fmt: skip
    _extrude(shape, _rounded(cabin), paint)
    _car_glass(shape, paint, cabin, belt, height)
    _car_ends(shape, paint, front, rear, half, bonnet, boot, night=night)
    _car_sides(shape, paint, half, front, rear, belt, a, d)
    wheels(shape, axles, half, radius, behind=False)
    if taxi:
        box(shape, (-0.2, height, -0.1), (0.2, height + 0.14, 0.1), (244, 220, 120))
    y = bonnet - 0.20
    lamps = ((-half * 0.72, y, front - 0.04), (half * 0.72, y, front - 0.04))
    tails = ((-half * 0.80, boot - 0.22, rear), (half * 0.80, boot - 0.22, rear))
    return Vehicle("car", name, shape, length, width, height, lamps, tails)


def under(shape: Shape, half: float, front: float, rear: float) -> None:
    """The dark below the body."""
    low = [(-half * 0.8, 0.16, front - 0.3), (half * 0.8, 0.16, front - 0.3),
           (half * 0.8, 0.16, rear + 0.3), (-half * 0.8, 0.16, rear + 0.3)]  # fmt: skip
    shape.face(low, (14, 14, 15))
    for z in (front - 0.35, rear + 0.35):
        shape.face([(-half * 0.9, 0.14, z), (half * 0.9, 0.14, z), (half * 0.9, 0.4, z),
                    (-half * 0.9, 0.4, z)], (16, 16, 17))  # fmt: skip


def _extrude(shape: Shape, ribs: Sequence[Rib], paint: Colour) -> None:
    """A closed convex profile (front bottom, over the top, to rear bottom), each rib as wide as
    it says: faces across between neighbours, and the two sides."""
    n = len(ribs)
    middle_z = sum(r[0] for r in ribs) / n
    middle_y = sum(r[1] for r in ribs) / n
    for side in (-1, 1):
        outline = [(side * w, y, z) for z, y, w in ribs]
        shape.face(outline, times(paint, 0.93), (side, 0.12, 0.0))
    for (z1, y1, w1), (z2, y2, w2) in zip(ribs, [*ribs[1:], ribs[0]]):
        normal = (0.0, z1 - z2, y2 - y1)
        if normal[1] * ((y1 + y2) / 2 - middle_y) + normal[2] * ((z1 + z2) / 2 - middle_z) < 0:
            normal = (0.0, -normal[1], -normal[2])
        shape.face([(-w1, y1, z1), (w1, y1, z1), (w2, y2, z2), (-w2, y2, z2)], paint, normal)


def _rounded(ribs: Sequence[Rib]) -> list[Rib]:
    """The profile with its corners cut off, its ends kept.

    Source: G. Chaikin, An algorithm for high-speed curve generation, CGIP 3, 1974.
    """
    smooth = [ribs[0]]
    for a, b in zip(ribs, ribs[1:]):
        smooth += [_between(a, b, 0.25), _between(a, b, 0.75)]
    return [*smooth, ribs[-1]]


def _car_glass(
    shape: Shape, paint: Colour, cabin: Sequence[Rib], belt: float, height: float
) -> None:
    (za, ya, wa), (zb, yb, wb), _, (zc, yc, wc), (zd, yd, wd) = cabin
    sky = (150, 168, 182)

    def across(low: Rib, high: Rib, outward: Vec) -> None:
        (z1, y1, w1), (z2, y2, w2) = _between(low, high, 0.12), _between(low, high, 0.86)
        glass = [(-w1 * 0.93, y1, z1), (w1 * 0.93, y1, z1), (w2 * 0.92, y2, z2), (-w2 * 0.92, y2, z2)]
        shape.face(glass, GLASS, outward)
        z3, y3, w3 = _between((z1, y1, w1), (z2, y2, w2), 0.55)
        shape.face([(-w3 * 0.9, y3, z3), (w3 * 0.5, y3, z3), (w2 * 0.7, y2, z2), (-w2 * 0.9, y2, z2)],
                   mix(GLASS, sky, 0.45), outward)  # fmt: skip

    across((za, ya, wa), (zb, yb, wb), (0.0, za - zb, yb - ya))
    across((zd, yd, wd), (zc, yc, wc), (0.0, zc - zd, -(yc - yd)))
    low, high = belt + 0.03, height - 0.10
    for side in (-1, 1):
        def at(z: float, y: float, side: int = side) -> Vec:
            share = (y - ya) / max(yb - ya, 0.1)
            return (side * (wa + (wb - wa) * share) * 1.004, y, z)

        def edge(lower: Rib, upper: Rib, y: float) -> float:
            return lower[0] + (upper[0] - lower[0]) * (y - lower[1]) / (upper[1] - lower[1])

        z1, z2 = edge((za, ya, wa), (zb, yb, wb), low) - 0.14, edge((za, ya, wa), (zb, yb, wb), high) - 0.1
        z4, z3 = edge((zd, yd, wd), (zc, yc, wc), low) + 0.14, edge((zd, yd, wd), (zc, yc, wc), high) + 0.1
        out = (side, 0.25, 0.0)
        shape.face([at(z1, low), at(z2, high), at(z3, high), at(z4, low)], GLASS, out)
        top = high - 0.12
        shape.face([at((z1 + z2) / 2 - 0.1, top), at(z2, high), at(z3, high), at((z3 + z4) / 2, top)],
                   mix(GLASS, sky, 0.35), out)  # fmt: skip
        for share, half, tone in ((0.40, 0.035, (18, 18, 20)), (0.80, 0.05, paint)):
            z = z1 + (z4 - z1) * share
            shape.face([at(z - half, low), at(z + half, low), at(z + half, high), at(z - half, high)],
                       tone, out)  # fmt: skip


def _car_ends(
    shape: Shape, paint: Colour, front: float, rear: float, half: float, bonnet: float,
    boot: float, *, night: bool,
) -> None:  # fmt: skip
    ahead, behind = (0.0, 0.2, 1.0), (0.0, 0.2, -1.0)
    z, top = front + 0.012, bonnet - 0.14
    lamp = (255, 250, 230) if night else (214, 222, 228)
    shape.face(panel(-half * 0.42, half * 0.42, 0.50, top, z - 0.03), (24, 25, 27), ahead)
    shape.face(panel(-half * 0.7, half * 0.7, 0.24, 0.38, z - 0.05), (28, 29, 31), ahead)
    shape.face(panel(-0.26, 0.26, 0.42, 0.53, z), (228, 228, 220), ahead)
    for side in (-1, 1):
        inner, outer = side * half * 0.50, side * half * 0.89
        shape.face([(inner, top - 0.14, z - 0.02), (outer, top - 0.12, z - 0.08),
                    (outer, top + 0.02, z - 0.14), (inner, top - 0.02, z - 0.08)], lamp, ahead)  # fmt: skip
    z = rear - 0.012
    tail = (255, 40, 30) if night else (170, 24, 26)
    shape.face(panel(-half * 0.85, half * 0.85, 0.26, 0.40, z), times(paint, 0.55), behind)
    shape.face(panel(-0.26, 0.26, 0.58, 0.70, z), (228, 226, 206), behind)
    for side in (-1, 1):
        inner, outer = side * half * 0.58, side * half * 0.94
        shape.face(panel(inner, outer, boot - 0.32, boot - 0.13, z), tail, behind)


def _car_sides(
    shape: Shape, paint: Colour, half: float, front: float, rear: float, belt: float, a: float,
    d: float,
) -> None:  # fmt: skip
    for side in (-1, 1):
        x, out = side * half * 1.004, (float(side), 0.1, 0.0)
        low = [(x, 0.26, front - 0.12), (x, 0.42, front - 0.06), (x, 0.60, front - 0.12),
               (x, 0.62, rear + 0.1), (x, 0.5, rear + 0.06), (x, 0.28, rear + 0.14)]  # fmt: skip
        shape.face(low, times(paint, 0.86), (float(side), -0.25, 0.0))
        sill = [(x, 0.24, front - 1.25), (x, 0.36, front - 1.3), (x, 0.36, rear + 1.3), (x, 0.24, rear + 1.25)]
        shape.face(sill, times(paint, 0.55), out)
        shine = [(x, belt - 0.14, a), (x, belt - 0.06, a), (x, belt - 0.06, d + 0.2), (x, belt - 0.14, d + 0.2)]
        shape.face(shine, mix(paint, (255, 255, 255), 0.16), out)
        for z in (a - 0.12, (a + d) / 2 - 0.05, d + 0.65):
            shape.face([(x, 0.38, z), (x, belt - 0.02, z), (x, belt - 0.02, z - 0.02), (x, 0.38, z - 0.02)],
                       times(paint, 0.5), out)  # fmt: skip
        box(shape, (x - 0.02 + side * 0.04, belt - 0.02, a - 0.32), (x + side * 0.2, belt + 0.12, a - 0.18),
             times(paint, 0.8))  # fmt: skip


def wheels(
    shape: Shape, axles: Sequence[float], half: float, radius: float, *, behind: bool
) -> None:
    """The wheels: first the parts behind the body, afterwards their outer sides."""
    for z in axles:
        for side in (-1, 1):
            x = side * half * 1.01
            if behind:
                inner = side * half * 0.7
                tread = [(inner, 0.0, z + radius * 0.8), (x, 0.0, z + radius * 0.8), (x, 0.3, z - radius * 0.9),
                         (inner, 0.3, z - radius * 0.9)]  # fmt: skip
                shape.face(tread, TYRE)
                for dz in (-radius, radius):
                    shape.face([(inner, 0.03, z + dz * 0.8), (x, 0.03, z + dz * 0.8), (x, 0.45, z + dz),
                                (inner, 0.45, z + dz)], TYRE)  # fmt: skip
                continue
            out = (float(side), 0.0, 0.0)
            shape.face(_disc(x, radius + 0.02, z, radius * 1.16), (12, 12, 13), out)
            shape.face(_disc(x * 1.005, radius, z, radius), TYRE, out)
            shape.face(_disc(x * 1.01, radius, z, radius * 0.66), (150, 153, 158), out)
            for k in range(5):
                angle = k * 2 * pi / 5 + 0.3
                zk, yk = z + radius * 0.4 * cos(angle), radius + radius * 0.4 * sin(angle)
                shape.face(_disc(x * 1.015, yk, zk, radius * 0.13, 6), (46, 46, 50), out)
            shape.face(_disc(x * 1.015, radius, z, radius * 0.14, 6), (100, 102, 106), out)


def _disc(x: float, y: float, z: float, radius: float, corners: int = 16) -> list[Vec]:
    """A disc facing sideways."""
    turns = [2 * pi * k / corners for k in range(corners)]
    return [(x, y + radius * sin(t), z + radius * cos(t)) for t in turns]


def panel(x1: float, x2: float, y1: float, y2: float, z: float) -> list[Vec]:
    """A rectangle facing forwards or backwards."""
    return [(x1, y1, z), (x2, y1, z), (x2, y2, z), (x1, y2, z)]


def _between(a: Rib, b: Rib, share: float) -> Rib:
    return tuple(p + (q - p) * share for p, q in zip(a, b))  # type: ignore[return-value]


def box(shape: Shape, low: Vec, high: Vec, colour: Colour) -> None:
    """A box between two corners (x, y, z)."""
    x1, x2 = sorted((low[0], high[0]))
    (y1, z1), (y2, z2) = low[1:], high[1:]
    shape.face([(x1, y2, z1), (x2, y2, z1), (x2, y2, z2), (x1, y2, z2)], colour, (0, 1, 0))
    for x, side in ((x1, -1.0), (x2, 1.0)):
        shape.face([(x, y1, z1), (x, y1, z2), (x, y2, z2), (x, y2, z1)], colour, (side, 0, 0))
    for z, side in ((z1, -1.0), (z2, 1.0)):
        shape.face(panel(x1, x2, y1, y2, z), colour, (0, 0, side))
