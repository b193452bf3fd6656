"""What comes between the street and the picture: rain, the lens, and the sensor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge_daemon.scenes import texture

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from edge_daemon.scenes.daylight import Air

    Points = NDArray[np.float32]


def expose(canvas: Points, air: Air, rng: Generator, softness_px: float) -> NDArray[np.uint8]:
    """Turn a street (H, W, 3) float32, overwritten, into the camera's uint8 RGB picture."""
    if air.weather == "rain":
        _rain(canvas, air, rng)
    if softness_px > 0.25:
        canvas = cv2.GaussianBlur(canvas, (0, 0), softness_px)
    h, w = canvas.shape[:2]
    noise = texture.sensor()
    top, left = int(rng.integers(noise.shape[0] - h + 1)), int(rng.integers(noise.shape[1] - w + 1))
    canvas += noise[top : top + h, left : left + w] * np.float32(air.grain)
    return np.clip(canvas, 0, 255).astype(np.uint8)


def _rain(canvas: Points, air: Air, rng: Generator) -> None:
    """Streaks, brighter than what is behind them."""
    h, w = canvas.shape[:2]
    layer = np.zeros((h, w), np.uint8)
    slant = float(rng.uniform(-0.12, 0.12))
    count = int(h * w / 900)
    xs, ys = rng.uniform(-0.05, 1.05, count) * w, rng.uniform(-0.1, 1, count) * h
    lengths = rng.uniform(0.02, 0.09, count) * h
    shades = rng.uniform(30, 110, count)
    for x, y, long, shade in zip(xs.tolist(), ys.tolist(), lengths.tolist(), shades.tolist()):
        a = (int(x * 8), int(y * 8))
        b = (int((x + slant * long) * 8), int((y + long) * 8))
        cv2.line(layer, a, b, shade, 1, cv2.LINE_AA, 3)
    bright = 150 if air.time == "day" else 90
    canvas += (bright - canvas * 0.55) * (layer[:, :, None].astype(np.float32) / 255)
