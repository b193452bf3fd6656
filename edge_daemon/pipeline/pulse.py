"""Signs of life: a thread says by when it will be heard of again."""

from __future__ import annotations

import time
from threading import Lock


class LeftBehindError(Exception):
    """Raised in a thread that was given up, when it comes back: another has its place."""


class Pulse:
    """One thread's promise.  Kept by that thread, watched by another.

    A thread is given up only while it owes a sign of life, and learns of it with the next one it
    gives.  So what it does between rest() and expect() it never does after it was given up.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = Lock()
        self._deadline_s: float | None = None
        self._is_given_up = False

    def expect(self, within_s: float) -> None:
        """Promise to be heard of again within so many seconds.  Raises LeftBehindError."""
        self._set(time.monotonic() + within_s)

    def rest(self) -> None:
        """Promise nothing: the thread waits for work, as it may.  Raises LeftBehindError."""
        self._set(None)

    def overdue(self) -> bool:
        """Whether the promise was broken: the thread hangs."""
        deadline_s = self._deadline_s
        return deadline_s is not None and time.monotonic() > deadline_s

    def give_up(self, *, at_once: bool = False) -> bool:
        """Give the thread up if it is overdue, at_once even before; return whether it now is."""
        with self._lock:
            self._is_given_up = self._is_given_up or at_once or self.overdue()
            if self._is_given_up:
                self._deadline_s = None
            return self._is_given_up

    def _set(self, deadline_s: float | None) -> None:
        with self._lock:
            if self._is_given_up:
                raise LeftBehindError(self.name)
            self._deadline_s = deadline_s
