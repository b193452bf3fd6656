"""The outbox on real disks: full ones, and processes killed in the middle of a write."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from edge_daemon.config.models import OutboxConfig
from edge_daemon.publish.outbox import Outbox
from tests.conftest import REPO, missing
from tests.integration.publishing import publishing
from tests.processes import wait_until
from tests.publish_samples import nth

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge_daemon.publish.pending import Pending


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount") or "mount"
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=1m", "none", str(disk)], capture_output=True, check=False
    )
    if made.returncode:
        missing("may not mount a small disk", "REQUIRE_MOUNT")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def fill(disk: Path) -> None:
    """Leave no room on a disk, but what is allotted already."""
    with (disk / "ballast").open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
        while True:
            ballast.write(bytes(4096))


def test_a_full_disk_costs_no_event_and_is_told(small_disk, broker, new_ear) -> None:
    ear = new_ear(broker.port, "edge/#")
    with publishing(small_disk, broker.url) as at_work:
        at_work.event(nth(1))
        assert at_work.publisher.drain(30)
        fill(small_disk)
        for n in range(2, 1002):
            at_work.event(nth(n))
        events = [one.json() for one in ear.wait("/event", 1001)]
        assert at_work.publisher.drain(30)
        (small_disk / "ballast").unlink()
        at_work.event(nth(1002))
        wait_until(lambda: at_work.outbox.last_seq("gate", "pedestrian") == 1002)

    assert [event["seq"] for event in events] == list(range(1, 1002))
    assert any("no room left on the disk" in fault for fault in at_work.faults)
    assert at_work.n_dropped == 0


def test_what_a_full_disk_kept_in_memory_is_written_when_there_is_room(small_disk) -> None:
    faults: list[str] = []
    now_s = [0.0]

    def open_outbox() -> Outbox:
        return Outbox(
            small_disk, OutboxConfig(), on_fault=lambda fault: faults.append(str(fault)),
            on_dropped=pytest.fail, clock=lambda: now_s[0],
        )  # fmt: skip

    outbox = open_outbox()
    outbox.append(nth(1))
    fill(small_disk)
    n = 1
    while not faults:
        n += 1
        outbox.append(nth(n))
    outbox.append(nth(n + 1))
    delivered = outbox.pending(0, n // 2)
    outbox.remove(delivered)
    left = [seq_of(event) for event in outbox.pending(0, 10_000)]
    n_left = len(outbox)
    (small_disk / "ballast").unlink()
    now_s[0] += 2
    outbox.append(nth(n + 2))
    outbox.remove([])
    outbox.close()
    again = open_outbox()
    found = [seq_of(event) for event in again.pending(0, 10_000)]
    again.close()

    assert len(delivered) == n // 2
    assert left == list(range(n // 2 + 1, n + 2))
    assert n_left == len(left)
    assert found == [*left, n + 2]
    assert "no room left on the disk -- make room; events are kept in memory" in faults[0]


def test_what_was_delivered_while_the_disk_failed_is_not_told_as_lost(small_disk) -> None:
    n_dropped: list[int] = []
    now_s = [0.0]
    outbox = Outbox(
        small_disk, OutboxConfig(max_events=400), on_fault=lambda _: None,
        on_dropped=n_dropped.append, clock=lambda: now_s[0],
    )  # fmt: skip
    outbox.append(*(nth(n) for n in range(1, 401)))
    fill(small_disk)
    outbox.append(*(replace(nth(n), ask="x" * 5000) for n in range(401, 411)))  # waits in memory
    outbox.remove(outbox.pending(0, 205))
    n_left = len(outbox)
    (small_disk / "ballast").unlink()
    now_s[0] += 2
    outbox.append(*(nth(n) for n in range(411, 611)))
    found = [seq_of(event) for event in outbox.pending(0, 10_000)]
    n_found = len(outbox)
    outbox.close()

    assert n_left == 205
    assert found == list(range(211, 611))
    assert n_found == 400
    assert sum(n_dropped) == 5


def test_a_full_disk_still_tells_what_was_said_before(small_disk) -> None:
    faults: list[str] = []

    def open_outbox() -> Outbox:
        return Outbox(
            small_disk, OutboxConfig(), on_fault=lambda fault: faults.append(str(fault)),
            on_dropped=pytest.fail,
        )  # fmt: skip

    first = open_outbox()
    first.append(nth(1))
    first.close()
    fill(small_disk)
    again = open_outbox()

    assert again.last_seq("gate", "pedestrian") == 1
    assert [seq_of(event) for event in again.pending(0, 9)] == [1]
    assert faults == []
    again.close()


def test_a_read_only_disk_is_told_and_numbers_go_on(small_disk) -> None:
    faults: list[str] = []
    now_s = [0.0]

    def open_outbox() -> Outbox:
        return Outbox(
            small_disk, OutboxConfig(), on_fault=lambda fault: faults.append(str(fault)),
            on_dropped=pytest.fail, clock=lambda: now_s[0],
        )  # fmt: skip

    first = open_outbox()
    first.append(nth(1))
    first.close()
    remount(small_disk, "ro")
    again = open_outbox()
    last_seq = again.last_seq("gate", "pedestrian")
    again.append(nth(2))
    in_memory = [seq_of(event) for event in again.pending(0, 9)]
    remount(small_disk, "rw")
    now_s[0] += 2
    again.append(nth(3))
    found = [seq_of(event) for event in again.pending(0, 9)]
    again.close()

    assert last_seq == 1
    assert in_memory == [2]
    assert found == [1, 2, 3]
    assert len(faults) == 1
    assert "see that the daemon may write there; events are kept in memory" in faults[0]


KILLED = """
import os, signal, sys
from pathlib import Path
from edge_daemon.config.models import OutboxConfig
from edge_daemon.publish.outbox import Outbox
from tests.publish_samples import nth

