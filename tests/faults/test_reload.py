"""Reloads at bad moments: with commands and signals at once, and with what cannot start."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from edge_daemon.config.load import load_settings
from edge_daemon.service.commands import Command
from edge_daemon.service.daemon import Daemon as InProcess
from tests.data.colours import RED, write_colours
from tests.e2e.daemon import Daemon, write_config
from tests.e2e.test_run_live import endless, get
from tests.processes import free_port, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.conftest import MakeConfig
    from tests.e2e.daemon import Subscriber


@contextlib.contextmanager
def flooded(subscriber: Subscriber, topic: str, payload: str) -> Iterator[None]:
    """Publish a command a hundred times a second."""
    is_over = Flag()

    def publish() -> None:
        while not is_over.wait(0.01):
            subscriber.publish(topic, payload)

    thread = Thread(target=publish)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join(10)


@dataclass(frozen=True)
class Running:
    """A daemon that answers, its configuration, and where that is written."""

    daemon: Daemon
    config: dict[str, Any]
    file: Path

    def reload(self, **changed: Any) -> None:
        write_config(self.file, {**self.config, **changed})
        self.daemon.send(signal.SIGHUP)

    def stop(self) -> int:
        self.daemon.send(signal.SIGTERM)
        return self.daemon.ended()


@pytest.fixture
def running(tmp_path: Path, make_config: MakeConfig, subscriber: Subscriber) -> Iterator[Running]:
    config = endless(tmp_path, make_config)
    file = write_config(tmp_path / "c.yaml", config)
    with Daemon(file) as daemon:
        subscriber.wait(is_answered)
        yield Running(daemon, config, file)


def is_answered(subscriber: Subscriber) -> bool:
    return subscriber.last("box/gate/red/verdict") == b"YES"


def test_a_bundle_that_is_not_there_leaves_the_daemon_as_it_was(
    running: Running, subscriber: Subscriber
) -> None:
    running.reload(engine={"bundle": "/none"}, log={"format": "json"})
    wait_until(lambda: running.daemon.said("no such bundle"))
    wait_until(lambda: get(running.config, "/readyz")[0] == 200)
    subscriber.wait(is_answered)

    assert running.stop() == 0
    last = running.daemon.log.read_text().splitlines()[-1]
    assert not last.startswith("{")  # it logs as before, too


def test_what_is_left_as_it_was_is_what_ran_last_not_what_was_started_first(
    running: Running, subscriber: Subscriber
) -> None:
    (camera,) = running.config["cameras"]
    running.reload(cameras=[{**camera, "id": "yard"}])
    subscriber.wait(lambda s: s.last("box/yard/red/verdict") == b"YES")
    running.reload(engine={"bundle": "/none"})
    wait_until(lambda: running.daemon.said("starting again as before"))
    wait_until(lambda: json.loads(get(running.config, "/readyz")[1] or "{}").get("ready"))

    assert 'edge_camera_up{camera="yard"} 1.0' in get(running.config, "/metrics")[1]
    assert running.stop() == 0
    assert subscriber.last("box/gate/red/verdict") == b""


def test_a_token_that_was_renewed_in_its_place_is_taken_over(
    tmp_path: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    token, config = tmp_path / "token", endless(tmp_path, make_config)
    token.write_text("the-first\n")
    config["http"]["token_file"] = str(token)
    with Daemon(write_config(tmp_path / "c.yaml", config)) as daemon:
        subscriber.wait(is_answered)
        token.write_text("the-second\n")
        daemon.send(signal.SIGHUP)
        wait_until(lambda: get(config, "/metrics", "the-second")[0] == 200)

        assert get(config, "/metrics", "the-first")[0] == 401
        wait_until(lambda: daemon.said("reload: taken over http"))
        daemon.send(signal.SIGTERM)
        assert daemon.ended() == 0
    assert b"UNKNOWN" not in verdicts(subscriber)[:-1]  # no camera has noticed


def verdicts(subscriber: Subscriber) -> list[bytes]:
    """What was said of the question since the first YES."""
    said = [p for topic, p in subscriber.messages if topic.endswith("box/gate/red/verdict")]
    return said[said.index(b"YES") :]


def test_log_and_http_change_without_a_camera_noticing(
    running: Running, subscriber: Subscriber
) -> None:
    before, after = running.config["http"], {"listen": f"127.0.0.1:{free_port()}"}
    running.reload(http=after, log={"format": "json"})
    wait_until(lambda: running.daemon.said("reload: taken over http, log"))
    assert get({"http": after}, "/healthz")[0] == 200
    assert get({"http": before}, "/healthz")[0] == 0
    running.reload(http=None, log={"format": "json"})
    wait_until(lambda: get({"http": after}, "/healthz")[0] == 0)
    by_name = {"listen": before["listen"].replace("127.0.0.1", "localhost")}
    running.reload(http=before, log={"format": "json"})
    wait_until(lambda: get({"http": before}, "/healthz")[0] == 200)
    running.reload(http=by_name, log={"format": "json"})  # the port stays
    wait_until(lambda: running.daemon.said(f"{by_name['listen']}: listening"))
    assert get({"http": by_name}, "/healthz")[0] == 200

    assert running.stop() == 0
    assert running.daemon.log.read_text().splitlines()[-1].startswith("{")
    assert b"UNKNOWN" not in verdicts(subscriber)[:-1]


def test_an_address_that_is_taken_leaves_the_daemon_as_it_was(running: Running) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        running.reload(http={"listen": f"127.0.0.1:{other.getsockname()[1]}"})
        wait_until(lambda: running.daemon.said("the running configuration is kept"))

    assert running.daemon.said("cannot listen")
    assert get(running.config, "/healthz")[0] == 200
    assert running.stop() == 0


def test_a_stop_between_two_lives_is_heard(running: Running) -> None:
    running.reload(device={**running.config["device"], "name": "Box"})
    wait_until(lambda: running.daemon.said("starting again"))

    assert running.stop() in (0, -signal.SIGTERM)  # the latter while an engine is opened
    assert not running.daemon.said("Traceback")


def test_a_stop_that_came_before_there_was_a_daemon_is_not_forgotten(
    tmp_path: Path, make_config: MakeConfig
) -> None:
    with Daemon(write_config(tmp_path / "c.yaml", endless(tmp_path, make_config))) as daemon:
        daemon.send(signal.SIGTERM)

        assert daemon.ended(10) in (0, -signal.SIGTERM)


@pytest.mark.parametrize("command", ["set", "ask"])
def test_commands_to_a_camera_that_is_started_again_end_nothing(
    running: Running, subscriber: Subscriber, command: str
) -> None:
    topic, payload = {
        "set": ("box/gate/red/set", "OFF"),
        "ask": ("box/gate/ask", json.dumps({"question": "Is it red?"})),
    }[command]
    log = running.daemon.log
    with flooded(subscriber, topic, payload):
        for n in range(5):
            running.config["cameras"][0]["stall_after"] = f"{n + 20}s"
            running.reload()
            wait_until(lambda n=n: log.read_text().count("restarted gate") > n)
    if command == "set":
        subscriber.wait(lambda s: s.last("box/gate/red/enabled") == b"OFF")

    assert running.stop() == 0
    assert not running.daemon.said("Traceback"), log.read_text()


def test_questions_asked_during_a_stop_end_nothing(
    tmp_path: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    config = endless(tmp_path, make_config, record={"mode": "burned"})
    with Daemon(write_config(tmp_path / "c.yaml", config)) as daemon:
        subscriber.wait(is_answered)
        with flooded(subscriber, "box/gate/ask", json.dumps({"question": "Is it red?"})):
            subscriber.wait(lambda s: s.last("box/gate/answer"))
            daemon.send(signal.SIGTERM)
            assert daemon.ended() == 0

    assert not daemon.said("Traceback"), daemon.log.read_text()
    subscriber.wait(lambda s: s.last("box/gate/red/verdict") == b"UNKNOWN")  # all was delivered


def test_what_is_measured_of_a_camera_begins_anew_with_it(
    running: Running, subscriber: Subscriber
) -> None:
    running.config["cameras"][0]["stall_after"] = "20s"
    running.reload()
    wait_until(lambda: running.daemon.said("restarted gate"))
    assert running.stop() == 0
    told = [json.loads(p) for t, p in subscriber.messages if t.endswith("box/gate/health") and p]

    assert all((health["fps_measured"] or 0.0) >= 0.0 for health in told), told


def test_a_new_start_is_a_reload_to_systemd(tmp_path: Path, make_config: MakeConfig) -> None:
    config = endless(tmp_path, make_config)
    file, heard = write_config(tmp_path / "c.yaml", config), []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(10)
        environ = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "30000000"}

        def hear_until(text: str) -> None:
            while text not in "\n".join(heard[-1:]):
                heard.append(systemd.recv(1000).decode())

        with Daemon(file, **environ) as daemon:
            hear_until("READY=1")
            write_config(file, {**config, "device": {**config["device"], "name": "Box"}})
            daemon.send(signal.SIGHUP)
            hear_until("RELOADING=1")
            hear_until("WATCHDOG_USEC=90000000")  # a model may take as long as at a start
            hear_until("READY=1")
            assert "WATCHDOG_USEC=30000000" in heard[-1]
            assert not any("STOPPING=1" in message for message in heard)
            daemon.send(signal.SIGTERM)
            hear_until("STOPPING=1")
            assert daemon.ended() == 0


def test_a_bug_in_reading_the_new_configuration_ends_nothing(
    tmp_path: Path, make_config: MakeConfig, caplog: pytest.LogCaptureFixture
) -> None:
    clip = write_colours(tmp_path / "clip.mp4", [(RED, 2.0)])
    file = write_config(tmp_path / "c.yaml", {**make_config(str(clip)), "mqtt": None})

    def reread() -> Any:
        raise RuntimeError("no home of that name")

    daemon = InProcess(load_settings(file), where="test", reread=reread)
    daemon.request(Command.RELOAD)

    assert daemon.run().code == 0
    assert "reload: configuration: a bug: RuntimeError: no home of that name" in caplog.text
    assert "the running configuration is kept" in caplog.text
