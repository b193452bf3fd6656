"""What stands around: traffic lights, lamp posts, trees, bins and signs."""

from __future__ import annotations

from math import cos, pi, sin
from typing import TYPE_CHECKING

from edge_daemon.scenes.body import Body, Glow, random_grain
from edge_daemon.scenes.coachwork import AHEAD, box, panel, ring
from edge_daemon.scenes.shape import Colour, Pose, Shape, Vec, mix, times

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator

    from edge_daemon.scenes.daylight import Air

_LAMPS: dict[str, tuple[Colour, Colour]] = {  # burning, dark
    "red": ((255, 46, 34), (62, 16, 16)),
    "yellow": ((255, 190, 30), (64, 50, 14)),
    "green": ((50, 250, 150), (12, 52, 36)),
}
_POLE: Colour = (66, 70, 72)
HOUSING_M = 1.12


def traffic_light(lamp: str, pose: Pose, head_m: float) -> list[Body]:
    """A light that shows a lamp towards its heading, and its pole, which is not in the truth.

    head_m is the height of the housing's lower edge.
    """
    pole, head = Shape(), Shape()
    pole.limb((0, 0, 0), (0, head_m + 0.1, 0), (0.07, 0.06), _POLE)
    half, deep, high = 0.20, 0.13, head_m + HOUSING_M
    border = panel(-half - 0.07, half + 0.07, head_m - 0.07, high + 0.07, deep - 0.06)
    head.face(border, (20, 21, 22))
    box(head, (-half, head_m, -deep), (half, high, deep), (32, 34, 35))
    glows: tuple[Glow, ...] = ()
    for k, name in enumerate(("green", "yellow", "red")):
        y = head_m + HOUSING_M * (k + 0.5) / 3
        burning, dark = _LAMPS[name]
        head.face(_round(0.165, y, deep + 0.02), (14, 14, 15), AHEAD)
        head.face(_round(0.14, y, deep + 0.03), burning if name == lamp else dark, AHEAD)
        if name == lamp:
            core = mix(burning, (255, 255, 255), 0.35)
            head.face(_round(0.08, y, deep + 0.04), core, AHEAD)
            glows = (Glow((0, y, deep + 0.05), times(burning, 0.55), 0.2, AHEAD),)
    return [
        Body(None, pole, pose, (0.09, 0.09), head_m),
        Body("traffic_light", head, pose, (0, 0), high, lamp, glows, 0.02, nearer_m=0.1),
    ]


def lamp_post(x: float, z: float, air: Air) -> Body:
    """A street lamp that reaches over the road."""
    shape = Shape()
    side = -1.0 if x > 0 else 1.0
    shape.limb((0, 0, 0), (0, 6.2, 0), (0.09, 0.06), _POLE)
    shape.limb((0, 6.1, 0), (side * 1.3, 6.6, 0), (0.05, 0.04), _POLE)
    lens = (255.0, 236.0, 190.0) if air.lit else (196.0, 196.0, 188.0)
    shape.limb((side * 1.1, 6.56, 0), (side * 1.7, 6.62, 0), (0.09, 0.07), lens)
    burns = air.time != "day"
    glows = (Glow((side * 1.4, 6.55, 0), (235, 205, 150), 0.28),) if burns else ()
    return Body(None, shape, Pose(x, z, 0.0), (0.1, 0.1), 6.4, glows=glows)


def tree(rng: Generator, x: float, z: float) -> Body:
    """A tree with many tufts of leaves."""
    shape = Shape()
    tall, wide = float(rng.uniform(4.0, 8.5)), float(rng.uniform(1.2, 2.3))
    trunk = float(rng.uniform(1.7, 2.6))
    shape.limb((0, 0, 0), (0, trunk + 1, 0), (0.17, 0.11), (78, 62, 48))
    hue = float(rng.uniform(0, 1))
    leaf: Colour = (60 + 60 * hue, 92 + 20 * hue, 44 + 10 * hue)
    if rng.random() < 0.12:
        leaf = (170, 108, 46)
    for share, tuft in enumerate(_tufts(rng, 46, (wide, (tall - trunk) / 2))):
        cx, cy, cz = tuft[0], tuft[1] + (trunk + tall) / 2 + 0.3, tuft[2]
        r = float(rng.uniform(0.35, 0.62)) * wide / 1.6
        light = 0.62 + 0.5 * share / 46 + float(rng.uniform(-0.1, 0.1))
        shape.limb((cx, cy, cz), (cx + 0.2, cy + 0.05, cz), (r, r * 0.8), times(leaf, light))
    foot = (wide * 0.6, wide * 0.6)
    seed = random_grain(rng)
    return Body(None, shape, Pose(x, z, 0.0), foot, tall * 0.6, grain=0.22, seed=seed)


