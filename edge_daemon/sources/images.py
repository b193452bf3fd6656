"""Still pictures: one alone, or a directory or glob of them as a source."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timezone
from itertools import cycle
from typing import TYPE_CHECKING, Final, Literal

import cv2
import numpy as np

from edge_daemon.errors import SourceError, SourceFormatError, SourceUnavailableError
from edge_daemon.sources.picture import ArrayPicture
from edge_daemon.sources.places import (
    files_in,
    files_like,
    is_directory,
    is_file,
    path_of,
    unreadable,
)
from edge_daemon.types import Frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from threading import Event

    from numpy.typing import NDArray
    from typing_extensions import Self

    from edge_daemon.types import CameraId, SourceAddress

log = logging.getLogger(__name__)

SECONDS_EACH: Final = 1.0  # stream time that a picture stands for
_ENDINGS: Final = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
_KINDS: Final = "JPEG, PNG, BMP or WebP"


def read_picture(path: Path) -> ArrayPicture:
    """Return a picture as its camera was held (EXIF), transparency dropped.

    Raises SourceUnavailableError when there is no such file, SourceFormatError when it is none.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as exc:
        raise SourceUnavailableError(
            "no such file", where=str(path), hint="check the path"
        ) from exc
    except IsADirectoryError as exc:
        hint = f"name the pictures: {path}/*.jpg"
        raise SourceFormatError("is a directory", where=str(path), hint=hint) from exc
    except OSError as exc:
        raise unreadable(path, exc) from exc
    bgr = _decoded(content)
    if bgr is None:
        raise SourceFormatError(
            "is no picture that can be read", where=str(path), hint=f"use whole files, {_KINDS}"
        )
    return ArrayPicture(np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8))


def write_picture(path: Path, rgb: NDArray[np.uint8]) -> None:
    """Write uint8 RGB (H, W, 3); the ending names the kind.  Raises SourceError."""
    if path.suffix.lower() not in _ENDINGS:
        hint = f"use one of {' '.join(_ENDINGS)}"
        raise SourceFormatError("unknown kind of picture", where=str(path), hint=hint)
    _done, coded = cv2.imencode(path.suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    try:
        path.write_bytes(coded.tobytes())
    except OSError as exc:
        hint = "name a place that can be written to"
        what = f"cannot be written ({exc.strerror})"
        raise SourceUnavailableError(what, where=str(path), hint=hint) from exc


def _decoded(content: bytes) -> NDArray[np.uint8] | None:
    """Return uint8 BGR (H, W, 3), or None."""
    try:
        found = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # nothing in it, or larger than OpenCV cares to read
        return None
    return None if found is None else np.asarray(found, np.uint8)


class ImageSource:
    """A picture, a glob or a directory of pictures, in sorted order, one second each."""

    live = False

    def __init__(
        self,
        *,
        camera: CameraId,
        address: SourceAddress,
        stop: Event,
        loop: bool = False,
        pace: Literal["fast", "realtime"] = "fast",
        on_corrupt: Callable[[], None] = lambda: None,
        on_decode_s: Callable[[float], None] = lambda _seconds: None,
    ) -> None:
        self.camera, self._address, self._stop = camera, address, stop
        self._loop, self._pace = loop, pace
        self._on_corrupt, self._on_decode_s = on_corrupt, on_decode_s
        self._paths: list[Path] = []

    def __enter__(self) -> Self:
        """Find the pictures.  Raises SourceError where there is none."""
        self._paths = _pictures_at(self._address)
        return self

    def __exit__(self, *exc: object) -> None:
        """Nothing stays open."""

    def __iter__(self) -> Iterator[Frame]:
        """Yield each picture; damaged ones are counted, and their second left out.

        Raises SourceError when every one is damaged or gone.
        """
        paths: Iterable[Path] = cycle(self._paths) if self._loop else self._paths
        begun_s, index = time.monotonic(), 0
        bad: set[Path] = set()  # when they were last read
        untold: list[SourceError] = []
        for n, path in enumerate(paths):
            pts_s = n * SECONDS_EACH
            due_s = begun_s + pts_s if self._pace == "realtime" else 0.0
            if self._stop.wait(max(0.0, due_s - time.monotonic())):
                return
            try:
                picture = self._read(path)
            except SourceError as fault:
                self._on_corrupt()
                if path not in bad:
                    untold.append(fault)
                bad.add(path)
                if len(bad) == len(self._paths):
                    raise
            else:
                bad.discard(path)
                yield Frame(
                    camera=self.camera,
                    index=index,
                    pts_s=pts_s,
                    mono_s=time.monotonic(),
                    captured_at=datetime.now(timezone.utc),
                    picture=picture,
                )
                index += 1
            while index and untold:  # before the first good one, the fault of all may say it
                log.warning("%s: left out: %s", self.camera, untold.pop(0))

    def _read(self, path: Path) -> ArrayPicture:
        begun_s = time.thread_time()
        try:
            return read_picture(path)
        finally:
            self._on_decode_s(time.thread_time() - begun_s)


def _pictures_at(address: SourceAddress) -> list[Path]:
    """Return what the address names, sorted.  Raises SourceError where that is nothing."""
    path = path_of(address)
    if is_directory(path):
        found = files_in(path, _ENDINGS)
        if not found:
            raise SourceFormatError(
                f"a directory without pictures ({_KINDS})",
                where=str(path),
                hint=f"put some into it; for videos name them: {path}/*.mp4",
            )
        return found
    if is_file(path):
        return [path]
    if address.reveal().endswith("/"):
        hint = "check the path"
        raise SourceUnavailableError("no such directory", where=str(path), hint=hint)
    found = files_like(path)
    if not found:
        raise SourceUnavailableError("no such file", where=str(path), hint="check the path")
    return found
