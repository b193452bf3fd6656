"""Noise that makes surfaces look like surfaces: made once, cut out where needed."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Grey = NDArray[np.float32]

TILE = 512


@cache
def clouds() -> Grey:
    """Soft noise over all sizes, mean 0, spread 1, wraps around, (TILE, TILE)."""
    rng = np.random.default_rng(11)
    total = np.zeros((TILE, TILE), np.float32)
    for octave in range(2, 9):
        cells = 2**octave
        coarse = rng.standard_normal((cells, cells)).astype(np.float32)
        wrapped = np.pad(coarse, ((0, 2), (0, 2)), mode="wrap")
        scale = TILE // cells
        grown = cv2.resize(wrapped, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        total += grown[scale : scale + TILE, scale : scale + TILE] / (1.7**octave)
    return np.asarray((total - total.mean()) / total.std(), np.float32)


@cache
def grit() -> Grey:
    """Fine noise, mean 0, spread 1, wraps around, (TILE, TILE)."""
    rng = np.random.default_rng(12)
    fine = rng.standard_normal((TILE, TILE)).astype(np.float32)
    soft = cv2.GaussianBlur(fine, (0, 0), 0.8, borderType=cv2.BORDER_REFLECT)
    return np.asarray(soft / soft.std(), np.float32)


@cache
def sensor() -> Grey:
    """Camera noise: luminance and a little colour, mean 0, spread 1, (1200, 2048, 3)."""
    rng = np.random.default_rng(13)
    light = rng.standard_normal((1200, 2048, 1)).astype(np.float32)
    colour = rng.standard_normal((1200, 2048, 3)).astype(np.float32)
    mixed = 0.85 * light + 0.45 * colour
    return np.asarray(cv2.GaussianBlur(mixed, (0, 0), 0.55), np.float32) * np.float32(1.5)


def cut(tile: Grey, left: int, top: int, width: int, height: int) -> Grey:
    """A piece of a wrapping tile, (height, width)."""
    top, left = top % tile.shape[0], left % tile.shape[1]
    if top + height <= tile.shape[0] and left + width <= tile.shape[1]:
        return tile[top : top + height, left : left + width]
    rows = np.arange(top, top + height) % tile.shape[0]
    columns = np.arange(left, left + width) % tile.shape[1]
    return tile[np.ix_(rows, columns)]


def spread(tile: Grey, x: Grey, y: Grey) -> Grey:
    """The wrapping tile at coordinates in tile pixels, same shape as x."""
    mapped = cv2.remap(
        tile, np.mod(x, TILE).astype(np.float32), np.mod(y, TILE).astype(np.float32),
        cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP,
    )  # fmt: skip
    return np.asarray(mapped, np.float32)
