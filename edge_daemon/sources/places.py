"""What lies where an address leads; that it may not be looked at is a fault of that source."""

from __future__ import annotations

import errno
import stat
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_daemon.config.paths import whole_path
from edge_daemon.errors import SourceUnavailableError

if TYPE_CHECKING:
    from edge_daemon.types import SourceAddress

_ABSENT: Final = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


def path_of(address: SourceAddress) -> Path:
    """Return the path, a ~ at its beginning replaced.  Raises SourceUnavailableError."""
    try:
        return whole_path(address.reveal())
    except ValueError as exc:
        what, _, hint = str(exc).partition(" -- ")
        raise SourceUnavailableError(what, where=repr(address), hint=hint) from exc


def is_file(path: Path) -> bool:
    """Whether a file is there.  Raises SourceUnavailableError where that cannot be known."""
    return stat.S_ISREG(_mode(path))


def is_directory(path: Path) -> bool:
    """Whether a directory is there.  Raises SourceUnavailableError where that cannot be known."""
    return stat.S_ISDIR(_mode(path))


def files_in(folder: Path, endings: tuple[str, ...]) -> list[Path]:
    """Return a directory's files with these endings, sorted.  Raises SourceUnavailableError."""
    try:
        found = sorted(folder.iterdir())
    except OSError as exc:
        raise unreadable(folder, exc) from exc
    return [path for path in found if path.suffix.lower() in endings and is_file(path)]


def files_like(pattern: Path) -> list[Path]:
    """Return the files that a glob matches, each once, sorted.  Raises SourceUnavailableError."""
    names = glob(str(pattern), recursive=True)  # noqa: PTH207  Path.glob takes no absolute pattern
    return [path for path in sorted(set(map(Path, names))) if is_file(path)]


def unreadable(path: Path, exc: OSError) -> SourceUnavailableError:
    """Return what to raise where the system refuses a path."""
    hint = "check the path, and the disk or network share it leads to"
    if isinstance(exc, PermissionError):
        hint = "let the user that runs this read it, and enter the directories above it"
    return SourceUnavailableError(str(exc.strerror), where=str(path), hint=hint)


def _mode(path: Path) -> int:
    """Return the kind and permissions of what is there; 0 where nothing is."""
    try:
        return path.stat().st_mode
    except OSError as exc:
        if exc.errno in _ABSENT:
            return 0
        raise unreadable(path, exc) from exc
