"""Is it well?  The answer for systemd, load balancers and people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge_daemon.pipeline.camera import Camera


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether every camera was answered lately; if not, why not, camera by camera."""

    reasons: dict[str, str]

    @property
    def ready(self) -> bool:
        """No reasons against it."""
        return not self.reasons


def readiness(cameras: Iterable[Camera]) -> Readiness:
    """Ask every camera.  A file that was read to its end has no say any more."""
    reasons = {}
    for camera in cameras:
        if camera.finished and camera.failed is None:
            continue
        overdue = camera.board.overdue()
        if camera.failed is not None:
            reasons[camera.settings.id] = str(camera.failed)
        elif not camera.up:
            reasons[camera.settings.id] = "no frames"
        elif overdue:
            reasons[camera.settings.id] = f"no fresh answer to: {', '.join(overdue)}"
    return Readiness(reasons)
