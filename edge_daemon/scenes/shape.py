"""Bodies made of flat faces and rounded limbs, and how they become sprites."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge_daemon.scenes.view import NEAR_M, View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Points = NDArray[np.float32]

Colour = tuple[float, float, float]
Vec = tuple[float, float, float]

_FIX = 4  # fractional bits of OpenCV's drawing coordinates
_ARC = np.linspace(-np.pi / 2, np.pi / 2, 6, dtype=np.float32)
_SPRITE_PX = 520  # a sprite is oversampled up to about this many pixels a side


def times(colour: Colour, factor: float) -> Colour:
    """The colour, darker or lighter."""
    return (colour[0] * factor, colour[1] * factor, colour[2] * factor)


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """The colour between a (share 0) and b (share 1)."""
    k = 1 - share
    return (a[0] * k + b[0] * share, a[1] * k + b[1] * share, a[2] * k + b[2] * share)


@dataclass(slots=True)
class Shape:
    """A body in its own metres: x to its right, y up, z where it heads.

    Faces and limbs are drawn in the order they were added; with sort, farthest first.
    """

    sort: bool = False
    relief: float = 1.0  # how strongly limbs are rounded by shading
    _points: list[Vec] = field(default_factory=list)
    _parts: list[tuple[int, int, Colour, float, float, Vec | None]] = field(default_factory=list)
    _sections: list[tuple[int, Vec | None]] = field(default_factory=list)
    _frozen: tuple[Points, Points, NDArray[np.bool_]] | None = None

    def face(self, points: Sequence[Vec], colour: Colour, outward: Vec | None = None) -> None:
        """Add a flat polygon.  With outward it is shaded, and unseen from behind."""
        self._parts.append((len(self._points), len(points), colour, 0.0, 0.0, outward))
        self._points.extend(points)

    def limb(self, a: Vec, b: Vec, ra_m: float, rb_m: float, colour: Colour) -> None:
        """Add a rounded limb from a to b with a radius at each end."""
        self._parts.append((len(self._points), 2, colour, ra_m, rb_m, None))
        self._points.extend((a, b))

    def section(self, centre: Vec | None) -> None:
        """Begin a section: neighbours with a centre are drawn farthest first, others in order."""
        self._sections.append((len(self._parts), centre))

    def ordered(self, eye: Points) -> list[int]:
        """Indices of the parts in drawing order for an eye in the body's own metres."""
        bounds = [*self._sections, (len(self._parts), None)]
        order, run = list(range(bounds[0][0])), []
        for (first, centre), (end, following) in zip(bounds, bounds[1:]):
            if centre is None:
                order.extend(range(first, end))
                continue
            away = float(np.linalg.norm(eye - np.asarray(centre)))
            run.append((-away, first, end))
            if following is None:
                order.extend(n for _, a, b in sorted(run) for n in range(a, b))
                run = []
        return order

    def arrays(self) -> tuple[Points, Points, NDArray[np.bool_]]:
        """Points (N, 3), outward normals (P, 3), and which parts have one (P,)."""
        if self._frozen is None:
            normals = np.array([p[5] or (0, 1, 0) for p in self._parts], np.float32)
            normals /= np.linalg.norm(normals, axis=1, keepdims=True)
            facing = np.array([p[5] is not None for p in self._parts], bool)
            self._frozen = np.array(self._points, np.float32), normals, facing
        return self._frozen

    @property
    def parts(self) -> list[tuple[int, int, Colour, float, float, Vec | None]]:
        """(first point, number of points, colour, radius, radius, outward) of each part."""
        return self._parts


