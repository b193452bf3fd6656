"""A machine of its own that runs systemd: a container of systemd-nspawn, thrown away at its end."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tests.conftest import REPO, missing
from tests.processes import wait_until

if TYPE_CHECKING:
    from typing_extensions import Self

ROOT = Path(os.environ.get("NSPAWN_ROOT", "/var/tmp/edge-daemon-root"))
UNIT = "edge-daemon.service"
DROP_IN = f"/etc/systemd/system/{UNIT}.d/test.conf"


def need_root() -> None:
    """Skip where no root with the daemon in it was prepared."""
    tools = shutil.which("systemd-nspawn") and shutil.which("nsenter")
    if os.geteuid() or not tools or not (ROOT / "opt/edge-daemon/venv").exists():
        missing(f"no machine in {ROOT}: benchmarks/soak/systemd-root makes it", "REQUIRE_NSPAWN")


class Machine:
    """A booted copy of ROOT with this checkout's program and unit; the network is the host's."""

    def __init__(self, stage: Path) -> None:
        (site,) = ROOT.glob("opt/edge-daemon/venv/lib/python3*/site-packages")
        program = f"/{site.relative_to(ROOT)}/edge_daemon"
        self._console = stage / "console.log"
        self._from_here: list[str] = []
        command = [
            "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--volatile=overlay",
            f"--directory={ROOT}", f"--bind-ro={REPO}/edge_daemon:{program}",
            f"--bind-ro={REPO}/systemd/{UNIT}:/etc/systemd/system/{UNIT}",
            f"--bind-ro={stage}:/stage", "--boot",
        ]  # fmt: skip
        with self._console.open("wb") as console:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=console, stderr=console
            )

    def __enter__(self) -> Self:
        wait_until(self._is_up, 60)
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.terminate()
        self._process.wait(30)

    def run(self, *command: str, stdin: str = "", check: bool = True) -> str:
        """Run a command in the machine; return what it wrote to stdout."""
        done = subprocess.run(
            ["nsenter", "-t", self._leader(), "-m", "-u", "-i", "-n", "-p",
             "env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
             *command],
            input=stdin, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert not check or not done.returncode, done.stderr + self.journal()
        return done.stdout.strip()

    def write(self, path: str, text: str) -> None:
        """Write a file of the machine."""
        self.run("mkdir", "-p", str(Path(path).parent))
        self.run("tee", path, stdin=text)

    def systemctl(self, *words: str, check: bool = True) -> str:
        """Run systemctl in the machine."""
        return self.run("systemctl", *words, check=check)

    def shows(self, name: str) -> str:
        """Return a property of the daemon's unit."""
        return self.systemctl("show", UNIT, "--value", f"--property={name}")

    def journal(self, at_most: int = 7) -> str:
        """Return what the daemon and systemd said of it; 4 and less: warnings, 3: errors."""
        wanted = ["-u", UNIT, "-o", "json", "--no-pager", *self._from_here]
        # Its own -p passes over the first entry that fits after a cursor.
        rows = map(json.loads, self.run("journalctl", *wanted, check=False).splitlines())
        return "\n".join(str(row["MESSAGE"]) for row in rows if int(row["PRIORITY"]) <= at_most)

    def turn_over(self) -> None:
        """Let the journal begin here."""
        said = self.run("journalctl", "--lines=0", "--show-cursor", "--quiet")
        self._from_here = [f"--after-cursor={said.partition('cursor: ')[2]}"]

    def _is_up(self) -> bool:
        assert self._process.poll() is None, self._console.read_text()
        state = self._leader() and self.systemctl("is-system-running", check=False)
        return state in ("running", "degraded")

    def _leader(self) -> str:
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return children.read_text().partition(" ")[0]
