"""What may stay on the disk: by age, by size and by free space, the oldest goes first."""

from __future__ import annotations

import logging
import os
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import chain
from threading import Lock
from typing import TYPE_CHECKING, Final, Protocol

from edge_daemon.errors import RecordingError, StorageFullError
from edge_daemon.logs import FaultLog
from edge_daemon.recording.ages import Ages
from edge_daemon.recording.index import SegmentIndex
from edge_daemon.recording.limits import Limits, born_before, crowded_out, outdated
from edge_daemon.recording.segments import find_segments, segment_path, size_bytes, stat_segment
from edge_daemon.recording.shelves import RANKS, Kind, Shelf, oldest_of
from edge_daemon.recording.storage import (
    CAMERA,
    directories,
    removal_faults,
    remove_file,
    storage_faults,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from edge_daemon.recording.limits import Keep
    from edge_daemon.recording.segments import Segment
    from edge_daemon.recording.shelves import Kept
    from edge_daemon.types import CameraId

log = logging.getLogger(__name__)

_RESERVE_BYTES: Final = 500_000_000  # left free for everybody else; of a small disk a twentieth
_OUTBOX_BYTES: Final = 8_000_000  # but no less: the outbox's log takes four, and may double
_PARTS: Final = 16  # a segment is cut early, rather than take more than this part of the room
_LEAST_PART_BYTES: Final = 256_000
_FEW: Final = 20  # files removed while others wait: 0.4 s on a slow SD card
_GLANCE_S: Final = 1.0
_SPARE_PART: Final = 50  # of their room is freed at once: it means reading a directory


class Disk(Protocol):
    """How full a disk is, bytes; free: what the daemon's user may still take."""

    @property
    def total(self) -> int: ...  # noqa: D102
    @property
    def free(self) -> int: ...  # noqa: D102


@dataclass(slots=True)
class _Growing:
    """A file being written, and how large it may be until room is asked for again.

    home is the directory of its camera or kind, device the disk where that lies; kind: None for a
    segment.
    """

    camera: CameraId
    path: str
    promised_bytes: int
    home: str
    kind: Kind | None = None
    size_bytes: int = 0
    device: int | None = field(init=False)

    def __post_init__(self) -> None:
        self.device = _device(self.home)

    def look(self) -> None:
        """Measure it anew.  Raises OSError."""
        self.size_bytes = size_bytes(self.path)


class Archive:
    """The segments of all cameras below one directory, and beside it what is kept of events.

    Shared by all threads that write such files.  Room is made before anything is written, so that
    the disk never fills: segments go first, then clips and snapshots, then evidence, of what lies
    on the same disk.  What is being written is never removed, nor is anything that does not have
    the exact name of such a file.
    """

    def __init__(
        self,
        root: Path,
        disk: Callable[[str], Disk] = shutil.disk_usage,
        *,
        ages: Ages | None = None,
    ) -> None:
        self.root, self.index = root, SegmentIndex(root)
        self._disk, self._ages = disk, ages or Ages()
        self._lock = Lock()
        self._finished: dict[CameraId, list[Segment]] | None = None  # None: not looked yet
        self._growing: dict[str, _Growing] = {}
        self._shelves: dict[Kind, Shelf] | None = None  # None: not looked yet
        self._faults = FaultLog(log)

    def place(self, part: str) -> str:
        """Return where a file lies whose name is relative to data_dir."""
        return f"{self.root.parent}/{part}"

    def begin(
        self,
        camera: CameraId,
        started_at: datetime,
        limits: Limits,
        wanted_bytes: int,
        *,
        ending: str = ".mp4",
        recorded: str = "burned",
        epoch: int | None = None,
    ) -> tuple[str, int]:
        """Return the path of a camera's next segment, and the bytes at which to cut it early.

        There is room for wanted_bytes, the directory exists, the file does not.  recorded and
        epoch are for the index.  Raises StorageFullError, RecordingError.
        """
        directory = f"{self.root}/{camera}"
        with self._lock, storage_faults(directory):
            os.makedirs(directory, exist_ok=True)
            known = self._look()
            known[camera] = [s for s in find_segments(directory) if s.path not in self._growing]
            self._remove(_unplayable(known[camera]))
            path = segment_path(directory, started_at, ending)
            growing = _Growing(camera, path, wanted_bytes, directory)
            segments_bytes = sum(s.size_bytes for s in self._every(growing.device))
            room = self._disk(directory).free + segments_bytes
            most = min(room, limits.max_bytes or room) // _PARTS
            self._make_room(growing, limits)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            self._growing[path] = growing
            self.index.begin(path, camera, recorded, epoch, started_at)
            return path, max(most, _LEAST_PART_BYTES)

    def make_room(self, path: str, limits: Limits, wanted_bytes: int) -> None:
        """Remove what must go before the segment at path grows by wanted_bytes.

        Raises StorageFullError when nothing is left to remove, RecordingError.
        """
        with self._lock, storage_faults(self.root):
            growing = self._growing[path]
            growing.look()
            growing.promised_bytes = growing.size_bytes + wanted_bytes
            self._make_room(growing, limits)

    def begin_kept(
        self, kind: Kind, camera: CameraId, path: str, limits: Limits, wanted_bytes: int
    ) -> None:
        """Make room for what is to be kept of an event at path, and the directory for it.

        limits are those of all that is kept of a camera's events; age is looked at by expire().
        Raises StorageFullError, RecordingError.
        """
        with self._lock, storage_faults(os.path.dirname(path)):
            home = self.place(kind.value)
            os.makedirs(home, exist_ok=True)
            growing = _Growing(camera, path, wanted_bytes, home, kind)
            self._make_room(growing, limits)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            self._growing[path] = growing

    def end(self, path: str, ended_at: datetime | None = None) -> None:
        """Count the file at path as finished: it may be removed from now on.

        ended_at is the time of a segment's last picture, aware UTC; None: now.  A segment that
        holds no picture is removed at once.  Raises RecordingError.
        """
        with self._lock, storage_faults(path), suppress(FileNotFoundError):
            finished = self._growing.pop(path)
            camera, kind = finished.camera, finished.kind
            if kind is not None:
                self._look_at_shelves()[kind].add(camera, path)
                return
            try:
                segment = stat_segment(path)
            except FileNotFoundError:  # it was never made
                self.index.remove([path])
                return
            self.index.end(path, ended_at or segment.ended_at, segment.size_bytes)
            self._look().setdefault(camera, []).append(segment)
            if segment.is_empty:
                self._remove([segment])

    def size_bytes(self, camera: CameraId) -> int:
        """Return what a camera's segments take, the one being written too.

        Raises RecordingError, also where the disk lets nobody look for a second.
        """
        with self._held_soon(), storage_faults(self.root):
            size = sum(s.size_bytes for s in self._look().get(camera, ()))
            for growing in self._growing.values():
                if growing.camera == camera:
                    growing.look()
                    size += growing.size_bytes
            return size + sum(s.size_bytes(camera) for s in self._look_at_shelves().values())

    @contextmanager
    def _held_soon(self) -> Iterator[None]:
        """Hold the lock, unless somebody waits for a disk with it.  Raises RecordingError."""
        if not self._lock.acquire(timeout=_GLANCE_S):
            hint = "see what else uses it, or replace it"
            raise RecordingError("the disk hangs", where=str(self.root), hint=hint)
        try:
            yield
        finally:
            self._lock.release()

    def cameras(self) -> list[CameraId]:
        """Return of which cameras there is something finished.  Raises RecordingError."""
        with self._lock, storage_faults(self.root):
            shelves = self._look_at_shelves().values()
            return sorted({*self._look(), *(name for shelf in shelves for name in shelf.cameras)})

    def expire(self, camera: CameraId, keep: Keep) -> bool:
        """Remove some of what a camera may not keep any longer; return whether there is more.

        Some: whoever records waits for the same lock.  Raises RecordingError.
        """
        with self._lock, storage_faults(self.root):
            now = self._ages.now()
            return self._expire_segments(camera, keep, now) or self._expire_kept(camera, keep, now)

    def _expire_segments(self, camera: CameraId, keep: Keep, now: datetime) -> bool:
        own, limits = self._look().get(camera, []), Limits(keep.segments_s, None)
        old = outdated(own, limits, now=now, growing_bytes=0, written_at=self._ages.written_at)
        stubborn: list[Segment] = []
        for n, segment in enumerate(old):
            if n - len(stubborn) == _FEW:
                break
            self._remove([segment])
            if os.path.lexists(segment.path):
                stubborn.append(segment)
        if stubborn:  # it still takes room, and is tried again
            self._look()[camera] = [*stubborn, *self._look().get(camera, [])]
        return len(old) - len(stubborn) > _FEW

    def _expire_kept(self, camera: CameraId, keep: Keep, now: datetime) -> bool:
        n_gone, born = 0, born_before(keep.events_s, now)
        if born is None:
            return False
        for shelf in self._look_at_shelves().values():
            for kept in shelf.older(camera, born):
                if self._ages.written_at(kept.at) >= born:
                    continue
                n_gone += self._discard(shelf, kept) > 0
                if n_gone == _FEW:
                    return True
        return False

    def _make_room(self, growing: _Growing, limits: Limits) -> None:
        """Remove what must go for one file to grow as promised."""
        if growing.kind is None:
            gone = outdated(
                self._look().get(growing.camera, []),
                limits,
                now=self._ages.now(),
                growing_bytes=growing.promised_bytes,
                written_at=self._ages.written_at,
            )
            self._remove(gone)
        else:
            self._trim(growing, limits)
        missing = self._missing_bytes(growing)
        gone = crowded_out(self._every(growing.device), missing)
        self._remove(gone)  # counted, not measured: a disk may be slow to give room free
        missing -= sum(s.size_bytes for s in gone if not os.path.lexists(s.path))
        for rank in RANKS:
            beside = [kind for kind in rank if _device(self.place(kind.value)) == growing.device]
            missing -= self._unshelve(beside, missing)
        if missing > 0:
            raise StorageFullError(
                "the disk is full, and no recording is left to remove",
                where=growing.home,
                hint="free some space, or use a larger disk",
            )

    def _trim(self, growing: _Growing, limits: Limits) -> None:
        """Keep what is kept of a camera's events within its limit of size."""
        shelves, most = self._look_at_shelves(), limits.max_bytes
        if most is not None:
            used = growing.promised_bytes
            used += sum(s.size_bytes(growing.camera) for s in shelves.values())
            if used > most:
                most -= most // _SPARE_PART
            for rank in RANKS:
                used -= self._unshelve(rank, used - most, growing.camera)

    def _unshelve(
        self, rank: Iterable[Kind], missing_bytes: int, camera: CameraId | None = None
    ) -> int:
        """Remove the oldest files of these kinds, missing_bytes together; return their bytes."""
        freed, shelves = 0, self._look_at_shelves()
        if missing_bytes > 0:
            for shelf, kept in oldest_of([shelves[kind] for kind in rank], camera):
                freed += self._discard(shelf, kept)
                if freed >= missing_bytes:
                    break
        return freed

    def _discard(self, shelf: Shelf, kept: Kept) -> int:
        """Remove a file that is not being written; return the bytes that it gave free."""
        if kept.path in self._growing:
            return 0
        try:
            with removal_faults(kept.path):
                shelf.remove(kept, with_day=not self._is_needed(os.path.dirname(kept.path)))
        except RecordingError as fault:  # one stubborn file must not end all recording
            self._faults.tell("old files", fault)
            return 0
        log.debug("%s: removed, %d bytes", kept.path, kept.size_bytes)
        return kept.size_bytes

    def _is_needed(self, day: str) -> bool:
        """Whether a file is being written to a directory; it may not be there yet."""
        return any(os.path.dirname(path) == day for path in self._growing)

    def _missing_bytes(self, growing: _Growing) -> int:
        """Return what must be freed to keep every promise on its disk, and the reserve."""
        disk, promised = self._disk(growing.home), 0  # first: what is written meanwhile counts once
        for one in {**self._growing, growing.path: growing}.values():
            if one.device == growing.device:
                one.look()
                promised += max(one.promised_bytes - one.size_bytes, 0)
        return _reserve_bytes(disk.total) + promised - disk.free

    def _look(self) -> dict[CameraId, list[Segment]]:
        """Return the finished segments by camera; what was there before counts too."""
        if self._finished is None:
            cameras = directories(self.root, CAMERA)
            self._finished = {c.name: find_segments(c.path) for c in cameras}
            self._remove(_unplayable(chain.from_iterable(self._finished.values())))
            found = self._finished.items()
            if os.path.isdir(self.root):
                self.index.follow((n, s) for n, segments in found for s in segments if s.is_video)
        return self._finished

    def _look_at_shelves(self) -> dict[Kind, Shelf]:
        if self._shelves is None:
            self._shelves = {kind: Shelf(self.root.parent, kind) for kind in Kind}
        return self._shelves

    def _every(self, device: int | None) -> list[Segment]:
        """Return the finished segments on a disk."""
        here = (c for c in self._look() if _device(f"{self.root}/{c}") == device)
        return [s for camera in here for s in self._look()[camera]]

    def _remove(self, segments: Sequence[Segment]) -> None:
        """Unlink them, and their day's directory when it is empty."""
        for segment in segments:
            try:
                with removal_faults(segment.path):
                    for path in segment.paths:
                        remove_file(path)
            except RecordingError as fault:  # one stubborn file must not end all recording
                self._faults.tell("old files", fault)
            else:
                log.debug("%s: removed, %d bytes", segment.path, segment.size_bytes)
            day = os.path.dirname(segment.path)
            if not self._is_needed(day):
                with suppress(OSError):
                    os.rmdir(day)
        if segments:
            self.index.remove(segment.path for segment in segments)
        gone = set(segments)
        for camera, finished in self._look().items():
            self._look()[camera] = [s for s in finished if s not in gone]


def _device(directory: str) -> int | None:
    """Return the number of the disk where a directory lies; None: there is no such directory."""
    try:
        return os.stat(directory).st_dev
    except FileNotFoundError:
        return None


def _unplayable(segments: Iterable[Segment]) -> list[Segment]:
    """Return those that ended before their first picture; told in the log."""
    empty = [segment for segment in segments if segment.is_empty]
    for segment in empty:
        log.info("%s: removed: it was cut off before its first picture", segment.path)
    return empty


def _reserve_bytes(total_bytes: int) -> int:
    """Return what is left free of a disk of that size."""
    share = min(_RESERVE_BYTES, total_bytes // 20)
    return max(share, _OUTBOX_BYTES) if total_bytes >= 4 * _OUTBOX_BYTES else share
