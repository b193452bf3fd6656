"""The files a recording is cut into: their names, and when a new one begins."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final

from edge_daemon.recording.storage import directories

if TYPE_CHECKING:
    from collections.abc import Iterator

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_FILE: Final = re.compile(r"(\d{2}-\d{2}-\d{2}Z(?:-\d+)?)\.(mp4|mov|mkv|vtt|jsonl)")
VIDEOS: Final = (".mp4", ".mov", ".mkv")
SIDECARS: Final = (".vtt", ".jsonl")
HEADER_BYTES: Final = 256  # a smaller file was given up before its first picture
_MATROSKA_HEADER_BYTES: Final = 8192  # no header is larger; measured: 555, with captions 672
_CLUSTER: Final = b"\x1f\x43\xb6\x75"  # what pictures lie in.  Source: RFC 9559, 5.1.3
_JUMP_S: Final = 5.0  # stream time and wall time may differ by so much from frame to frame


@dataclass(frozen=True, slots=True)
class Segment:
    """A finished file with what lies beside it: captions, answers.

    ended_at is when this machine last wrote to it, aware UTC; size_bytes that of all its files.
    """

    path: str
    ended_at: datetime
    size_bytes: int
    is_empty: bool = False  # it was given up before its first picture
    sidecars: tuple[str, ...] = ()

    @property
    def is_video(self) -> bool:
        """Whether there are pictures, and not only what lay beside them."""
        return self.path.endswith(VIDEOS)

    @property
    def paths(self) -> tuple[str, ...]:
        """Return its files in the order in which they are removed: never one without its video."""
        return (*self.sidecars, self.path)


class SegmentClock:
    """Says with which frame a new segment begins: at whole multiples of length_s.

    A live camera is cut by wall-clock time, a file by its stream time.  Where time runs backwards
    or, of a live camera, away from the wall clock, a new segment begins too.
    """

    def __init__(self, length_s: float, *, live: bool) -> None:
        self._length_s, self._live = length_s, live
        self._last: tuple[float, float] | None = None  # stream time, wall time

    def starts_new(self, pts_s: float, captured_at: datetime) -> bool:
        """Return whether this frame belongs into a new segment; the first one does."""
        wall_s = captured_at.timestamp()
        last, self._last = self._last, (pts_s, wall_s)
        if last is None or pts_s <= last[0]:
            return True
        if self._live and abs((pts_s - last[0]) - (wall_s - last[1])) > _JUMP_S:
            return True
        now_s, then_s = (wall_s, last[1]) if self._live else (pts_s, last[0])
        return now_s // self._length_s != then_s // self._length_s


def segment_path(directory: str, started_at: datetime, ending: str = ".mp4") -> str:
    """Return a name not yet taken: 2026-11-20/22-54-00Z.mp4, then 22-54-00Z-2.mp4.

    The files beside it have the same name, but for their endings.
    """
    at = started_at.astimezone(timezone.utc)
    first = stem = f"{directory}/{at:%Y-%m-%d}/{at:%H-%M-%S}Z"
    n = 1
    while any(os.path.lexists(stem + taken) for taken in (*VIDEOS, *SIDECARS)):
        n += 1
        stem = f"{first}-{n}"
    return stem + ending


def sidecar(path: str, ending: str) -> str:
    """Return the name of what lies beside a segment."""
    return os.path.splitext(path)[0] + ending


def find_segments(directory: str) -> list[Segment]:
    """Return the segments below a camera's directory, oldest first.

    Only what has the exact name of a segment counts, and no link is followed.  Raises OSError.
    """
    found = [segment for day in directories(directory, _DAY) for segment in _on(day.path)]
    return sorted(found, key=lambda s: (s.ended_at, s.path))


def _on(day: str) -> Iterator[Segment]:
    """Yield the segments of a day; what lies beside a video that is gone is one by itself."""
    by_name: dict[str, list[str]] = {}
    for entry in _entries(day, _FILE):
        if entry.is_file(follow_symlinks=False):
            by_name.setdefault(os.path.splitext(entry.name)[0], []).append(entry.path)
    for paths in by_name.values():
        main, *rest = sorted(paths, key=lambda path: (not path.endswith(VIDEOS), path))
        yield _measured(main, tuple(rest))


def stat_segment(path: str) -> Segment:
    """Return what the file system says of a segment.  Raises OSError."""
    beside = (sidecar(path, ending) for ending in SIDECARS)
    return _measured(path, tuple(p for p in beside if os.path.lexists(p)))


def size_bytes(path: str) -> int:
    """Return what a segment takes that is being written; 0: nothing yet.  Raises OSError."""
    size = 0
    for part in (path, *(sidecar(path, ending) for ending in SIDECARS)):
        with suppress(FileNotFoundError):
            size += os.lstat(part).st_size
    return size


def _measured(path: str, sidecars: tuple[str, ...]) -> Segment:
    told = os.lstat(path)
    size = told.st_size + sum(os.lstat(p).st_size for p in sidecars)
    ended_at = datetime.fromtimestamp(told.st_mtime, timezone.utc)
    return Segment(path, ended_at, size, _is_empty(path, told.st_size), sidecars)


def _is_empty(path: str, n_bytes: int) -> bool:
    """Whether a file of that size was cut off before its first picture.

    MP4 writes its parameters with the first fragment, Matroska before.
    """
    if path.endswith(".mkv") and HEADER_BYTES <= n_bytes < _MATROSKA_HEADER_BYTES:
        with open(path, "rb") as file:
            return _CLUSTER not in file.read()
    return n_bytes < HEADER_BYTES


def _entries(directory: str, name: re.Pattern[str]) -> Iterator[os.DirEntry[str]]:
    with os.scandir(directory) as entries:
        yield from (entry for entry in entries if name.fullmatch(entry.name))
