"""What stands around: traffic lights, lamp posts, trees, bins and signs."""

from __future__ import annotations

from math import cos, pi, sin
from typing import TYPE_CHECKING

from edge_daemon.scenes.compose import Body, Glow, mottled
from edge_daemon.scenes.shape import Colour, Pose, Shape, Vec, times
from edge_daemon.scenes.vehicles import box

if TYPE_CHECKING:
    from numpy.random import Generator

    from edge_daemon.scenes.daylight import Air

_LAMPS: dict[str, tuple[Colour, Colour]] = {  # burning, dark
    "red": ((255, 46, 34), (62, 16, 16)),
    "yellow": ((255, 190, 30), (64, 50, 14)),
    "green": ((50, 250, 150), (12, 52, 36)),
}
_POLE: Colour = (66, 70, 72)


def traffic_light(lamp: str, pose: Pose, head_m: float, seed: int) -> tuple[Body, Body]:
    """A light on its pole that shows a lamp towards its heading; the pole is no part of it.

    head_m is the height of the housing's lower edge.
    """
    pole = Shape()
    pole.limb((0, 0, 0), (0, head_m + 0.1, 0), 0.07, 0.06, _POLE)
    head = Shape()
    tall, half, deep = 1.12, 0.20, 0.13
    low, high = head_m, head_m + tall
    border = 0.07
    head.face([(-half - border, low - border, deep - 0.06), (half + border, low - border, deep - 0.06),
               (half + border, high + border, deep - 0.06), (-half - border, high + border, deep - 0.06)],
              (20, 21, 22))  # fmt: skip
    box(head, (-half, low, -deep), (half, high, deep), (32, 34, 35))
    glows = []
    for k, name in enumerate(("green", "yellow", "red")):
        y = low + tall * (k + 0.5) / 3
        burning, dark = _LAMPS[name]
        out = (0.0, 0.0, 1.0)
        hood = [(0.165 * cos(t), y + 0.165 * sin(t), deep + 0.02) for t in _ring(16)]
        head.face(hood, (14, 14, 15), out)
        lens = [(0.14 * cos(t), y + 0.14 * sin(t), deep + 0.03) for t in _ring(16)]
        head.face(lens, burning if name == lamp else dark, out)
        if name == lamp:
            core = [(0.08 * cos(t), y + 0.08 * sin(t), deep + 0.04) for t in _ring(10)]
            head.face(core, tuple(c + (255 - c) * 0.35 for c in burning), out)  # type: ignore[arg-type]
            glows.append(Glow((0, y, deep + 0.05), times(burning, 0.55), 0.2, out))
    return (
        Body(None, pole, pose, (0.09, 0.09), head_m, seed=seed),
        Body("traffic_light", head, pose, (0, 0), high, lamp, tuple(glows), 0.02, seed, nearer_m=0.1),
    )


def lamp_post(x: float, z: float, air: Air, seed: int) -> Body:
    """A street lamp that reaches over the road."""
    shape = Shape()
    side = -1.0 if x > 0 else 1.0
    shape.limb((0, 0, 0), (0, 6.2, 0), 0.09, 0.06, _POLE)
    shape.limb((0, 6.1, 0), (side * 1.3, 6.6, 0), 0.05, 0.04, _POLE)
    lens = (255, 236, 190) if air.lit else (196, 196, 188)
    shape.limb((side * 1.1, 6.56, 0), (side * 1.7, 6.62, 0), 0.09, 0.07, lens)
    glows = (Glow((side * 1.4, 6.55, 0), (235, 205, 150), 0.28),) if air.time != "day" else ()
    return Body(None, shape, Pose(x, z, 0.0), (0.1, 0.1), 6.4, glows=glows, seed=seed)


