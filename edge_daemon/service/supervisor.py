"""Owns the daemon's threads: a bug in one of them ends the process, a hang is noticed."""

from __future__ import annotations

import logging
import threading
import time
from threading import Thread
from typing import TYPE_CHECKING

from edge_daemon.pipeline.pulse import Pulse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

log = logging.getLogger(__name__)


class Supervisor:
    """Starts threads, watches them, and waits for their end."""

    def __init__(self) -> None:
        self.has_bug = False  # a thread ended by what it should not have raised
        self._threads: dict[str, Thread] = {}
        self._pulses: dict[str, Pulse] = {}

    def pulse(self, name: str) -> Pulse:
        """Return the pulse of a part that is watched from now on."""
        self._pulses[name] = Pulse(name)
        return self._pulses[name]

    def start(self, name: str, body: Callable[[], None]) -> None:
        """Run body in a thread, in place of the last of that name; what it raises is a bug."""
        self._threads[name] = Thread(target=self.guarded(name, body), name=name, daemon=True)
        self._threads[name].start()

    def guarded(self, name: str, body: Callable[[], None]) -> Callable[[], None]:
        """Return the body of a thread of somebody else's; what it raises is a bug here, too."""

        def run() -> None:
            try:
                body()
            except Exception:
                log.exception("%s: a bug, the daemon ends -- please report it", name)
                self.has_bug = True

        return run

    def join(self, name: str, timeout_s: float) -> bool:
        """Wait for a thread's end; False, with a line in the log, when it does not come."""
        return not self.join_all([name], timeout_s)

    def join_all(self, names: Iterable[str], timeout_s: float) -> list[str]:
        """Wait for the end of threads; return, and log, those that do not end in time."""
        until_s, left = time.monotonic() + timeout_s, []
        for name in names:
            thread = self._threads.pop(name, None)
            self._pulses.pop(name, None)
            if thread is None:
                continue
            thread.join(max(0.0, until_s - time.monotonic()))
            if thread.is_alive():
                log.error("%s: does not end within %.1f s, it is left behind", name, timeout_s)
                left.append(name)
        return left

    def hanging(self) -> list[str]:
        """Return the names of the parts that broke their promise to be heard of."""
        return [name for name, pulse in list(self._pulses.items()) if pulse.overdue()]


def n_left_behind(camera: str) -> int:
    """Return how many threads of a camera hang, though others are at work in their place.

    A camera has a thread of its own, and a live one another in its source.
    """
    names = [thread.name for thread in threading.enumerate()]
    return sum(max(0, names.count(name) - 1) for name in (f"camera {camera}", f"source {camera}"))
