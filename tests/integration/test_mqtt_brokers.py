"""Brokers of every kind: old ones, poor ones, ones that refuse, and things that are no broker."""

from __future__ import annotations

import contextlib
import random
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edge_daemon.publish.mqtt import Patience
from tests.integration.publishing import publishing
from tests.integration.tcp_server import TcpServer
from tests.processes import free_port, wait_until
from tests.publish_samples import STATE, camera, nth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ONCE = Patience(
    first_wait_s=60,
    longest_wait_s=60,
    refused_wait_s=60,
    greeting_s=0.2,
    mqtt5_s=0.2,
    goodbye_s=0.1,
)
UNHURRIED = replace(ONCE, mqtt5_s=0.5, greeting_s=1.0)
ROOT = "edge/porch-pi"
HINT_RUNNING = "is it running, and reachable from here? events wait in the outbox"
HINT_ACCESS = "see to mqtt.username, mqtt.password_file and the broker's access list"
HINT_PORT = "is this an MQTT port, and with TLS or without as written in mqtt.url?"
WELCOME = b"\x20\x03\x00\x00\x00"  # CONNACK of MQTT 5: success, no properties
WELCOME_3 = b"\x20\x02\x00\x00"  # of MQTT 3.1.1


class ScriptedBroker:
    """Accepts connections and says what it is told, by the MQTT version it hears."""

    def __init__(self, script: Callable[[int], bytes], *, hangs_up: Callable[[int], bool]) -> None:
        self._script, self._hangs_up = script, hangs_up
        self.versions: list[int] = []
        self._server = TcpServer(self._serve)
        self.port = self._server.port
        self.url = f"mqtt://127.0.0.1:{self.port}"
        self.close = self._server.close

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            client.settimeout(10)
            hello = client.recv(4096)
            if not hello:  # hung up without a word
                return
            self.versions.append(hello[hello.index(b"MQTT") + 4])
            client.sendall(self._script(self.versions[-1]))
            if self._hangs_up(self.versions[-1]):
                client.shutdown(socket.SHUT_WR)
            while client.recv(4096):
                pass


@pytest.fixture
def scripted() -> Iterator[Callable[..., ScriptedBroker]]:
    with contextlib.ExitStack() as stack:

        def new(
            script: Callable[[int], bytes] | bytes,
            *,
            hangs_up: Callable[[int], bool] = lambda _: False,
        ):
            say = script if callable(script) else lambda _: script
            broker = ScriptedBroker(say, hangs_up=hangs_up)
            stack.callback(broker.close)
            return broker

        yield new


def first_fault(data_dir: Path, url: str, patience: Patience = ONCE) -> str:
    with publishing(data_dir, url, is_awaited=False, patience=patience) as at_work:
        wait_until(lambda: at_work.faults)
    return at_work.faults[0]


@pytest.mark.parametrize(
    ("said", "what", "hint"),
    [
        (b"\x20\x03\x00\x86\x00", "refused: Bad user name or password", HINT_ACCESS),
        (b"\x20\x03\x00\x87\x00", "refused: Not authorized", HINT_ACCESS),
        (b"\x20\x03\x00\x85\x00", "refused: Client identifier not valid", HINT_ACCESS),
        (b"\x20\x03\x00\x8a\x00", "refused: Banned", HINT_ACCESS),
        (b"\x20\x03\x00\x88\x00", "ended the connection: Server unavailable", HINT_RUNNING),
        (b"\x20\x03\x00\x89\x00", "ended the connection: Server busy", HINT_RUNNING),
        (b"\x20\x05\x00\x00\x02\x24\x00", "takes no QoS 1", "use a broker that offers both"),
        (b"\x20\x05\x00\x00\x02\x25\x00", "keeps no retained messages",
         "use a broker that offers both"),
        (WELCOME + b"\xe0\x02\x8e\x00",
         "another client with this device.id took the connection over",
         "give each daemon a device.id of its own"),
        (WELCOME + b"\xe0\x02\x8b\x00", "ended the connection: Server shutting down",
         HINT_RUNNING),
        (WELCOME + b"\xe0\x02\x8d\x00", "ended the connection: Keep alive timeout",
         HINT_RUNNING),
        (WELCOME + b"\xe0\x02\x87\x00", "refused: Not authorized", HINT_ACCESS),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not answer", HINT_PORT),
        (b"\x20\x03\x00\xee\x00", "sends what is not MQTT", "is this the broker's port?"),
        (b"\x20\x00", "sends what is not MQTT", "is this the broker's port?"),
        (b"", "does not answer", HINT_PORT),
    ],
)  # fmt: skip
def test_what_a_broker_says_is_one_clear_line(scripted, data_dir, said, what, hint) -> None:
    broker = scripted(said)

    assert first_fault(data_dir, broker.url) == (
        f"broker 127.0.0.1:{broker.port}: {what} -- {hint}"
    )


@pytest.mark.parametrize(
    ("code", "what"),
    [(2, "Client identifier not valid"), (4, "Bad user name or password"), (5, "Not authorized")],
)
def test_a_refusal_in_the_words_of_mqtt_3_is_understood(scripted, data_dir, code, what) -> None:
    broker = scripted(lambda version: bytes((0x20, 2, 0, 1 if version == 5 else code)))

    assert first_fault(data_dir, broker.url).startswith(
        f"broker 127.0.0.1:{broker.port}: refused: {what}"
    )
    assert broker.versions == [5, 4]


