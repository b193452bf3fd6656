"""Whether the wall clock can be believed.  It decides nothing: it dates events for people."""

from __future__ import annotations

import ctypes
import time
from pathlib import Path
from typing import Final

_RELEASED_S: Final = 1_795_000_000  # 2026-11-18: no honest clock is before this release
_TIMESYNCD: Final = Path("/run/systemd/timesync/synchronized")
_TIME_ERROR: Final = 5  # adjtimex(2): the kernel's clock is not synchronised
_TIMEX_BYTES: Final = 512  # more than sizeof(struct timex) on every Linux


def clock_synced() -> bool:
    """Whether the clock is plausible and somebody (NTP, a hypervisor, timesyncd) keeps it.

    Source: adjtimex(2); systemd-timesyncd.service(8) for the file it touches.
    """
    return time.time() > _RELEASED_S and (_TIMESYNCD.exists() or _kernel_is_synced())


def _kernel_is_synced() -> bool:
    try:
        adjtimex = ctypes.CDLL(None).adjtimex
    except (OSError, AttributeError):  # not Linux
        return False
    timex = ctypes.create_string_buffer(_TIMEX_BYTES)  # modes 0: read only
    return int(adjtimex(timex)) not in (-1, _TIME_ERROR)
