"""Threads that hang in native code, for real: in read(2) and open(2), which nothing interrupts."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from threading import Event as Flag
from threading import Thread
from typing import Any

import pytest

from edge_daemon.config.load import parse_settings
from edge_daemon.config.models import EngineConfig
from edge_daemon.engine.open import open_engine
from edge_daemon.retry import Retry
from edge_daemon.service.commands import Command
from edge_daemon.service.daemon import Daemon
from edge_daemon.service.parts import Parts
from edge_daemon.service.supervisor import n_left_behind
from edge_daemon.sources.open import open_source
from edge_daemon.types import Event, Reason, Verdict
from tests.data.colours import RED, write_colours
from tests.e2e.daemon import Daemon as DaemonProcess
from tests.e2e.daemon import Subscriber, write_config
from tests.faults.hanging import hanging_sources
from tests.processes import wait_until
from tests.stuck_source import Driver, StuckSource, red_frames
from tests.unit.pipeline.test_board import Notes


class Running:
    """A daemon of two cameras in threads of this process: good, which is well, and bad."""

    def __init__(self, folder: Path, bundle: Path, driver: Driver) -> None:
        clip = write_colours(folder / "good.mp4", [(RED, 30.0)])
        asked = [{"id": "red", "ask": "Is it red?", "hold": None}]
        good = {"id": "good", "source": str(clip), "loop": True, "pace": "realtime"}
        bad = {"id": "bad", "source": "rtsp://127.0.0.1/1"}
        data = {
            "version": 1,
            "data_dir": str(folder / "data"),
            "engine": {"bundle": str(bundle)},
            "http": None,
            "cameras": [
                {"sample": {"every": 1}, "questions": asked, **camera} for camera in (good, bad)
            ],
        }
        self.driver, self.notes = driver, Notes()
        self.ending: Any = None
        settings = parse_settings(data, where="test")
        self.daemon = Daemon(
            settings,
            where="test",
            reread=lambda: settings,
            listeners=[self.notes],
            parts=Parts(
                engine=open_engine(EngineConfig(bundle=str(bundle), threads=1)),
                open_source=self.open,
                retry=lambda: Retry(0.01, 0.02, rng=Random(0)),
                patience_s=1.0,
            ),
        )
        self.thread = Thread(target=self.run)

    def open(self, settings: Any, stop: Flag, **counters: Any) -> Any:
        opener = self.driver if settings.id == "bad" else open_source
        return opener(settings, stop, **counters)

    def run(self) -> None:
        self.ending = self.daemon.run()

    def said(self, camera: str) -> list[Event]:
        return [event for event in self.notes.events if event.camera == camera]

    def count(self, name: str, camera: str) -> float:
        return self.daemon.metrics.registry.get_sample_value(name, {"camera": camera}) or 0.0


@pytest.fixture
def new_daemon(tmp_path: Path, tiny_bundle: Path) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def new(how: Callable[[int, str, Flag], Any]) -> Running:
        started.append(Running(tmp_path, tiny_bundle, Driver(how)))
        started[-1].thread.start()
        return started[-1]

    yield new
    for running in started:
        running.daemon.request(Command.STOP)
        running.driver.let_all_go()
        running.thread.join(20)
        wait_until(lambda: n_left_behind("bad") == 0)


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The socket that systemd listens on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listening


def test_camera_whose_driver_hangs_is_replaced_and_the_watchdog_goes_on_being_fed(
    systemd: socket.socket, new_daemon: Callable[..., Running]
) -> None:
    running = new_daemon(lambda n, camera, stop: StuckSource(camera, red_frames(camera), stop=stop))
    wait_until(lambda: running.count("edge_stalls_total", "bad") >= 2)
    wait_until(lambda: len(running.said("bad")) >= 4)  # counted first, then said
    fed = [systemd.recv(200) for _ in range(8)]

    bad = [(e.verdict, e.reason) for e in running.said("bad")][:4]
    lost = (Verdict.UNKNOWN, Reason.CAMERA_OFFLINE)
    assert bad == [(Verdict.YES, None), lost, (Verdict.YES, None), lost]
    assert [(e.verdict, e.reason) for e in running.said("good")] == [(Verdict.YES, None)]
    assert fed.count(b"WATCHDOG=1") >= 5
    assert n_left_behind("bad") >= 2


def test_daemon_starts_anew_when_too_many_threads_of_a_camera_hang(
    new_daemon: Callable[..., Running], caplog: pytest.LogCaptureFixture
) -> None:
    running = new_daemon(lambda n, camera, stop: StuckSource(camera, stop=stop))
    running.thread.join(30)

    assert running.ending.code == 70
    assert "camera bad: 5 of its threads hang in native code, the daemon ends" in caplog.text
    assert running.count("edge_stalls_total", "bad") >= 4
    assert [e.verdict for e in running.said("good")] == [Verdict.YES, Verdict.UNKNOWN]


def test_threads_that_come_back_are_no_reason_to_start_anew(
    new_daemon: Callable[..., Running],
) -> None:
    def how(n: int, camera: str, stop: Flag) -> StuckSource:
        if n:
            running.driver.opened[n - 1].let_go()
        return StuckSource(camera, stop=stop)

    running = new_daemon(how)
    wait_until(lambda: running.count("edge_stalls_total", "bad") >= 6, 30)

    assert running.ending is None
    wait_until(lambda: n_left_behind("bad") <= 1)


def test_daemon_reloads_and_ends_in_time_though_every_kind_of_source_hangs(
    tmp_path: Path, make_config: Callable[..., dict[str, Any]], subscriber: Subscriber
) -> None:
    clip = write_colours(tmp_path / "clip.mp4", [(RED, 30.0)])
    config = make_config(str(clip), loop=True, pace="realtime")
    with hanging_sources(tmp_path, clip) as hanging:
        hanging.add_to(config)
        file = write_config(tmp_path / "c.yaml", config)
        with DaemonProcess(file) as daemon:
            subscriber.wait(lambda s: s.last("box/stopped/red/verdict") == b"YES")
            hanging.freeze()
            config["cameras"] = [c for c in config["cameras"] if c["id"] != "mute"]
            config["cameras"][1] = {**config["cameras"][1], "stall_after": "3s"}  # the file
            write_config(file, config)
            begun_s = time.monotonic()
            daemon.send(signal.SIGHUP)
            wait_until(lambda: daemon.said("reload: restarted file; removed mute"))
            reloaded_s = time.monotonic() - begun_s
            begun_s = time.monotonic()
            daemon.send(signal.SIGTERM)
            code = daemon.ended(20)
            ended_s = time.monotonic() - begun_s
    subscriber.wait(lambda s: s.last("box/status") == b"offline")

    assert code == 0
    assert ended_s < 5.0
    assert reloaded_s < 5.0
    assert subscriber.last("box/gate/red/verdict") == b"UNKNOWN"
    assert subscriber.last("box/stopped/red/verdict") == b"UNKNOWN"
    assert [e["verdict"] for e in subscriber.events("red") if e["camera"] == "gate"] == [
        "YES",
        "UNKNOWN",
    ]
    assert daemon.said("camera file: does not end within 1.8 s, it is left behind")
    assert not daemon.said("Traceback")
