"""Noise that makes surfaces look like surfaces: made once, cut out where needed."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Grey = NDArray[np.float32]

TILE: Final = 512
"""Pixels a side of clouds() and grit(), which continue across their edges."""


@cache
def clouds() -> Grey:
    """Soft noise over all sizes, mean 0, spread 1, (TILE, TILE).

    Source: value noise in octaves, K. Perlin, An image synthesizer, SIGGRAPH 1985.
    """
    rng = np.random.default_rng(11)
    total = np.zeros((TILE, TILE), np.float32)
    for octave in range(2, 9):
        cells = 2**octave
        step = TILE // cells
        coarse = np.pad(rng.standard_normal((cells, cells)), ((0, 2), (0, 2)), mode="wrap")
        size = ((cells + 2) * step,) * 2
        grown = cv2.resize(coarse.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
        total += grown[step : step + TILE, step : step + TILE] * np.float32(1.7**-octave)
    return _normal(total)


@cache
def grit() -> Grey:
    """Fine noise, mean 0, spread 1, (TILE, TILE)."""
    fine = np.random.default_rng(12).standard_normal((TILE, TILE)).astype(np.float32)
    return _normal(cv2.GaussianBlur(fine, (0, 0), 0.8).astype(np.float32))


@cache
def sensor() -> Grey:
    """Camera noise: brightness and a little colour, mean 0, spread 1, (768, 1280, 3)."""
    rng = np.random.default_rng(13)
    light = rng.standard_normal((768, 1280, 1), np.float32)
    colour = rng.standard_normal((768, 1280, 3), np.float32)
    mixed = np.float32(0.85) * light + np.float32(0.45) * colour
    return _normal(cv2.GaussianBlur(mixed, (0, 0), 0.55).astype(np.float32))


def cut(tile: Grey, left: int, top: int, width: int, height: int) -> Grey:
    """A piece of noise from any place on, (height, width, ...); may share its memory."""
    high, wide = tile.shape[:2]
    left, top = left % wide, top % high
    if top + height <= high and left + width <= wide:
        return tile[top : top + height, left : left + width]
    rows, columns = np.arange(top, top + height), np.arange(left, left + width)
    return tile[np.ix_(rows % high, columns % wide)]


def spread(tile: Grey, x: Grey, y: Grey) -> Grey:
    """The tile at coordinates in its pixels, same shape as x."""
    wrapped = np.mod(x, np.float32(TILE)), np.mod(y, np.float32(TILE))
    found = cv2.remap(tile, *wrapped, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return found.astype(np.float32, copy=False)


def _normal(noise: Grey) -> Grey:
    normal: Grey = (noise - noise.mean(dtype=np.float32)) / noise.std(dtype=np.float32)
    return normal
