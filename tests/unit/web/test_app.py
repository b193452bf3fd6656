"""Who is let in, as the application itself decides it."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from edge_daemon.metrics import Metrics
from edge_daemon.types import Secret
from edge_daemon.web.app import make_app

if TYPE_CHECKING:
    from fastapi import FastAPI

DAEMON: Any = SimpleNamespace(hanging=list, metrics=Metrics())


def guarded(token: str = "sesame") -> FastAPI:
    return make_app(DAEMON, Secret(token))


def ask(app: FastAPI, path: str, method: str = "GET", **headers: bytes) -> tuple[int, bytes]:
    """Return status and body of a request, whose path and headers nothing on its way looked at."""
    sent: list[Any] = []
    waiting = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Any:
        return waiting.pop() if waiting else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value) for name, value in headers.items()],
        "server": ("127.0.0.1", 8471),
        "client": ("127.0.0.1", 40000),
    }
    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


def test_healthz_alone_is_for_everybody() -> None:
    assert ask(guarded(), "/healthz")[0] == 200
    assert ask(guarded(), "/metrics")[0] == 401
    assert ask(guarded(), "/metrics", authorization=b"Bearer sesam")[0] == 401
    assert ask(guarded(), "/metrics", authorization=b"Bearer sesame")[0] == 200


@pytest.mark.parametrize(
    ("path", "host"),
    [
        ("/metrics", b"x/healthz?"),
        ("/metrics", b"x/healthz#"),
        ("/metrics", b"["),
        ("/healthz?x", b"x"),  # sent as /healthz%3Fx
        ("/healthz#x", b"x"),
    ],
)
def test_neither_host_nor_a_path_that_looks_like_healthz_opens_the_door(
    path: str, host: bytes
) -> None:
    assert ask(guarded(), path, host=host)[0] == 401


@pytest.mark.parametrize(
    ("path", "method", "status"), [("/none?x", "GET", 404), ("/metrics", "POST", 405)]
)
def test_refusal_names_the_path_that_was_asked_for(path: str, method: str, status: int) -> None:
    found, body = ask(make_app(DAEMON, None), path, method, host=b"x/healthz?")

    assert (found, json.loads(body)["where"]) == (status, path)


@pytest.mark.parametrize("coding", ["utf-8", "latin-1"])
def test_token_beyond_ascii_fits_as_curl_and_as_python_send_it(coding: str) -> None:
    def status(token: str) -> int:
        bearer = f"Bearer {token}".encode(coding)
        return ask(guarded("schlüssel"), "/metrics", authorization=bearer)[0]

    assert status("schlüssel") == 200
    assert status("schlussel") == 401
