"""Bicycles and motorcycles with their riders, and dogs."""

from __future__ import annotations

from math import cos, pi, sin
from typing import TYPE_CHECKING

from edge_daemon.scenes.people import Look
from edge_daemon.scenes.shape import Colour, Shape, Vec, mix, times
from edge_daemon.scenes.vehicles import random_paint

if TYPE_CHECKING:
    from numpy.random import Generator

_COATS: tuple[Colour, ...] = (
    (34, 28, 26), (92, 60, 36), (150, 106, 62), (196, 160, 112), (226, 216, 200), (120, 120, 122),
    (60, 44, 34),
)  # fmt: skip


def bicycle(paint: Colour, pedal: float) -> Shape:
    """A bicycle 1.75 m long with the right pedal at an angle (radians)."""
    shape = Shape()
    r, back, ahead = 0.34, -0.52, 0.52
    for z in (back, ahead):
        _spoked(shape, z, r)
    crank: Vec = (0.0, 0.29, -0.06)
    saddle: Vec = (0.0, 0.82, -0.22)
    head: Vec = (0.0, 0.80, 0.36)
    tube = 0.022
    for a, b in (((0.0, r, back), crank), (crank, saddle), (crank, (0.0, 0.62, 0.41)), (head, (0, r, ahead)),
                 ((0.0, 0.74, -0.2), (0.0, 0.75, 0.37)), ((0.0, r, back), (0.0, 0.74, -0.2))):  # fmt: skip
        shape.limb(a, b, tube, tube, paint)
    shape.limb((0, 0.93, -0.34), (0, 0.93, -0.12), 0.06, 0.03, (26, 24, 24))
    shape.limb(saddle, (0, 0.92, -0.24), 0.014, 0.014, (90, 90, 94))
    shape.limb(head, (0, 1.0, 0.36), 0.016, 0.016, (80, 80, 84))
    shape.limb((-0.28, 1.02, 0.32), (0.28, 1.02, 0.32), 0.018, 0.018, (36, 36, 38))
    for side in (-1, 1):
        y, z = _pedal(pedal, side)
        shape.limb((side * 0.06, crank[1], crank[2]), (side * 0.1, y, z), 0.014, 0.014, (70, 70, 74))
    return shape


def cyclist(look: Look, pedal: float, helmet: Colour | None) -> Shape:
    """The rider of bicycle(), pedalling."""
    shape = Shape(sort=True)
    hip_y, hip_z, neck_y, neck_z = 1.0, -0.22, 1.46, 0.06
    for side in (-1, 1):
        y, z = _pedal(pedal, side)
        hip, foot = (side * 0.09, hip_y, hip_z), (side * 0.11, y + 0.07, z - 0.03)
        knee = _joint(hip, foot, 0.44, 0.44, 1.0)
        bare = look.legs in ("shorts", "skirt")
        shape.limb(foot, (foot[0], foot[1] - 0.04, foot[2] + 0.15), 0.045, 0.035, look.shoes)
        shape.limb(knee, foot, 0.058, 0.042, look.skin if bare else look.bottom)
        shape.limb(hip, knee, 0.09, 0.062, look.bottom)
        shoulder, hand = (side * 0.19, neck_y - 0.05, neck_z), (side * 0.25, 1.04, 0.34)
        elbow = _joint(shoulder, hand, 0.29, 0.27, -1.0)
        sleeve = look.top if look.sleeves == "long" else look.skin
        shape.limb(elbow, hand, 0.042, 0.034, sleeve)
        shape.limb(shoulder, elbow, 0.058, 0.046, look.top)
        shape.limb((side * 0.06, hip_y + 0.05, hip_z), (side * 0.13, neck_y - 0.08, neck_z), 0.12, 0.1, look.top)
    shape.limb((0, hip_y, hip_z), (0, hip_y + 0.06, hip_z), 0.15, 0.14, look.bottom)
    shape.limb((0, hip_y + 0.08, hip_z + 0.02), (0, neck_y - 0.1, neck_z - 0.02), 0.14, 0.13, look.top)
    _rider_head(shape, look, (0.0, neck_y, neck_z), helmet)
    if look.carries == "backpack":
        shape.limb((0, 1.14, -0.32), (0, 1.4, -0.12), 0.13, 0.11, look.accent)
    return shape