@dataclass(slots=True)
class Sprite:
    """A drawn body: premultiplied float32 RGBA in [0, 255] at (left, top) of the picture.

    full is its whole box (x1, y1, x2, y2) in pixels, also where it is outside the picture.
    """

    left: int
    top: int
    rgba: NDArray[np.float32]
    depth_m: float
    full: tuple[float, float, float, float]

    @property
    def alpha(self) -> NDArray[np.float32]:
        """Coverage in [0, 1], shape (h, w, 1)."""
        return self.rgba[:, :, 3:] * np.float32(1 / 255)


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a body stands: its foot on the ground, and where it heads (0: +z, to the right)."""

    x_m: float
    z_m: float
    heading_rad: float
    y_m: float = 0.0

    def to_world(self, local: Points) -> Points:
        """Local points (N, 3) in world metres."""
        turned = self.turn(local)
        return turned + np.array([self.x_m, self.y_m, self.z_m], np.float32)

    def to_local(self, world: Points) -> Points:
        """A world point (3,) in local metres."""
        x, y, z = world - np.array([self.x_m, self.y_m, self.z_m], np.float32)
        c, s = np.cos(self.heading_rad), np.sin(self.heading_rad)
        return np.array([x * c - z * s, y, x * s + z * c], np.float32)

    def turn(self, local: Points) -> Points:
        """Local directions (N, 3) in world directions."""
        c, s = np.cos(self.heading_rad), np.sin(self.heading_rad)
        x, y, z = local.T
        return np.stack([x * c + z * s, y, -x * s + z * c], 1).astype(np.float32)


def draw(shape: Shape, pose: Pose, view: View, sun: Points, contrast: float) -> Sprite | None:
    """Draw a body; None when it is outside the picture.

    sun points to the light; contrast in [0, 1] is how much faces turned away are darker.
    """
    points, normals, facing = shape.arrays()
    world = pose.to_world(points)
    camera = view.to_camera(world)
    if camera[:, 2].min() < NEAR_M and (camera[:, 2].max() < 1.0 or not facing.any()):
        return None
    pixels = view.to_picture(camera)
    scale = view.focal_px / np.maximum(camera[:, 2], NEAR_M)
    full = _bounds(pixels, scale, shape)
    left, top = max(int(full[0]) - 2, 0), max(int(full[1]) - 2, 0)
    right, bottom = min(int(full[2]) + 3, view.width), min(int(full[3]) + 3, view.height)
    if right - left < 2 or bottom - top < 2:
        return None
    times_px = int(np.clip(_SPRITE_PX / max(right - left, bottom - top), 1, 4))
    board = np.zeros(((bottom - top) * times_px, (right - left) * times_px, 4), np.uint8)
    place = (pixels - (left, top)) * times_px
    firsts = np.array([p[0] for p in shape.parts])
    turned = pose.turn(normals)
    seen = ~facing | (((view.eye - world[firsts]) * turned).sum(1) > 0)
    light = 1 - contrast * (0.5 - 0.5 * (turned @ sun)) + 0.12 * turned[:, 1]
    order: Sequence[int] = shape.ordered(pose.to_local(view.eye))
    if shape.sort:
        counts = np.array([p[1] for p in shape.parts])
        order = np.argsort(-(camera[firsts, 2] + camera[firsts + counts - 1, 2]), kind="stable")
    for n in order:
        if not seen[n]:
            continue
        first, count, colour, ra, rb, _ = shape.parts[n]
        span = slice(first, first + count)
        tone = float(light[n]) if facing[n] else 1.0
        if ra > 0 or rb > 0:
            radii = (ra * scale[first] * times_px, rb * scale[first + 1] * times_px)
            _limb(board, place[first], place[first + 1], radii, colour, shape.relief)
        else:
            flat = place[span]
            if camera[span, 2].min() < NEAR_M:
                flat = (view.to_picture(view.cut(camera[span])) - (left, top)) * times_px
            fill(board, flat, times(colour, tone))
    small = board
    if times_px > 1:
        size = (right - left, bottom - top)
        small = cv2.resize(board, size, interpolation=cv2.INTER_AREA)
    depth = view.depth(pose.x_m, pose.z_m)
    return Sprite(left, top, small.astype(np.float32), depth, full)


def fill(board: NDArray[np.uint8], points: Points, colour: Colour) -> None:
    """Fill a polygon, anti-aliased, on an RGBA board; points are board pixels."""
    if len(points) < 3:
        return
    fixed = np.clip(points * 16 - 8, -3e5, 3e5).astype(np.int32)
    cv2.fillPoly(board, [fixed], _rgba(colour), cv2.LINE_AA, _FIX)


def _limb(
    board: NDArray[np.uint8], a: Points, b: Points, radii: tuple[float, float], colour: Colour,
    relief: float,
) -> None:  # fmt: skip
    """A tapered, rounded bar, lit along its upper left side."""
    angle = float(np.arctan2(b[1] - a[1], b[0] - a[0]))
    ra, rb = max(radii[0], 0.35), max(radii[1], 0.35)
    for shrink, tone, shift in ((1.0, 1 - 0.2 * relief, 0.0), (0.66, 1 + 0.06 * relief, -0.22)):
        if shrink < 1 and max(ra, rb) < 1.2:
            continue
        arc_b = angle + _ARC
        arc_a = arc_b + np.pi
        end_b = b + shift * rb + shrink * rb * np.stack([np.cos(arc_b), np.sin(arc_b)], 1)
        end_a = a + shift * ra + shrink * ra * np.stack([np.cos(arc_a), np.sin(arc_a)], 1)
        fill(board, np.concatenate([end_b, end_a]), times(colour, tone))


def _rgba(colour: Colour) -> tuple[float, float, float, float]:
    r, g, b = (min(max(c, 0.0), 255.0) for c in colour)
    return (r, g, b, 255.0)


def _bounds(pixels: Points, scale: Points, shape: Shape) -> tuple[float, float, float, float]:
    """The box around a body in pixels, limbs with their thickness."""
    reach = np.zeros(len(pixels), np.float32)
    for first, count, _, ra, rb, _ in shape.parts:
        if ra > 0 or rb > 0:
            reach[first], reach[first + count - 1] = ra, rb
    grown = (reach * scale)[:, None]
    low, high = (pixels - grown).min(0), (pixels + grown).max(0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])
