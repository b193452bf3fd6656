"""Messages to systemd.  Source: sd_notify(3), the datagram protocol."""

from __future__ import annotations

import os
import socket


class Notifier:
    """Tells systemd how the service is; without systemd (no NOTIFY_SOCKET) it does nothing."""

    def __init__(self) -> None:
        self._address = os.environ.get("NOTIFY_SOCKET", "")
        if self._address.startswith("@"):  # Linux's abstract namespace
            self._address = "\0" + self._address[1:]

    def send(self, *assignments: str) -> None:
        """Send assignments such as READY=1.  A systemd that does not listen is not our trouble."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
                sock.sendto("\n".join(assignments).encode(), self._address)
        except OSError:  # no descriptor is left for it, either
            return
