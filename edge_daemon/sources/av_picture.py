"""The decoder's own picture, converted by swscale when somebody asks."""

from __future__ import annotations

from contextlib import suppress
from threading import Lock, local
from typing import TYPE_CHECKING, Final

import av
import numpy as np
from av.video.reformatter import VideoReformatter

if TYPE_CHECKING:
    from av import VideoFrame
    from numpy.typing import NDArray

_FAST: Final = 2  # SWS_BILINEAR, which a conversion without scaling does not come to use
# SWS_AREA | SWS_FULL_CHR_H_INT; without the second, colours lose half their width and all gets
# darker by about 2 of 255.  measured: 0.1-0.5 mean difference to OpenCV's INTER_AREA with it,
# 1.5-2.2 (7.6 on strong colours) without, at 0.2 ms more for 720p to 384x224; x86-64, 2 cores.
_AREA: Final = 0x20 | 0x2000  # Source: libswscale/swscale.h
_UNSPECIFIED: Final = 2  # AVCOL_SPC_UNSPECIFIED

_of_this_thread = local()


class AvPicture:
    """A decoded av.VideoFrame of any pixel format.  Keeps the frame; turned as its owner meant.

    Threads may convert it at the same time; each has a scaler of its own.
    """

    __slots__ = ("_frame", "_lock", "_turns")

    def __init__(self, frame: VideoFrame) -> None:
        self._frame, self._lock = frame, Lock()
        self._turns = round(frame.rotation / 90) % 4  # counter-clockwise; others stay as they are

    @property
    def width(self) -> int:
        """Pixels."""
        return self._frame.height if self._turns % 2 else self._frame.width

    @property
    def height(self) -> int:
        """Pixels."""
        return self._frame.width if self._turns % 2 else self._frame.height

    def rgb(self) -> NDArray[np.uint8]:
        """Full size, uint8 RGB, shape (height, width, 3).  A new array each time."""
        return self._converted(self._frame.width, self._frame.height, _FAST)

    def resized(self, width: int, height: int) -> NDArray[np.uint8]:
        """Stretched to the size given, area-averaged; uint8 RGB, shape (height, width, 3).

        A new array each time.
        """
        if self._turns % 2:
            width, height = height, width
        return self._converted(width, height, _AREA)

    def _converted(self, width: int, height: int, how: int) -> NDArray[np.uint8]:
        with self._lock:  # converting writes into the frame's colour tags for a moment
            rgb = np.zeros((height, width, 3), np.uint8)  # where nothing helps: it shows nothing
            try:
                rgb = _scaled(self._frame, width, height, how)
            except av.FFmpegError:  # tags that no standard knows: damaged, or a careless camera
                self._frame.colorspace, self._frame.color_range = _UNSPECIFIED, 0
                with suppress(av.FFmpegError):
                    rgb = _scaled(self._frame, width, height, how)
        return np.ascontiguousarray(np.rot90(rgb, self._turns))


def _scaled(frame: VideoFrame, width: int, height: int, how: int) -> NDArray[np.uint8]:
    """Return uint8 RGB (height, width, 3), which shares no memory with the frame."""
    scaler = getattr(_of_this_thread, "scaler", None)
    if scaler is None:
        scaler = _of_this_thread.scaler = VideoReformatter()
    made = scaler.reformat(frame, width, height, "rgb24", interpolation=how, threads=1)
    rgb = np.asarray(made.to_ndarray(), np.uint8)
    return rgb.copy() if made is frame else rgb
