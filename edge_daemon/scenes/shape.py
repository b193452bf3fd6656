"""Bodies made of flat faces and rounded limbs, and how they become sprites."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import cos, sin
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from edge_daemon.scenes.view import NEAR_M, View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Points = NDArray[np.float32]

Colour = tuple[float, float, float]
Vec = tuple[float, float, float]
Paint = tuple[float, float, float, float]

_FIX = 4  # fractional bits of OpenCV's drawing coordinates
_ARC = np.linspace(-np.pi / 2, np.pi / 2, 6, dtype=np.float32)
_SPRITE_PX = 520  # a sprite is oversampled up to about this many pixels a side
_HIGHLIGHT = 0.66  # size of a limb's lit part, which lies towards the upper left
_SHIFT = -0.22


def times(colour: Colour, factor: float) -> Colour:
    """The colour, darker or lighter."""
    return (colour[0] * factor, colour[1] * factor, colour[2] * factor)


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """The colour between a (share 0) and b (share 1)."""
    k = 1 - share
    return (a[0] * k + b[0] * share, a[1] * k + b[1] * share, a[2] * k + b[2] * share)


class Part(NamedTuple):
    """A face (radii 0) or a limb of a shape: its points, in order, and how it is drawn."""

    first: int
    count: int
    colour: Colour
    ra_m: float
    rb_m: float
    outward: Vec | None
    behind_m: float


@dataclass(slots=True)
class Shape:
    """A body in its own metres: x to its right, y up, z where it heads.

    Faces and limbs are drawn in the order they were added; with sort, farthest first.
    """

    sort: bool = False
    relief: float = 1.0  # how strongly limbs are rounded by shading
    _points: list[Vec] = field(default_factory=list)
    _parts: list[Part] = field(default_factory=list)
    _sections: list[tuple[int, Vec | None]] = field(default_factory=list)
    _outline: Outline | None = None

    def face(self, points: Sequence[Vec], colour: Colour, outward: Vec | None = None) -> None:
        """Add a flat polygon.  With outward it is shaded, and unseen from behind."""
        self._parts.append(Part(len(self._points), len(points), colour, 0.0, 0.0, outward, 0.0))
        self._points.extend(points)

    def limb(
        self, a: Vec, b: Vec, ra_m: float, rb_m: float, colour: Colour, behind_m: float = 0.0
    ) -> None:
        """Add a rounded limb from a to b with a radius at each end.

        It is sorted as if it were so much farther away.
        """
        self._parts.append(Part(len(self._points), 2, colour, ra_m, rb_m, None, behind_m))
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

    @property
    def parts(self) -> list[Part]:
        """Faces and limbs, as added."""
        return self._parts

    @property
    def outline(self) -> Outline:
        """The shape as arrays, made once: nothing may be added afterwards."""
        if self._outline is None:
            self._outline = Outline.of(self._points, self._parts)
        return self._outline


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """A shape's geometry: points (N, 3); per part its first and last point, radii, colour.

    normals (P, 3) count where facing (P,); limbs (L,) are the parts that are limbs.
    """

    points: Points
    first: NDArray[np.int32]
    last: NDArray[np.int32]
    radii: Points  # (P, 2)
    colours: Points  # (P, 3)
    normals: Points
    facing: NDArray[np.bool_]
    behind: Points
    limbs: NDArray[np.int64]

    @staticmethod
    def of(points: Sequence[Vec], parts: Sequence[Part]) -> Outline:
        """Gather the arrays."""
        first = np.array([p.first for p in parts], np.int32)
        count = np.array([p.count for p in parts], np.int32)
        radii = np.array([(p.ra_m, p.rb_m) for p in parts], np.float32)
        normals = np.array([p.outward or (0, 1, 0) for p in parts], np.float32)
        normals /= np.sqrt((normals * normals).sum(1, keepdims=True))
        return Outline(
            np.array(points, np.float32), first, first + count - 1, radii,
            np.array([p.colour for p in parts], np.float32), normals,
            np.array([p.outward is not None for p in parts], bool),
            np.array([p.behind_m for p in parts], np.float32), np.flatnonzero(radii.max(1) > 0),
        )  # fmt: skip


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
        c, s = cos(self.heading_rad), sin(self.heading_rad)
        return np.array([x * c - z * s, y, x * s + z * c], np.float32)

    def turn(self, local: Points) -> Points:
        """Local directions (N, 3) in world directions."""
        c, s = cos(self.heading_rad), sin(self.heading_rad)
        turned: Points = local @ np.array([(c, 0, -s), (0, 1, 0), (s, 0, c)], np.float32)
        return turned


def draw(shape: Shape, pose: Pose, view: View, sun: Points, contrast: float) -> Sprite | None:
    """Draw a body; None when it is outside the picture.

    sun points to the light; contrast in [0, 1] is how much faces turned away are darker.
    """
    body = shape.outline
    world = pose.to_world(body.points)
    camera = view.to_camera(world)
    nearest = float(camera[:, 2].min())
    if nearest < NEAR_M and (camera[:, 2].max() < 1.0 or not body.facing.any()):
        return None
    pixels = view.to_picture(camera)
    scale = view.focal_px / np.maximum(camera[:, 2], NEAR_M)
    full = _bounds(pixels, scale, body)
    left, top = max(int(full[0]) - 2, 0), max(int(full[1]) - 2, 0)
    right, bottom = min(int(full[2]) + 3, view.width), min(int(full[3]) + 3, view.height)
    if right - left < 2 or bottom - top < 2:
        return None
    k = int(np.clip(_SPRITE_PX / max(right - left, bottom - top), 1, 4))
    board = np.zeros(((bottom - top) * k, (right - left) * k, 4), np.uint8)
    place = (pixels - np.array((left, top), np.float32)) * k
    turned = pose.turn(body.normals)
    seen = ~body.facing | (((view.eye - world[body.first]) * turned).sum(1) > 0)
    light = 1 - contrast * (0.5 - 0.5 * (turned @ sun)) + 0.12 * turned[:, 1]
    light[~body.facing] = 1.0
    colours = _paints(body.colours * light[:, None])
    rounded = _limbs(body, place, scale * k, shape.relief)
    flat = _fixed(place)
    for n in _order(shape, pose, view, camera):
        if not seen[n]:
            continue
        if n in rounded:
            for points, colour in rounded[n]:
                cv2.fillConvexPoly(board, points, colour, cv2.LINE_AA, _FIX)
            continue
        span = slice(body.first[n], body.last[n] + 1)
        face = flat[span]
        if nearest < NEAR_M:
            cut = view.to_picture(view.cut(camera[span])) - np.array((left, top), np.float32)
            face = _fixed(cut * k)
        if len(face) > 2:
            cv2.fillPoly(board, [face], colours[n], cv2.LINE_AA, _FIX)
    if k > 1:
        board = cv2.resize(board, (right - left, bottom - top), interpolation=cv2.INTER_AREA)
    return Sprite(left, top, board.astype(np.float32), view.depth(pose.x_m, pose.z_m), full)


def _order(shape: Shape, pose: Pose, view: View, camera: Points) -> Sequence[int]:
    if not shape.sort:
        return shape.ordered(pose.to_local(view.eye))
    body = shape.outline
    depth = camera[body.first, 2] + camera[body.last, 2] + 2 * body.behind
    order: list[int] = np.argsort(-depth, kind="stable").tolist()
    return order


def _limbs(
    body: Outline, place: Points, scale: Points, relief: float
) -> dict[int, list[tuple[NDArray[np.int32], Paint]]]:
    """The polygons of every limb: the whole of it, and its lit part where it is thick enough."""
    if len(body.limbs) == 0:
        return {}
    first, last = body.first[body.limbs], body.last[body.limbs]
    a, b = place[first], place[last]  # (L, 2)
    ra = np.maximum(body.radii[body.limbs, 0] * scale[first], 0.35)
    rb = np.maximum(body.radii[body.limbs, 1] * scale[last], 0.35)
    along = np.arctan2(b[:, 1] - a[:, 1], b[:, 0] - a[:, 0])[:, None] + _ARC  # (L, 6)
    way = np.stack([np.cos(along), np.sin(along)], 2)  # (L, 6, 2)
    thick = (np.maximum(ra, rb) >= 1.2).tolist()
    ra, rb = ra[:, None, None], rb[:, None, None]
    a, b = a[:, None], b[:, None]
    whole = _fixed(np.concatenate([b + rb * way, a - ra * way], 1))
    lit = _fixed(
        np.concatenate([b + rb * (_SHIFT + _HIGHLIGHT * way), a + ra * (_SHIFT - _HIGHLIGHT * way)], 1)
    )
    colours = body.colours[body.limbs]
    dark, bright = _paints(colours * (1 - 0.2 * relief)), _paints(colours * (1 + 0.06 * relief))
    found = {}
    for k, n in enumerate(body.limbs.tolist()):
        found[n] = [(whole[k], dark[k])] + ([(lit[k], bright[k])] if thick[k] else [])
    return found


def _fixed(points: Points) -> NDArray[np.int32]:
    """Board pixels as OpenCV's fixed-point coordinates, pixel centres at whole numbers."""
    return np.clip(points * (1 << _FIX) - (1 << _FIX) / 2, -3e5, 3e5).astype(np.int32)


def _paints(colours: Points) -> list[Paint]:
    """Colours (N, 3) as opaque RGBA."""
    rows: list[list[float]] = np.clip(colours, 0, 255).tolist()
    return [(r, g, b, 255.0) for r, g, b in rows]


def _bounds(pixels: Points, scale: Points, body: Outline) -> tuple[float, float, float, float]:
    """The box around a body in pixels, limbs with their thickness."""
    reach = np.zeros(len(pixels), np.float32)
    reach[body.first[body.limbs]] = body.radii[body.limbs, 0]
    reach[body.last[body.limbs]] = body.radii[body.limbs, 1]
    grown = (reach * scale)[:, None]
    low, high = (pixels - grown).min(0), (pixels + grown).max(0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])
