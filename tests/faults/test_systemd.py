"""The installed service under a real systemd: ready, hanging, misconfigured, reloaded, stopped.

benchmarks/soak/systemd-root makes the machine; without it these are skipped.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import processes
from tests.data.colours import BLUE, RED, write_colours
from tests.data.tiny_bundle import write_tiny_bundle
from tests.e2e.conftest import MakeConfig
from tests.e2e.daemon import Subscriber
from tests.faults.flood import metric, password_file
from tests.faults.nspawn import DROP_IN, UNIT, Machine, need_root
from tests.integration.mosquitto import Gate, Mosquitto

CONFIG = "/etc/edge-daemon/edge-daemon.yaml"
SECRET = "/etc/edge-daemon/secrets/mqtt-password"
SLOW_S = 60.0  # a machine within a machine, both of them busy
wait_until = partial(processes.wait_until, timeout_s=SLOW_S)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    need_root()
    stage = tmp_path_factory.mktemp("stage")
    stage.chmod(0o755)
    write_tiny_bundle(stage / "tiny")
    write_colours(stage / "clip.mp4", [(RED, 2.0), (BLUE, 2.0)] * 5)
    with Machine(stage) as machine:
        machine.write(
            DROP_IN,
            f"[Service]\nWatchdogSec=8\nRestartSec=0.2\nLoadCredential=mqtt-password:{SECRET}\n",
        )
        machine.write(SECRET, "right\n")
        machine.run("chmod", "600", SECRET)
        machine.systemctl("daemon-reload")
        yield machine


@pytest.fixture
def config(machine: Machine, make_config: MakeConfig) -> Iterator[dict[str, Any]]:
    """The installed service's configuration; the service is stopped afterwards."""
    config = make_config("/stage/clip.mp4", loop=True, pace="realtime", blind_after=None)
    config |= {"data_dir": "/var/lib/edge-daemon", "log": {"format": "auto"}}
    config["engine"]["bundle"] = "/stage/tiny"
    machine.turn_over()
    yield config
    machine.systemctl("stop", UNIT)
    machine.systemctl("reset-failed", UNIT, check=False)


def start(machine: Machine, config: dict[str, Any]) -> None:
    machine.write(CONFIG, yaml.safe_dump(config))
    machine.systemctl("start", UNIT)


def test_service_is_ready_when_it_says_so_and_runs_as_its_own_user(
    machine, config, subscriber: Subscriber
) -> None:
    start(machine, config)

    assert machine.shows("ActiveState") == "active"
    assert re.fullmatch(r"\d+ cameras", machine.shows("StatusText"))
    subscriber.wait(lambda s: s.last("box/gate/red/verdict") == b"YES", SLOW_S)
    assert machine.run("stat", "-c", "%U %a", "/var/lib/edge-daemon") == "edge-daemon 750"
    assert machine.run("stat", "-c", "%U", f"/proc/{machine.shows('MainPID')}") == "edge-daemon"


def test_password_comes_as_a_credential_and_a_public_one_is_refused(
    machine, config, tmp_path: Path, base: str, new_broker: Callable[..., Mosquitto]
) -> None:
    guarded = new_broker(password_file(tmp_path, "right"), allow_anonymous=False)
    credential = "${CREDENTIALS_DIRECTORY}/mqtt-password"
    config["mqtt"] |= {"url": guarded.url, "username": "edge", "password_file": credential}
    start(machine, config)
    wait_until(lambda: f"broker 127.0.0.1:{guarded.port}: MQTT 5" in machine.journal())
    machine.write("/etc/password", "right\n")
    machine.write(CONFIG, yaml.safe_dump(config).replace(credential, "/etc/password"))
    machine.systemctl("reload", UNIT)
    wait_until(lambda: "every user of this machine may read /etc/password" in machine.journal())

    assert machine.shows("ActiveState") == "active"


