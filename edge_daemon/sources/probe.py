"""What a video file says of itself, without decoding it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av

from edge_daemon.sources.decoder import open_container

if TYPE_CHECKING:
    from pathlib import Path


def length_s(path: Path) -> float | None:
    """Return the length that the file declares; None where it does not, or is no video."""
    try:
        with open_container(str(path)) as container:
            return container.duration / av.time_base if container.duration else None
    except (av.FFmpegError, OSError):
        return None
