"""A stop ends within five seconds, whatever hangs, and loses nothing."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.data.colours import RED, write_colours
from tests.e2e.conftest import MakeConfig
from tests.e2e.daemon import Daemon, write_config
from tests.faults.flood import kept, metric
from tests.faults.hanging import HangingSources, hanging_sources
from tests.integration.mosquitto import Ear, Mosquitto
from tests.processes import wait_until

STOPS_WITHIN_S = 5.0


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_colours(tmp_path / "clip.mp4", [(RED, 30.0)])


@pytest.fixture
def hanging(tmp_path: Path, clip: Path) -> Iterator[HangingSources]:
    with hanging_sources(tmp_path, clip) as sources:
        yield sources


@pytest.fixture
def config(clip: Path, hanging: HangingSources, make_config: MakeConfig) -> dict[str, Any]:
    """A camera that is well and recorded, and those that hang."""
    made = make_config(str(clip), loop=True, pace="realtime", record={"mode": "burned"})
    hanging.add_to(made)
    return made


@pytest.fixture
def mute() -> Iterator[str]:
    """The address of a broker that accepts and never greets."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"mqtt://127.0.0.1:{listening.getsockname()[1]}"


def seconds_to_end(daemon: Daemon) -> float:
    begun_s = time.monotonic()
    daemon.send(signal.SIGTERM)
    assert daemon.ended(20) == 0
    return time.monotonic() - begun_s


def test_stop_with_sources_and_broker_that_hang(
    tmp_path: Path, config: dict[str, Any], hanging: HangingSources, broker: Mosquitto,
    base: str, new_ear: Callable[..., Ear],
) -> None:  # fmt: skip
    ear = new_ear(broker.port, f"{base}/box/#")
    with ExitStack() as stack:
        daemon = stack.enter_context(Daemon(write_config(tmp_path / "c.yaml", config)))
        ear.wait_for("stopped/red/verdict", b"YES")
        ear.wait_for("gate/red/verdict", b"YES")
        asking = stack.enter_context(open_request(config))
        hanging.freeze()
        broker.signal(signal.SIGSTOP)
        stack.callback(broker.signal, signal.SIGCONT)
        took_s = seconds_to_end(daemon)
        asking.close()
    n_waiting, last = kept(config)

    assert took_s < STOPS_WITHIN_S
    assert last["red"] == 2  # YES, and UNKNOWN at the end
    assert n_waiting >= 3  # of the two cameras, less what the broker may have had
    assert not daemon.said("Traceback")


def open_request(config: dict[str, Any]) -> socket.socket:
    """A connection to the daemon's HTTP that never ends its request."""
    host, _, port = config["http"]["listen"].rpartition(":")
    sock = socket.create_connection((host, int(port)))
    sock.sendall(b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
    return sock


@pytest.mark.parametrize("how", ["never greets", "away"])
def test_stop_with_sources_that_hang_and_no_broker(
    tmp_path: Path, config: dict[str, Any], mute: str, how: str
) -> None:
    config["mqtt"]["url"] = mute if how == "never greets" else "mqtt://127.0.0.1:9"
    with Daemon(write_config(tmp_path / "c.yaml", config)) as daemon:
        wait_until(lambda: daemon.said("listening"))
        wait_until(lambda: metric(config, "edge_outbox_events") >= 4)
        took_s = seconds_to_end(daemon)

    assert took_s < STOPS_WITHIN_S
    assert kept(config)[0] >= 6  # YES and UNKNOWN of red, NO and UNKNOWN of blue, of two cameras


def test_stop_in_the_middle_of_a_reload(
    tmp_path: Path, config: dict[str, Any], hanging: HangingSources, broker: Mosquitto,
    base: str, new_ear: Callable[..., Ear],
) -> None:  # fmt: skip
    """A reload waits for each camera it removes; the time of a stop counts from its request."""
    ear = new_ear(broker.port, f"{base}/box/#")
    file = write_config(tmp_path / "c.yaml", config)
    with Daemon(file) as daemon:
        ear.wait_for("stopped/red/verdict", b"YES")
        ear.wait_for("gate/red/verdict", b"YES")
        hanging.freeze()
        broker.signal(signal.SIGSTOP)
        write_config(file, {**config, "cameras": config["cameras"][:1]})
        daemon.send(signal.SIGHUP)
        took_s = seconds_to_end(daemon)
        broker.signal(signal.SIGCONT)

    assert took_s < STOPS_WITHIN_S
    assert not daemon.said("Traceback")
