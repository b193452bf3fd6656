"""Clips of one colour with a few lines: with the tiny bundle, every answer is known beforehand."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

RED, GREEN, BLUE = (200, 20, 20), (20, 200, 20), (20, 20, 200)
GREY = (128, 128, 128)


def write_colours(
    path: Path,
    parts: Sequence[tuple[tuple[int, int, int], float]],
    *,
    fps: int = 10,
    size: tuple[int, int] = (128, 72),
) -> Path:
    """Write each colour for so many seconds, H.264, a key frame a second; return path."""
    return write_pictures(path, [(lined(colour, size=size), s) for colour, s in parts], fps=fps)


def lined(
    colour: tuple[int, int, int],
    lines: tuple[int, int, int] = (80, 80, 80),
    size: tuple[int, int] = (128, 72),
) -> NDArray[np.uint8]:
    """Return a picture of a colour with lines: a camera that shows no detail is blind."""
    width, height = size
    picture = np.full((height, width, 3), colour, np.uint8)
    for x in range(width // 64, width - width // 16, width // 8):
        picture[:, x : x + width // 64] = lines
    return picture


def write_pictures(
    path: Path, parts: Sequence[tuple[NDArray[np.uint8], float]], *, fps: int = 10
) -> Path:
    """Write each picture for so many seconds, H.264, a key frame a second; return path."""
    height, width = parts[0][0].shape[:2]
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=fps, options={"preset": "veryfast", "bf": "0"})
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.gop_size = fps
        n = 0
        for picture, seconds in parts:
            for _ in range(round(seconds * fps)):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = n, Fraction(1, fps)
                out.mux(video.encode(frame))
                n += 1
        out.mux(video.encode(None))
    return path