def test_journal_knows_how_bad_each_line_is(machine, config, broker: Mosquitto) -> None:
    broker.stop()
    start(machine, config)
    wait_until(lambda: "events wait in the outbox" in machine.journal(4))
    machine.write(CONFIG, "version: 2\n")
    machine.systemctl("reload", UNIT)
    wait_until(lambda: "the running configuration is kept" in machine.journal(3))
    machine.systemctl("stop", UNIT)
    broker.start()

    assert "events wait in the outbox" not in machine.journal(3)
    assert "listening" in machine.journal()
    assert "listening" not in machine.journal(4)


def test_hang_made_on_purpose_is_ended_by_the_watchdog_and_started_again(
    machine, config, subscriber: Subscriber
) -> None:
    start(machine, config)
    first, n_before = machine.shows("MainPID"), int(machine.shows("NRestarts"))
    machine.systemctl("kill", "--signal=STOP", "--kill-who=main", UNIT)
    wait_until(lambda: int(machine.shows("NRestarts")) > n_before)
    wait_until(lambda: machine.shows("ActiveState") == "active")
    heard = len(subscriber.messages)
    subscriber.wait(lambda s: any(t.endswith("red/verdict") for t, _ in s.messages[heard:]), SLOW_S)

    assert machine.shows("MainPID") not in (first, "0")
    assert "Watchdog timeout" in machine.journal()
    assert "in take" in machine.journal()  # the stack of every thread


def test_bad_configuration_ends_with_78_and_is_not_started_again(machine, config) -> None:
    n_before = machine.shows("NRestarts")
    machine.write(CONFIG, yaml.safe_dump({**config, "cameras": []}))
    machine.systemctl("start", UNIT, check=False)
    until_s = time.monotonic() + 1.0  # five times RestartSec
    wait_until(lambda: time.monotonic() > until_s)

    assert machine.shows("ActiveState") == "failed"
    assert machine.shows("ExecMainStatus") == "78"
    assert machine.shows("NRestarts") == n_before
    assert f"{CONFIG}: cameras: " in machine.journal()


def test_reload_takes_a_good_configuration_and_keeps_the_running_one_from_a_bad(
    machine, config, subscriber: Subscriber
) -> None:
    start(machine, config)
    pid = machine.shows("MainPID")
    machine.write(CONFIG, yaml.safe_dump({**config, "cameras": []}))
    machine.systemctl("reload", UNIT)
    wait_until(lambda: "the running configuration is kept" in machine.journal())
    assert machine.shows("ActiveState") == "active"
    config["cameras"].append({**config["cameras"][0], "id": "yard"})
    machine.write(CONFIG, yaml.safe_dump(config))
    machine.systemctl("reload", UNIT)
    subscriber.wait(lambda s: s.last("box/yard/red/verdict") == b"YES", SLOW_S)

    assert machine.shows("MainPID") == pid


def test_stop_takes_less_than_five_seconds_and_says_offline(
    machine, config, subscriber: Subscriber
) -> None:
    start(machine, config)
    subscriber.wait(lambda s: s.last("box/gate/red/verdict") == b"YES", SLOW_S)
    begun_s = time.monotonic()
    machine.systemctl("stop", UNIT)
    took_s = time.monotonic() - begun_s
    subscriber.wait(lambda s: s.last("box/status") == b"offline", SLOW_S)

    assert machine.shows("Result") == "success"
    assert machine.shows("ExecMainStatus") == "0"
    assert took_s < 5.0


def test_broker_that_is_absent_at_boot_is_found_when_it_comes(
    machine, config, broker: Mosquitto, subscriber: Subscriber
) -> None:
    """Its port refuses at first, and leads to a broker that a subscriber listens to already."""
    with closing(Gate(broker.port, built=False)) as gate:
        config["mqtt"]["url"] = gate.url
        start(machine, config)
        assert machine.shows("ActiveState") == "active"
        wait_until(lambda: "events wait in the outbox" in machine.journal())
        wait_until(lambda: metric(config, "edge_outbox_events") >= 2)
        gate.build()
        subscriber.wait(lambda s: s.last("box/status") == b"online", SLOW_S)
        subscriber.wait(lambda s: any(not e["replayed"] for e in s.events("red")), SLOW_S)
    red = subscriber.events("red")

    assert red[0]["replayed"]
    assert [e["seq"] for e in red] == list(range(red[0]["seq"], red[0]["seq"] + len(red)))
