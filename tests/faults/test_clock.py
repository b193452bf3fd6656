"""The wall clock jumps by a day under a running daemon: verdicts and events do not care."""

from __future__ import annotations

import shutil
import subprocess
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from tests.conftest import missing
from tests.data.colours import BLUE, RED, write_colours
from tests.e2e.conftest import MakeConfig
from tests.e2e.daemon import Daemon, Subscriber, write_config

DAY_S = 86_400


@pytest.fixture
def faked(tmp_path: Path) -> dict[str, str]:
    """Variables that give a process a wall clock which faketime.rc in tmp_path sets."""
    exe = shutil.which("faketime")
    if exe is None:
        missing("no faketime: apt install faketime", "REQUIRE_FAKETIME")
    show = subprocess.run(
        [exe, "-m", "-f", "+0", "printenv", "LD_PRELOAD"],
        capture_output=True,
        text=True,
        check=True,
    )
    set_clock(tmp_path, 0)
    return {
        "LD_PRELOAD": show.stdout.strip(),
        "FAKETIME_TIMESTAMP_FILE": str(tmp_path / "faketime.rc"),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }


def set_clock(tmp_path: Path, ahead_s: int) -> None:
    """Let the wall clock be so far ahead; renamed into place, so that no half is read."""
    new = tmp_path / "faketime.new"
    new.write_text(f"{ahead_s:+d}\n")
    new.replace(tmp_path / "faketime.rc")


def decided(event: dict[str, str]) -> datetime:
    return datetime.fromisoformat(event["decided_at"].replace("Z", "+00:00"))


def test_clock_that_jumps_a_day_either_way_changes_no_verdict_and_loses_no_event(
    tmp_path: Path, make_config: MakeConfig, subscriber: Subscriber, faked: dict[str, str]
) -> None:
    clip = write_colours(tmp_path / "clip.mp4", [(RED, 1.0), (BLUE, 1.0)] * 30)
    config = make_config(str(clip), loop=True, pace="realtime", blind_after=None)
    with Daemon(write_config(tmp_path / "c.yaml", config), **faked) as daemon:
        subscriber.wait(lambda s: len(s.events("red")) >= 2)
        set_clock(tmp_path, DAY_S)
        subscriber.wait(lambda s: len(s.events("red")) >= 4)
        set_clock(tmp_path, -DAY_S)
        subscriber.wait(lambda s: len(s.events("red")) >= 6)
        set_clock(tmp_path, 0)
        subscriber.wait(lambda s: len(s.events("red")) >= 8)
        assert daemon.process.poll() is None
        log = daemon.log.read_text()
    red = subscriber.events("red")
    jumps_s = [(decided(b) - decided(a)).total_seconds() for a, b in pairwise(red)]

    assert max(jumps_s) > DAY_S - 60, "the clock did not jump"
    assert min(jumps_s) < -DAY_S
    assert [e["seq"] for e in red] == list(range(1, len(red) + 1))
    assert [e["verdict"] for e in red[:8]] == ["YES", "NO"] * 4
    assert all(0 <= e["duration_s"] < 5 for e in red[1:])
    assert not any(e["replayed"] for e in red)
    assert "WARNING" not in log
