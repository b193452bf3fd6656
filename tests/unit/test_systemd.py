"""The unit as systemd reads it."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.conftest import REPO

if TYPE_CHECKING:
    from pathlib import Path

UNIT = REPO / "systemd" / "edge-daemon.service"
DROP_IN = REPO / "systemd" / "nvidia.conf"
PROGRAM = "/opt/edge-daemon/venv/bin/edge-daemon"


@pytest.fixture
def analyze() -> str:
    exe = shutil.which("systemd-analyze")
    if exe is None:
        pytest.skip("no systemd-analyze: this is no systemd machine")
    return exe


@pytest.fixture(params=["plain", "nvidia"])
def unit(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The unit, alone and with the drop-in, around a program that exists here."""
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace(PROGRAM, "/bin/true"))
    if request.param == "nvidia":
        folder = tmp_path / f"{UNIT.name}.d"
        folder.mkdir()
        shutil.copy(DROP_IN, folder)
    return copy


def test_unit_says_nothing_systemd_does_not_know(analyze: str, unit: Path) -> None:
    done = subprocess.run([analyze, "verify", unit], capture_output=True, text=True, check=False)
    said = [line for line in (done.stdout + done.stderr).splitlines() if "edge-daemon" in line]

    assert (said, done.returncode) == ([], 0)


def test_unit_is_exposed_at_most_2_5(analyze: str, unit: Path) -> None:
    call = [analyze, "security", "--offline=true", "--threshold=25", unit]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze cannot judge a file (it came with systemd 250)")

    assert "Overall exposure level" in done.stdout
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "line",
    [
        f"ExecStart={PROGRAM} run --config /etc/edge-daemon/edge-daemon.yaml",
        "Type=notify",
        "WatchdogSec=30",
        "Restart=on-failure",
        "RestartPreventExitStatus=78",
        "User=edge-daemon",
        "StateDirectory=edge-daemon",
    ],
)
def test_unit_keeps_its_promises(line: str) -> None:
    assert line in UNIT.read_text().splitlines()
