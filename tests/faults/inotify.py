"""What happens to the files below a directory, in the order in which it happened (Linux)."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

# Source: inotify(7), linux/inotify.h
_CLOSED, _MOVED_TO, _CREATED, _DELETED = 0x8, 0x80, 0x100, 0x200
_OVERFLOW, _IGNORED, _IS_DIRECTORY = 0x4000, 0x8000, 0x4000_0000
_HEAD: Final = struct.Struct("iIII")  # watch, mask, cookie, length of the name


class Changes:
    """Reads one queue of the kernel's for all directories, so that nothing is out of order."""

    def __init__(self, root: Path) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._queue = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._queue < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        self._directories: dict[int, Path] = {}
        self._watch(root)

    def close(self) -> None:
        os.close(self._queue)

    def read(self) -> Iterator[tuple[Path, bool]]:
        """Yield (file, whether it is there): True when it was finished, False when it went."""
        while content := self._content():
            at = 0
            while at < len(content):
                number, mask, _cookie, length = _HEAD.unpack_from(content, at)
                name = content[at + _HEAD.size : at + _HEAD.size + length].rstrip(b"\0").decode()
                at += _HEAD.size + length
                if mask & _OVERFLOW:
                    raise RuntimeError("more happened than was looked at: look more often")
                if mask & _IGNORED:
                    self._directories.pop(number, None)
                    continue
                path = self._directories[number] / name
                if mask & _IS_DIRECTORY:
                    if mask & (_CREATED | _MOVED_TO):
                        self._watch(path)
                elif mask & (_CLOSED | _MOVED_TO | _DELETED):
                    yield path, not mask & _DELETED

    def _content(self) -> bytes:
        try:
            return os.read(self._queue, 1 << 16)
        except BlockingIOError:
            return b""

    def _watch(self, directory: Path) -> None:
        """Watch a directory, and those in it; one that is gone again is passed over."""
        mask = _CLOSED | _MOVED_TO | _CREATED | _DELETED
        number = self._libc.inotify_add_watch(self._queue, os.fsencode(directory), mask)
        if number < 0:
            if ctypes.get_errno() == errno.ENOENT:
                return
            raise OSError(ctypes.get_errno(), "inotify_add_watch", str(directory))
        self._directories[number] = directory
        try:
            for entry in list(os.scandir(directory)):
                if entry.is_dir(follow_symlinks=False):
                    self._watch(Path(entry.path))
        except FileNotFoundError:
            return
