"""What identifies a configuration, without telling anything of it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge_daemon.config.models import Settings


def fingerprint(settings: Settings) -> str:
    """Return the SHA-256 of all settings, defaults spelt out; addresses count without secrets."""
    return hashlib.sha256(repr(settings.model_dump()).encode()).hexdigest()
