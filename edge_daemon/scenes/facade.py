"""House fronts, as flat pictures.  There are N_FACADES of them, painted when first needed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from edge_daemon.scenes import texture
from edge_daemon.scenes.shape import Colour, mix, times

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Board = NDArray[np.uint8]

N_FACADES: Final = 160
_PX_PER_M: Final = 12
_GROUND_FLOOR_PX: Final = int(3.1 * _PX_PER_M)
_GABLE_M: Final = 9.0
_WALLS: tuple[Colour, ...] = (
    (196, 182, 160), (168, 104, 82), (140, 86, 70), (206, 200, 190), (178, 178, 180),
    (120, 118, 116), (214, 196, 150), (150, 160, 150), (188, 150, 120), (98, 94, 96),
    (224, 214, 206),
)  # fmt: skip
_SIGNS: tuple[Colour, ...] = (
    (150, 30, 34), (26, 70, 110), (30, 94, 70), (200, 150, 40), (60, 50, 70), (220, 218, 210),
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Facade:
    """A wall seen straight on.  paint is uint8 (H, W, 4): RGB, and how much its windows shine."""

    paint: Board
    long_m: float
    tall_m: float


@lru_cache(maxsize=3 * N_FACADES)
def facade(number: int, *, lit: bool) -> Facade:
    """The house front of that number, 0 to N_FACADES - 1; lit: some windows shine."""
    rng = np.random.default_rng((number, 21))
    long_m = float(rng.uniform(7, 18))
    tall_m = float(rng.choice([rng.uniform(3.6, 7), rng.uniform(7, 16)]))
    wall = _Wall.plain(rng, long_m, tall_m, _WALLS[int(rng.integers(len(_WALLS)))])
    _windows(wall, rng)
    (_shop if rng.random() < 0.5 else _doors)(wall, rng)
    if not lit:
        wall.lights[:] = 0
    return wall.finished(rng, long_m, tall_m)


@lru_cache(maxsize=N_FACADES)
def gable(number: int) -> Facade:
    """The side wall that goes with a front."""
    rng = np.random.default_rng((number, 22))
    tall_m = facade(number, lit=False).tall_m
    colour = times(_WALLS[int(rng.integers(len(_WALLS)))], 0.82)
    return _Wall.plain(rng, _GABLE_M, tall_m, colour).finished(rng, _GABLE_M, tall_m)


@dataclass(frozen=True, slots=True, eq=False)
class _Wall:
    """A wall while it is painted: rgb (H, W, 3), lights (H, W)."""

    rgb: Board
    lights: Board
    colour: Colour

    @staticmethod
    def plain(rng: Generator, long_m: float, tall_m: float, colour: Colour) -> _Wall:
        """A wall of one colour, some of them with courses of bricks."""
        w, h = int(long_m * _PX_PER_M), int(tall_m * _PX_PER_M)
        rgb = np.full((h, w, 3), np.array(colour, np.uint8), np.uint8)
        wall = _Wall(rgb, np.zeros((h, w), np.uint8), colour)
        if rng.random() < 0.4:
            for y in range(h % 4, h, 4):
                wall.fill((0, y), (w, y), times(colour, 0.9))
        return wall

    def fill(self, a: tuple[int, int], b: tuple[int, int], colour: Colour) -> None:
        """Fill a rectangle between corners (x, y), both included."""
        cv2.rectangle(self.rgb, a, b, colour, -1)

    def light(self, a: tuple[int, int], b: tuple[int, int], strength: float) -> None:
        """Let a rectangle shine."""
        cv2.rectangle(self.lights, a, b, (strength,), -1)

    def finished(self, rng: Generator, long_m: float, tall_m: float) -> Facade:
        """The wall with its eaves, stains and grit."""
        h, w = self.lights.shape
        self.fill((0, 0), (w, 3), times(self.colour, 0.7))
        left, top = (int(v) for v in rng.integers(texture.TILE, size=2))
        stain = texture.cut(texture.clouds(), left, top, w, h)
        grit = texture.cut(texture.grit(), top, left, w, h)
        factor = (1 + 0.05 * stain + 0.04 * grit)[:, :, None]
        rgb = np.clip(self.rgb * factor, 0, 255).astype(np.uint8)
        return Facade(np.dstack([rgb, self.lights]), long_m, tall_m)


def _windows(wall: _Wall, rng: Generator) -> None:
    """Rows of windows above the ground floor."""
    h, w = wall.lights.shape
    floor, first = int(rng.uniform(2.9, 3.5) * _PX_PER_M), int(3.4 * _PX_PER_M)
    wide, high = int(rng.uniform(0.8, 2.0) * _PX_PER_M), int(rng.uniform(1.2, 1.9) * _PX_PER_M)
    step = int(wide * rng.uniform(1.5, 2.4))
    glass = times((88, 104, 120), float(rng.uniform(0.5, 1.3)))
    frame: Colour = (230, 228, 222) if rng.random() < 0.6 else times(wall.colour, 0.55)
    for y in range(h - first - floor + 8, 4, -floor):
        for x in range(step // 3, w - wide - 2, step):
            wall.fill((x - 1, y - 1), (x + wide + 1, y + high + 1), frame)
            wall.fill((x, y), (x + wide, y + high), times(glass, float(rng.uniform(0.7, 1.35))))
            if rng.random() < 0.35:
                blind = y + int(high * rng.uniform(0.2, 0.8))
                wall.fill((x, y), (x + wide, blind), (206, 200, 190))
            wall.fill((x + wide // 2, y), (x + wide // 2, y + high), frame)
            if rng.random() < 0.35:
                wall.light((x, y), (x + wide, y + high), float(rng.uniform(90, 235)))


def _shop(wall: _Wall, rng: Generator) -> None:
    """A sign, and windows with goods, along the whole ground floor."""
    h, w = wall.lights.shape
    top = h - _GROUND_FLOOR_PX
    sign = _SIGNS[int(rng.integers(len(_SIGNS)))]
    wall.fill((0, top), (w, top + 9), sign)
    for x in range(12, w - 12, 7):
        if (x // 7) % 5:
            wall.fill((x, top + 3), (x + 3, top + 6), (232, 230, 224))
    x = 4
    while x < w - 20:
        wide = int(rng.uniform(1.4, 3.0) * _PX_PER_M)
        right = min(x + wide, w - 4)
        wall.fill((x, top + 11), (right, h - 7), times((70, 82, 90), float(rng.uniform(0.6, 1.2))))
        for _ in range(6):
            gx, gy = int(rng.integers(x, right)), int(rng.integers(top + 14, h - 10))
            r, g, b = (float(c) for c in rng.uniform(40, 190, 3))
            goods = mix((r, g, b), (90, 90, 90), 0.45)
            wall.fill((gx, gy), (min(gx + 5, right), gy + 6), goods)
        if rng.random() < 0.6:
            wall.light((x, top + 11), (right, h - 7), float(rng.uniform(120, 240)))
        x += wide + 5


def _doors(wall: _Wall, rng: Generator) -> None:
    """Doors, each with a window beside it."""
    h, w = wall.lights.shape
    for x in range(int(rng.uniform(4, 30)), w - 16, int(rng.uniform(40, 90))):
        wall.fill((x, h - 27), (x + 12, h), times(wall.colour, 0.5))
        door = times(_SIGNS[int(rng.integers(len(_SIGNS)))], 0.7)
        wall.fill((x + 1, h - 26), (x + 11, h), door)
        if x + 36 < w:
            wall.fill((x + 18, h - 28), (x + 34, h - 12), (90, 104, 116))
            if rng.random() < 0.4:
                wall.light((x + 18, h - 28), (x + 34, h - 12), 200.0)
