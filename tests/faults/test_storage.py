"""Judging goes on when the data directory fails or descriptors run out, and all is made good."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import missing
from tests.data.colours import BLUE, RED, write_colours
from tests.e2e.conftest import MakeConfig
from tests.e2e.daemon import Daemon, Subscriber, write_config
from tests.e2e.test_run_live import endless, get
from tests.faults.cameras import CameraProcess
from tests.faults.damage import resident_kib
from tests.faults.flood import (
    NO_PICTURES,
    flood,
    log_lines,
    metric,
    seqs,
    wait_for_fresh,
    wait_for_more,
)
from tests.faults.small_disk import seqs as seqs_by_camera
from tests.integration.mosquitto import Ear, Mosquitto
from tests.processes import wait_until


@pytest.fixture
def ear(broker: Mosquitto, base: str, new_ear: Callable[..., Ear]) -> Ear:
    return new_ear(broker.port, f"{base}/box/+/+/event", qos=0)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 megabytes: SQLite takes 4 for its log."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount") or "mount"
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=16m", "none", str(disk)],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        missing("may not mount a small disk", "REQUIRE_MOUNT")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.fixture
def ext4(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 megabytes that can be frozen; thawed at the end."""
    disk, image = tmp_path / "ext4", tmp_path / "image"
    disk.mkdir()
    with image.open("wb") as file:
        file.truncate(64 << 20)
    for command in (
        ["mkfs.ext4", "-q", str(image)],
        ["mount", "-o", "loop", str(image), str(disk)],
    ):
        exe = shutil.which(command[0], path=f"{os.environ['PATH']}:/usr/sbin")
        if exe is None or subprocess.run([exe, *command[1:]], check=False).returncode:
            missing("may not mount a disk image", "REQUIRE_MOUNT")
    yield disk
    subprocess.run(["fsfreeze", "-u", str(disk)], capture_output=True, check=False)
    subprocess.run(["umount", "-l", str(disk)], check=True)


def running(tmp_path: Path, config: dict[str, Any], **environ: str) -> Daemon:
    return Daemon(write_config(tmp_path / "c.yaml", config), **environ)


def assert_nothing_is_missing(ear: Ear) -> None:
    for numbers in seqs(ear).values():
        assert numbers == list(range(1, len(numbers) + 1))


def fill(disk: Path) -> None:
    """Leave no room on a disk."""
    with (disk / "ballast").open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
        while True:
            ballast.write(bytes(4096))


def test_full_disk_is_told_once_and_costs_no_event(
    tmp_path, small_disk, make_config: MakeConfig, ear: Ear
) -> None:
    config = flood(tmp_path, make_config) | {"data_dir": str(small_disk / "data")}
    with running(tmp_path, config) as daemon:
        wait_for_more(ear)
        fill(small_disk)
        wait_until(lambda: daemon.said("no room left on the disk"))
        wait_for_more(ear, 400)
        assert not daemon.said("outbox: writes again")
        (small_disk / "ballast").unlink()
        wait_until(lambda: daemon.said("outbox: writes again"))
        wait_for_more(ear, 100)

    assert_nothing_is_missing(ear)
    assert len(log_lines(daemon, "outbox")) == 2, daemon.log.read_text()


def test_read_only_disk_is_told_once_and_written_when_it_can_be(
    tmp_path, small_disk, make_config: MakeConfig, ear: Ear
) -> None:
    config = flood(tmp_path, make_config) | {"data_dir": str(small_disk)}
    remount(small_disk, "ro")
    with running(tmp_path, config) as daemon:
        wait_until(lambda: daemon.said("outbox"))
        wait_for_more(ear, 200)
        assert list(small_disk.iterdir()) == []
        remount(small_disk, "rw")
        wait_until(lambda: daemon.said("outbox: writes again"))
        wait_for_more(ear, 100)
        assert (small_disk / "outbox.sqlite").exists()

    assert_nothing_is_missing(ear)
    assert len(log_lines(daemon, "outbox")) == 2, daemon.log.read_text()


def remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


