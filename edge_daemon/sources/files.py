"""Video files, one after another.  No frame is lost, and a second run gives the same frames."""

from __future__ import annotations

import logging
import time
from itertools import cycle
from typing import TYPE_CHECKING, Literal

import av

from edge_daemon.errors import SourceFormatError, SourceUnavailableError
from edge_daemon.sources.av_errors import source_error
from edge_daemon.sources.decoder import Decoder, open_container
from edge_daemon.sources.places import files_like, is_file, path_of
from edge_daemon.sources.tap import Tap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from threading import Event

    from typing_extensions import Self

    from edge_daemon.packets import PacketSink
    from edge_daemon.types import CameraId, Frame, SourceAddress

log = logging.getLogger(__name__)


class FileSource:
    """A video file or a glob of them, in sorted order, pts_s continuing from one to the next."""

    live = False

    def __init__(
        self,
        *,
        camera: CameraId,
        address: SourceAddress,
        stop: Event,
        loop: bool = False,
        pace: Literal["fast", "realtime"] = "fast",
        keyframes_only: bool = False,
        on_corrupt: Callable[[], None] = lambda: None,
        on_decode_s: Callable[[float], None] = lambda _seconds: None,
        sink: PacketSink | None = None,
    ) -> None:
        self.camera, self._address, self._stop = camera, address, stop
        self._loop, self._pace = loop, pace
        self._on_corrupt, self._damages = on_corrupt, 0
        self._decoder = Decoder(
            camera,
            keyframes_only=keyframes_only,
            on_corrupt=self._corrupt,
            on_decode_s=on_decode_s,
            tap=Tap(sink, stop.is_set) if sink else None,
        )
        self._paths: list[Path] = []
        self._damaged: set[Path] = set()  # when they were last read

    def __enter__(self) -> Self:
        """Find the files.  Raises SourceUnavailableError where there is none."""
        self._paths = matching_files(self._address)
        return self

    def __exit__(self, *exc: object) -> None:
        """Nothing is open but while a file is read."""

    def __iter__(self) -> Iterator[Frame]:
        """Yield each frame of each file.  Raises SourceFormatError at a file that has none."""
        paths: Iterable[Path] = cycle(self._paths) if self._loop else self._paths
        frames = (frame for path in paths for frame in self._read(path))
        begun_s = time.monotonic()
        for frame in frames:
            if self._pace == "realtime":
                self._stop.wait(max(0.0, begun_s + frame.pts_s - time.monotonic()))
            if self._stop.is_set():
                return
            yield frame

    def _read(self, path: Path) -> Iterator[Frame]:
        self._damages, n_frames = 0, 0
        try:
            with open_container(str(path)) as container:
                for frame in self._decoder.frames(container, where=str(path), live=False):
                    if frame is not None:
                        n_frames += 1
                        yield frame
        except av.FFmpegError as exc:
            raise source_error(exc, self._address, where=str(path)) from exc
        if not n_frames:
            raise SourceFormatError(
                "no picture in it can be decoded",
                where=str(path),
                hint="the file is cut off or damaged: record it again, or leave it out",
            )
        if not self._damages:
            self._damaged.discard(path)
        elif path not in self._damaged:
            self._damaged.add(path)
            log.warning(
                "%s: %s: %d damaged places were skipped -- the file is cut off or damaged",
                self.camera,
                path,
                self._damages,
            )

    def _corrupt(self) -> None:
        self._damages += 1
        self._on_corrupt()


def matching_files(address: SourceAddress) -> list[Path]:
    """Return the file itself, or what a glob matches, sorted.  Raises SourceUnavailableError."""
    path = path_of(address)
    if is_file(path):
        return [path]
    if not any(sign in str(path) for sign in "*?["):
        raise SourceUnavailableError("no such file", where=str(path), hint="check the path")
    found = files_like(path)
    if not found:
        raise SourceUnavailableError(
            "matches no file", where=str(path), hint="check the path; quote globs in a shell"
        )
    return found
