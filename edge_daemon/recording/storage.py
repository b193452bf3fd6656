"""Files on a disk that may be full, read-only or gone.

Names of files that come and go are strings here, a Path is for places that stay: pathlib interns
each part of what it is given, and CPython 3.12.0 to 3.12.5 keeps that for good (gh-113993).
"""

from __future__ import annotations

import errno
import io
import os
import re
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from edge_daemon.errors import RecordingError, StorageFullError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed import StrPath
    from typing_extensions import Buffer

FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
CAMERA: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}")  # as in config/section.py; not lost+found
_HINTS: Final = {
    errno.EACCES: "let the daemon's user write there, or choose another place",
    errno.EPERM: "let the daemon's user write there, or choose another place",
    errno.EROFS: "mount the disk for writing (a service: ReadWritePaths=), or choose another place",
    errno.ENOENT: "create the directory, or choose another place",
    errno.ENOTDIR: "a file is in the way: choose another place",
    errno.EISDIR: "a directory is in the way: choose another name",
    errno.EEXIST: "a file is in the way: choose another place",
    errno.EIO: "check the disk and its cable",
}


@contextmanager
def storage_faults(path: StrPath) -> Iterator[None]:
    """Turn OSError into StorageFullError or RecordingError about path."""
    try:
        yield
    except OSError as exc:
        what = exc.strerror or str(exc)
        if exc.errno in FULL:
            hint = "free some space, or keep less: record.keep, record.max_size"
            raise StorageFullError(what, where=str(path), hint=hint) from exc
        hint = _HINTS.get(exc.errno or 0, "check the disk, or choose another place")
        raise RecordingError(what, where=str(path), hint=hint) from exc


@contextmanager
def removal_faults(path: str) -> Iterator[None]:
    """Turn OSError into RecordingError about the directory of a camera, the same for each file."""
    home = os.path.dirname(os.path.dirname(path))
    try:
        with storage_faults(home):
            yield
    except RecordingError as fault:
        what = f"old files cannot be removed: {fault.what}"
        raise RecordingError(what, where=home, hint=fault.hint) from fault


def directories(root: StrPath, name: re.Pattern[str]) -> list[os.DirEntry[str]]:
    """Return the directories below root whose whole names match; no link is followed.

    Raises OSError.
    """
    if not os.path.isdir(root):
        return []
    with os.scandir(root) as entries:
        return [e for e in entries if name.fullmatch(e.name) and e.is_dir(follow_symlinks=False)]


def remove_file(path: StrPath) -> None:
    """Remove a file, which may be gone already.  Raises OSError."""
    with suppress(FileNotFoundError):
        os.unlink(path)


class StorageFile(io.FileIO):
    """A file for FFmpeg to write to: unbuffered, and a write is whole or an OSError."""

    size_bytes = 0  # highest byte written

    def write(self, data: Buffer, /) -> int:
        """Write all of it."""
        rest = memoryview(data)
        size = len(rest)
        while rest:
            rest = rest[super().write(rest) or 0 :]
        self.size_bytes = max(self.size_bytes, self.tell())
        return size
