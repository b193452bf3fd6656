"""Signs of life: a thread says by when it will be heard of again."""

from __future__ import annotations

import time


class Pulse:
    """One thread's promise.  Written by that thread, read by the watchdog."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._deadline_s: float | None = None

    def expect(self, within_s: float) -> None:
        """Promise to be heard of again within so many seconds."""
        self._deadline_s = time.monotonic() + within_s

    def rest(self) -> None:
        """Promise nothing: the thread waits for work, as it may."""
        self._deadline_s = None

    def overdue(self) -> bool:
        """Whether the promise was broken: the thread hangs."""
        deadline_s = self._deadline_s
        return deadline_s is not None and time.monotonic() > deadline_s