@contextlib.contextmanager
def hanging(disk: Path) -> Iterator[None]:
    """Nothing can be written there, and who tries waits."""
    subprocess.run(["fsfreeze", "-f", str(disk)], check=True)
    try:
        yield
    finally:
        subprocess.run(["fsfreeze", "-u", str(disk)], check=True)


def wait_for_judgements(config: dict[str, Any], n: int) -> None:
    before = metric(config, "edge_judgements_total")
    wait_until(lambda: metric(config, "edge_judgements_total") > before + n)


def test_disk_that_hangs_delays_what_is_told_and_no_judging(
    tmp_path, ext4: Path, make_config: MakeConfig, ear: Ear
) -> None:
    config = flood(tmp_path, make_config, record=NO_PICTURES) | {"data_dir": str(ext4 / "data")}
    with running(tmp_path, config) as daemon:
        wait_for_more(ear)
        with hanging(ext4):
            n_heard = len(ear.heard("/event"))
            wait_for_judgements(config, 300)
            n_told = len(ear.heard("/event")) - n_heard
        wait_for_fresh(ear)
        wait_for_more(ear, 400)
        assert daemon.process.poll() is None

    assert n_told < 200  # though each judgement is an event here
    assert_nothing_is_missing(ear)
    assert not log_lines(daemon, "WARNING"), daemon.log.read_text()


def test_stop_on_a_disk_that_hangs_says_what_is_lost(
    tmp_path, ext4: Path, make_config: MakeConfig, ear: Ear
) -> None:
    config = flood(tmp_path, make_config, record=NO_PICTURES) | {"data_dir": str(ext4 / "data")}
    with running(tmp_path, config) as daemon:
        wait_for_more(ear)
        with hanging(ext4):
            # A file waits where a thousand events do: its four answers grow old.
            wait_until(lambda: metric(config, "edge_answer_age_seconds") > 4.0)
            daemon.send(signal.SIGTERM)
            wait_until(lambda: daemon.said("events are lost: the disk takes nothing"))
        assert daemon.ended() == 0

    assert_nothing_is_missing(ear)
    assert not daemon.said("Traceback"), daemon.log.read_text()


def test_reload_and_commands_on_a_disk_that_hangs_hold_up_nothing(
    tmp_path, ext4: Path, make_config: MakeConfig, broker: Mosquitto, base: str,
    new_ear: Callable[..., Ear], ear: Ear,
) -> None:  # fmt: skip
    enabled = new_ear(broker.port, f"{base}/box/+/+/enabled")
    config = flood(tmp_path, make_config, record=NO_PICTURES) | {"data_dir": str(ext4 / "data")}
    config["cameras"].append({**config["cameras"][0], "id": "yard"})
    with running(tmp_path, config) as daemon:
        wait_for_more(ear)
        with hanging(ext4):
            wait_for_judgements(config, 100)
            ear.say(f"{base}/box/gate/red/set", b"OFF")
            config["cameras"][1]["stall_after"] = "20s"
            write_config(tmp_path / "c.yaml", config)
            daemon.send(signal.SIGHUP)
            wait_until(lambda: daemon.said("reload: restarted yard"), 10)
            wait_for_judgements(config, 100)
        enabled.wait_for("gate/red/enabled", b"OFF")
        wait_for_more(ear)
        assert daemon.process.poll() is None

    assert all(n == list(range(1, len(n) + 1)) for n in seqs_by_camera(ear).values())
    assert not daemon.said("Traceback"), daemon.log.read_text()


