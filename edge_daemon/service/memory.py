"""Gives back to the system what the C library keeps of memory that nothing uses any more."""

from __future__ import annotations

import ctypes
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_EVERY_S: Final = 60.0
_LOW_S: Final = 1.0
_TRIM_THRESHOLD: Final = -1  # M_TRIM_THRESHOLD of malloc.h
_MMAP_THRESHOLD: Final = -3  # M_MMAP_THRESHOLD
_LOW_BYTES: Final = 1 << 17  # glibc's own, until a larger block was freed
_HIGH_BYTES: Final = 1 << 26
_LARGE_BYTES: Final = 1 << 25  # the most it takes; with large frames it gets there by itself


class SpareMemory:
    """What was freed, and stays with the process all the same.

    glibc has a heap for nearly every thread, and gives back by itself only what is free at a
    heap's end, and only where that is much: each moment in which much is held at once leaves more
    behind.  Its malloc_trim gives back every free page but those at the end of other threads'
    heaps.  Those go when their thread next frees something there, while what counts as much is
    little: for a second, as frames would be mapped and unmapped all the time otherwise.
    Where there is no glibc (musl, macOS), nothing happens.  Source: glibc 2.36, malloc/arena.c,
    heap_trim; mallopt(3).
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._due_s = clock, clock() + _EVERY_S
        self._low_until_s: float | None = None
        self._libc = _glibc()

    def tick(self) -> None:
        """Give it back, once a minute; to be called several times a second."""
        if self._libc is None:
            return
        now_s = self._clock()
        if self._low_until_s is not None and now_s >= self._low_until_s:
            self._low_until_s = None
            self._libc.mallopt(_TRIM_THRESHOLD, _HIGH_BYTES)
        if now_s >= self._due_s:
            self._due_s, self._low_until_s = now_s + _EVERY_S, now_s + _LOW_S
            self._libc.malloc_trim(0)
            self._libc.mallopt(_TRIM_THRESHOLD, _LOW_BYTES)  # from now on neither moves by itself
            self._libc.mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)


def _glibc() -> ctypes.CDLL | None:
    try:
        libc = ctypes.CDLL(None)
        libc.malloc_trim.argtypes = (ctypes.c_size_t,)
        libc.mallopt.argtypes = (ctypes.c_int, ctypes.c_int)
    except (OSError, AttributeError):
        return None
    return libc