@pytest.mark.parametrize(
    ("reaction", "versions"),
    [("says so", [5, 4]), ("hangs up", [5, 4, 5, 4]), ("falls silent", [5, 4, 5, 4])],
)
def test_mqtt_3_is_spoken_where_5_is_not_known(scripted, data_dir, reaction, versions) -> None:
    refusal = b"\x20\x02\x00\x01" if reaction == "says so" else b""
    broker = scripted(
        lambda version: refusal if version == 5 else WELCOME_3,
        hangs_up=lambda version: reaction == "hangs up" and version == 5,
    )
    with publishing(data_dir, broker.url, patience=UNHURRIED) as at_work:
        assert broker.versions == versions
        assert at_work.faults == []


@pytest.mark.parametrize("hangs_up", [True, False])
def test_a_broker_that_was_only_slow_is_spoken_to_in_mqtt_5(scripted, data_dir, hangs_up) -> None:
    """As one that is still starting, or behind a link that takes seconds."""

    def say(version: int) -> bytes:
        if len(broker.versions) == 1:
            return b""
        return WELCOME if version == 5 else WELCOME_3

    broker = scripted(say, hangs_up=lambda _: hangs_up and len(broker.versions) == 1)
    with publishing(data_dir, broker.url, patience=UNHURRIED) as at_work:
        assert broker.versions == [5, 4, 5]
        assert at_work.faults == []


def test_a_publisher_that_is_left_behind_tries_no_more(scripted, data_dir) -> None:
    """Another goes by its name then, and would be thrown off."""
    broker = scripted(b"")
    with publishing(data_dir, broker.url, is_awaited=False, patience=UNHURRIED) as at_work:
        wait_until(lambda: broker.versions)
        at_work.publisher.close(0.01)
        at_work.thread.join(30)

    assert not at_work.thread.is_alive()
    assert broker.versions == [5]
    assert at_work.faults == []


def test_a_port_where_nobody_listens_is_unavailable(data_dir) -> None:
    port = free_port()

    assert first_fault(data_dir, f"mqtt://127.0.0.1:{port}") == (
        f"broker 127.0.0.1:{port}: Connection refused -- {HINT_RUNNING}"
    )


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 64 + ".invalid"])
def test_a_host_without_an_address_is_named(data_dir, host) -> None:
    assert first_fault(data_dir, f"mqtt://{host}") == (
        f"broker {host}:1883: no such host -- correct mqtt.url, or see to the name service"
    )


def test_subscriptions_that_are_refused_are_told(scripted, data_dir) -> None:
    suback = b"\x90\x07\x00\x01\x00\x87\x87\x01\x87"
    broker = scripted(WELCOME + suback)
    with publishing(data_dir, broker.url, patience=ONCE) as at_work:
        wait_until(lambda: len(at_work.faults) >= 3)
        told = at_work.faults[:3]

    assert told == [
        f"mqtt: may not subscribe to {topic} -- let this user read it"
        for topic in (f"{ROOT}/+/+/set", f"{ROOT}/+/ask", "homeassistant/status")
    ]


def test_a_picture_over_the_brokers_limit_is_left_out_and_told(new_broker, data_dir, new_ear):
    broker = new_broker("max_packet_size 20000")
    ear = new_ear(broker.port, f"{ROOT}/#")
    with publishing(data_dir, broker.url) as at_work:
        at_work.event(nth(1), STATE)
        at_work.publisher.publish_snapshot("gate", "pedestrian", bytes(30_000))
        wait_until(lambda: at_work.faults)
        ear.wait_for("/verdict", b"YES")

    assert at_work.faults == [
        f"mqtt: {ROOT}/gate/pedestrian/snapshot is too big to send"
        " -- raise the broker's limit on the size of a packet"
    ]
    assert at_work.outcomes["dropped"] == 1
    assert ear.heard("/snapshot") == []


def test_random_bytes_never_bring_a_traceback(scripted, data_dir) -> None:
    """Whatever a broker sends: a fault, another attempt, and the thread lives."""
    rng = random.Random(5)
    begin = [WELCOME, b"", WELCOME_3, WELCOME + b"\x30\x05\x00\x03"]

    def noise(_version: int) -> bytes:
        return rng.choice(begin) + rng.randbytes(rng.randrange(1, 60))

    broker = scripted(noise, hangs_up=lambda _: True)
    hasty = Patience(first_wait_s=0.001, longest_wait_s=0.001, refused_wait_s=0.001, mqtt5_s=0.05,
                     greeting_s=0.05, goodbye_s=0.1)  # fmt: skip
    with publishing(data_dir, broker.url, is_awaited=False, patience=hasty) as at_work:
        wait_until(lambda: len(broker.versions) >= 20)
        n_files = len(list(Path("/proc/self/fd").iterdir()))
        wait_until(lambda: len(broker.versions) >= 300, timeout_s=30)

        assert at_work.thread.is_alive()
        assert at_work.faults
        assert abs(len(list(Path("/proc/self/fd").iterdir())) - n_files) < 10


OLD_BROKER = """
import asyncio, sys
from amqtt.broker import Broker

async def serve(port):
    await Broker({
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
        "plugins": {
            "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}
        },
    }).start()
    print("ready", flush=True)
    await asyncio.Event().wait()

asyncio.run(serve(sys.argv[1]))
"""


@pytest.fixture
def old_broker() -> Iterator[str]:
    """A broker in Python that speaks MQTT 3.1.1 only and falls silent when it hears of 5."""
    port = str(free_port())
    command = [sys.executable, "-c", OLD_BROKER, port]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout.readline() == b"ready\n"
        yield f"mqtt://127.0.0.1:{port}"
        process.kill()


def test_events_arrive_at_a_broker_that_knows_only_mqtt_3(old_broker, data_dir) -> None:
    patience = Patience(mqtt5_s=0.2, greeting_s=2.0)
    with publishing(data_dir, old_broker, cameras=[camera()], patience=patience) as at_work:
        at_work.event(nth(1), STATE)

        assert at_work.publisher.drain(30)
        assert at_work.faults == []