def tree(rng: Generator, x: float, z: float) -> Body:
    """A tree with many tufts of leaves."""
    shape = Shape()
    tall, wide = float(rng.uniform(4.0, 8.5)), float(rng.uniform(1.2, 2.3))
    trunk = float(rng.uniform(1.7, 2.6))
    shape.limb((0, 0, 0), (0, trunk + 1, 0), 0.17, 0.11, (78, 62, 48))
    hue = float(rng.uniform(0, 1))
    leaf: Colour = (60 + 60 * hue, 92 + 20 * hue, 44 + 10 * hue)
    if rng.random() < 0.12:
        leaf = (170, 108, 46)
    middle = (trunk + tall) / 2 + 0.3
    tufts = []
    for _ in range(46):
        turn, up = rng.uniform(0, 2 * pi), rng.uniform(-1, 1)
        out = (1 - up * up) ** 0.5 * rng.uniform(0.45, 1.0)
        tufts.append((wide * out * cos(turn), middle + up * (tall - trunk) / 2, wide * out * sin(turn)))
    for n, (tx, ty, tz) in enumerate(sorted(tufts, key=lambda t: t[1])):
        light = 0.62 + 0.5 * n / 46 + float(rng.uniform(-0.1, 0.1))
        r = float(rng.uniform(0.35, 0.62)) * wide / 1.6
        shape.limb((tx, ty, tz), (tx + 0.2, ty + 0.05, tz), r, r * 0.8, times(leaf, light))
    return Body(None, shape, Pose(x, z, 0.0), (wide * 0.6, wide * 0.6), tall * 0.6, grain=0.22, seed=mottled(rng))


def bin_or_box(rng: Generator, x: float, z: float) -> Body:
    """A litter bin, a cabinet, a bollard, a bench or a sign."""
    shape = Shape()
    what = str(rng.choice(["bin", "cabinet", "bollard", "sign", "bench", "hydrant", "planter"]))
    tone = float(rng.uniform(40, 150))
    paint: Colour = (tone, tone * float(rng.uniform(0.8, 1.2)), tone * float(rng.uniform(0.7, 1.2)))
    high, half = 1.0, 0.25
    if what == "bin":
        shape.limb((0, 0.22, 0), (0, 0.8, 0), 0.22, 0.25, paint)
    elif what == "cabinet":
        high, half = float(rng.uniform(0.9, 1.5)), 0.45
        box(shape, (-half, 0, -0.2), (half, high, 0.2), paint)
    elif what == "bollard":
        shape.limb((0, 0.05, 0), (0, 0.85, 0), 0.08, 0.07, paint)
    elif what == "sign":
        high, half = 2.6, 0.1
        shape.limb((0, 0, 0), (0, 2.6, 0), 0.035, 0.035, (130, 132, 134))
        rim = [(0.3 * cos(t), 2.4 + 0.3 * sin(t), 0.05) for t in _ring(int(rng.choice([3, 4, 8, 20])))]
        shape.face(rim, ((190, 30, 34), (30, 80, 170), (236, 234, 226))[int(rng.integers(3))])
        inner = [(px * 0.72, 2.4 + (py - 2.4) * 0.72, 0.06) for px, py, _ in rim]
        shape.face(inner, (236, 234, 228))
    elif what == "bench":
        high, half = 0.85, 0.8
        for y, d in ((0.45, 0.2), (0.45, 0.05), (0.75, -0.1)):
            shape.limb((-0.8, y, d), (0.8, y, d), 0.05, 0.05, (120, 84, 52))
        for px in (-0.65, 0.65):
            shape.limb((px, 0, 0.1), (px, 0.45, 0.1), 0.03, 0.03, _POLE)
    elif what == "hydrant":
        shape.limb((0, 0.05, 0), (0, 0.6, 0), 0.12, 0.11, (190, 50, 36))
        shape.limb((-0.18, 0.45, 0), (0.18, 0.45, 0), 0.06, 0.06, (190, 50, 36))
    else:
        box(shape, (-0.6, 0, -0.3), (0.6, 0.45, 0.3), paint)
        high, half = 0.8, 0.6
        for _ in range(9):
            at: Vec = (float(rng.uniform(-0.5, 0.5)), float(rng.uniform(0.5, 0.75)), float(rng.uniform(-0.2, 0.2)))
            shape.limb(at, (at[0] + 0.1, at[1] + 0.05, at[2]), 0.16, 0.14, (70, 104 + 30 * at[0], 56))
    turn = 0.0 if x > 0 else pi
    pose = Pose(x, z, turn - pi / 2)
    return Body(None, shape, pose, (half, 0.25), high, seed=mottled(rng))


def _ring(corners: int) -> list[float]:
    return [2 * pi * k / corners + pi / 2 for k in range(corners)]
