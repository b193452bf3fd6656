"""What a reload has to restart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge_daemon.config.models import CameraConfig, Settings


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs between the running settings and new ones.

    shared names the sections outside cameras that changed: they need a restart of everything.
    """

    shared: tuple[str, ...]
    removed: tuple[str, ...]
    added: tuple[CameraConfig, ...]
    changed: tuple[CameraConfig, ...]

    def summary(self) -> str:
        """Return what changed, for the log."""
        parts = {
            "added": [camera.id for camera in self.added],
            "restarted": [camera.id for camera in self.changed],
            "removed": list(self.removed),
        }
        told = [f"{what} {', '.join(ids)}" for what, ids in parts.items() if ids]
        return "; ".join(told) or "nothing changed"


def compare(old: Settings, new: Settings) -> Changes:
    """Return what to restart to get from old to new: every field counts, none is listed."""
    before = {camera.id: camera for camera in old.cameras}
    after = {camera.id: camera for camera in new.cameras}
    return Changes(
        # defaults act through the questions they were spread into
        shared=tuple(
            name
            for name in type(new).model_fields
            if name not in ("cameras", "defaults") and getattr(old, name) != getattr(new, name)
        ),
        removed=tuple(sorted(before.keys() - after.keys())),
        added=tuple(camera for camera in new.cameras if camera.id not in before),
        changed=tuple(camera for camera in new.cameras if before.get(camera.id, camera) != camera),
    )
