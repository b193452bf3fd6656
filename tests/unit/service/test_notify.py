from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from edge_daemon.service.notify import Notifier


@pytest.mark.parametrize("abstract", [False, True])
def test_notifier_reaches_systemd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, abstract: bool
) -> None:
    name = f"\0{tmp_path.name}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(name)
        monkeypatch.setenv("NOTIFY_SOCKET", name.replace("\0", "@"))
        Notifier().send("READY=1", "STATUS=well")

        assert systemd.recv(100) == b"READY=1\nSTATUS=well"


def test_notifier_asks_for_more_time_only_where_systemd_watches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    assert Notifier().watched(90.0) == []

    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    assert Notifier().watched(90.0) == ["WATCHDOG_USEC=90000000", "WATCHDOG=1"]
    assert Notifier().watched() == ["WATCHDOG_USEC=30000000", "WATCHDOG=1"]


def test_notifier_without_systemd_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)

    Notifier().send("READY=1")  # raises nothing

    assert Notifier()._address == ""


def test_notifier_survives_a_systemd_that_went_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    notifier = Notifier()

    notifier.send("READY=1")  # raises nothing

    assert not (tmp_path / "gone").exists()


def test_notifier_does_not_wait_for_a_systemd_that_does_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    notifier = Notifier()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        flood = fill(str(tmp_path / "notify"))
        begun_s = time.monotonic()
        notifier.send("READY=1")
        notifier.send("WATCHDOG=1")
        took_s = time.monotonic() - begun_s
        for _ in range(flood):
            systemd.recv(100)
        notifier.send("WATCHDOG=1")
        heard = systemd.recv(100)
        notifier.send("WATCHDOG=1")

        assert took_s < 5.0
        assert heard == b"READY=1\nWATCHDOG=1"
        assert systemd.recv(100) == b"WATCHDOG=1"


def fill(path: str) -> int:
    """Send to a socket until it takes no more; return how many messages it took."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        for n in range(100_000):
            try:
                sock.sendto(b"X=1", path)
            except BlockingIOError:
                return n
    raise AssertionError("it never was full")