def motorcycle(paint: Colour, *, scooter: bool, night: bool) -> Shape:
    """A motorcycle or a scooter, about 2 m long."""
    shape = Shape()
    r, back, ahead = (0.24, -0.58, 0.6) if scooter else (0.31, -0.66, 0.70)
    for z in (back, ahead):
        shape.limb((0, 0.07, z), (0, 2 * r - 0.07, z), 0.07, 0.07, (30, 30, 32))
        for size, tone in ((1.0, (26, 26, 28)), (0.68, (120, 122, 126)), (0.55, (44, 44, 46))):
            wheel = [(0.0, r + size * r * sin(t), z + size * r * cos(t)) for t in _ring(16)]
            shape.face(wheel, tone)
    dark = (38, 38, 42)
    if scooter:
        shape.limb((0, 0.42, -0.5), (0, 0.55, -0.25), 0.2, 0.2, paint)
        shape.limb((0, 0.3, -0.3), (0, 0.3, 0.35), 0.11, 0.11, times(paint, 0.7))
        shape.limb((0, 0.35, 0.42), (0, 0.95, 0.36), 0.16, 0.12, paint)
    else:
        shape.limb((0, 0.42, -0.3), (0, 0.45, 0.25), 0.2, 0.2, dark)
        shape.limb((0, 0.36, -0.75), (0.12, 0.34, -0.1), 0.06, 0.05, (150, 150, 152))
        shape.limb((0, 0.74, -0.12), (0, 0.80, 0.32), 0.15, 0.17, paint)
        shape.limb((0, 0.72, -0.62), (0, 0.74, -0.3), 0.09, 0.13, paint)
    shape.limb((0, r, ahead), (0, 0.92, ahead - 0.28), 0.045, 0.045, (110, 112, 116))
    shape.limb((0, r * 2 + 0.05, ahead - 0.16), (0, r * 2, ahead + 0.12), 0.07, 0.05, paint)
    shape.limb((0, 0.76, -0.55), (0, 0.80, 0.0), 0.11, 0.10, (24, 24, 26))
    shape.limb((-0.34, 1.04, 0.36), (0.34, 1.04, 0.36), 0.025, 0.025, dark)
    lamp = (255, 250, 226) if night else (226, 226, 214)
    shape.limb((0, 0.9, ahead - 0.2), (0, 0.9, ahead - 0.12), 0.11, 0.1, dark)
    shape.face([(0.085 * cos(t), 0.9 + 0.085 * sin(t), ahead - 0.02) for t in _ring(10)], lamp, (0, 0, 1))
    shape.face([(0.08 * cos(t), 0.76 + 0.05 * sin(t), -0.74) for t in _ring(8)], (210, 30, 26), (0, 0, -1))
    return shape


def biker(look: Look, helmet: Colour) -> Shape:
    """The rider of motorcycle()."""
    shape = Shape(sort=True)
    hip: Vec = (0.0, 0.88, -0.25)
    neck: Vec = (0.0, 1.40, -0.06)
    for side in (-1, 1):
        foot = (side * 0.17, 0.34, -0.02)
        knee = _joint((side * 0.12, hip[1], hip[2]), foot, 0.43, 0.42, 1.0)
        knee = (side * 0.22, knee[1], knee[2])
        shape.limb(foot, (foot[0], 0.32, 0.14), 0.05, 0.04, look.shoes)
        shape.limb(knee, foot, 0.07, 0.055, look.bottom)
        shape.limb((side * 0.1, hip[1], hip[2]), knee, 0.1, 0.075, look.bottom)
        shoulder, hand = (side * 0.2, neck[1] - 0.04, neck[2]), (side * 0.32, 1.06, 0.34)
        elbow = _joint(shoulder, hand, 0.29, 0.28, -1.0)
        shape.limb(elbow, hand, 0.05, 0.042, look.top)
        shape.limb(shoulder, elbow, 0.068, 0.055, look.top)
        shape.limb((side * 0.06, hip[1] + 0.06, hip[2]), (side * 0.13, neck[1] - 0.08, neck[2]), 0.13, 0.11, look.top)
    shape.limb((0, hip[1] + 0.05, hip[2]), (0, neck[1] - 0.08, neck[2]), 0.16, 0.14, look.top)
    _rider_head(shape, look, neck, helmet)
    return shape


