"""Small pictures composed once and laid over every frame: text, boxes, and the blending."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_daemon.overlay.look import Colour

Box = tuple[int, int, int, int]
"""Left, top, width and height, pixels."""

_ELLIPSIS: Final = "…"
_TYPOGRAPHIC: Final = {
    0x2018: "'",
    0x2019: "'",
    0x201C: '"',
    0x201D: '"',
    0x201E: '"',
    0x2013: "-",
    0x2014: "-",
}


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """A finished picture with its place.  out = frame * keep / 255 + add, per channel.

    keep and add are uint8 (H, W, 3); add is premultiplied.
    """

    x: int
    y: int
    keep: NDArray[np.uint8] = field(repr=False)
    add: NDArray[np.uint8] = field(repr=False)

    def blend(self, rgb: NDArray[np.uint8]) -> None:
        """Lay it over rgb, uint8 (H, W, 3), in place; what sticks out is cut off."""
        height, width = self.keep.shape[:2]
        left, top = max(-self.x, 0), max(-self.y, 0)
        under = rgb[self.y + top : max(self.y + height, 0), self.x + left : max(self.x + width, 0)]
        if under.size:
            inside = slice(top, top + under.shape[0]), slice(left, left + under.shape[1])
            cv2.multiply(under, self.keep[inside], dst=under, scale=1 / 255)
            cv2.add(under, self.add[inside], dst=under)


class Canvas:
    """A transparent picture to compose on, later colours over earlier ones."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = max(width, 1), max(height, 1)
        self._rgb = np.zeros((self.height, self.width, 3), np.float32)  # premultiplied, 0..255
        self._clear = np.ones((self.height, self.width, 1), np.float32)  # 1: nothing drawn yet

    def mask(
        self, x: float, y: float, mask: NDArray[np.uint8], colour: Colour, opacity: float = 1.0
    ) -> None:
        """Paint colour through mask, uint8 (h, w), its top left corner at (x, y)."""
        left, top = max(round(x), 0), max(round(y), 0)
        mask = mask[top - round(y) :, left - round(x) :][: self.height - top, : self.width - left]
        if mask.size:
            cover = mask[..., None] * np.float32(opacity / 255)
            area = slice(top, top + mask.shape[0]), slice(left, left + mask.shape[1])
            self._rgb[area] *= 1 - cover
            self._rgb[area] += cover * np.asarray(colour, np.float32)
            self._clear[area] *= 1 - cover

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        colour: Colour,
        *,
        radius: float = 0.0,
        opacity: float = 1.0,
        line: float | None = None,
    ) -> None:
        """Paint a box with round corners, filled, or as a frame of that line width."""
        left, top = int(x // 1), int(y // 1)
        mask = _box_mask(x - left, y - top, width, height, radius)
        if line is not None:
            inner = (x - left + line, y - top + line, width - 2 * line, height - 2 * line)
            hole = _box_mask(*inner, max(radius - line, 0.0))
            mask = mask.copy()
            ring = mask[: hole.shape[0], : hole.shape[1]]
            cv2.subtract(ring, hole, dst=ring)
        self.mask(left, top, mask, colour, opacity)

    def text(
        self, x: float, y: float, text: str, size_px: int, colour: Colour, *, bold: bool = False
    ) -> None:
        """Write text, its line of size line_px(size_px) starting at (x, y)."""
        self.mask(x, y, text_mask(text, size_px, bold), colour)

    def cut(self, x: int, y: int, width: int, height: int) -> Canvas:
        """Return a copy of a part of it."""
        part = Canvas(width, height)
        part._rgb[:] = self._rgb[y : y + height, x : x + width]
        part._clear[:] = self._clear[y : y + height, x : x + width]
        return part

    def patch(self, x: int, y: int) -> Patch:
        """Return what was drawn, to be laid at (x, y) of a frame."""
        keep = np.repeat(np.rint(self._clear * 255).astype(np.uint8), 3, axis=2)
        return Patch(x, y, keep, np.rint(self._rgb).astype(np.uint8))


def line_px(size_px: int) -> int:
    """Height of a line of text, pixels."""
    return ceil(size_px * 1.25)


@lru_cache(maxsize=512)  # times of day pass through it
def text_px(text: str, size_px: int) -> int:
    """Width of a text, pixels."""
    times = _times(size_px)
    return ceil(_font(size_px * times).getlength(text) / times) + 2 * _side_px(size_px)


def shortened(text: str, size_px: int, width_px: float) -> str:
    """Return text, cut with an ellipsis where it is wider than width_px."""
    text = printable(text)
    if text_px(text, size_px) <= width_px:
        return text
    fits, too_long = 0, len(text)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        narrow = text_px(text[:middle].rstrip() + _ELLIPSIS, size_px) <= width_px
        fits, too_long = (middle, too_long) if narrow else (fits, middle)
    return text[:fits].rstrip() + _ELLIPSIS if fits else ""


def printable(text: str) -> str:
    """Return text in the letters the font has: accents dropped, others shown as '?'."""
    plain = unicodedata.normalize("NFKD", text.translate(_TYPOGRAPHIC))
    base = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(base.encode("ascii", "replace").decode().split())


@lru_cache(maxsize=256)
def text_mask(text: str, size_px: int, bold: bool) -> NDArray[np.uint8]:  # noqa: FBT001  cached
    """Coverage of a line of text, uint8 (line_px, text_px); shared, never written to.

    Drawn larger and averaged down: the letters keep their true distances at any size.
    """
    times = _times(size_px)
    stroke = round(size_px * times * (0.03 if bold else 0.008))
    size = max(text_px(text, size_px), 1) * times, line_px(size_px) * times
    baseline = _side_px(size_px) * times, size_px * times
    image, font = Image.new("L", size), _font(size_px * times)
    draw = ImageDraw.Draw(image)
    draw.text(baseline, text, fill=255, font=font, anchor="ls", stroke_width=stroke)
    mask = np.array(image.reduce(times), np.uint8)
    mask.flags.writeable = False
    return mask


def _side_px(size_px: int) -> int:
    """Room for the strokes left and right of a text."""
    return 1 + size_px // 24


def _times(size_px: int) -> int:
    """Return how many times larger text is drawn than shown."""
    return 4 if size_px < 32 else 2


@lru_cache(maxsize=32)
def _font(size_px: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size_px)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise TypeError("this Pillow was built without FreeType -- install it as a wheel")
    return font


@lru_cache(maxsize=128)
def _box_mask(x: float, y: float, width: float, height: float, radius: float) -> NDArray[np.uint8]:
    """Coverage of a round box at (x, y), uint8 (ceil(y + height), ceil(x + width)).

    Source: signed distance of a rounded box, I. Quilez, "2D distance functions".
    """
    width, height = max(width, 0.0), max(height, 0.0)
    radius = min(radius, width / 2, height / 2)
    across = np.abs(np.arange(ceil(x + width)) + 0.5 - x - width / 2) - width / 2 + radius
    down = np.abs(np.arange(ceil(y + height)) + 0.5 - y - height / 2) - height / 2 + radius
    outside = np.hypot(np.maximum(across, 0), np.maximum(down, 0)[:, None])
    inside = np.minimum(np.maximum(across, down[:, None]), 0)
    mask: NDArray[np.uint8] = np.rint(255 * np.clip(0.5 - outside - inside + radius, 0, 1)).astype(
        np.uint8
    )
    mask.flags.writeable = False
    return mask
