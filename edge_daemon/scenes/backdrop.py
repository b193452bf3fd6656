"""Everything that never moves: sky, ground, buildings, and the light on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from edge_daemon.scenes import texture
from edge_daemon.scenes.buildings import Layers, paint_buildings
from edge_daemon.scenes.ground import ground_noise, paint_ground
from edge_daemon.scenes.shape import Colour, mix, times

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from edge_daemon.scenes.daylight import Air
    from edge_daemon.scenes.place import Place
    from edge_daemon.scenes.view import View

    Points = NDArray[np.float32]

_SKY_M: Final = 400.0  # depth of the sky
_OVERSAMPLE: Final = 2
_LIGHT_STEP_PX: Final = 4  # light is worked out on every so many pixels


def paint_backdrop(rng: Generator, place: Place, air: Air) -> Points:
    """Paint the street without anybody in it: float32 (H, W, 3) in [0, 255], lit and hazed."""
    view = place.view
    fine = view.finer(_OVERSAMPLE)
    board = np.zeros((fine.height, fine.width, 3), np.uint8)
    _sky(board, rng, fine, air)
    _skyline(board, rng, fine, air)
    paint_ground(board, rng, place, fine)
    size = (view.width, view.height)
    rgb = cv2.resize(board, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    rgb *= ground_noise(rng, place)
    layers = Layers(rgb, np.zeros_like(rgb), _depth(view))
    paint_buildings(layers, rng, place, lit=air.lit)
    return _lit(layers, view, air)


def _depth(view: View) -> Points:
    """Depth of the ground and the sky, (H, W) metres."""
    below = np.arange(view.height, dtype=np.float32) + np.float32(0.5 - view.horizon_px)
    ground = np.float32(view.focal_px * view.y_m) / np.maximum(below, np.float32(1e-3))
    rows = np.where(below > 0, np.minimum(ground, np.float32(_SKY_M - 1)), np.float32(_SKY_M))
    return np.repeat(rows[:, None], view.width, 1).astype(np.float32, copy=False)


def _sky(board: NDArray[np.uint8], rng: Generator, view: View, air: Air) -> None:
    start = rng.integers(texture.TILE, size=2)
    bottom = int(np.clip(view.horizon_px + 2, 0, view.height))
    if bottom < 1:
        return
    share = np.linspace(0, 1, bottom, dtype=np.float32)[:, None] ** 1.5
    top, low = np.array(air.sky_top, np.float32), np.array(air.sky_low, np.float32)
    clear = top + (low - top) * share  # (rows, 3)
    white = np.minimum(low * 1.12 + 8, 255) - clear
    small = texture.cut(texture.clouds(), int(start[0]), int(start[1]), 96, 48)
    soft = np.clip(small * 0.5 + 0.1, 0, 1) * np.float32(0.8)
    cloud = cv2.resize(soft, (view.width, bottom), interpolation=cv2.INTER_LINEAR)
    board[:bottom] = clear[:, None] + cloud[:, :, None] * white[:, None]


def _skyline(board: NDArray[np.uint8], rng: Generator, view: View, air: Air) -> None:
    """Far houses, or a line of trees, along the horizon."""
    bottom = int(view.horizon_px)
    if bottom < 2:
        return
    dim = float(air.ambient[1])
    if rng.random() < 0.5:
        for x, wide, tall, red, green, blue in _far_houses(rng):
            house: Colour = (red, red * green, red * blue)
            left, top = int(x * view.width), bottom - int(tall * bottom)
            corner = (left + int(wide * view.width), bottom + 2)
            cv2.rectangle(board, (left, top), corner, mix(times(house, dim), air.sky_low, 0.3), -1)
        return
    tree = mix(times((70, 96, 62), dim), air.sky_low, float(rng.uniform(0.1, 0.4)))
    start = rng.integers(texture.TILE, size=2)
    line = texture.cut(texture.clouds(), int(start[0]), int(start[1]), 160, 1)[0]
    high = view.height * float(rng.uniform(0.4, 1.2))
    tops = bottom - (0.14 + 0.06 * line) * high
    outline = np.stack([np.linspace(-2, view.width + 2, 160), tops], 1)
    feet = np.array([(view.width + 2, bottom + 2), (-2, bottom + 2)])
    cv2.fillPoly(board, [np.concatenate([outline, feet]).astype(np.int32)], tree)


def _far_houses(rng: Generator) -> list[list[float]]:
    """Left edge, width, height, brightness, greenness, blueness of some houses."""
    count = int(rng.integers(6, 16))
    low, high = (-0.1, 0.03, 0.05, 90, 0.9, 0.8), (1.0, 0.16, 0.5, 180, 1.0, 1.0)
    houses: list[list[float]] = rng.uniform(low, high, (count, 6)).tolist()
    return houses


def _lit(layers: Layers, view: View, air: Air) -> Points:
    """Light the painted street and put the air in front of it; overwrites layers.rgb."""
    depth, step = layers.depth_m, _LIGHT_STEP_PX
    size = (max(view.width // step, 1), max(view.height // step, 1))
    coarse = np.asarray(cv2.resize(depth, size, interpolation=cv2.INTER_NEAREST), np.float32)
    columns = (np.arange(size[0], dtype=np.float32) + np.float32(0.5)) * np.float32(step)
    aside = (columns - np.float32(view.width / 2))[None] * coarse / np.float32(view.focal_px)
    light = cv2.resize(air.light_at(*view.place(aside, coarse)), (view.width, view.height))
    sky = depth >= _SKY_M
    light[sky] = 1.0
    rgb = layers.rgb
    rgb *= light
    rgb += layers.glow
    clear = np.exp(depth * np.float32(-air.fog_per_m))
    if air.weather != "fog":
        clear[sky] = 1.0
    rgb -= air.haze
    rgb *= clear[:, :, None]
    rgb += air.haze
    np.minimum(rgb, np.float32(255), out=rgb)
    return rgb
