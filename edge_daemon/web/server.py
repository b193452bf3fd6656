"""Serves the application in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import socket
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

import uvicorn

from edge_daemon.config.load import read_secret
from edge_daemon.errors import ConfigError, EdgeError
from edge_daemon.logs import FaultLog
from edge_daemon.web.app import make_app

if TYPE_CHECKING:
    from edge_daemon.config.models import HttpConfig
    from edge_daemon.service.daemon import Daemon

log = logging.getLogger(__name__)

_STOP_S: Final = 2
_BACKLOG: Final = 32  # asyncio tries so many at once, and complains of each when descriptors end


class WebServer:
    """The HTTP server: start() answers, stop() ends within seconds.

    Takes over the socket, which ``bind`` made.  Raises ConfigError.
    """

    def __init__(self, settings: HttpConfig, daemon: Daemon, bound: socket.socket) -> None:
        token_file = settings.token_file
        token = read_secret(token_file, where="http.token_file") if token_file else None
        self._where = _where(settings)
        self._faults = FaultLog(log)
        self._socket = bound
        self._server = uvicorn.Server(
            uvicorn.Config(
                make_app(daemon, token),
                ws="none",
                log_config=None,
                backlog=_BACKLOG,
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=_STOP_S,
                ssl_certfile=settings.tls_cert_file,
                ssl_keyfile=settings.tls_key_file,
            )
        )
        logging.getLogger("uvicorn").setLevel(logging.ERROR)  # it warns of each nonsense it is sent
        self._thread = Thread(target=self._serve, name="http", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()
        log.info("%s: listening", self._where)

    def leave(self) -> None:
        """Begin to end; safe from a signal handler."""
        self._server.should_exit = True

    def stop(self) -> None:
        """Finish what is being answered, then end."""
        self.leave()
        self._thread.join(_STOP_S + 1)
        self._socket.close()

    def _serve(self) -> None:
        asyncio.run(self._answer())

    async def _answer(self) -> None:
        asyncio.get_running_loop().set_exception_handler(self._cope)
        await self._server.serve(sockets=[self._socket])

    def _cope(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Tell in a line what asyncio tells in a traceback a second: it cannot accept."""
        exc = context.get("exception")
        if not isinstance(exc, OSError):
            loop.default_exception_handler(context)
            return
        what, hint = f"cannot answer: {exc.strerror}", "see what uses so much; it is tried again"
        self._faults.tell("http", EdgeError(what, where=self._where, hint=hint))


def bind(settings: HttpConfig) -> socket.socket:
    """Listen, with nobody to answer yet.  Raises ConfigError where it is not to be had."""
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
        family, kind, _, _, address = found[0]
        sock = socket.socket(family, kind)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(_BACKLOG)
    except OSError as exc:
        what, hint = exc.strerror, "is another daemon running? choose another port, or http: null"
        raise ConfigError(f"cannot listen: {what}", where=_where(settings), hint=hint) from exc
    return sock


def _where(settings: HttpConfig) -> str:
    return f"http.listen {settings.listen}"
