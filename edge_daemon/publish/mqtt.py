"""The publisher: everything the daemon says to its broker, and what it hears from there.

Callers leave what they have and go on; one thread keeps the connection, sends, and tries again
for ever.  Events come from the outbox and leave it when the broker has acknowledged them.
"""

from __future__ import annotations

import contextlib
import logging
import math
import socket
import time
from dataclasses import dataclass
from random import Random
from threading import Condition, Lock
from typing import TYPE_CHECKING, Final

from edge_daemon.errors import (
    BrokerRefusedError,
    BrokerUnavailableError,
    ConfigError,
    EdgeError,
    PublishError,
)
from edge_daemon.publish import homeassistant, payloads
from edge_daemon.publish.broker import Connection, NoMqtt5Error, Outgoing, SilentError
from edge_daemon.publish.delivery import Delivery, Mail
from edge_daemon.publish.listening import Listener
from edge_daemon.retry import backoff_s

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from edge_daemon.config.models import CameraConfig, DeviceConfig, MqttConfig
    from edge_daemon.publish.commands import AskRequest
    from edge_daemon.publish.delivery import Outcome
    from edge_daemon.publish.outbox import Outbox
    from edge_daemon.publish.payloads import CameraHealth
    from edge_daemon.types import CameraId, Event, QuestionId, QuestionState

log = logging.getLogger(__name__)

