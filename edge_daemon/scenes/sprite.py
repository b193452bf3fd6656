"""How a body becomes a small picture with soft edges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from edge_daemon.scenes.view import NEAR_M, View

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_daemon.scenes.shape import Outline, Pose, Shape

    Points = NDArray[np.float32]
    Board = NDArray[np.uint8]

FIX: Final = 4  # fractional bits of OpenCV's drawing coordinates
_ARC: Final = np.linspace(-np.pi / 2, np.pi / 2, 6, dtype=np.float32)
_OVERSAMPLED_PX: Final = 520  # a sprite is drawn up to about this many pixels a side
_HIGHLIGHT: Final = 0.66  # size of a limb's lit part, which lies towards the upper left
_SHIFT: Final = -0.22

_SPREAD: Final = np.array(  # points in a box, as shares of its sides
    [(x, y, z) for x in (0.1, 0.5, 0.9) for y in (0.1, 0.3, 0.5, 0.7, 0.9)
     for z in np.linspace(0.05, 0.95, 10)], np.float32
)  # fmt: skip

Paint = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Sprite:
    """A drawn body: premultiplied float32 RGBA in [0, 255] at (left, top) of the picture.

    rows is its first and last row, also where they are outside the picture; inside is the share
    of the body, by its own measures, that is in the picture.
    """

    left: int
    top: int
    rgba: Points
    depth_m: float
    rows: tuple[float, float]
    inside: float

    @property
    def alpha(self) -> Points:
        """Coverage in [0, 1], shape (h, w, 1)."""
        covered: Points = self.rgba[:, :, 3:] * np.float32(1 / 255)
        return covered


def draw(shape: Shape, pose: Pose, view: View, sun: Points, contrast: float) -> Sprite | None:
    """Draw a body; None when it is outside the picture.

    sun points to the light; contrast in [0, 1] is how much faces turned away are darker.
    """
    outline = shape.outline
    world = pose.to_world(outline.points)
    camera = view.to_camera(world)
    depth = camera[:, 2]
    if depth.min() < NEAR_M and (depth.max() < 1.0 or not outline.facing.any()):
        return None
    pixels = view.to_picture(camera)
    scale = (view.focal_px / np.maximum(depth, NEAR_M)).astype(np.float32)
    full = _bounds(outline, pixels, scale)
    left, top = max(int(full[0]) - 2, 0), max(int(full[1]) - 2, 0)
    width = min(int(full[2]) + 3, view.width) - left
    height = min(int(full[3]) + 3, view.height) - top
    if width < 2 or height < 2:
        return None
    k = int(np.clip(_OVERSAMPLED_PX / max(width, height), 1, 4))
    board = np.zeros((height * k, width * k, 4), np.uint8)
    normals = pose.turn(outline.normals)
    seen = ~outline.facing | (((view.eye - world[outline.begin]) * normals).sum(1) > 0)
    light = 1 - contrast * (0.5 - 0.5 * (normals @ sun)) + 0.12 * normals[:, 1]
    colours = paints(outline.colours * np.where(outline.facing, light, 1.0)[:, None])
    corner = np.array((left, top), np.float32)
    limbs = _limbs(outline, (pixels - corner) * k, scale * k, shape.relief)
    faces = fixed((pixels - corner) * k)
    for n in shape.order(pose.to_local(view.eye), depth):
        if n in limbs:
            for polygon, colour in limbs[n]:
                cv2.fillConvexPoly(board, polygon, colour, cv2.LINE_AA, FIX)
        elif seen[n]:
            span = slice(outline.begin[n], outline.end[n])
            face = faces[span]
            if depth[span].min() < NEAR_M:
                face = fixed((view.to_picture(view.cut(camera[span])) - corner) * k)
            if len(face) > 2:
                cv2.fillPoly(board, [face], colours[n], cv2.LINE_AA, FIX)
    inside = 1.0
    if full[0] < 0 or full[1] < 0 or full[2] > view.width or full[3] > view.height:
        inside = _share_inside(outline, pose, view)
    depth_m = view.depth(pose.x_m, pose.z_m)
    return Sprite(left, top, _shrunk(board, k), depth_m, (full[1], full[3]), inside)


def fixed(points: Points) -> NDArray[np.int32]:
    """Pixels (..., 2) as OpenCV's fixed-point coordinates, pixel centres at whole numbers."""
    shifted = np.clip(points * (1 << FIX) - (1 << FIX) / 2, -3e5, 3e5)
    whole: NDArray[np.int32] = shifted.astype(np.int32)
    return whole


