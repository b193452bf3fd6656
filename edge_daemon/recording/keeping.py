"""Writes a file of an event whole, or not at all, where there is room for it."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from edge_daemon.recording.shelves import event_path
from edge_daemon.recording.storage import storage_faults

if TYPE_CHECKING:
    from edge_daemon.recording.retention import Archive, Limits
    from edge_daemon.recording.shelves import Kind
    from edge_daemon.types import Event


def keep(archive: Archive, kind: Kind, event: Event, content: bytes, limits: Limits) -> None:
    """Write content where the event's file of that kind lies, so that it outlives a power cut.

    It has its name only when it is whole.  Raises StorageFullError, RecordingError.
    """
    path = archive.root.parent / event_path(kind, event)
    archive.begin_kept(kind, event.camera, path, limits, len(content))
    half = path.with_name(f".{path.name}")
    try:
        with storage_faults(path):
            with half.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            half.replace(path)
    finally:
        with suppress(OSError):
            half.unlink(missing_ok=True)
        archive.end(path)
