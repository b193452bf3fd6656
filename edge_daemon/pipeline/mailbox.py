"""Hand-over of frames from the cameras' threads to the one inference thread."""

from __future__ import annotations

import time
from itertools import count
from threading import Condition
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_daemon.types import CameraId, Frame


class Mailboxes:
    """A mailbox of size one per camera; every one that waits is emptied in one turn.

    A live camera's frame replaces the one that waits, and on_drop is told; a file waits for its
    turn and loses nothing.
    """

    def __init__(self, on_drop: Callable[[CameraId], None]) -> None:
        self._on_drop = on_drop
        self._changed = Condition()
        self._waiting: dict[CameraId, Frame] = {}
        self._in_work: set[CameraId] = set()
        self._limits_s: dict[CameraId, float] = {}
        self._served: dict[CameraId, tuple[float, int]] = {}  # when, and its place among all
        self._places = count()
        self._closed = False

    def open(self, camera: CameraId, answer_limit_s: float) -> None:
        """Let a camera in; its answers ought not to become older than answer_limit_s."""
        with self._changed:
            self._limits_s[camera] = answer_limit_s
            self._served[camera] = (time.monotonic(), next(self._places))

    def shut(self, camera: CameraId) -> None:
        """Send a camera away; what it had waiting is forgotten, and its thread let go."""
        with self._changed:
            self._limits_s.pop(camera, None)
            self._waiting.pop(camera, None)
            self._changed.notify_all()

    def put(self, frame: Frame, *, wait: bool) -> None:
        """Hand over a frame; with wait, block while the last one has not been taken."""
        camera = frame.camera
        with self._changed:
            if wait:
                self._changed.wait_for(lambda: camera not in self._waiting or self._is_shut(camera))
            elif camera in self._waiting:
                self._on_drop(camera)
            if not self._is_shut(camera):
                self._waiting[camera] = frame
                self._changed.notify_all()

    def take(self, most: int) -> list[Frame]:
        """Wait for frames and take at most so many, the nearest to its limit first; [] at close.

        Call done() with them when they are answered.
        """
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting) or self._closed)
            now_s = time.monotonic()
            cameras = sorted(self._waiting, key=self._deadline)[:most]
            frames = [self._waiting.pop(camera) for camera in cameras]
            for camera in cameras:
                self._served[camera] = (now_s, next(self._places))
            self._in_work.update(cameras)
            self._changed.notify_all()
            return frames

    def done(self, frames: list[Frame]) -> None:
        """Say that these frames are answered."""
        with self._changed:
            self._in_work.difference_update(frame.camera for frame in frames)
            self._changed.notify_all()

    def join(self, camera: CameraId) -> None:
        """Wait until every frame of this camera is answered, or the camera was sent away."""
        with self._changed:
            self._changed.wait_for(
                lambda: (
                    self._is_shut(camera)
                    or (camera not in self._waiting and camera not in self._in_work)
                )
            )

    def discard(self, camera: CameraId) -> None:
        """Forget the frame that waits: nobody wants to know of a camera that went away."""
        with self._changed:
            if self._waiting.pop(camera, None) is not None:
                self._on_drop(camera)
                self._changed.notify_all()

    def close(self) -> None:
        """End: take() returns what waits, then nothing."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _deadline(self, camera: CameraId) -> tuple[float, int]:
        """When its answer becomes too old; among equals, who was served first is first again."""
        served_s, place = self._served[camera]
        return served_s + self._limits_s[camera], place

    def _is_shut(self, camera: CameraId) -> bool:
        return self._closed or camera not in self._limits_s
