"""Paths as their owner writes them."""

from __future__ import annotations

import os
from pathlib import Path


def whole_path(written: str | Path) -> Path:
    """Return the path, a ~ at its beginning replaced.  Raises ValueError, without quoting it."""
    try:
        if b"\0" in os.fsencode(written):
            raise ValueError("holds a NUL -- leave it out")
        return Path(written).expanduser()
    except UnicodeEncodeError:
        raise ValueError("holds half a character (a lone surrogate) -- leave it out") from None
    except RuntimeError:  # no such user, or one without a home
        raise ValueError("~ stands for no home known here -- write the whole path") from None
