from __future__ import annotations

import socket
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
