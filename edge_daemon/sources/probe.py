"""What a video file says of itself, without decoding it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import av

from edge_daemon.sources.decoder import open_container

if TYPE_CHECKING:
    from fractions import Fraction
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Declared:
    """What a file declares; None where it does not.

    width is that of the pictures as they are stored, before they are turned.  pixel_aspect is the
    width of a pixel by its height.
    """

    length_s: float | None = None
    width: int | None = None
    pixel_aspect: Fraction | None = None


def declared(path: Path) -> Declared:
    """Return what a file declares; nothing where it is no video."""
    try:
        with open_container(str(path)) as container:
            length_s = container.duration / av.time_base if container.duration else None
            video = container.streams.best("video")
            if not isinstance(video, av.VideoStream) or video.codec_context is None:
                return Declared(length_s)
            return Declared(length_s, video.codec_context.width, video.sample_aspect_ratio or None)
    except (av.FFmpegError, OSError):
        return Declared()
