"""Whether the wall clock can be believed.  It decides nothing: it dates events for people."""

from __future__ import annotations

import ctypes
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_RELEASED_S: Final = 1_795_000_000  # 2026-11-18: no honest clock is before this release
_TIMESYNCD: Final = Path("/run/systemd/timesync/synchronized")
_TIME_ERROR: Final = 5  # adjtimex(2): the kernel's clock is not synchronised
_Timex = ctypes.c_char * 512  # more than sizeof(struct timex) on every Linux


def clock_synced() -> bool:
    """Whether the clock is plausible and somebody (NTP, a hypervisor, timesyncd) keeps it.

    Source: adjtimex(2); systemd-timesyncd.service(8) for the file it touches.
    """
    return time.time() > _RELEASED_S and (_TIMESYNCD.exists() or _kernel_is_synced())


def _kernel_is_synced() -> bool:
    adjtimex = _adjtimex()
    if adjtimex is None:
        return False
    return adjtimex(_Timex()) not in (-1, _TIME_ERROR)  # modes 0: read only


@cache  # whoever opens the C library makes a class, and leaves it to the collector
def _adjtimex() -> Callable[[ctypes.Array[ctypes.c_char]], int] | None:
    try:
        return ctypes.CDLL(None).adjtimex
    except (OSError, AttributeError):  # not Linux
        return None
