"""Privacy masks: black out polygons before anything sees the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge_daemon.types import polygon_mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_daemon.types import Picture, Polygon


class MaskedPicture:
    """A picture whose masked parts are black in every size.  Nothing of them can be had."""

    def __init__(self, picture: Picture, masks: PrivacyMasks) -> None:
        self._picture, self._masks = picture, masks
        self.width, self.height = picture.width, picture.height

    def rgb(self) -> NDArray[np.uint8]:
        """Full size, uint8 RGB (height, width, 3), masked."""
        return self._masks.black_out(self._picture.rgb())

    def resized(self, width: int, height: int) -> NDArray[np.uint8]:
        """Stretched to the size given, uint8 RGB (height, width, 3), masked."""
        return self._masks.black_out(self._picture.resized(width, height))


class PrivacyMasks:
    """The masks of one camera, rasterised once per picture size."""

    def __init__(self, polygons: Sequence[Polygon]) -> None:
        self._polygons = tuple(polygons)
        self._hidden: dict[tuple[int, ...], NDArray[np.bool_]] = {}

    def __bool__(self) -> bool:
        return bool(self._polygons)

    def apply(self, picture: Picture) -> Picture:
        """Return the picture as everyone may see it."""
        return MaskedPicture(picture, self) if self._polygons else picture

    def black_out(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Blacken the masked pixels of a picture in place, one pixel beyond their edge too."""
        size = rgb.shape[:2]
        if size not in self._hidden:
            self._hidden[size] = self._rasterise(*size)
        rgb[self._hidden[size]] = 0
        return rgb

    def _rasterise(self, height: int, width: int) -> NDArray[np.bool_]:
        hidden = np.zeros((height + 2, width + 2), bool)
        for polygon in self._polygons:
            inside = polygon_mask(polygon, width, height)
            for dy in range(3):
                for dx in range(3):
                    hidden[dy : dy + height, dx : dx + width] |= inside
        return hidden[1:-1, 1:-1]
