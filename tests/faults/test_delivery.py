"""The whole daemon and a broker that dies, is away, or refuses."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.data.colours import BLUE, RED, write_colours
from tests.e2e.daemon import Daemon, Subscriber, write_config
from tests.faults.flood import NO_PICTURES, flood, kept, log_lines, metric, password_file, seqs
from tests.faults.kills import survive
from tests.integration.mosquitto import Ear, Gate, Mosquitto
from tests.processes import wait_until


def test_no_event_is_lost_though_broker_and_daemon_are_killed_in_turn(
    tmp_path, make_config, broker: Mosquitto, gate: Gate, base: str, new_ear: Callable[..., Ear]
) -> None:
    ear = new_ear(broker.port, f"{base}/box/+/+/event", qos=0)
    config = flood(tmp_path, make_config, seconds=5, record=NO_PICTURES)
    config["mqtt"]["url"] = gate.url
    file = write_config(tmp_path / "c.yaml", config)
    found = survive(config, file, broker, gate, ear, n=3)

    assert found.n_heard == found.n_events, found
    assert found.n_disordered == 0
    assert {q: numbers[-1] for q, numbers in seqs(ear).items()} == kept(config)[1]
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in seqs(ear).values())


def colours_file(tmp_path: Path, make_config: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    clip = write_colours(tmp_path / "file.mp4", [(RED, 2.0), (BLUE, 2.0)] * 3)
    return make_config(str(clip), blind_after=None)


def test_events_of_a_file_no_broker_was_there_for_come_with_the_next_start(
    tmp_path, make_config, broker: Mosquitto, base: str
) -> None:
    config = colours_file(tmp_path, make_config)
    file = write_config(tmp_path / "c.yaml", config)
    broker.stop()
    with Daemon(file) as daemon:
        wait_until(lambda: daemon.said("events to deliver"))
        daemon.send(signal.SIGTERM)
        assert daemon.ended(10) == 0
    n_waiting, last = kept(config)
    broker.start()
    with Subscriber(broker.port, base) as heard:
        with Daemon(file) as daemon:
            assert daemon.ended() == 0
        heard.wait(lambda s: s.last("box/status") == b"offline")
        red = heard.events("red")
        verdict = heard.last("box/gate/red/verdict")

    assert n_waiting == sum(last.values()) == 14
    assert [e["seq"] for e in red] == list(range(1, 2 * last["red"] + 1))
    assert [e["replayed"] for e in red] == [True] * last["red"] + [False] * last["red"]
    assert verdict == b"UNKNOWN"
    assert kept(config)[0] == 0


@pytest.fixture
def guarded(tmp_path, new_broker: Callable[..., Mosquitto]) -> Mosquitto:
    """A broker that lets in user edge with the password 'right' and nobody else."""
    return new_broker(password_file(tmp_path, "right"), allow_anonymous=False)


def with_wrong_password(config: dict[str, Any], tmp_path: Path, broker: Mosquitto) -> Path:
    (tmp_path / "password").write_text("wrong\n")
    (tmp_path / "password").chmod(0o600)
    config["mqtt"] |= {
        "url": broker.url,
        "username": "edge",
        "password_file": str(tmp_path / "password"),
    }
    return write_config(tmp_path / "c.yaml", config)


def test_file_run_that_the_broker_refuses_ends_with_69_and_keeps_its_events(
    tmp_path, make_config, guarded: Mosquitto
) -> None:
    config = colours_file(tmp_path, make_config)
    with Daemon(with_wrong_password(config, tmp_path, guarded)) as daemon:
        assert daemon.ended() == 69

    assert kept(config)[0] == 14
    assert len(log_lines(daemon, "refused: Not authorized")) == 1, daemon.log.read_text()
    assert not log_lines(daemon, "Traceback")


def test_live_run_goes_on_though_the_broker_refuses_it(
    tmp_path, make_config, guarded: Mosquitto
) -> None:
    config = flood(tmp_path, make_config)
    with Daemon(with_wrong_password(config, tmp_path, guarded)) as daemon:
        wait_until(lambda: daemon.said("refused: Not authorized"))
        n = metric(config, "edge_judgements_total")
        wait_until(lambda: metric(config, "edge_judgements_total") > n + 100)
        daemon.send(signal.SIGTERM)
        assert daemon.ended(10) == 0

    assert kept(config)[0] == sum(kept(config)[1].values()) > 100
    assert len(log_lines(daemon, "refused")) == 1, daemon.log.read_text()
