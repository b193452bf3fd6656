"""The HTTP server a daemon has at present, or none: a reload fits it to new settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_daemon.config.fingerprint import fingerprint_of_files
from edge_daemon.errors import EdgeError
from edge_daemon.web.server import WebServer, bind

if TYPE_CHECKING:
    from typing_extensions import Self

    from edge_daemon.config.models import HttpConfig
    from edge_daemon.service.daemon import Daemon


class Front:
    """What a daemon shows over HTTP: listens at once, and answers from open() on.

    Raises EdgeError where the address is not to be had.
    """

    def __init__(self, settings: HttpConfig | None) -> None:
        self._settings, self._files = settings, _files_of(settings)
        self._bound = bind(settings) if settings else None
        self._server: WebServer | None = None
        self._is_leaving = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._close()

    def open(self, daemon: Daemon) -> None:
        """Begin to answer.  Raises ConfigError."""
        self._daemon = daemon
        self._serve(self._settings)

    def change(self, settings: HttpConfig | None) -> bool:
        """Answer as these settings want; return whether they, or what their files hold, are new.

        Raises EdgeError, and then answers as before.
        """
        before, files = self._settings, _files_of(settings)
        if (settings, files) == (before, self._files):
            return False
        if self._server and settings and before and settings.listen == before.listen:
            self._server.renew(settings)
        else:
            self._move(settings)
        self._settings, self._files = settings, files
        return True

    def leave(self) -> None:
        """Begin to end, while others do as well; safe from a signal handler."""
        self._is_leaving = True
        if self._server is not None:
            self._server.leave()

    def _move(self, settings: HttpConfig | None) -> None:
        """Listen elsewhere; the old place is left first, as it may be in the way of the new."""
        before, self._settings = self._settings, None  # so that a reload tries again, at worst
        self._close()
        try:
            self._listen(settings)
        except EdgeError:
            self._close()
            self._listen(before)
            self._settings = before
            raise

    def _listen(self, settings: HttpConfig | None) -> None:
        if not self._is_leaving:
            self._bound = bind(settings) if settings else None
            self._serve(settings)

    def _serve(self, settings: HttpConfig | None) -> None:
        if settings is not None and self._bound is not None:
            self._server = WebServer(settings, self._daemon, self._bound)
            self._bound = None  # the server's from now on
            self._server.start()

    def _close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.stop()
        bound, self._bound = self._bound, None
        if bound is not None:
            bound.close()


def _files_of(http: HttpConfig | None) -> str:
    """Return what tells whether a token or certificate was renewed in its place."""
    files = (http.token_file, http.tls_cert_file, http.tls_key_file) if http else ()
    return fingerprint_of_files(*files)
