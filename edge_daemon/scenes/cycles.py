"""Bicycles and motorcycles with their riders."""

from __future__ import annotations

from math import cos, pi, sin
from typing import TYPE_CHECKING

from edge_daemon.scenes.coachwork import AHEAD, BEHIND, ring
from edge_daemon.scenes.shape import Colour, Shape, Vec, times

if TYPE_CHECKING:
    from edge_daemon.scenes.people import Look

_DARK: Colour = (38, 38, 42)
_STEEL: Colour = (90, 90, 94)


def bicycle(paint: Colour, pedal: float) -> Shape:
    """A bicycle 1.75 m long with the right pedal at an angle (radians)."""
    shape = Shape()
    r, back, ahead = 0.34, -0.52, 0.52
    for z in (back, ahead):
        _spoked(shape, z, r)
    hub, crank, seat = (0.0, r, back), (0.0, 0.29, -0.06), (0.0, 0.82, -0.22)
    low_head, head, fork = (0.0, 0.62, 0.41), (0.0, 0.80, 0.36), (0.0, r, ahead)
    under_seat, under_head = (0.0, 0.74, -0.2), (0.0, 0.75, 0.37)
    tubes = (hub, crank), (crank, seat), (crank, low_head), (head, fork)
    for a, b in (*tubes, (under_seat, under_head), (hub, under_seat)):
        shape.limb(a, b, (0.022, 0.022), paint)
    shape.limb((0, 0.93, -0.34), (0, 0.93, -0.12), (0.06, 0.03), (26, 24, 24))
    shape.limb(seat, (0, 0.92, -0.24), (0.014, 0.014), _STEEL)
    shape.limb(head, (0, 1.0, 0.36), (0.016, 0.016), _STEEL)
    shape.limb((-0.28, 1.02, 0.32), (0.28, 1.02, 0.32), (0.018, 0.018), _DARK)
    for side in (-1, 1):
        y, z = _pedal(pedal, side)
        shape.limb((side * 0.06, 0.29, -0.06), (side * 0.1, y, z), (0.014, 0.014), _STEEL)
    return shape


def cyclist(look: Look, pedal: float, helmet: Colour | None) -> Shape:
    """The rider of bicycle(), pedalling."""
    shape = Shape(sort=True)
    hip_y, hip_z, neck_y, neck_z = 1.0, -0.22, 1.46, 0.06
    for side in (-1, 1):
        y, z = _pedal(pedal, side)
        hip, foot = (side * 0.09, hip_y, hip_z), (side * 0.11, y + 0.07, z - 0.03)
        knee = _joint(hip, foot, (0.44, 0.44), forward=1)
        shape.limb(foot, (foot[0], foot[1] - 0.04, foot[2] + 0.15), (0.045, 0.035), look.shoes)
        shape.limb(knee, foot, (0.058, 0.042), look.calf)
        shape.limb(hip, knee, (0.09, 0.062), look.bottom)
        shoulder, hand = (side * 0.19, neck_y - 0.05, neck_z), (side * 0.25, 1.04, 0.34)
        elbow = _joint(shoulder, hand, (0.29, 0.27), forward=-1)
        shape.limb(elbow, hand, (0.042, 0.034), look.sleeve)
        shape.limb(shoulder, elbow, (0.058, 0.046), look.top)
        waist, chest = (side * 0.06, hip_y + 0.05, hip_z), (side * 0.13, neck_y - 0.08, neck_z)
        shape.limb(waist, chest, (0.12, 0.1), look.top)
    shape.limb((0, hip_y, hip_z), (0, hip_y + 0.06, hip_z), (0.15, 0.14), look.bottom)
    belly, chest = (0.0, hip_y + 0.08, hip_z + 0.02), (0.0, neck_y - 0.1, neck_z - 0.02)
    shape.limb(belly, chest, (0.14, 0.13), look.top)
    _rider_head(shape, look, (0.0, neck_y, neck_z), helmet)
    if look.carries == "backpack":
        shape.limb((0, 1.14, -0.32), (0, 1.4, -0.12), (0.13, 0.11), look.accent)
    return shape


def motorcycle(paint: Colour, *, scooter: bool, night: bool) -> Shape:
    """A motorcycle or a scooter, about 2 m long; night: with its lamp on."""
    shape = Shape()
    r, back, ahead = (0.24, -0.58, 0.6) if scooter else (0.31, -0.66, 0.70)
    for z in (back, ahead):
        _tyre(shape, z, r)
    if scooter:
        shape.limb((0, 0.42, -0.5), (0, 0.55, -0.25), (0.2, 0.2), paint)
        shape.limb((0, 0.3, -0.3), (0, 0.3, 0.35), (0.11, 0.11), times(paint, 0.7))
        shape.limb((0, 0.35, 0.42), (0, 0.95, 0.36), (0.16, 0.12), paint)
    else:
        shape.limb((0, 0.42, -0.3), (0, 0.45, 0.25), (0.2, 0.2), _DARK)
        shape.limb((0, 0.36, -0.75), (0.12, 0.34, -0.1), (0.06, 0.05), (150, 150, 152))
        shape.limb((0, 0.74, -0.12), (0, 0.80, 0.32), (0.15, 0.17), paint)
        shape.limb((0, 0.72, -0.62), (0, 0.74, -0.3), (0.09, 0.13), paint)
    shape.limb((0, r, ahead), (0, 0.92, ahead - 0.28), (0.045, 0.045), (110, 112, 116))
    shape.limb((0, r * 2 + 0.05, ahead - 0.16), (0, r * 2, ahead + 0.12), (0.07, 0.05), paint)
    shape.limb((0, 0.76, -0.55), (0, 0.80, 0.0), (0.11, 0.10), (24, 24, 26))
    shape.limb((-0.34, 1.04, 0.36), (0.34, 1.04, 0.36), (0.025, 0.025), _DARK)
    shape.limb((0, 0.9, ahead - 0.2), (0, 0.9, ahead - 0.12), (0.11, 0.1), _DARK)
    lamp = [(0.085 * cos(t), 0.9 + 0.085 * sin(t), ahead - 0.02) for t in ring(10)]
    shape.face(lamp, (255, 250, 226) if night else (226, 226, 214), AHEAD)
    tail = [(0.08 * cos(t), 0.76 + 0.05 * sin(t), -0.74) for t in ring(8)]
    shape.face(tail, (210, 30, 26), BEHIND)
    return shape


