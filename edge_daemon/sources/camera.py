"""Cameras at this machine: USB and others behind V4L2, read by OpenCV."""

from __future__ import annotations

import os
import stat
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from edge_daemon.errors import SourceFormatError, SourceUnavailableError
from edge_daemon.sources.picture import ArrayPicture
from edge_daemon.sources.timeline import Timeline
from edge_daemon.sources.watch import LOST_HINT, LiveSource
from edge_daemon.types import Frame

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from threading import Event

    from edge_daemon.types import CameraId, SourceAddress

_VIDEO_MAJOR: Final = 81  # Source: Linux, Documentation/admin-guide/devices.txt
_LIST_HINT: Final = "is it plugged in?  v4l2-ctl --list-devices shows what there is"

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # our errors say it better


class V4l2Source(LiveSource):
    """One /dev/videoN, at 640x480 or what the camera has nearest to it.

    pts_s counts from the first frame by the monotonic clock.
    """

    def __init__(
        self,
        *,
        camera: CameraId,
        address: SourceAddress,
        stop: Event,
        stall_after_s: float,
        on_corrupt: Callable[[], None] = lambda: None,
        on_decode_s: Callable[[float], None] = lambda _seconds: None,
    ) -> None:
        super().__init__(camera=camera, where=repr(address), stop=stop, stall_after_s=stall_after_s)
        self._path = Path(address.reveal())
        self._on_corrupt, self._on_decode_s = on_corrupt, on_decode_s
        self._timeline = Timeline()

    def _read(self) -> Generator[Frame | None, None, None]:
        check_camera(self._path)
        capture = cv2.VideoCapture(str(self._path), cv2.CAP_V4L2)
        try:
            if not capture.isOpened():
                raise SourceUnavailableError(
                    "sends no video",
                    where=self._where,
                    hint="is another program using it?  Some cameras have several devices, of"
                    " which one sends: v4l2-ctl --list-devices",
                )
            yield None
            index = 0
            while capture.grab():
                frame = self._frame(capture, index)
                if frame is not None:
                    yield frame
                    index += 1
        finally:
            capture.release()
        check_camera(self._path)
        raise SourceUnavailableError("ceased to send", where=self._where, hint=LOST_HINT)

    def _frame(self, capture: cv2.VideoCapture, index: int) -> Frame | None:
        mono_s, at = time.monotonic(), datetime.now(timezone.utc)
        begun_s = time.thread_time()
        got, bgr = capture.retrieve()
        rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB) if got else None
        self._on_decode_s(time.thread_time() - begun_s)
        if rgb is None:
            self._on_corrupt()
            return None
        return Frame(
            camera=self.camera,
            index=index,
            pts_s=self._timeline.place(mono_s, 0.04),
            mono_s=mono_s,
            captured_at=at,
            picture=ArrayPicture(np.asarray(rgb, np.uint8)),
        )


def check_camera(path: Path) -> None:
    """Raise a SourceError that says why a path cannot be a camera, if it cannot."""
    try:
        found = path.stat()
    except FileNotFoundError as exc:
        raise SourceUnavailableError("no such device", where=str(path), hint=_LIST_HINT) from exc
    except OSError as exc:
        raise SourceUnavailableError(str(exc.strerror), where=str(path), hint=_LIST_HINT) from exc
    if not stat.S_ISCHR(found.st_mode) or os.major(found.st_rdev) != _VIDEO_MAJOR:
        raise SourceFormatError("is no camera", where=str(path), hint="use /dev/video0 or the like")
    if not os.access(path, os.R_OK | os.W_OK):
        raise SourceUnavailableError(
            "may not be opened",
            where=str(path),
            hint="add the user that runs this to the group video",
        )