def paints(colours: Points) -> list[Paint]:
    """Colours (N, 3) as opaque RGBA."""
    rows: list[list[float]] = np.clip(colours, 0, 255).tolist()
    return [(r, g, b, 255.0) for r, g, b in rows]


def _shrunk(board: Board, k: int) -> Points:
    if k > 1:
        size = (board.shape[1] // k, board.shape[0] // k)
        return cv2.resize(board, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    return board.astype(np.float32)


def _limbs(
    outline: Outline, place: Points, scale: Points, relief: float
) -> dict[int, list[tuple[NDArray[np.int32], Paint]]]:
    """The polygons of every limb: the whole of it, and its lit part where it is thick enough."""
    if len(outline.limbs) == 0:
        return {}
    first, last = outline.begin[outline.limbs], outline.end[outline.limbs] - 1
    a, b = place[first], place[last]  # (L, 2)
    radii = outline.radii[outline.limbs] * np.stack([scale[first], scale[last]], 1)  # (L, 2)
    radii = np.maximum(radii, 0.35)
    along = np.arctan2(b[:, 1] - a[:, 1], b[:, 0] - a[:, 0])[:, None] + _ARC  # (L, 6)
    way = np.stack([np.cos(along), np.sin(along)], 2)  # (L, 6, 2)
    ra, rb = radii[:, :1, None], radii[:, 1:, None]  # (L, 1, 1)
    a, b = a[:, None], b[:, None]
    whole = fixed(np.concatenate([b + rb * way, a - ra * way], 1))  # (L, 12, 2)
    lit_b, lit_a = b + rb * (_SHIFT + _HIGHLIGHT * way), a + ra * (_SHIFT - _HIGHLIGHT * way)
    lit = fixed(np.concatenate([lit_b, lit_a], 1))
    colours = outline.colours[outline.limbs]
    dark, bright = paints(colours * (1 - 0.2 * relief)), paints(colours * (1 + 0.06 * relief))
    thick = (radii.max(1) >= 1.2).tolist()
    found = {}
    for k, n in enumerate(outline.limbs.tolist()):
        found[n] = [(whole[k], dark[k])] + ([(lit[k], bright[k])] if thick[k] else [])
    return found


def _share_inside(outline: Outline, pose: Pose, view: View) -> float:
    """How much of the box around a body is in the picture, by points spread evenly over it."""
    low, high = outline.points.min(0), outline.points.max(0)
    camera = view.to_camera(pose.to_world(low + (high - low) * _SPREAD))
    u, v = view.to_picture(camera).T
    across, down = (u >= 0) & (u < view.width), (v >= 0) & (v < view.height)
    return float((across & down & (camera[:, 2] > NEAR_M)).mean())


def _bounds(outline: Outline, pixels: Points, scale: Points) -> tuple[float, float, float, float]:
    """The box around a body in pixels, limbs with their thickness."""
    reach = np.zeros(len(pixels), np.float32)
    reach[outline.begin[outline.limbs]] = outline.radii[outline.limbs, 0]
    reach[outline.end[outline.limbs] - 1] = outline.radii[outline.limbs, 1]
    grown = (reach * scale)[:, None]
    low, high = (pixels - grown).min(0), (pixels + grown).max(0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])
