"""The one thing the pipeline asks of every source, and the choice of the right one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Self

    from edge_daemon.types import CameraId, Frame


class Source(Protocol):
    """Frames from one place.  Enter to connect, iterate to read, exit to free the decoder.

    Entering and iterating raise SourceError only.  A source is used once, by one thread; a new
    one is made to connect again.
    """

    camera: CameraId
    live: bool  # a live source may drop late frames, a file never does

    def __enter__(self) -> Self: ...
    def __exit__(self, *exc: object) -> None: ...
    def __iter__(self) -> Iterator[Frame]:
        """Yield decoded frames in pts order.

        Returns at the end of a file, or soon (within a second) after stop was set.  A live
        source never returns by itself: its end is a SourceUnavailableError, its silence for
        stall_after a SourceStalledError.
        """
        ...
