"""Who may speak to the HTTP port, with what certificate, how many and for how long."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from edge_daemon.config.load import parse_settings
from edge_daemon.config.models import HttpConfig
from edge_daemon.errors import ConfigError
from edge_daemon.metrics import Metrics
from edge_daemon.service.plan import check_files
from edge_daemon.web.server import WebServer, bind
from tests.integration.certificates import Authority
from tests.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge_daemon.config.models import Settings


DAEMON: Any = SimpleNamespace(hanging=list, metrics=Metrics())
JUNK = (
    b"junk\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAA\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
)


@contextlib.contextmanager
def serving(token_file: Path | None = None) -> Iterator[tuple[str, int]]:
    """A server of its own, and where it is to be found."""
    at = ("127.0.0.1", free_port())
    config = HttpConfig(listen=f"{at[0]}:{at[1]}", token_file=token_file)
    server = WebServer(config, DAEMON, bind(config))
    server.start()
    yield at
    server.stop()


def answer(at: tuple[str, int], request: bytes = b"GET /healthz HTTP/1.0\r\n\r\n") -> bytes:
    """Return the first line that comes back."""
    with socket.create_connection(at, timeout=30) as sock:
        sock.sendall(request)
        return sock.makefile("rb").readline().rstrip()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("ca") / "ours")


def settings(certificate: Path, key: Path) -> Settings:
    http = {"tls_cert_file": str(certificate), "tls_key_file": str(key)}
    asked = [{"id": "red", "ask": "Is it red?"}]
    cameras = [{"id": "gate", "source": "test:street", "questions": asked}]
    return parse_settings({"version": 1, "http": http, "cameras": cameras}, where="c.yaml")


def test_faulty_certificate_files_are_told_before_anything_starts(
    authority: Authority, tmp_path: Path
) -> None:
    certificate, key = authority.sign("server")
    _, other_key = authority.sign("stranger")
    junk, none, locked = tmp_path / "junk.pem", tmp_path / "none.pem", tmp_path / "locked.key"
    junk.write_text("not a certificate")
    command = ["openssl", "ec", "-in", str(key), "-aes128", "-passout", "pass:x", "-out"]
    subprocess.run([*command, str(locked)], check=True, capture_output=True)

    def faults(certificate: Path, key: Path) -> tuple[str, ...]:
        with pytest.raises(ConfigError) as caught:
            check_files(settings(certificate, key), where="c.yaml")
        return caught.value.faults

    remedy = " -- name PEM files that the daemon's user may read; the key without a passphrase"
    pair = "c.yaml: http.tls_cert_file, http.tls_key_file: "
    unfit = f"{pair}no certificate, or not the key to it"
    assert faults(junk, key)[0].startswith(unfit)
    assert faults(certificate, junk)[0].startswith(unfit)
    assert faults(certificate, other_key) == (f"{unfit} (KEY_VALUES_MISMATCH){remedy}",)
    assert faults(certificate, locked) == (f"{pair}the key has a passphrase{remedy}",)
    assert faults(none, key) == (
        f"c.yaml: http.tls_cert_file: {none} cannot be read -- check the path and its permissions",
    )
    check_files(settings(certificate, key), where="c.yaml")


def test_nonsense_is_answered_and_not_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "token").write_text("sesame\n")
    with serving(tmp_path / "token") as at:
        answers = [answer(at, junk) for junk in JUNK]

    assert answers == [b"HTTP/1.1 400 Bad Request", b"HTTP/1.1 200 OK", b"HTTP/1.1 200 OK"]
    assert [r.getMessage() for r in caplog.records if r.levelname != "INFO"] == []