def biker(look: Look, helmet: Colour) -> Shape:
    """The rider of motorcycle()."""
    shape = Shape(sort=True)
    hip_y, hip_z, neck_y, neck_z = 0.88, -0.25, 1.40, -0.06
    for side in (-1, 1):
        hip, foot = (side * 0.12, hip_y, hip_z), (side * 0.17, 0.34, -0.02)
        _, knee_y, knee_z = _joint(hip, foot, (0.43, 0.42), forward=1)
        knee = (side * 0.22, knee_y, knee_z)
        shape.limb(foot, (foot[0], 0.32, 0.14), (0.05, 0.04), look.shoes)
        shape.limb(knee, foot, (0.07, 0.055), look.bottom)
        shape.limb((side * 0.1, hip_y, hip_z), knee, (0.1, 0.075), look.bottom)
        shoulder, hand = (side * 0.2, neck_y - 0.04, neck_z), (side * 0.32, 1.06, 0.34)
        elbow = _joint(shoulder, hand, (0.29, 0.28), forward=-1)
        shape.limb(elbow, hand, (0.05, 0.042), look.top)
        shape.limb(shoulder, elbow, (0.068, 0.055), look.top)
        waist, chest = (side * 0.06, hip_y + 0.06, hip_z), (side * 0.13, neck_y - 0.08, neck_z)
        shape.limb(waist, chest, (0.13, 0.11), look.top)
    shape.limb((0, hip_y + 0.05, hip_z), (0, neck_y - 0.08, neck_z), (0.16, 0.14), look.top)
    _rider_head(shape, look, (0.0, neck_y, neck_z), helmet)
    return shape


def _spoked(shape: Shape, z: float, r: float) -> None:
    rim = [(0.0, r + r * sin(t), z + r * cos(t)) for t in ring(16)]
    for a, b in zip(rim, [*rim[1:], rim[0]]):
        shape.limb(a, b, (0.024, 0.024), (28, 28, 30))
    for spoke in rim[::2]:
        shape.limb((0, r, z), spoke, (0.004, 0.004), (150, 150, 154))


def _tyre(shape: Shape, z: float, r: float) -> None:
    shape.limb((0, 0.07, z), (0, 2 * r - 0.07, z), (0.07, 0.07), (30, 30, 32))
    for size, tone in ((1.0, (26, 26, 28)), (0.68, (120, 122, 126)), (0.55, (44, 44, 46))):
        shape.face([(0.0, r + size * r * sin(t), z + size * r * cos(t)) for t in ring(16)], tone)


def _pedal(angle: float, side: int) -> tuple[float, float]:
    """Height and z of a pedal; the left one is half a turn behind."""
    turn = angle + (0.0 if side > 0 else pi)
    return 0.29 + 0.17 * sin(turn), -0.06 - 0.17 * cos(turn)


def _joint(a: Vec, b: Vec, lengths: tuple[float, float], *, forward: int) -> Vec:
    """The knee (forward 1) or elbow (-1) between a and b, in the z-y plane.

    Source: law of cosines.
    """
    la, lb = lengths
    dy, dz = b[1] - a[1], b[2] - a[2]
    reach = min((dy * dy + dz * dz) ** 0.5, la + lb - 0.001)
    along = (la * la - lb * lb + reach * reach) / (2 * reach)
    off = max(la * la - along * along, 0.0) ** 0.5
    uy, uz = dy / reach, dz / reach
    ny, nz = (-uz, uy) if uy * forward > 0 else (uz, -uy)
    return ((a[0] + b[0]) / 2, a[1] + along * uy + off * ny, a[2] + along * uz + off * nz)


def _rider_head(shape: Shape, look: Look, neck: Vec, helmet: Colour | None) -> None:
    x, y, z = neck
    shape.limb((x, y - 0.06, z), (x, y + 0.05, z + 0.03), (0.06, 0.055), times(look.skin, 0.9))
    shape.limb((x, y + 0.1, z + 0.07), (x, y + 0.19, z + 0.05), (0.075, 0.085), look.skin)
    size = 0.125 if helmet else 0.1
    shape.limb((x, y + 0.17, z), (x, y + 0.2, z + 0.06), (size, size), helmet or look.hair)
