"""Gives back to the system what the C library keeps of memory that nothing uses any more."""

from __future__ import annotations

import ctypes
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_EVERY_S: Final = 60.0


class SpareMemory:
    """What was freed, and stays with the process all the same.

    glibc has a heap for nearly every thread, and gives back by itself only what is free at a
    heap's end: each moment in which much is held at once leaves more behind.  Its malloc_trim
    gives back every free page.  Where there is no malloc_trim (musl, macOS), nothing happens.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._due_s, self._trim = clock, clock() + _EVERY_S, _malloc_trim()

    def tick(self) -> None:
        """Give it back, once a minute."""
        if self._trim is not None and self._clock() >= self._due_s:
            self._due_s = self._clock() + _EVERY_S
            self._trim(0)


def _malloc_trim() -> Callable[[int], int] | None:
    with suppress(OSError, AttributeError):
        trim = ctypes.CDLL(None).malloc_trim
        trim.argtypes, trim.restype = (ctypes.c_size_t,), ctypes.c_int
        return trim
    return None
