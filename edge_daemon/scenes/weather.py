"""What comes between the street and the picture: rain, the lens, and the sensor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from edge_daemon.scenes import texture

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from edge_daemon.scenes.daylight import Air

    Points = NDArray[np.float32]

_PX_PER_DROP: Final = 900
_FIX: Final = 3  # fractional bits of the streaks' coordinates


def expose(canvas: Points, air: Air, rng: Generator, softness_px: float) -> NDArray[np.uint8]:
    """Turn a street (H, W, 3) float32, overwritten, into the camera's uint8 RGB picture."""
    if air.weather == "rain":
        _rain(canvas, air, rng)
    if softness_px > 0.25:
        canvas = np.asarray(cv2.GaussianBlur(canvas, (0, 0), softness_px), np.float32)
    h, w = canvas.shape[:2]
    noise = texture.sensor()
    top, left = (max(room, 0) for room in (noise.shape[0] - h, noise.shape[1] - w))
    start = rng.integers((left + 1, top + 1))
    canvas += texture.cut(noise, int(start[0]), int(start[1]), w, h) * np.float32(air.grain)
    return np.clip(canvas, 0, 255, out=canvas).astype(np.uint8)


def _rain(canvas: Points, air: Air, rng: Generator) -> None:
    """Streaks, brighter than what is behind them."""
    h, w = canvas.shape[:2]
    layer = np.zeros((h, w), np.uint8)
    slant = float(rng.uniform(-0.12, 0.12))
    low, high = (-0.05 * w, -0.1 * h, 0.02 * h, 30), (1.05 * w, h, 0.09 * h, 110)
    for x, y, long, shade in rng.uniform(low, high, (h * w // _PX_PER_DROP, 4)).tolist():
        a = (round(x * (1 << _FIX)), round(y * (1 << _FIX)))
        b = (round((x + slant * long) * (1 << _FIX)), round((y + long) * (1 << _FIX)))
        cv2.line(layer, a, b, (shade,), 1, cv2.LINE_AA, _FIX)
    bright = np.float32(150 if air.time == "day" else 90)
    canvas += (bright - canvas * np.float32(0.55)) * (layer[:, :, None] * np.float32(1 / 255))