_CHORES_S: Final = 30.0
_TURN_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the publisher waits, in seconds."""

    first_wait_s: float = 1.0  # before connecting again; doubles up to longest_wait_s
    longest_wait_s: float = 10.0
    refused_wait_s: float = 30.0  # the same after a refusal, which only a person can mend
    steady_s: float = 10.0  # a connection that lasted so long begins the waits anew
    connect_s: float = 5.0  # for a connection, with TLS
    greeting_s: float = 5.0  # for the broker's first word on it
    mqtt5_s: float = 2.0  # the same, before MQTT 3.1.1 is tried for the first time
    keepalive_s: int = 30
    refused_s: float = 60.0  # before what the broker refused is sent again
    goodbye_s: float = 2.0  # for the last messages when closing


class MqttPublisher:
    """Publishes verdicts; run() is its thread.  Every other method may be called by any thread.

    Callbacks are called by run()'s thread and must be quick: on_fault with every fault coped
    with, on_published with the outcome of every message, on_set and on_ask with commands (an
    EdgeError from them is a fault).  Who gives an answer for which an older one is dropped calls
    on_published, too.
    """

    def __init__(
        self,
        config: MqttConfig,
        device: DeviceConfig,
        outbox: Outbox,
        *,
        on_fault: Callable[[EdgeError], None],
        on_published: Callable[[Outcome], None],
        on_set: Callable[[CameraId, QuestionId, bool], None],
        on_ask: Callable[[AskRequest], None],
        patience: Patience | None = None,
        rng: Random | None = None,
    ) -> None:
        self.topics = payloads.Topics(config.base_topic, device.id)
        self.last_turn_s = time.monotonic()  # when run() last made progress, for a watchdog
        self._config, self._device = config, device
        self._on_fault, self._on_published = on_fault, on_published
        self._patience = patience or Patience()
        self._rng = rng or Random()  # noqa: S311  spreads reconnections, keeps no secret
        self._mail = Mail(outbox, on_published)
        self._listener = Listener(
            self.topics, config.discovery_prefix, self._mail,
            on_set=on_set, on_ask=on_ask, on_fault=on_fault,
        )  # fmt: skip
        self._wake_r, self._wake_w = socket.socketpair()
        for end in (self._wake_r, self._wake_w):
            end.settimeout(0.0)
        self._changed = Condition()
        self._is_trying = True  # in an attempt, or before the first: an event born now is not late
        self._is_connected = self._is_closing = self._is_running = False
        self._is_left = False  # behind, by a close() that had no more time
        self._goodbye_s = self._patience.goodbye_s
        self._chores_at_s = 0.0
        self._announcing = Lock()
        self._n_announced: int | None = None  # after how many openings of the outbox; None: never

    def announce(self, cameras: Sequence[CameraConfig]) -> None:
        """Say which cameras there are: Home Assistant is told, and topics of others emptied."""
        with self._announcing:
            self._announce(cameras)

    def _announce(self, cameras: Sequence[CameraConfig]) -> None:
        self._listener.cameras = cameras
        self._n_announced = self._mail.outbox.n_openings
        prefix, device, retained = self._config.discovery_prefix, self._device, self._mail.retained
        in_use = {self.topics.status}
        for camera in cameras:
            in_use.update(self.topics.retained(camera))
        discovery = {}
        for camera in cameras if prefix else ():
            topic = homeassistant.discovery_topic(str(prefix), device.id, camera.id)
            discovery[topic] = camera
        stale = (self._mail.outbox.topics() | retained.topics()) - in_use - set(discovery)
        gone = sorted({owner for topic in stale if (owner := self.topics.question_of(topic))})
        for topic, camera in discovery.items():
            questions = [question for owner, question in gone if owner == camera.id]
            found = homeassistant.discovery_json(camera, device, self.topics, gone=questions)
            retained.put(topic, found)
        for topic in sorted(stale, key=lambda topic: topic.startswith(f"{self.topics.root}/")):
            retained.put(topic, b"")  # entities first, then what they listen to
        self._wake()

    def publish_events(
        self, events: Sequence[Event], tell: Callable[[], None] = lambda: None
    ) -> None:
        """Keep changes of verdict in the outbox, all at once, then let the broker have them.

        What tell publishes, once they are kept, goes before them; their pictures are never waited
        for.
        """
        if self._is_trying or self._is_connected:  # else they are late when they are sent
            self._mail.note_fresh(event.id for event in events)
        self._mail.outbox.append(*events, kept=tell)
        self._wake()

    def publish_state(self, camera: CameraId, question: QuestionId, state: QuestionState) -> None:
        """Publish what is said of a question now: verdict and state."""
        self._put(self.topics.verdict(camera, question), state.verdict.value.encode())
        self._put(self.topics.state(camera, question), payloads.state_json(state))

    def publish_snapshot(self, camera: CameraId, question: QuestionId, jpeg: bytes) -> None:
        """Publish the annotated picture behind the last event; it comes after what is pressing."""
        self._mail.retained.put_picture(self.topics.snapshot(camera, question), jpeg)
        self._wake()

    def publish_enabled(self, camera: CameraId, question: QuestionId, *, enabled: bool) -> None:
        """Publish whether a question is asked."""
        self._put(self.topics.enabled(camera, question), payloads.ON if enabled else payloads.OFF)

    def publish_camera_status(self, camera: CameraId, *, online: bool) -> None:
        """Publish whether frames arrive from a camera."""
        status = payloads.ONLINE if online else payloads.OFFLINE
        self._put(self.topics.camera_status(camera), status)

    def publish_health(self, camera: CameraId, health: CameraHealth) -> None:
        """Publish how a camera fares."""
        self._put(self.topics.health(camera), payloads.health_json(health))

    def answer(self, request: AskRequest, payload: bytes) -> None:
        """Answer a question that was asked once; lost when the broker is away."""
        message = Outgoing(request.response_topic, payload, correlation=request.correlation)
        self._mail.answer(message)
        self._wake()

    @property
    def connected(self) -> bool:
        """Whether the broker is there."""
        return self._is_connected

    def wait_connected(self, timeout_s: float) -> bool:
        """Wait for the broker; return whether it is there."""
        with self._changed:
            return self._changed.wait_for(lambda: self._is_connected, timeout_s)

    def drain(self, timeout_s: float) -> bool:
        """Wait until the broker has acknowledged everything; return whether it has."""
        with self._changed:
            return self._changed.wait_for(
                lambda: self._is_connected and self._mail.delivered, timeout_s
            )

    def close(self, within_s: float = math.inf) -> None:
        """Say offline, disconnect and end run(), within so many seconds.

        Waits for that no longer than goodbye_s and a turn; a thread that hangs in an attempt to
        connect is left behind, and says nothing more: another goes by its name then.
        """
        limit_s = min(within_s, self._patience.goodbye_s + _TURN_S)
        self._goodbye_s = min(self._patience.goodbye_s, limit_s / 2)
        self._is_closing = True
        self._wake()
        with self._changed:
            self._changed.notify_all()
            if self._changed.wait_for(lambda: not self._is_running, limit_s):
                self._free()
            self._is_left = self._is_running

    def run(self) -> None:
        """Keep the connection, for ever, until close()."""
        self._is_running = True
        waits = self._waits()
        try:
            while not self._is_closing:
                begun_s = time.monotonic()
                if (fault := self._serve()) is None or self._is_left:
                    break
                self._on_fault(fault)
                was_steady = time.monotonic() - begun_s >= self._patience.steady_s
                waits = self._waits() if was_steady else waits
                is_stubborn = isinstance(fault, (BrokerRefusedError, ConfigError))
                self._rest(self._refused_wait() if is_stubborn else next(waits))
        finally:
            with self._changed:
                self._is_running = False
                self._changed.notify_all()
            self._free()

    def _free(self) -> None:
        self._wake_r.close()
        self._wake_w.close()

    def _waits(self) -> Iterator[float]:
        patience = self._patience
        return backoff_s(patience.first_wait_s, patience.longest_wait_s, rng=self._rng)

    def _refused_wait(self) -> float:
        longest_s = self._patience.refused_wait_s
        return self._rng.uniform(longest_s / 2, longest_s)

    def _rest(self, wait_s: float) -> None:
        """Wait before the next attempt, with the outbox looked after."""
        until_s = time.monotonic() + wait_s
        with self._changed:
            while not self._is_closing and (left_s := until_s - time.monotonic()) > 0:
                self.last_turn_s = time.monotonic()
                self._changed.wait(min(left_s, _TURN_S))
        self._do_chores()
        self._is_trying = True

    def _serve(self) -> EdgeError | None:
        """Keep one connection; return what ended it, None: close()."""
        connection, delivery = None, None
        try:
            connection = self._connect()
            self._refuse_if_left()
            delivery = self._begin(connection)
            self._talk(connection, delivery)
        except EdgeError as fault:
            if connection is not None and self._is_left:
                connection.close()  # a last will would say that nobody is there
            elif connection is not None:
                connection.drop()
            return fault
        else:
            connection.close()
            return None
        finally:
            with self._changed:
                self._is_connected = self._is_trying = False
                self._mail.fresh.clear()
                self._changed.notify_all()
            if delivery is not None:
                delivery.end()

    def _connect(self) -> Connection:
        """Connect with MQTT 5, or with 3.1.1 where the broker knows no better.

        One that says nothing to MQTT 5 may only be slow, as while it starts: when it answers to
        3.1.1 it is asked once more.
        """
        patience = self._patience
        try:
            return self._open(mqtt5=True, greeting_s=patience.mqtt5_s)
        except SilentError as silent:
            self._open_mqtt3(silent).close()
        except NoMqtt5Error as refused:
            return self._open_mqtt3(refused)
        try:
            return self._open(mqtt5=True, greeting_s=patience.greeting_s)
        except NoMqtt5Error as refused:
            return self._open_mqtt3(refused)

    def _open_mqtt3(self, why: NoMqtt5Error) -> Connection:
        try:
            return self._open(mqtt5=False, greeting_s=self._patience.greeting_s)
        except PublishError as fault:
            raise fault from why

    def _open(self, *, mqtt5: bool, greeting_s: float) -> Connection:
        self.last_turn_s = time.monotonic()
        connection = Connection(
            self._config,
            # The same each time: the broker then drops a half-open connection, and publishes its
            # will, before this one says online.
            client_id=f"edge-daemon-{self._device.id}",
            will=Outgoing(self.topics.status, payloads.OFFLINE, retain=True),
            mqtt5=mqtt5,
            keepalive_s=self._patience.keepalive_s,
            wake=self._wake_r,
            before_connect=self._refuse_if_left,
        )
        with contextlib.ExitStack() as undo:
            undo.callback(connection.drop)
            connection.open(connect_s=self._patience.connect_s, greeting_s=greeting_s)
            undo.pop_all()
        version = "5" if mqtt5 else "3.1.1"
        log.info("broker %s:%d: MQTT %s", self._config.host, self._config.port, version)
        return connection

    def _refuse_if_left(self) -> None:
        """Raise where another has taken over: the broker would throw it off for us."""
        if self._is_left:
            raise BrokerUnavailableError("given up", where="mqtt")

    def _begin(self, connection: Connection) -> Delivery:
        """Subscribe, and have every retained topic sent, online as the last of them."""
        connection.subscribe(self._listener.filters)
        self._mail.retained.put(self.topics.status, payloads.ONLINE)
        delivery = Delivery(
            connection, self._mail, self.topics, refused_s=self._patience.refused_s,
            on_fault=self._on_fault, on_published=self._on_published,
        )  # fmt: skip
        with self._changed:
            self._is_connected = True
            self._changed.notify_all()
        return delivery

    def _talk(self, connection: Connection, delivery: Delivery) -> None:
        """Send and receive until close(), when what is left has a moment to leave."""
        goodbye_at_s = math.inf
        while True:
            if self._is_closing:
                self._mail.retained.put(self.topics.status, payloads.OFFLINE)
                goodbye_at_s = min(goodbye_at_s, time.monotonic() + self._goodbye_s)
                if self._mail.retained.idle or time.monotonic() >= goodbye_at_s:
                    return
            delivery.send()
            connection.turn(min(_TURN_S, max(0.0, goodbye_at_s - time.monotonic())))
            delivery.settle()
            with self._changed:
                self._changed.notify_all()
            for message in connection.take_messages():
                self._listener.receive(message)
            for topic in connection.take_refused_subscriptions():
                what, hint = f"may not subscribe to {topic}", "let this user read it"
                self._on_fault(BrokerRefusedError(what, where="mqtt", hint=hint))
            self._do_chores()

    def _do_chores(self) -> None:
        self.last_turn_s = time.monotonic()
        if self.last_turn_s >= self._chores_at_s:
            self._chores_at_s = self.last_turn_s + _CHORES_S
            self._mail.outbox.tidy()
        with self._announcing:
            if self._n_announced not in (None, self._mail.outbox.n_openings):
                self._announce(self._listener.cameras)  # the disk came, and knows of more topics

    def _put(self, topic: str, payload: bytes) -> None:
        self._mail.retained.put(topic, payload)
        self._wake()

    def _wake(self) -> None:
        """Have run() look for something to do."""
        with contextlib.suppress(OSError):  # woken more often than it can look, or closed
            self._wake_w.send(b"\0")
