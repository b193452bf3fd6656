"""What a reload has to restart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_daemon.config.models import CameraConfig, Settings


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs between the running settings and new ones.

    shared names the sections that changed and need a restart of everything: those outside cameras,
    but for log and http, which are beside the daemon.
    """

    shared: tuple[str, ...]
    removed: tuple[str, ...]
    added: tuple[CameraConfig, ...]
    changed: tuple[CameraConfig, ...]

    def summary(self, beside: Sequence[str] = ()) -> str:
        """Return what changed, for the log; beside: what did beside the daemon."""
        parts = {
            "added": [camera.id for camera in self.added],
            "restarted": [camera.id for camera in self.changed],
            "removed": list(self.removed),
            "taken over": beside,
        }
        told = [f"{what} {', '.join(ids)}" for what, ids in parts.items() if ids]
        return "; ".join(told) or "nothing changed"


_NOT_SHARED: Final = (
    "cameras",
    "defaults",  # act through the questions they were spread into
    "http",
    "log",
)


def compare(old: Settings, new: Settings) -> Changes:
    """Return what to restart to get from old to new: every field counts, none is listed."""
    before = {camera.id: camera for camera in old.cameras}
    after = {camera.id: camera for camera in new.cameras}
    return Changes(
        shared=tuple(
            name
            for name in type(new).model_fields
            if name not in _NOT_SHARED and getattr(old, name) != getattr(new, name)
        ),
        removed=tuple(sorted(before.keys() - after.keys())),
        added=tuple(camera for camera in new.cameras if camera.id not in before),
        changed=tuple(camera for camera in new.cameras if before.get(camera.id, camera) != camera),
    )
