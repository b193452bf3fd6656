"""Pictures that already are arrays, behind the Picture protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class ArrayPicture:
    """A uint8 RGB array of shape (height, width, 3).  Keeps the array; nobody may write to it."""

    __slots__ = ("_rgb",)

    def __init__(self, rgb: NDArray[np.uint8]) -> None:
        if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
            raise ValueError(f"need uint8 (H, W, 3), got {rgb.dtype} {rgb.shape}")
        self._rgb = rgb

    @property
    def width(self) -> int:
        """Pixels."""
        return int(self._rgb.shape[1])

    @property
    def height(self) -> int:
        """Pixels."""
        return int(self._rgb.shape[0])

    def rgb(self) -> NDArray[np.uint8]:
        """Full size, uint8 RGB, shape (height, width, 3).  A new array each time."""
        rgb: NDArray[np.uint8] = self._rgb.copy()
        return rgb

    def resized(self, width: int, height: int) -> NDArray[np.uint8]:
        """Stretched to the size given, uint8 RGB, shape (height, width, 3).  A new array.

        Area-averaged where it shrinks, bilinear where both sides grow.
        """
        if (width, height) == (self.width, self.height):
            return self.rgb()
        grows = width >= self.width and height >= self.height
        how = cv2.INTER_LINEAR if grows else cv2.INTER_AREA
        size = (width, height)
        resized: NDArray[np.uint8] = np.asarray(
            cv2.resize(self._rgb, size, interpolation=how), np.uint8
        )
        return resized
