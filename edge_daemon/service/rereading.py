"""Reads the configuration again while the daemon runs by it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from edge_daemon.errors import ConfigError, EdgeError
from edge_daemon.service.plan import check_files

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_daemon.config.models import Settings

log = logging.getLogger(__name__)


def read_again(reread: Callable[[], Settings]) -> Settings:
    """Return the changed file's settings.  Raises ConfigError, and nothing else."""
    try:
        new = reread()
        check_files(new, where="reload")
    except ConfigError:
        raise
    except EdgeError as exc:
        raise ConfigError(exc.what, where=exc.where, hint=exc.hint) from exc
    except Exception as exc:  # what runs must not end by what somebody wrote
        log.debug("reload", exc_info=True)
        what = f"a bug: {type(exc).__name__}: {exc}".splitlines()[0]
        raise ConfigError(what, where="configuration", hint="please report it") from exc
    return new
