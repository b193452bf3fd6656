"""The road, its pavements and its markings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge_daemon.scenes import texture
from edge_daemon.scenes.shape import Colour, mix, times
from edge_daemon.scenes.sprite import FIX, fixed

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from edge_daemon.scenes.place import Place
    from edge_daemon.scenes.view import View

    Points = NDArray[np.float32]

_ASPHALT: tuple[Colour, ...] = ((92, 92, 94), (74, 74, 78), (112, 110, 108), (60, 61, 64))
_PAVING: tuple[Colour, ...] = ((158, 152, 146), (138, 134, 132), (176, 168, 156), (150, 128, 116))
_GRASS: tuple[Colour, ...] = ((84, 112, 58), (104, 122, 66), (74, 98, 62), (134, 128, 84))


@dataclass(frozen=True, slots=True, eq=False)
class _Board:
    """A picture (H, W, 3) uint8 that is painted on, seen through a camera."""

    rgb: NDArray[np.uint8]
    view: View

    def patch(self, a: tuple[float, float], b: tuple[float, float], colour: Colour) -> None:
        """Fill a rectangle of the ground between two corners (x, z)."""
        (x1, z1), (x2, z2) = a, b
        corners = [(x1, 0, z1), (x2, 0, z1), (x2, 0, z2), (x1, 0, z2)]
        flat = self.view.polygon(np.array(corners, np.float32))
        if len(flat) > 2 and flat[:, 1].min() < self.view.height:
            cv2.fillPoly(self.rgb, [fixed(flat)], colour, cv2.LINE_AA, FIX)

    def strip(self, x1: float, x2: float, colour: Colour) -> None:
        """Fill everything between two lines along the road."""
        self.patch((x1, -60.0), (x2, 400.0), colour)


def paint_ground(rgb: NDArray[np.uint8], rng: Generator, place: Place, view: View) -> None:
    """Paint everything below the horizon; view is place.view, or a finer one."""
    board = _Board(rgb, view)
    asphalt = _ASPHALT[int(rng.integers(len(_ASPHALT)))]
    paving = _PAVING[int(rng.integers(len(_PAVING)))]
    behind = _GRASS[int(rng.integers(len(_GRASS)))] if place.green else times(paving, 0.93)
    top = int(np.clip(view.horizon_px + 1, 0, view.height))
    rgb[top:] = np.array(behind, np.uint8)
    r, edge = place.road_half_m, place.edge_m
    board.strip(-edge, edge, paving)
    if rng.random() < 0.5:
        _slabs(board, place, times(paving, 0.8))
    board.strip(-r - 0.16, r + 0.16, mix(paving, (210, 208, 204), 0.5))
    board.strip(-r, r, asphalt)
    for side in (-1, 1):
        board.strip(side * r - 0.02, side * r + 0.05, times(asphalt, 0.6))
    paint: Colour = (214, 212, 204) if rng.random() < 0.8 else (226, 190, 70)
    fresh = float(rng.uniform(0.6, 1.0))
    _lines(board, rng, place, mix(asphalt, paint, fresh))
    if place.zebra_z is not None:
        white = mix(asphalt, (232, 230, 224), max(fresh, 0.8))
        _crossing(board, place, place.zebra_z, (asphalt, white))


def ground_noise(rng: Generator, place: Place) -> Points:
    """Factor (H, W, 1): stains and grit that lie on the ground in perspective."""
    view = place.view
    factor = np.ones((view.height, view.width, 1), np.float32)
    top = int(np.clip(view.horizon_px + 2, 0, view.height))
    if top >= view.height - 1:
        return factor
    rows = np.arange(top, view.height, dtype=np.float32)[:, None] + np.float32(0.5)
    columns = np.arange(view.width, dtype=np.float32)[None] + np.float32(0.5)
    depth = np.float32(view.focal_px * view.y_m) / (rows - np.float32(view.horizon_px))
    aside = (columns - np.float32(view.width / 2)) * depth / np.float32(view.focal_px)
    x, z = view.place(aside, depth)
    shift = rng.integers(texture.TILE, size=4).astype(np.float32)
    coarse = texture.spread(texture.clouds(), x * 14 + shift[0], z * 14 + shift[1])
    fine = texture.spread(texture.grit(), x * 60 + shift[2], z * 60 + shift[3])
    strength = np.float32(rng.uniform(0.03, 0.10))
    factor[top:, :, 0] += strength * coarse + 0.07 * np.clip(18 / depth, 0, 1) * fine
    return factor


def _lines(board: _Board, rng: Generator, place: Place, white: Colour) -> None:
    """The broken middle line, and lines along the kerbs."""
    if rng.random() < 0.85:
        for k in range(-4, 24):
            board.patch((-0.06, k * 4.0), (0.06, k * 4.0 + 2.2), white)
    if rng.random() < 0.4:
        for side in (-1, 1):
            x = side * (place.road_half_m - 0.35)
            board.strip(x - 0.05, x + 0.05, white)


def _crossing(board: _Board, place: Place, z: float, colours: tuple[Colour, Colour]) -> None:
    """A zebra crossing at z, and stop lines before it; colours are of the road and the paint."""
    asphalt, white = colours
    r = place.road_half_m
    board.patch((-r, z - 1.6), (r, z + 1.6), asphalt)
    count = int(2 * r)
    step = 2 * r / count
    for k in range(count):
        x = -r + step * (k + 0.25)
        board.patch((x, z - 1.5), (x + step * 0.5, z + 1.5), white)
    for side in (-1, 1):
        x1, x2 = sorted((0.1 * side, side * (r - 0.2)))
        stop = z - side * place.drives_right * 2.9
        board.patch((x1, stop - 0.17), (x2, stop + 0.17), white)


def _slabs(board: _Board, place: Place, joint: Colour) -> None:
    for side in (-1, 1):
        x1, x2 = sorted((side * (place.road_half_m + 0.2), side * place.edge_m))
        for k in range(-3, 14):
            board.patch((x1, k * 1.5), (x2, k * 1.5 + 0.03), joint)
