"""Who may read what is secret: where one stands in the clear, and whether everybody may look."""

from __future__ import annotations

import re
import shlex
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

# Docker and Kubernetes lend secrets there, readable by all: nobody else is in the container.
_LENT: Final = Path("/run/secrets")
_SECRETS: Final = (
    re.compile(r"[a-z][a-z0-9+.-]*://[^/?#\s@]*?:([^/?#\s]+)@", re.IGNORECASE),  # URL
    re.compile(  # query or path of a URL, property of a pipeline
        r"[?&_;\s](?:pass|passwd|password|pwd|user-pw|token|secret|auth|api_?key)=([^&\s]+)",
        re.IGNORECASE,
    ),
)


def places_of_secrets(data: object, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the keys, such as cameras.0.source, whose text holds a secret and not ${NAME}.

    data is the file as YAML has it, before variables are replaced.
    """
    if isinstance(data, dict):
        for key, value in data.items():
            yield from places_of_secrets(value, (*path, str(key)))
    elif isinstance(data, list):
        for n, value in enumerate(data):
            yield from places_of_secrets(value, (*path, str(n)))
    elif isinstance(data, str) and any(
        "${" not in found[1] for pattern in _SECRETS for found in pattern.finditer(data)
    ):
        yield ".".join(path)


def is_public(path: Path) -> bool:
    """Whether every user of this machine may read a file.

    That is what its mode says and the modes of all directories above: a file for everybody in a
    directory for one is private.  A group may read: that is how a service gets its configuration.
    """
    try:
        real = path.resolve(strict=True)
        mode = real.stat().st_mode
        if real.is_relative_to(_LENT) or not (stat.S_ISREG(mode) and mode & stat.S_IROTH):
            return False
        return all(folder.stat().st_mode & stat.S_IXOTH for folder in real.parents)
    except OSError:  # a pipe has no path; what cannot be read is told where it is read
        return False


def mend_hint(path: Path) -> str:
    """Return what to type so that a file is no longer public."""
    return f"chmod 600 {shlex.quote(str(path))} (640 for its group)"
