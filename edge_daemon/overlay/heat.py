"""Where in the picture an answer comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from edge_daemon.overlay.canvas import Canvas, Patch, line_px, text_px
from edge_daemon.overlay.look import INK, MUTED, Look
from edge_daemon.overlay.row import RowStyle, paint_row

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_daemon.overlay.look import Shown
    from edge_daemon.types import Reason, Verdict

_COLOURS: Final = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[None], cv2.COLORMAP_INFERNO)[
    0, :, ::-1
]
"""RGB of 256 steps, uint8 (256, 3), each as far from the last as the eye sees it.

Source: "inferno", S. van der Walt and N. Smith, matplotlib colour maps, 2015.
"""
_TINT: Final = 0.6  # opacity of full evidence on video
_HEAT: Final = 0.8  # and on a still picture
_LEAST_WIDTH: Final = 640  # smaller pictures are enlarged, so that the caption can be read


def tint(rgb: NDArray[np.uint8], evidence: NDArray[np.float32], opacity: float = _TINT) -> None:
    """Colour rgb, uint8 (H, W, 3), in place where evidence, float32 (rows, columns), is high."""
    height, width = rgb.shape[:2]
    coarse = (max(width // 8, 2), max(height // 8, 2))
    heat = np.clip(cv2.resize(evidence, coarse, interpolation=cv2.INTER_CUBIC), 0, 1)
    cover = (opacity * heat)[..., None]
    colours = _COLOURS[np.rint(heat * 255).astype(np.uint8)]
    keep = np.repeat(np.rint((1 - cover) * 255).astype(np.uint8), 3, axis=2)
    add = np.rint(cover * colours).astype(np.uint8)
    Patch(0, 0, _resized(keep, (width, height)), _resized(add, (width, height))).blend(rgb)


def heat_map(
    rgb: NDArray[np.uint8],
    evidence: NDArray[np.float32],
    question: Shown,
    *,
    verdict: Verdict,
    reason: Reason | None,
    p_yes: float | None,
) -> NDArray[np.uint8]:
    """Return rgb with the evidence glowing in it, the question and its answer written below.

    rgb is uint8 (H, W, 3), evidence float32 (rows, columns) in [0, 1].  The result is a new
    uint8 array, at least 640 wide, and higher than the picture.
    """
    height, width = rgb.shape[:2]
    times = max(1.0, _LEAST_WIDTH / width)
    size = (round(width * times), round(height * times))
    dimmed = _dimmed(_resized(rgb, size))
    tint(dimmed, evidence, _HEAT)
    caption = _caption(size[0], question, Look.said(verdict, reason, p_yes))
    return np.concatenate([dimmed, caption])


def _caption(width: int, question: Shown, look: Look) -> NDArray[np.uint8]:
    """Return the strip below: the question's row, and what the colours mean."""
    text = max(14, round(width / 46))
    style, pad, small = RowStyle(text, bar_below=True), text, round(0.75 * text)
    height = 2 * pad + style.height_px + line_px(small)
    canvas = Canvas(width, height)
    canvas.box(0, 0, width, height, INK)
    paint_row(canvas, (pad, pad, width - 2 * pad), style, question, look)
    top, bar = pad + style.height_px + pad // 3, 8 * text
    left = pad + style.chip_px + style.gap_px
    words = "evidence: none", "full"
    canvas.text(left, top, words[0], small, MUTED)
    left += text_px(words[0], small) + style.gap_px
    for n in range(bar):
        canvas.box(left + n, top + small // 3, 1, small * 2 / 3, _colour_at(n / (bar - 1)))
    canvas.text(left + bar + style.gap_px, top, words[1], small, MUTED)
    strip = np.zeros((height, width, 3), np.uint8)
    canvas.patch(0, 0).blend(strip)
    return strip


def _colour_at(heat: float) -> tuple[int, int, int]:
    red, green, blue = _COLOURS[round(255 * heat)].tolist()
    return red, green, blue


def _dimmed(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the picture darker and paler, for the heat to stand out."""
    grey = cv2.cvtColor(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return np.asarray(cv2.addWeighted(rgb, 0.3, grey, 0.5, 0), np.uint8)


def _resized(rgb: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_LINEAR), np.uint8)
