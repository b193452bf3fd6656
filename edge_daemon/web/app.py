"""The HTTP application.  It reads the daemon; it never waits for it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from edge_daemon import __version__

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from edge_daemon.service.daemon import Daemon
    from edge_daemon.types import Secret

_PROMETHEUS: Final = "text/plain; version=0.0.4; charset=utf-8"


def make_app(daemon: Daemon, token: Secret | None) -> FastAPI:
    """Return the application; with a token, everything but /healthz wants it as a bearer.

    The path is the scope's: request.url is put together with Host, which the peer may choose.
    """
    app = FastAPI(title="edge-daemon", version=__version__, redoc_url=None)

    if token is not None:
        wanted = f"Bearer {token.reveal()}".encode()

        @app.middleware("http")
        async def _authorise(
            request: Request, call_next: Callable[[Request], Awaitable[Response]]
        ) -> Response:
            if request.scope["path"] != "/healthz" and not _fits(request, wanted):
                return _refusal(
                    401,
                    "no or wrong token",
                    where="Authorization",
                    hint="send 'Authorization: Bearer TOKEN' with the token of http.token_file",
                )
            return await call_next(request)

    @app.exception_handler(404)
    async def _not_found(request: Request, _exc: Exception) -> Response:
        return _refusal(404, "no such page", where=request.scope["path"], hint="see /docs")

    @app.exception_handler(405)
    async def _not_allowed(request: Request, _exc: Exception) -> Response:
        return _refusal(405, "no such method here", where=request.scope["path"], hint="see /docs")

    @app.get("/healthz", summary="The process is alive and no part of it hangs")
    async def healthz() -> Response:  # waits for nothing, not even for a thread
        hanging = daemon.hanging()
        if hanging:
            return JSONResponse({"status": "hanging", "parts": hanging}, 503)
        return JSONResponse({"status": "ok"})

    @app.get("/readyz", summary="Every camera was answered lately")
    def readyz() -> Response:
        state = daemon.readiness()
        body: dict[str, Any] = {"ready": state.ready, "cameras": state.reasons}
        return JSONResponse(body, 200 if state.ready else 503)

    @app.get("/metrics", summary="Prometheus metrics")
    def metrics() -> Response:
        return Response(daemon.metrics.page(), media_type=_PROMETHEUS)

    return app


def _fits(request: Request, wanted: bytes) -> bool:
    """Whether the bearer is the wanted one, sent as UTF-8 (curl) or Latin-1 (Python's clients)."""
    given = request.headers.get("authorization", "")  # its bytes read as Latin-1
    return any(
        secrets.compare_digest(given.encode(coding), wanted) for coding in ("latin-1", "utf-8")
    )


def _refusal(status: int, error: str, *, where: str, hint: str) -> JSONResponse:
    return JSONResponse({"error": error, "where": where, "hint": hint}, status)
