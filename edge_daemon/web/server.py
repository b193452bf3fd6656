"""Serves the application in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import socket
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Final

import uvicorn

from edge_daemon.config.load import read_secret
from edge_daemon.config.tls import https_context
from edge_daemon.errors import ConfigError, EdgeError
from edge_daemon.logs import FaultLog
from edge_daemon.web.app import make_app
from edge_daemon.web.door import Conversation, Door

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_daemon.config.models import HttpConfig
    from edge_daemon.service.daemon import Daemon

log = logging.getLogger(__name__)

_STOP_S: Final = 2
_BACKLOG: Final = 128
_LIMIT_S: Final = 10.0


class WebServer:
    """The HTTP server: start() answers, stop() ends within seconds.

    Takes over the socket, which ``bind`` made.  A connection is good for one request, which with
    its answer may take limit_s.  Raises ConfigError.
    """

    def __init__(
        self,
        settings: HttpConfig,
        daemon: Daemon,
        bound: socket.socket,
        *,
        limit_s: float = _LIMIT_S,
    ) -> None:
        self._where = _where(settings)
        self._faults = FaultLog(log)
        self._socket, self._daemon = bound, daemon
        config = _uvicorn(settings, daemon)
        self._server = uvicorn.Server(config)
        self._door = Door(
            bound,
            self._conversations(config),
            tls=https_context(settings),
            on_fault=self._cope,
            limit_s=limit_s,
        )
        logging.getLogger("uvicorn").setLevel(logging.ERROR)  # it warns of each nonsense it is sent
        self._thread = Thread(target=daemon.guarded("http", self._serve), name="http", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()
        log.info("%s: listening", self._where)

    def renew(self, settings: HttpConfig) -> None:
        """Answer whoever comes from now on with these settings, at the same address.

        Raises ConfigError, and then answers as before.
        """
        config, tls = _uvicorn(settings, self._daemon), https_context(settings)
        self._door.begin, self._door.tls = self._conversations(config), tls

    def leave(self) -> None:
        """Begin to end; safe from a signal handler."""
        self._door.is_shut = True
        self._server.should_exit = True

    def stop(self) -> None:
        """Finish what is being answered, then end."""
        self.leave()
        self._thread.join(_STOP_S + 1)
        self._socket.close()

    def _conversations(self, config: uvicorn.Config) -> Callable[[], Conversation]:
        state = self._server.server_state
        return partial(Conversation, config=config, server_state=state, app_state={})

    def _serve(self) -> None:
        asyncio.run(self._answer())

    async def _answer(self) -> None:
        works = (self._server.serve(sockets=[]), self._door.keep())
        done, _ = await asyncio.wait(
            [asyncio.ensure_future(work) for work in works], return_when=asyncio.FIRST_COMPLETED
        )
        for work in done:
            work.result()  # of the door, a bug

    def _cope(self, exc: OSError) -> None:
        what, hint = f"cannot answer: {exc.strerror}", "see what uses so much; it is tried again"
        self._faults.tell("http", EdgeError(what, where=self._where, hint=hint))


def bind(settings: HttpConfig) -> socket.socket:
    """Listen, with nobody to answer yet.

    Raises EdgeError where the place is not to be had now, which may be otherwise in a moment (an
    address that comes later in a boot), and ConfigError where it is refused.
    """
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
        family, kind, _, _, address = found[0]
        sock = socket.socket(family, kind)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(_BACKLOG)
        sock.setblocking(False)  # noqa: FBT003  as socket has it
    except PermissionError as exc:
        what, hint = f"cannot listen: {exc.strerror}", "use a port from 1024 on"
        raise ConfigError(what, where=_where(settings), hint=hint) from exc
    except OSError as exc:
        what = f"cannot listen: {exc.strerror}"
        hint = "is another daemon running? choose another port, or http: null"
        raise EdgeError(what, where=_where(settings), hint=hint) from exc
    return sock


def _uvicorn(settings: HttpConfig, daemon: Daemon) -> uvicorn.Config:
    """Return what is answered, and how.  Raises ConfigError."""
    token_file = settings.token_file
    token = read_secret(token_file, where="http.token_file") if token_file else None
    config = uvicorn.Config(
        make_app(daemon, token),
        ws="none",
        log_config=None,
        access_log=False,
        lifespan="off",
        headers=[("Connection", "close")],  # so that it has an end, and its place is free
        timeout_graceful_shutdown=_STOP_S,
    )
    config.load()
    return config


def _where(settings: HttpConfig) -> str:
    return f"http.listen {settings.listen}"
