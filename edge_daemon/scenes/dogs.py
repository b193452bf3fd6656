"""Dogs."""

from __future__ import annotations

from math import cos, pi, sin
from typing import TYPE_CHECKING

from edge_daemon.scenes.shape import Colour, Shape, Vec, mix, times

if TYPE_CHECKING:
    from numpy.random import Generator

_COATS: tuple[Colour, ...] = (
    (34, 28, 26),
    (92, 60, 36),
    (150, 106, 62),
    (196, 160, 112),
    (226, 216, 200),
    (120, 120, 122),
    (60, 44, 34),
)
SHOULDER_M = 0.6  # of a dog of size 1


def random_coat(rng: Generator) -> Colour:
    """Some dog's colour."""
    return _COATS[int(rng.integers(len(_COATS)))]


def dog(coat: Colour, size: float, stride: float, *, long_hair: bool) -> Shape:
    """A dog trotting, at a point of its stride (radians)."""
    shape = Shape(sort=True, relief=0.45, unit_m=SHOULDER_M * size)  # below: shoulder heights
    pale = mix(coat, (232, 222, 208), 0.35)
    ahead, back = 0.44, -0.50
    for z, shift in ((ahead, 0.0), (back, 0.9)):
        for side in (-1, 1):
            _leg(shape, (side * 0.12, z), stride + shift + (pi if side > 0 else 0.0), coat)
    deep = 0.25 if long_hair else 0.22
    shape.limb((0, 0.77, back), (0, 0.74, -0.05), (0.2, deep * 0.95), coat)
    shape.limb((0, 0.74, -0.05), (0, 0.73, ahead), (deep, 0.27), coat)
    shape.limb((0, 0.62, 0.0), (0, 0.62, ahead), (0.1, 0.14), pale)
    head = (0.0, 1.12, ahead + 0.34)
    shape.limb((0, 0.86, ahead + 0.04), (0, 1.09, head[2] - 0.06), (0.2, 0.155), coat)
    _head(shape, head, coat, pale, drooping=long_hair)
    wag = 0.12 * sin(stride * 1.7)
    shape.limb((0, 0.86, back - 0.14), (wag, 1.10, back - 0.44), (0.065, 0.035), coat)
    return shape


def _leg(shape: Shape, hip: tuple[float, float], phase: float, coat: Colour) -> None:
    """A leg under a hip at (x, z)."""
    x, z = hip
    hind = z < 0
    swing, lift = 0.42 * sin(phase), max(0.0, 0.10 * cos(phase))
    knee = (x, 0.40, z + 0.15 * swing + (-0.07 if hind else 0.03))
    foot = (x, 0.05 + lift, z + 0.42 * swing)
    paw = mix(coat, (232, 222, 208), 0.35)
    shape.limb(foot, (x, foot[1], foot[2] + 0.07), (0.05, 0.05), paw)
    shape.limb(knee, foot, (0.065, 0.045), coat)
    shape.limb((x * 0.85, 0.74, z), knee, (0.19 if hind else 0.15, 0.08), coat)


def _head(shape: Shape, head: Vec, coat: Colour, pale: Colour, *, drooping: bool) -> None:
    _, y, z = head
    shape.limb(head, (0, y + 0.02, z + 0.07), (0.175, 0.155), coat)
    shape.limb((0, y - 0.05, z + 0.1), (0, y - 0.06, z + 0.29), (0.11, 0.075), pale)
    shape.limb((0, y - 0.04, z + 0.35), (0, y - 0.04, z + 0.37), (0.038, 0.032), (16, 14, 14))
    for side in (-1, 1):
        eye = (side * 0.08, y + 0.05, z + 0.17)
        shape.limb(eye, (eye[0], eye[1], z + 0.19), (0.026, 0.026), (14, 12, 12))
        root = (side * 0.13, y + 0.09, z)
        tip = (side * 0.19, y + (-0.14 if drooping else 0.23), z - 0.02)
        shape.limb(root, tip, (0.075, 0.06 if drooping else 0.03), times(coat, 0.78))
