"""A daemon whose verdicts change with every frame, and the books on what subscribers heard."""

from __future__ import annotations

import re
import shutil
import subprocess
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_daemon.config.models import OutboxConfig
from edge_daemon.publish.outbox import Outbox
from tests.conftest import missing
from tests.data.colours import BLUE, RED, write_colours
from tests.integration.mosquitto import first_of_each
from tests.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.daemon import Daemon
    from tests.integration.mosquitto import Ear

FLIPPING = {"red": "Is it red?", "blue": "Is it blue?", "any": "Is any red?", "there": "any blue?"}
N_EVENTS_A_SECOND = 200
NO_PICTURES = {"events": {"snapshots": False, "evidence": False}}  # so many are too many for disks


def flood(
    tmp_path: Path,
    make_config: Callable[..., dict[str, Any]],
    *,
    seconds: float = 20.0,
    **camera: Any,
) -> dict[str, Any]:
    """Return a configuration of four questions that change 50 times a second."""
    fps = N_EVENTS_A_SECOND // len(FLIPPING)
    clip = tmp_path / "flicker.mp4"
    if not clip.exists():
        write_colours(clip, [(RED, 1 / fps), (BLUE, 1 / fps)] * round(seconds * fps / 2), fps=fps)
    asked = [
        {"id": name, "ask": ask, "hold": None, "unknown_after": "5s"}
        for name, ask in FLIPPING.items()
    ]
    live = {"loop": True, "pace": "realtime", "questions": asked, "blind_after": None, **camera}
    return make_config(str(clip), **live)


def seqs(ear: Ear) -> dict[str, list[int]]:
    """Return the numbers of each question's events, in the order in which each came first."""
    found: dict[str, list[int]] = {}
    for event in first_of_each(ear.heard("/event")):
        found.setdefault(event["question"], []).append(event["seq"])
    return found


def wait_for_more(ear: Ear, n: int = 40, timeout_s: float = 30.0) -> None:
    """Wait until so many events more have come."""
    ear.wait("/event", len(ear.heard("/event")) + n, timeout_s)


def wait_for_fresh(ear: Ear, timeout_s: float = 30.0) -> None:
    """Wait until an event comes that nothing held up."""
    n_before = len(ear.heard("/event"))
    wait_until(
        lambda: any(not one.json()["replayed"] for one in ear.heard("/event")[n_before:]), timeout_s
    )


def metric(config: dict[str, Any], name: str) -> float:
    """Return the sum of a metric over its labels, as the daemon's page has it."""
    with urllib.request.urlopen(f"http://{config['http']['listen']}/metrics", timeout=10) as page:
        text = page.read().decode()
    rows = re.findall(rf"^{name}(?:\{{.*\}})? (\S+)$", text, re.MULTILINE)
    assert rows, f"no {name}"
    return sum(map(float, rows))


def kept(config: dict[str, Any]) -> tuple[int, dict[str, int]]:
    """Return how many events wait on disk, and each question's last number; of no daemon."""
    faults: list[Any] = []
    outbox = Outbox(
        Path(config["data_dir"]), OutboxConfig(), on_fault=faults.append, on_dropped=faults.append
    )
    camera = config["cameras"][0]
    last = {q["id"]: outbox.last_seq(camera["id"], q["id"]) for q in camera["questions"]}
    n_waiting = len(outbox)
    outbox.close()
    assert not faults, faults
    return n_waiting, last


def log_lines(daemon: Daemon, text: str) -> list[str]:
    """Return the lines of a daemon's log that hold a text."""
    return [line for line in daemon.log.read_text().splitlines() if text in line]


def password_file(tmp_path: Path, password: str) -> str:
    """Return mosquitto's line for a file that lets in user edge with this password."""
    exe = shutil.which("mosquitto_passwd")
    if exe is None:
        missing("no mosquitto_passwd: apt install mosquitto", "REQUIRE_BROKER")
    users = tmp_path / "users"
    subprocess.run([exe, "-c", "-b", str(users), "edge", password], check=True)
    return f"password_file {users}"
