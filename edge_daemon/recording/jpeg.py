"""Pictures as JPEG: whole for the disk, small for MQTT.  Each says of which event it is."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALL_WIDTH: Final = 1280
SMALL_BYTES: Final = 256_000
"""At most, for MQTT: brokers in the cloud and Home Assistant on a small machine take it."""

_QUALITY: Final = 88
_LESSER: Final = (80, 65, 50, 35)  # tried in turn for a small one, then half the size
_START: Final = b"\xff\xd8"
_COMMENT: Final = b"\xff\xfe"  # Source: ITU-T T.81, B.2.4.5


def whole_jpeg(rgb: NDArray[np.uint8], comment: str) -> bytes:
    """Return rgb, uint8 (H, W, 3), as a JPEG of its own size, with a comment for programs."""
    bgr = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), np.uint8)
    return _commented(_encoded(bgr, _QUALITY), comment)


def small_jpeg(rgb: NDArray[np.uint8], comment: str) -> bytes:
    """Return rgb as a JPEG at most SMALL_WIDTH wide and SMALL_BYTES long."""
    bgr = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), np.uint8)
    width = min(bgr.shape[1], SMALL_WIDTH)
    while True:
        bgr = _at_most(bgr, width)
        for quality in _LESSER:
            jpeg = _commented(_encoded(bgr, quality), comment)
            if len(jpeg) <= SMALL_BYTES:
                return jpeg
        width = max(width // 2, 1)


def comment_of(jpeg: bytes) -> str | None:
    """Return the comment that a JPEG of ours begins with; None: it has none."""
    if not jpeg.startswith(_START + _COMMENT):
        return None
    (size,) = struct.unpack_from(">H", jpeg, 4)
    return jpeg[6 : 4 + size].decode("utf-8", "replace")


def _encoded(bgr: NDArray[np.uint8], quality: int) -> bytes:
    _done, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return bytes(jpeg)


def _commented(jpeg: bytes, comment: str) -> bytes:
    text = comment.encode()
    return _START + _COMMENT + struct.pack(">H", len(text) + 2) + text + jpeg[2:]


def _at_most(bgr: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    height, across = bgr.shape[:2]
    if across <= width:
        return bgr
    size = width, max(round(height * width / across), 1)
    return np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA), np.uint8)
