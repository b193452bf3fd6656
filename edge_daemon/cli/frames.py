"""Frames of videos and pictures at a model's size, to calibrate and to compare on."""

from __future__ import annotations

from threading import Event as Flag
from typing import TYPE_CHECKING, Final

from edge_daemon.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

_PER_SOURCE: Final = 1024  # frames kept of one source, spread over its length
_FRAMES_FPS: Final = 2.0  # of a video


def spread(pictures: Sequence[NDArray[np.uint8]], most: int) -> list[NDArray[np.uint8]]:
    """At most so many, evenly over all."""
    n = min(most, len(pictures))
    return [pictures[k * len(pictures) // n] for k in range(n)]


def read_frames(source: str, size: tuple[int, int]) -> list[NDArray[np.uint8]]:
    """Pictures of a source at the size (width, height), uint8 RGB; of a long one, spread over it.

    Raises SourceError, and UsageError for a source without end.
    """
    kept: list[NDArray[np.uint8]] = []
    every = 1
    for n, picture in enumerate(_sampled(source, size)):
        if n % every == 0:
            kept.append(picture)
        if len(kept) > _PER_SOURCE:
            kept, every = kept[::2], every * 2
    return kept


def _sampled(source: str, size: tuple[int, int]) -> Iterator[NDArray[np.uint8]]:
    from edge_daemon.config.load import parse_settings  # noqa: PLC0415  keeps --help light
    from edge_daemon.sampling import Sampler  # noqa: PLC0415
    from edge_daemon.sources.open import open_source  # noqa: PLC0415

    camera = {
        "id": "frames",
        "source": source,
        "sample": {"fps": _FRAMES_FPS},
        "questions": [{"id": "unasked", "ask": "Is there anything?"}],
    }
    settings = parse_settings({"version": 1, "cameras": [camera]}, where="--pictures").cameras[0]
    sampler = Sampler(settings.sample)
    with open_source(settings, Flag()) as frames:
        if frames.live:
            hint = "record it first, and name the file"
            raise UsageError("has no end", where=f"--pictures {settings.source}", hint=hint)
        for frame in frames:
            if sampler.wants(frame):
                yield frame.picture.resized(*size)
