"""House fronts, as flat pictures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge_daemon.scenes import texture
from edge_daemon.scenes.shape import Colour, times

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Board = NDArray[np.uint8]

N_FACADES = 160
_PX_PER_M = 12
_WALLS: tuple[Colour, ...] = (
    (196, 182, 160), (168, 104, 82), (140, 86, 70), (206, 200, 190), (178, 178, 180), (120, 118, 116),
    (214, 196, 150), (150, 160, 150), (188, 150, 120), (98, 94, 96), (224, 214, 206),
)  # fmt: skip
_SHOPS: tuple[Colour, ...] = (
    (150, 30, 34), (26, 70, 110), (30, 94, 70), (200, 150, 40), (60, 50, 70), (220, 218, 210),
)


@dataclass(frozen=True, slots=True, eq=False)
class Facade:
    """A wall seen straight on.  paint is uint8 (H, W, 4): RGB, and how much its windows shine."""

    paint: Board
    long_m: float
    tall_m: float


@lru_cache(maxsize=256)
def facade(seed: int, *, lit: bool) -> Facade:
    """The house front of that number, 0 to N_FACADES - 1."""
    rng = np.random.default_rng((seed, 21))
    tall_m = float(rng.choice([rng.uniform(3.6, 7), rng.uniform(7, 16)]))
    return _painted(rng, float(rng.uniform(7, 18)), tall_m, lit=lit, plain=False)


@lru_cache(maxsize=256)
def gable(seed: int) -> Facade:
    """The side wall that goes with a front."""
    front = facade(seed, lit=False)
    return _painted(np.random.default_rng((seed, 22)), 9.0, front.tall_m, lit=False, plain=True)


def _painted(rng: Generator, long_m: float, tall_m: float, *, lit: bool, plain: bool) -> Facade:
    w, h = int(long_m * _PX_PER_M), int(tall_m * _PX_PER_M)
    wall = _WALLS[int(rng.integers(len(_WALLS)))]
    if plain:
        wall = times(wall, 0.82)
    board = np.full((h, w, 3), np.array(wall, np.uint8), np.uint8)
    lights = np.zeros((h, w), np.uint8)
    if rng.random() < 0.4:
        for y in range(h % 4, h, 4):
            cv2.line(board, (0, y), (w, y), times(wall, 0.9), 1)
    if not plain:
        _windows(board, lights, rng, wall, lit=lit)
        _street_level(board, lights, rng, wall, lit=lit)
    cv2.rectangle(board, (0, 0), (w, 3), times(wall, 0.7), -1)
    start = rng.integers(texture.TILE, size=2)
    stain = texture.cut(texture.clouds(), int(start[0]), int(start[1]), w, h)
    fine = texture.cut(texture.grit(), int(start[1]), int(start[0]), w, h)
    factor = 1 + 0.05 * stain + 0.04 * fine
    rgb = np.clip(board * factor[:, :, None], 0, 255).astype(np.uint8)
    return Facade(np.dstack([rgb, lights]), long_m, tall_m)


def _windows(board: Board, lights: Board, rng: Generator, wall: Colour, *, lit: bool) -> None:
    h, w = lights.shape
    floor, first = int(rng.uniform(2.9, 3.5) * _PX_PER_M), int(3.4 * _PX_PER_M)
    wide, high = int(rng.uniform(0.8, 2.0) * _PX_PER_M), int(rng.uniform(1.2, 1.9) * _PX_PER_M)
    step = int(wide * rng.uniform(1.5, 2.4))
    glass = times((88, 104, 120), float(rng.uniform(0.5, 1.3)))
    frame = (230, 228, 222) if rng.random() < 0.6 else times(wall, 0.55)
    for y in range(h - first - floor + 8, 4, -floor):
        for x in range(step // 3, w - wide - 2, step):
            tone = times(glass, float(rng.uniform(0.7, 1.35)))
            cv2.rectangle(board, (x - 1, y - 1), (x + wide + 1, y + high + 1), frame, -1)
            cv2.rectangle(board, (x, y), (x + wide, y + high), tone, -1)
            if rng.random() < 0.35:
                drop = int(high * rng.uniform(0.2, 0.8))
                cv2.rectangle(board, (x, y), (x + wide, y + drop), (206, 200, 190), -1)
            cv2.line(board, (x + wide // 2, y), (x + wide // 2, y + high), frame, 1)
            if lit and rng.random() < 0.35:
                shine = float(rng.uniform(90, 235))
                cv2.rectangle(lights, (x, y), (x + wide, y + high), shine, -1)


def _street_level(board: Board, lights: Board, rng: Generator, wall: Colour, *, lit: bool) -> None:
    h, w = lights.shape
    top = h - int(3.1 * _PX_PER_M)
    if top < 2:
        return
    if rng.random() < 0.5:  # a shop
        sign = _SHOPS[int(rng.integers(len(_SHOPS)))]
        cv2.rectangle(board, (0, top), (w, top + 9), sign, -1)
        for x in range(12, w - 12, 7):
            if (x // 7) % 5:
                cv2.rectangle(board, (x, top + 3), (x + 3, top + 6), (232, 230, 224), -1)
        x = 4
        while x < w - 20:
            wide = int(rng.uniform(1.4, 3.0) * _PX_PER_M)
            tone = times((70, 82, 90), float(rng.uniform(0.6, 1.2)))
            cv2.rectangle(board, (x, top + 11), (min(x + wide, w - 4), h - 7), tone, -1)
            for _ in range(6):
                gx, gy = int(rng.integers(x, x + wide)), int(rng.integers(top + 14, h - 10))
                goods = tuple(float(c) for c in rng.integers(40, 220, 3))
                cv2.rectangle(board, (gx, gy), (gx + 5, gy + 6), goods, -1)
            if lit and rng.random() < 0.6:
                shine = float(rng.uniform(120, 240))
                cv2.rectangle(lights, (x, top + 11), (min(x + wide, w - 4), h - 7), shine, -1)
            x += wide + 5
        return
    for x in range(int(rng.uniform(4, 30)), w - 16, int(rng.uniform(40, 90))):
        door = times(_SHOPS[int(rng.integers(len(_SHOPS)))], 0.7)
        cv2.rectangle(board, (x, h - 27), (x + 12, h), times(wall, 0.5), -1)
        cv2.rectangle(board, (x + 1, h - 26), (x + 11, h), door, -1)
        if x + 36 < w:
            cv2.rectangle(board, (x + 18, h - 28), (x + 34, h - 12), (90, 104, 116), -1)
            if lit and rng.random() < 0.4:
                cv2.rectangle(lights, (x + 18, h - 28), (x + 34, h - 12), 200.0, -1)