outbox = Outbox(Path(sys.argv[1]), OutboxConfig(), on_fault=sys.exit, on_dropped=sys.exit)
outbox.append(*(nth(n) for n in range(1, 21)))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_numbers_go_on_where_a_kill_left_a_disk_that_is_read_only_now(small_disk) -> None:
    faults: list[str] = []
    command = [sys.executable, "-c", KILLED, str(small_disk)]
    subprocess.run(command, cwd=REPO, check=False)
    before = sorted(path.name for path in small_disk.iterdir())
    remount(small_disk, "ro")
    outbox = Outbox(
        small_disk, OutboxConfig(), on_fault=lambda fault: faults.append(str(fault)),
        on_dropped=pytest.fail,
    )  # fmt: skip
    last_seq = outbox.last_seq("gate", "pedestrian")
    outbox.close()
    after = sorted(path.name for path in small_disk.iterdir())
    remount(small_disk, "rw")
    again = Outbox(small_disk, OutboxConfig(), on_fault=pytest.fail, on_dropped=pytest.fail)
    found = [seq_of(event) for event in again.pending(0, 99)]
    again.close()

    assert "outbox.sqlite-wal" in before  # else nothing is tried here
    assert last_seq == 20
    assert after == before
    assert found == list(range(1, 21))
    assert len(faults) == 1


def remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


def seq_of(event: Pending) -> int:
    return int(event.id.rpartition("-")[2])


WRITER = """
import sys
from pathlib import Path
from edge_daemon.config.models import OutboxConfig
from edge_daemon.publish.outbox import Outbox
from tests.publish_samples import nth

outbox = Outbox(Path(sys.argv[1]), OutboxConfig(), on_fault=sys.exit, on_dropped=sys.exit)
seq = outbox.last_seq("gate", "pedestrian")
while True:
    seq += 1
    outbox.append(nth(seq))
    print(seq, flush=True)
    if seq % 3 == 0:
        outbox.remove(outbox.pending(0, 2))
"""


def test_a_process_killed_while_it_writes_leaves_no_gap(data_dir: Path) -> None:
    announced = 0
    for turn in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(data_dir)],
            cwd=REPO,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            first = int(process.stdout.readline())
            assert first in (announced + 1, announced + 2)  # one may have been on its way
            for _ in range(50 + 30 * turn):
                announced = int(process.stdout.readline())
            process.kill()
            announced = max([announced, *map(int, process.stdout.read().split())])
    outbox = Outbox(data_dir, OutboxConfig(), on_fault=pytest.fail, on_dropped=pytest.fail)
    seqs = [seq_of(event) for event in outbox.pending(0, 10_000)]
    last_seq = outbox.last_seq("gate", "pedestrian")
    outbox.close()

    assert seqs == list(range(seqs[0], last_seq + 1))
    assert announced <= last_seq <= announced + 1
