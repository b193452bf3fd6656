"""Messages to systemd.  Source: sd_notify(3), the datagram protocol."""

from __future__ import annotations

import os
import socket
from typing import Final

_PATIENCE_S: Final = 0.5  # its socket holds 10 messages; whoever sends more waits until it reads
_MOST_OWED: Final = 10


class Notifier:
    """Tells systemd how the service is; without systemd (no NOTIFY_SOCKET) it does nothing.

    A systemd that does not listen for a while, as when it is itself restarted, hears what it missed
    with the next message; signs of life aside, which are sent again and again.
    """

    def __init__(self) -> None:
        self._owed: list[str] = []
        self._address = os.environ.get("NOTIFY_SOCKET", "")
        if self._address.startswith("@"):  # Linux's abstract namespace
            self._address = "\0" + self._address[1:]

    def watched(self, within_s: float | None = None) -> list[str]:
        """Return how often signs of life have to come from now on; None: as the unit says.

        Nothing where systemd does not watch.  Source: sd_notify(3), WATCHDOG_USEC.
        """
        usec = os.environ.get("WATCHDOG_USEC")
        if usec is None:
            return []
        return [
            f"WATCHDOG_USEC={usec if within_s is None else round(within_s * 1e6)}",
            "WATCHDOG=1",
        ]

    def send(self, *assignments: str) -> None:
        """Send assignments such as READY=1; give up after half a second."""
        if not self._address:
            return
        message = [*self._owed, *assignments]
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
                sock.settimeout(_PATIENCE_S)
                sock.sendto("\n".join(message).encode(), self._address)
        except OSError:  # no descriptor is left for it, either
            self._owed = [one for one in message if one != "WATCHDOG=1"][-_MOST_OWED:]
        else:
            self._owed = []
