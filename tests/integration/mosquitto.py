"""A real mosquitto on a free loopback port, and an ear that hears what it says.

The ear speaks MQTT by paho, as any user's program would, and notes every message it gets.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import ssl
import struct
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition, Lock, Thread
from typing import TYPE_CHECKING, Any

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.conftest import missing
from tests.processes import free_port, wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self


@dataclass
class Mosquitto:
    """The broker's process: started, killed and started again on the same port."""

    directory: Path
    lines: Sequence[str] = ()
    allow_anonymous: bool = True
    scheme: str = "mqtt"
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """As for the configuration."""
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Start it and wait until it listens."""
        exe = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
        if exe is None:
            missing("no mosquitto: apt install mosquitto", "REQUIRE_BROKER")
        conf = self.directory / "mosquitto.conf"
        own = [f"listener {self.port} 127.0.0.1", f"persistence_location {self.directory}/"]
        own.append(f"allow_anonymous {str(self.allow_anonymous).lower()}")
        if os.geteuid() == 0:
            own.append("user root")  # else it leaves root and cannot read the test's files
        conf.write_text("\n".join([*own, "max_queued_messages 100000", *self.lines, ""]))
        with (self.directory / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen([exe, "-c", str(conf)], stdout=log, stderr=log)
        wait_until(self._listens)
        return self

    def kill(self) -> None:
        """End it as a power cut does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in peace."""
        self._end(signal.SIGTERM)

    def signal(self, what: signal.Signals) -> None:
        """Stop, continue or reload it."""
        assert self._process is not None
        self._process.send_signal(what)

    def _end(self, what: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGCONT)
            process.send_signal(what)
            process.wait(10)

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.directory / "mosquitto.log").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@dataclass(frozen=True)
class Heard:
    """A message as it came."""

    topic: str
    payload: bytes
    retained: bool
    correlation: bytes | None = None

    def json(self) -> Any:
        """Return the payload as JSON."""
        return json.loads(self.payload)


class Ear:
    """Subscribes and notes what it hears; with a name its session outlives connections."""

    def __init__(
        self,
        port: int,
        *filters: str,
        name: str = "",
        qos: int = 1,
        user: tuple[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._heard: list[Heard] = []
        self._changed = Condition()
        self._filters, self._qos = filters, qos
        self._n_subscribed = 0
        self._client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, name, protocol=paho.MQTTProtocolVersion.MQTTv5
        )
        if user:
            self._client.username_pw_set(*user)
        if tls:
            self._client.tls_set_context(tls)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._client.reconnect_delay_set(0.05, 0.05)  # type: ignore[arg-type]
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 3600 if name else 0
        self._client.connect("127.0.0.1", port, 60, clean_start=not name, properties=properties)
        self._client.loop_start()
        with self._changed:
            assert self._changed.wait_for(lambda: self._n_subscribed, 10)

    @property
    def n_subscribed(self) -> int:
        """How often it has subscribed: one more with each connection."""
        return self._n_subscribed

    def close(self) -> None:
        """Hang up."""
        self._client.disconnect()
        self._client.loop_stop()

    def say(self, topic: str, payload: bytes | str, **more: Any) -> None:
        """Publish something; response_topic and correlation as in MQTT 5."""
        properties = Properties(PacketTypes.PUBLISH)
        if "response_topic" in more:
            properties.ResponseTopic = more.pop("response_topic")
            properties.CorrelationData = more.pop("correlation")
        self._client.publish(topic, payload, 1, properties=properties, **more).wait_for_publish(10)

    def heard(self, topic_end: str = "") -> list[Heard]:
        """Return what came on topics with this end so far."""
        with self._changed:
            return [one for one in self._heard if one.topic.endswith(topic_end)]

    def wait(self, topic_end: str, n: int = 1, timeout_s: float = 30.0) -> list[Heard]:
        """Wait for so many messages on topics with this end; return all of them."""
        with self._changed:
            came = self._changed.wait_for(lambda: len(self.heard(topic_end)) >= n, timeout_s)
            assert came, f"{len(self.heard(topic_end))} of {n} heard"
            return self.heard(topic_end)

    def wait_for(self, topic_end: str, payload: bytes, timeout_s: float = 30.0) -> None:
        """Wait until the last message on a topic is this one."""

        def is_last() -> bool:
            return [one.payload for one in self.heard(topic_end)][-1:] == [payload]

        with self._changed:
            assert self._changed.wait_for(is_last, timeout_s), self.heard(topic_end)[-3:]

    def _on_connect(self, client: Any, _data: Any, _flags: Any, reason: Any, _found: Any) -> None:
        if not reason.is_failure:
            client.subscribe([(one, self._qos) for one in self._filters])

    def _on_subscribe(self, *_args: Any) -> None:
        with self._changed:
            self._n_subscribed += 1
            self._changed.notify_all()

    def _on_message(self, _client: Any, _data: Any, message: Any) -> None:
        correlation = getattr(message.properties, "CorrelationData", None)
        with self._changed:
            self._heard.append(
                Heard(message.topic, bytes(message.payload), message.retain, correlation)
            )
            self._changed.notify_all()


def first_of_each(events: list[Heard]) -> list[dict[str, Any]]:
    """Return events without those that came again; fail when one that did differs."""
    seen: dict[str, dict[str, Any]] = {}
    for heard in events:
        event = heard.json()
        known = seen.setdefault(event["id"], event)
        assert {**known, "replayed": None} == {**event, "replayed": None}
    return list(seen.values())


class Gate:
    """A port that leads to another one, while it is open; what goes through can be cut.

    One that is built later refuses connections, as a port does where nobody listens, until then.
    """

    def __init__(self, to_port: int, *, built: bool = True) -> None:
        self._to_port = to_port
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._is_open, self._lock = True, Lock()
        self._sockets: list[socket.socket] = []
        self._threads: list[Thread] = []
        if built:
            self.build()

    def build(self) -> None:
        """Begin to listen."""
        self._listener.listen()
        self._threads.append(Thread(target=self._accept, daemon=True))
        self._threads[0].start()

    @property
    def url(self) -> str:
        """As for the configuration."""
        return f"mqtt://127.0.0.1:{self.port}"

    def shut(self) -> None:
        """Let nobody in any more; those who are in stay."""
        self._is_open = False

    def open(self) -> None:
        """Let everybody in again."""
        self._is_open = True

    def cut(self) -> None:
        """Reset every connection, whatever is on its way."""
        with self._lock:
            for sock in self._sockets:
                with contextlib.suppress(OSError):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    sock.shutdown(socket.SHUT_RDWR)
            self._sockets.clear()

    def close(self) -> None:
        """End."""
        self.shut()
        with contextlib.suppress(OSError):  # it never was built
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                broker = socket.create_connection(("127.0.0.1", self._to_port))
            except OSError:
                client.close()
                continue
            if not self._is_open:
                client.close()
                broker.close()
                continue
            with self._lock:
                self._sockets += [client, broker]
            for one, other in ((client, broker), (broker, client)):
                self._threads.append(Thread(target=self._carry, args=(one, other), daemon=True))
                self._threads[-1].start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        with contextlib.suppress(OSError):
            other.shutdown(socket.SHUT_RDWR)
        one.close()
