"""What identifies a configuration, without telling anything of it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from edge_daemon.config.models import Settings


def fingerprint(settings: Settings) -> str:
    """Return the SHA-256 of all settings, defaults spelt out; addresses count without secrets."""
    return hashlib.sha256(repr(settings.model_dump()).encode()).hexdigest()


def fingerprint_of_files(*paths: Path | None) -> str:
    """Return the SHA-256 of what these files hold; one that cannot be read counts as such."""
    found = hashlib.sha256()
    for path in paths:
        try:
            content = b"" if path is None else hashlib.sha256(path.read_bytes()).digest()
        except OSError as exc:
            content = str(exc.errno).encode()
        found.update(content + b"\0")
    return found.hexdigest()
