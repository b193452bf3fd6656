"""Is it well?  The answer for systemd, load balancers and people."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edge_daemon.publish.payloads import CameraHealth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from edge_daemon.pipeline.camera import Camera
    from edge_daemon.types import CameraId

_TELL_EVERY_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether every camera was answered lately; if not, why not, camera by camera."""

    reasons: dict[str, str]

    @property
    def ready(self) -> bool:
        """No reasons against it."""
        return not self.reasons


def readiness(names: Iterable[CameraId], cameras: Mapping[CameraId, Camera]) -> Readiness:
    """Ask every camera that there is to be.  A file read to its end has no say any more."""
    reasons = {name: "is being started" for name in names if name not in cameras}
    for camera in cameras.values():
        if camera.finished and camera.failed is None:
            continue
        overdue = camera.board.overdue()
        if camera.failed is not None:
            reasons[camera.settings.id] = str(camera.failed)
        elif trouble := _trouble(camera):
            reasons[camera.settings.id] = trouble
        elif overdue:
            reasons[camera.settings.id] = f"no fresh answer to: {', '.join(overdue)}"
    return Readiness(reasons)


def _trouble(camera: Camera) -> str | None:
    """Return why a camera is of no use at present; None: it is."""
    if not camera.up:
        return camera.why_down()
    return camera.board.blindness.explained if camera.board.blindness else None


class Vitals:
    """What is published of each camera's health: at once when it changes, else now and then."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: dict[
            CameraId, tuple[tuple[bool, str | None] | None, float, int]
        ] = {}  # what was told, when, frames then

    def forget(self, camera: CameraId) -> None:
        """Tell of a camera anew, from its first frame on."""
        self._told.pop(camera, None)

    def due(
        self, cameras: Iterable[Camera], dropped: Mapping[CameraId, int]
    ) -> Iterator[tuple[CameraId, CameraHealth]]:
        """Yield the cameras whose health is to be told now."""
        now_s = self._clock()
        for camera in cameras:
            said, told_s, n_then = self._told.get(camera.settings.id, (None, now_s, 0))
            says = (camera.up, _trouble(camera))
            if said == says and now_s - told_s < _TELL_EVERY_S:
                continue
            self._told[camera.settings.id] = (says, now_s, camera.n_frames)
            span_s = now_s - told_s
            yield (
                camera.settings.id,
                CameraHealth(
                    state="online" if camera.up else "offline",
                    reason=says[1],
                    fps_measured=(camera.n_frames - n_then) / span_s if span_s else None,
                    frames_dropped=dropped.get(camera.settings.id, 0),
                    reconnects=max(0, camera.n_connections - 1),
                    last_frame_at=camera.last_frame_at,
                ),
            )
