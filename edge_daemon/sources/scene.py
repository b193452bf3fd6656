"""Rendered scenes as a source: test:street?people=0-4&seed=7."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from edge_daemon.errors import SourceFormatError
from edge_daemon.scenes.options import parse_scene
from edge_daemon.scenes.street import Street
from edge_daemon.sources.picture import ArrayPicture
from edge_daemon.types import Frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from threading import Event
    from typing import Literal

    from typing_extensions import Self

    from edge_daemon.types import CameraId, SourceAddress


class SceneSource:
    """A rendered street, frame by frame.  Raises SourceFormatError for an address it cannot read.

    With pace realtime, frames come when a camera would have sent them; with loop, the scene
    begins again at its end.
    """

    live = False

    def __init__(
        self,
        camera: CameraId,
        address: SourceAddress,
        *,
        stop: Event,
        pace: Literal["fast", "realtime"] = "fast",
        loop: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self.camera = camera
        self._stop, self._pace, self._loop, self._now = stop, pace, loop, now
        try:
            self._options = parse_scene(address.reveal())
        except ValueError as exc:
            what, _, remedy = str(exc).partition(" -- ")
            raise SourceFormatError(what, where=f"camera {camera}", hint=remedy) from exc
        self._street: Street | None = None

    def __enter__(self) -> Self:
        self._street = Street(self._options)
        return self

    def __exit__(self, *exc: object) -> None:
        self._street = None

    def __iter__(self) -> Iterator[Frame]:
        """Yield every frame; return at the end of the scene, or soon after stop was set."""
        if self._street is None:
            raise ValueError("enter the source before reading it")
        began_s = time.monotonic()
        index = 0
        while self._loop or index < self._options.n_frames:
            pts_s = index / self._options.fps
            wait_s = began_s + pts_s - time.monotonic() if self._pace == "realtime" else 0.0
            if self._stop.wait(max(wait_s, 0.0)):
                return
            rgb, _ = self._street.frame(index % self._options.n_frames)
            mono_s = time.monotonic()
            yield Frame(self.camera, index, pts_s, mono_s, self._now(), ArrayPicture(rgb))
            index += 1
