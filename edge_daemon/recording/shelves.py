"""What is kept of events: clips, snapshots and evidence, a file each, by camera and by day."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum
from heapq import merge
from typing import TYPE_CHECKING, Final

from edge_daemon.recording.storage import CAMERA, directories, remove_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from edge_daemon.types import CameraId, Event

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_UUID: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_STEM: Final = rf"(\d{{2}}-\d{{2}}-\d{{2}})Z-[a-z][a-z0-9_-]{{0,31}}-(?:YES|NO|UNKNOWN)-{_UUID}"


class Kind(str, Enum):
    """What is kept of an event; also the directory below data_dir."""

    CLIP = "clips"
    SNAPSHOT = "snapshots"
    EVIDENCE = "evidence"

    @property
    def ending(self) -> str:
        """What the names of its files end with."""
        return {Kind.CLIP: ".mp4", Kind.SNAPSHOT: ".jpg", Kind.EVIDENCE: ".zip"}[self]


RANKS: Final = ((Kind.CLIP, Kind.SNAPSHOT), (Kind.EVIDENCE,))
"""Which go first where there is no room; among equals the oldest."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One file.  at is when its event was decided, aware UTC, as its name says."""

    path: str
    at: datetime
    size_bytes: int


def event_path(kind: Kind, event: Event) -> str:
    """Return where the file of an event lies, relative to data_dir.

    snapshots/gate/2026-11-20/22-54-07Z-pedestrian-YES-01a1fb5f-cc73-73e3-a14d-6c6b17a0afae.jpg
    """
    at = event.decided_at.astimezone(timezone.utc)
    name = f"{at:%H-%M-%S}Z-{event.question}-{event.verdict.value}-{event.id}{kind.ending}"
    return f"{kind.value}/{event.camera}/{at:%Y-%m-%d}/{name}"


def find_kept(data_dir: Path, kind: Kind, event_id: str) -> Path | None:
    """Return the file of an event; None: there is none.  event_id is a whole id."""
    if not re.fullmatch(_UUID, event_id):
        return None
    return next((data_dir / kind.value).glob(f"*/*/*-{event_id}{kind.ending}"), None)


class Shelf:
    """The files of one kind.  Counts bytes by camera and day; names are read when they are needed.

    Only files with the exact name of such a file count, and no link is followed.  Not for two
    threads at once.  Every method raises OSError.
    """

    def __init__(self, data_dir: Path, kind: Kind) -> None:
        self.kind = kind
        self._root = f"{data_dir}/{kind.value}"
        self._name = re.compile(_STEM + re.escape(kind.ending))
        self._days: dict[CameraId, dict[str, int]] = {}
        for camera in directories(self._root, CAMERA):
            days = directories(camera.path, _DAY)
            self._days[camera.name] = {day.name: self._measured(day.path) for day in days}

    @property
    def cameras(self) -> list[CameraId]:
        """Those that have kept something here."""
        return list(self._days)

    def size_bytes(self, camera: CameraId) -> int:
        """Return what a camera's files take."""
        return sum(self._days.get(camera, {}).values())

    def add(self, camera: CameraId, path: str) -> None:
        """Count a file that was written."""
        days, day = self._days.setdefault(camera, {}), os.path.basename(os.path.dirname(path))
        days[day] = days.get(day, 0) + os.lstat(path).st_size

    def older(self, camera: CameraId, than: datetime) -> Iterator[Kept]:
        """Yield a camera's files of before a time, the oldest first; younger days are not read."""
        last_day = f"{than.astimezone(timezone.utc):%Y-%m-%d}"
        for day in sorted(day for day in self._days.get(camera, ()) if day <= last_day):
            found = (kept for kept in self._on(f"{self._root}/{camera}/{day}") if kept.at < than)
            yield from sorted(found, key=_age)

    def oldest(self, camera: CameraId | None = None) -> Iterator[Kept]:
        """Yield the files of a camera, or of all, the oldest first."""
        cameras = list(self._days) if camera is None else [camera]
        days = sorted({day for name in cameras for day in self._days.get(name, ())})
        for day in days:
            found = [k for name in cameras for k in self._on(f"{self._root}/{name}/{day}")]
            yield from sorted(found, key=_age)

    def remove(self, kept: Kept, *, with_day: bool) -> None:
        """Remove a file; with_day: and the directory of its day when that is empty."""
        remove_file(kept.path)
        directory = os.path.dirname(kept.path)
        _, camera, day = directory.rsplit("/", 2)
        days = self._days.get(camera, {})
        days[day] = max(days.get(day, 0) - kept.size_bytes, 0)
        if with_day:
            with suppress(OSError):
                os.rmdir(directory)
                del days[day]

    def _measured(self, day: str) -> int:
        """Return the bytes of a day's files; what was never finished is removed."""
        with os.scandir(day) as entries:
            for entry in entries:
                if entry.name.startswith(".") and self._name.fullmatch(entry.name[1:]):
                    remove_file(entry.path)
        return sum(kept.size_bytes for kept in self._on(day))

    def _on(self, day: str) -> Iterator[Kept]:
        if not os.path.isdir(day):
            return
        with os.scandir(day) as entries:
            for entry in entries:
                match = self._name.fullmatch(entry.name)
                if match is None or not entry.is_file(follow_symlinks=False):
                    continue
                with suppress(ValueError, FileNotFoundError):  # no such time; gone meanwhile
                    at = datetime.strptime(
                        f"{os.path.basename(day)} {match[1]} +0000", "%Y-%m-%d %H-%M-%S %z"
                    )
                    size_bytes = entry.stat(follow_symlinks=False).st_size
                    yield Kept(entry.path, at, size_bytes)


def oldest_of(
    shelves: Iterable[Shelf], camera: CameraId | None = None
) -> Iterator[tuple[Shelf, Kept]]:
    """Yield the files of several shelves together, the oldest first.  Raises OSError."""

    def of(shelf: Shelf) -> Iterator[tuple[Shelf, Kept]]:
        return ((shelf, kept) for kept in shelf.oldest(camera))

    return merge(*map(of, shelves), key=lambda row: _age(row[1]))


def _age(kept: Kept) -> tuple[datetime, str]:
    return kept.at, os.path.basename(kept.path)