def clutter(rng: Generator, x: float, z: float) -> Body:
    """Something small: a bin, a cabinet, a bollard, a sign, a bench, a hydrant or a planter."""
    kinds = (_bin, _cabinet, _bollard, _sign, _bench, _hydrant, _planter)
    make: Callable[[Shape, Generator, Colour], tuple[float, float]]
    make = kinds[int(rng.integers(len(kinds)))]
    tone, green, blue = (float(v) for v in rng.uniform((40, 0.8, 0.7), (150, 1.2, 1.2)))
    shape = Shape()
    high, half = make(shape, rng, (tone, tone * green, tone * blue))
    pose = Pose(x, z, -pi / 2 if x > 0 else pi / 2)
    return Body(None, shape, pose, (half, 0.25), high, seed=random_grain(rng))


def _bin(shape: Shape, _rng: Generator, paint: Colour) -> tuple[float, float]:
    """Each of these adds itself and returns its height and half its width, metres."""
    shape.limb((0, 0.22, 0), (0, 0.8, 0), (0.22, 0.25), paint)
    return 1.0, 0.25


def _cabinet(shape: Shape, rng: Generator, paint: Colour) -> tuple[float, float]:
    high = float(rng.uniform(0.9, 1.5))
    box(shape, (-0.45, 0, -0.2), (0.45, high, 0.2), paint)
    return high, 0.45


def _bollard(shape: Shape, _rng: Generator, paint: Colour) -> tuple[float, float]:
    shape.limb((0, 0.05, 0), (0, 0.85, 0), (0.08, 0.07), paint)
    return 0.9, 0.1


def _sign(shape: Shape, rng: Generator, _paint: Colour) -> tuple[float, float]:
    shape.limb((0, 0, 0), (0, 2.6, 0), (0.035, 0.035), (130, 132, 134))
    corners = int(rng.choice([3, 4, 8, 20]))
    rim = [(0.3 * cos(t), 2.4 + 0.3 * sin(t), 0.05) for t in ring(corners)]
    colours: tuple[Colour, ...] = ((190, 30, 34), (30, 80, 170), (236, 234, 226))
    shape.face(rim, colours[int(rng.integers(3))])
    shape.face([(px * 0.72, 2.4 + (py - 2.4) * 0.72, 0.06) for px, py, _ in rim], (236, 234, 228))
    return 2.6, 0.1


def _bench(shape: Shape, _rng: Generator, _paint: Colour) -> tuple[float, float]:
    for y, z in ((0.45, 0.2), (0.45, 0.05), (0.75, -0.1)):
        shape.limb((-0.8, y, z), (0.8, y, z), (0.05, 0.05), (120, 84, 52))
    for x in (-0.65, 0.65):
        shape.limb((x, 0, 0.1), (x, 0.45, 0.1), (0.03, 0.03), _POLE)
    return 0.85, 0.8


def _hydrant(shape: Shape, _rng: Generator, _paint: Colour) -> tuple[float, float]:
    shape.limb((0, 0.05, 0), (0, 0.6, 0), (0.12, 0.11), (190, 50, 36))
    shape.limb((-0.18, 0.45, 0), (0.18, 0.45, 0), (0.06, 0.06), (190, 50, 36))
    return 0.7, 0.15


def _planter(shape: Shape, rng: Generator, paint: Colour) -> tuple[float, float]:
    box(shape, (-0.6, 0, -0.3), (0.6, 0.45, 0.3), paint)
    for x, y, z in rng.uniform((-0.5, 0.5, -0.2), (0.5, 0.75, 0.2), (9, 3)).tolist():
        shape.limb((x, y, z), (x + 0.1, y + 0.05, z), (0.16, 0.14), (70, 104 + 30 * x, 56))
    return 0.8, 0.6


def _tufts(rng: Generator, count: int, size: tuple[float, float]) -> list[Vec]:
    """Places in an egg of that radius and half height, lowest first."""
    wide, high = size
    places = []
    for turn, up, share in rng.uniform((0, -1, 0.45), (2 * pi, 1, 1), (count, 3)).tolist():
        out = wide * share * (1 - up * up) ** 0.5
        places.append((out * cos(turn), up * high, out * sin(turn)))
    return sorted(places, key=lambda place: place[1])


def _round(radius: float, y: float, z: float) -> list[Vec]:
    """A disc that faces forwards."""
    return [(radius * cos(t), y + radius * sin(t), z) for t in ring(16)]
