"""Who may speak to the HTTP port, with what certificate, how many and for how long."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from edge_daemon.config.load import parse_settings
from edge_daemon.config.models import HttpConfig
from edge_daemon.errors import ConfigError
from edge_daemon.metrics import Metrics
from edge_daemon.service.plan import check_files
from edge_daemon.service.supervisor import Supervisor
from edge_daemon.web.server import WebServer, bind
from tests.integration.certificates import Authority
from tests.processes import free_port, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge_daemon.config.models import Settings


DAEMON: Any = SimpleNamespace(hanging=list, metrics=Metrics(), guarded=Supervisor().guarded)
ASKING = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
JUNK = (
    b"junk\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAA\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
)


@contextlib.contextmanager
def serving(limit_s: float = 600.0, **files: Path) -> Iterator[tuple[str, int]]:
    """A server of its own, and where it is to be found."""
    at = ("127.0.0.1", free_port())
    config = HttpConfig(listen=f"{at[0]}:{at[1]}", **files)
    server = WebServer(config, DAEMON, bind(config), limit_s=limit_s)
    server.start()
    try:
        yield at
    finally:
        server.stop()


def answer(
    at: tuple[str, int], request: bytes = ASKING, trust: ssl.SSLContext | None = None
) -> bytes:
    """Return what comes back until the other side hangs up; of one answer, its first line."""
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(socket.create_connection(at, timeout=30))
        if trust is not None:
            sock = stack.enter_context(trust.wrap_socket(sock, server_hostname=at[0]))
        sock.sendall(request)
        heard = b"".join(iter(lambda: sock.recv(65536), b""))
    return heard.partition(b"\r\n")[0] if heard.count(b"HTTP/1.1 ") == 1 else heard


def is_open(sock: socket.socket) -> bool:
    sock.setblocking(False)
    try:
        return sock.recv(65536) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("ca") / "ours")


@pytest.fixture(params=["http", "https"])
def files(request: pytest.FixtureRequest, authority: Authority) -> dict[str, Path]:
    """What the configuration names."""
    if request.param == "http":
        return {}
    certificate, key = authority.sign("web", "IP:127.0.0.1")
    return {"tls_cert_file": certificate, "tls_key_file": key}


@pytest.fixture
def trust(files: dict[str, Path], authority: Authority) -> ssl.SSLContext | None:
    """What a visitor trusts."""
    return ssl.create_default_context(cafile=authority.certificate) if files else None


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
    with serving(token_file=tmp_path / "token") as at:
        answers = [answer(at, junk) for junk in JUNK]

    assert answers == [b"HTTP/1.1 400 Bad Request", b"HTTP/1.1 200 OK", b"HTTP/1.1 200 OK"]
    assert [r.getMessage() for r in caplog.records if r.levelname != "INFO"] == []


def test_idle_connections_neither_take_all_descriptors_nor_keep_anybody_out(
    files: dict[str, Path], trust: ssl.SSLContext | None
) -> None:
    with serving(**files) as at, contextlib.ExitStack() as stack:
        idle = [stack.enter_context(socket.create_connection(at, timeout=30)) for _ in range(200)]
        wait_until(lambda: sum(map(is_open, idle)) <= 64)

        assert answer(at, trust=trust) == b"HTTP/1.1 200 OK"
        assert sum(map(is_open, idle)) == 63


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        ASKING[:30],
        b"POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01",  # TLS, its first bytes
    ],
)
def test_connection_that_never_ends_its_request_is_ended(
    sent: bytes, files: dict[str, Path]
) -> None:
    def trickle(sock: socket.socket) -> bool:
        with contextlib.suppress(OSError):
            sock.sendall(sent[-1:])
        return is_open(sock)

    with serving(limit_s=1.0, **files) as at, socket.create_connection(at, timeout=30) as sock:
        sock.sendall(sent)
        wait_until(lambda: not trickle(sock))


def test_connection_takes_one_request(files: dict[str, Path], trust: ssl.SSLContext | None) -> None:
    with serving(**files) as at:
        assert answer(at, ASKING * 2, trust) == b"HTTP/1.1 200 OK"
        assert answer(at, ASKING, trust) == b"HTTP/1.1 200 OK"


def test_who_comes_during_a_stop_holds_nothing_up(caplog: pytest.LogCaptureFixture) -> None:
    at = ("127.0.0.1", free_port())
    config = HttpConfig(listen=f"{at[0]}:{at[1]}")
    server = WebServer(config, DAEMON, bind(config))
    server.start()
    assert answer(at) == b"HTTP/1.1 200 OK"
    server.leave()
    with contextlib.ExitStack() as late:
        for _ in range(20):
            with contextlib.suppress(OSError):
                late.enter_context(socket.create_connection(at, timeout=10))
            time.sleep(0.01)
        server.stop()

    assert caplog.messages == []  # "timeout graceful shutdown exceeded"
