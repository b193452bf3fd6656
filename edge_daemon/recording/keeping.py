"""Writes a file of an event whole, or not at all, where there is room for it."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from edge_daemon.recording.shelves import event_path
from edge_daemon.recording.storage import storage_faults

if TYPE_CHECKING:
    from edge_daemon.recording.limits import Limits
    from edge_daemon.recording.retention import Archive
    from edge_daemon.recording.shelves import Kind
    from edge_daemon.types import Event


def keep(archive: Archive, kind: Kind, event: Event, content: bytes, limits: Limits) -> None:
    """Write content where the event's file of that kind lies, so that it outlives a power cut.

    It has its name only when it is whole.  Raises StorageFullError, RecordingError.
    """
    path = archive.place(event_path(kind, event))
    archive.begin_kept(kind, event.camera, path, limits, len(content))
    directory, name = os.path.split(path)
    half = f"{directory}/.{name}"
    try:
        with storage_faults(path):
            with open(half, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(half, path)
    finally:
        with suppress(OSError):
            os.unlink(half)
        archive.end(path)
