"""A port that serves one connection after another, as it is told."""

from __future__ import annotations

import socket
from collections.abc import Callable
from threading import Thread


class TcpServer:
    """Hands each connection to serve, by a thread of its own."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self._serve = serve
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = Thread(target=self._accept)
        self._thread.start()

    def close(self) -> None:
        """End; who is connected has hung up by now."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client:
                self._serve(client)