def test_what_was_paused_stays_so_where_its_disk_comes_after_the_start(
    tmp_path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    config = endless(tmp_path, make_config)
    data_dir, away = Path(config["data_dir"]), tmp_path / "away"
    with running(tmp_path, config) as daemon:
        subscriber.wait(lambda s: s.last("box/gate/red/verdict") == b"YES")
        subscriber.publish("box/gate/red/set", "OFF")
        subscriber.wait(lambda s: s.last("box/gate/red/enabled") == b"OFF")
        daemon.send(signal.SIGTERM)
        assert daemon.ended() == 0
    data_dir.rename(away)
    data_dir.write_text("in the way")
    with running(tmp_path, config):
        subscriber.wait(lambda s: s.last("box/gate/red/enabled") == b"ON")
        subscriber.wait(lambda s: s.last("box/gate/red/verdict") == b"YES")
        data_dir.unlink()
        away.rename(data_dir)
        subscriber.wait(lambda s: s.last("box/gate/red/enabled") == b"OFF")
        subscriber.wait(lambda s: json.loads(s.last("box/gate/red/state"))["reason"] == "paused")


@pytest.mark.parametrize("mode", ["burned", "soft"])
def test_camera_recorded_on_a_disk_that_hangs_is_judged_in_the_same_memory(
    tmp_path, ext4: Path, make_config: MakeConfig, ear: Ear, mode: str
) -> None:
    clip = write_colours(
        tmp_path / "clip.mp4", [(RED, 1.0), (BLUE, 1.0)] * 3, fps=25, size=(1280, 720)
    )
    with CameraProcess(clip) as served:
        config = make_config(served.url, record={"mode": mode}) | {"data_dir": str(ext4 / "data")}
        with running(tmp_path, config) as daemon:
            wait_for_more(ear, 4)
            wait_until(lambda: list((ext4 / "data/recordings").rglob("*.mp4")))
            before = resident_kib(daemon.process.pid)
            with hanging(ext4):
                wait_for_judgements(config, 100)  # 140 MB of pictures
                grown = resident_kib(daemon.process.pid) - before
                assert get(config, "/healthz")[0] == 200
            wait_for_more(ear, 4)
            daemon.send(signal.SIGTERM)
            assert daemon.ended() == 0

    assert grown < 60_000
    assert not daemon.said("Traceback"), daemon.log.read_text()


def test_quota_on_file_size_is_told_once_and_costs_no_event(
    tmp_path, make_config: MakeConfig, ear: Ear
) -> None:
    config = flood(tmp_path, make_config)
    with running(tmp_path, config) as daemon, limited(daemon, resource.RLIMIT_FSIZE, 200_000):
        wait_until(lambda: daemon.said("outbox"))
        wait_for_more(ear, 400)
        assert not daemon.said("outbox: writes again")
        lift(daemon, resource.RLIMIT_FSIZE)
        wait_until(lambda: daemon.said("outbox: writes again"))
        wait_for_more(ear, 100)

    assert_nothing_is_missing(ear)
    assert len(log_lines(daemon, "outbox")) == 2, daemon.log.read_text()


def test_descriptors_that_run_out_are_told_once_and_stop_no_judging(
    tmp_path, make_config: MakeConfig, ear: Ear, broker: Mosquitto
) -> None:
    config = flood(tmp_path, make_config, seconds=120)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        with running(tmp_path, config, NOTIFY_SOCKET=str(tmp_path / "notify")) as daemon:
            wait_for_more(ear)
            with limited(daemon, resource.RLIMIT_NOFILE, 3), knocking(config):
                wait_until(lambda: daemon.said("cannot answer: Too many open files"))
                wait_for_more(ear, 400)
                broker.kill()
                broker.start()
                wait_until(lambda: len(log_lines(daemon, "Too many open files")) == 4)
            wait_for_fresh(ear)
            wait_until(lambda: metric(config, "edge_outbox_events") < 100, 30)
            assert daemon.process.poll() is None

    assert_nothing_is_missing(ear)
    assert not log_lines(daemon, "Traceback"), daemon.log.read_text()


@contextlib.contextmanager
def limited(daemon: Daemon, what: int, soft: int) -> Iterator[None]:
    """Give the running process less of something."""
    _, hard = resource.prlimit(daemon.process.pid, what)
    resource.prlimit(daemon.process.pid, what, (soft, hard))
    yield
    lift(daemon, what)


def lift(daemon: Daemon, what: int) -> None:
    """Take the limit away."""
    _, hard = resource.prlimit(daemon.process.pid, what)
    resource.prlimit(daemon.process.pid, what, (hard, hard))


@contextlib.contextmanager
def knocking(config: dict[str, Any]) -> Iterator[None]:
    """Somebody at the HTTP port who must wait: each connection wants a descriptor."""
    host, _, port = config["http"]["listen"].rpartition(":")
    with socket.create_connection((host, int(port))) as knock:
        knock.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        yield