def dog(coat: Colour, size: float, stride: float, *, long: bool) -> Shape:
    """A dog trotting; size 1 stands 0.6 m at the shoulder."""
    shape = Shape(sort=True, relief=0.45)
    s = 0.60 * size
    body_y, ahead, back = 0.74 * s, 0.44 * s, -0.50 * s
    dark, pale = times(coat, 0.78), mix(coat, (232, 222, 208), 0.35)
    for z, shift in ((ahead, 0.0), (back, 0.9)):
        for side in (-1, 1):
            phase = stride + shift + (pi if side > 0 else 0.0)
            swing = 0.42 * sin(phase)
            lift = max(0.0, 0.10 * cos(phase)) * s
            bow = -0.07 * s if z < 0 else 0.03 * s
            knee = (side * 0.12 * s, 0.40 * s, z + 0.3 * s * swing * 0.5 + bow)
            foot = (side * 0.12 * s, 0.05 * s + lift, z + 0.6 * s * swing * 0.7)
            shape.limb(foot, (foot[0], foot[1], foot[2] + 0.07 * s), 0.05 * s, 0.05 * s, pale)
            shape.limb(knee, foot, 0.065 * s, 0.045 * s, coat)
            thigh = 0.19 if z < 0 else 0.15
            shape.limb((side * 0.10 * s, body_y, z), knee, thigh * s, 0.08 * s, coat)
    deep = 0.25 if long else 0.22
    shape.limb((0, body_y + 0.03 * s, back), (0, body_y, -0.05 * s), 0.2 * s, deep * 0.95 * s, coat)
    shape.limb((0, body_y, -0.05 * s), (0, body_y - 0.01 * s, ahead), deep * s, 0.27 * s, coat)
    shape.limb((0, body_y - 0.12 * s, 0.0), (0, body_y - 0.12 * s, ahead), 0.1 * s, 0.14 * s, pale)
    head: Vec = (0.0, 1.12 * s, ahead + 0.34 * s)
    nape: Vec = (0.0, body_y + 0.12 * s, ahead + 0.04 * s)
    shape.limb(nape, (0, head[1] - 0.03 * s, head[2] - 0.06 * s), 0.2 * s, 0.155 * s, coat)
    shape.limb(head, (0, head[1] + 0.01, head[2] + 0.07 * s), 0.175 * s, 0.155 * s, coat)
    snout: Vec = (0.0, head[1] - 0.06 * s, head[2] + 0.29 * s)
    shape.limb((0, head[1] - 0.05 * s, head[2] + 0.1 * s), snout, 0.11 * s, 0.075 * s, pale)
    nose: Vec = (0.0, snout[1] + 0.02 * s, snout[2] + 0.06 * s)
    shape.limb(nose, (0, nose[1], nose[2] + 0.02 * s), 0.038 * s, 0.032 * s, (16, 14, 14))
    for side in (-1, 1):
        eye = (side * 0.08 * s, head[1] + 0.05 * s, head[2] + 0.17 * s)
        shape.limb(eye, (eye[0], eye[1], eye[2] + 0.01), 0.026 * s, 0.026 * s, (14, 12, 12))
        tip = (side * 0.19 * s, head[1] + (-0.14 if long else 0.23) * s, head[2] - 0.02 * s)
        root = (side * 0.13 * s, head[1] + 0.09 * s, head[2])
        shape.limb(root, tip, 0.075 * s, (0.06 if long else 0.03) * s, dark)
    wag = 0.12 * s * sin(stride * 1.7)
    root = (0.0, body_y + 0.12 * s, back - 0.14 * s)
    shape.limb(root, (wag, body_y + 0.36 * s, back - 0.44 * s), 0.065 * s, 0.035 * s, coat)
    return shape


def random_coat(rng: Generator) -> Colour:
    """Some dog's colour."""
    return _COATS[int(rng.integers(len(_COATS)))]


def random_frame_paint(rng: Generator) -> Colour:
    """Some two-wheeler's colour."""
    return random_paint(rng)[1]


def _spoked(shape: Shape, z: float, r: float) -> None:
    rim = [(0.0, r + r * sin(t), z + r * cos(t)) for t in _ring(16)]
    for a, b in zip(rim, [*rim[1:], rim[0]]):
        shape.limb(a, b, 0.024, 0.024, (28, 28, 30))
    for t in _ring(8):
        shape.limb((0, r, z), (0.0, r + r * sin(t), z + r * cos(t)), 0.004, 0.004, (150, 150, 154))


def _ring(corners: int) -> list[float]:
    return [2 * pi * k / corners for k in range(corners)]


def _pedal(angle: float, side: int) -> tuple[float, float]:
    turn = angle + (0.0 if side > 0 else pi)
    return 0.29 + 0.17 * sin(turn), -0.06 - 0.17 * cos(turn)


def _joint(a: Vec, b: Vec, la: float, lb: float, forward: float) -> Vec:
    """The knee or elbow between a and b, bent forwards (1) or backwards (-1), in the z-y plane."""
    dy, dz = b[1] - a[1], b[2] - a[2]
    reach = min((dy * dy + dz * dz) ** 0.5, la + lb - 0.001)
    along = (la * la - lb * lb + reach * reach) / (2 * reach)
    off = max(la * la - along * along, 0.0) ** 0.5
    uy, uz = dy / reach, dz / reach
    ny, nz = (-uz, uy) if uy * forward > 0 else (uz, -uy)
    return ((a[0] + b[0]) / 2, a[1] + along * uy + off * ny, a[2] + along * uz + off * nz)


def _rider_head(shape: Shape, look: Look, neck: Vec, helmet: Colour | None) -> None:
    x, y, z = neck
    shape.limb((x, y - 0.06, z), (x, y + 0.05, z + 0.03), 0.06, 0.055, times(look.skin, 0.9))
    shape.limb((x, y + 0.1, z + 0.07), (x, y + 0.19, z + 0.05), 0.075, 0.085, look.skin)
    cover = helmet or look.hair
    size = 0.125 if helmet else 0.1
    shape.limb((x, y + 0.17, z + 0.0), (x, y + 0.2, z + 0.06), size, size, cover)

