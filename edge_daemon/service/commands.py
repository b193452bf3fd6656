"""What is asked of the daemon from outside, by signals."""

from __future__ import annotations

from enum import Enum
from queue import Empty, SimpleQueue
from typing import Final

from edge_daemon.service.deadline import Deadline

_STOP_S: Final = 4.0  # the whole of a stop, from the request; the process's own end comes on top


class Command(Enum):
    """What somebody outside wants of the daemon."""

    STOP = "stop"
    RELOAD = "reload"


class Commands:
    """What was asked for and is not done yet; outlives a Daemon, as signals come between two.

    over_by: when a stop is to be over; None: none was asked for.
    """

    def __init__(self) -> None:
        self.over_by: Deadline | None = None
        self._waiting: SimpleQueue[Command] = SimpleQueue()

    def put(self, command: Command) -> None:
        """Ask for something; safe from signal handlers and any thread."""
        if command is Command.STOP and self.over_by is None:
            self.over_by = Deadline.within(_STOP_S)
        self._waiting.put(command)

    def next(self, within_s: float) -> Command | None:
        """Return what was asked for first, as soon as something was; None: nothing in time."""
        try:
            return self._waiting.get(timeout=within_s)
        except Empty:
            return None

    def deadline(self) -> Deadline:
        """Return when something that ends now is to be over."""
        return self.over_by or Deadline.within(_STOP_S)
