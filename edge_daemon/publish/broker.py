"""One connection to an MQTT broker, by paho-mqtt.  The only module that knows paho."""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import struct
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, LogLevel, MQTTProtocolVersion
from paho.mqtt.exception import MQTTException
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge_daemon.config.load import read_secret
from edge_daemon.errors import BrokerRefusedError, BrokerUnavailableError
from edge_daemon.publish.commands import Incoming
from edge_daemon.publish.tls import tls_context, tls_fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from paho.mqtt.reasoncodes import ReasonCode

    from edge_daemon.config.models import MqttConfig
    from edge_daemon.errors import PublishError
    from edge_daemon.publish.tls import TlsContext

REFUSED_FROM: Final = 128  # MQTT 5, 2.4: reason codes from here on are failures
_UNSUPPORTED_VERSION: Final = 132
# Client identifier, password, authorization, ban, method, topic, an administrator, retain, QoS,
# another server: what only a person can change.
_REFUSALS: Final = frozenset({133, 134, 135, 138, 140, 144, 152, 154, 155, 156, 157})
_TAKEN_OVER: Final = 142
_MAX_INCOMING_BYTES: Final = 65_536
_HEAD_BYTES: Final = 16  # of a PUBLISH, at most: MQTT 5, 2.1 and 3.3
_NOT_MQTT: Final = (MQTTException, ValueError, LookupError, TypeError, struct.error)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to the broker, QoS 1."""

    topic: str
    payload: bytes
    retain: bool = False
    correlation: bytes | None = None  # MQTT 5


class NoMqtt5Error(BrokerRefusedError):
    """The broker speaks MQTT 3.1.1 only."""


class SilentError(NoMqtt5Error):
    """It hung up or fell silent when it heard of MQTT 5: perhaps it knows none, or is slow."""


class Connection:
    """A connection from its CONNECT to its end.  For one thread, which calls turn() all the time.

    Every method raises PublishError when the connection has ended.  before_connect is called when
    the broker was reached, and may raise it: no CONNECT is sent then.
    """

    def __init__(
        self,
        config: MqttConfig,
        *,
        client_id: str,
        will: Outgoing,
        mqtt5: bool,
        keepalive_s: int,
        wake: socket.socket,
        before_connect: Callable[[], None],
    ) -> None:
        self._config, self._mqtt5, self._keepalive_s = config, mqtt5, keepalive_s
        self._where = f"broker {config.host}:{config.port}"
        self._wake = wake
        with self._mapped():  # a descriptor may be what is missing
            self._selector = selectors.DefaultSelector()
        self._watched: Any = None  # paho's socket
        self._tls: TlsContext | None = None
        self._greeting: ReasonCode | None = None
        self._limits: Properties | None = None
        self._farewell: ReasonCode | None = None
        self._farewell_is_brokers = False
        self._last_error = ""
        self._acks: list[tuple[int, int]] = []
        self._messages: list[Incoming] = []
        self._subscriptions: dict[int, Sequence[str]] = {}
        self._subscriptions_refused: list[str] = []
        self._client = self._new_client(client_id, will)
        self._client.on_socket_open = lambda *_: before_connect()

    def open(self, *, connect_s: float, greeting_s: float) -> None:
        """Connect and wait for the broker's greeting, so many seconds for each.

        Raises BrokerUnavailableError, BrokerRefusedError, NoMqtt5Error, SilentError, or
        ConfigError when the password or a certificate cannot be read.
        """
        self._authenticate()
        properties = None
        if self._mqtt5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.MaximumPacketSize = _MAX_INCOMING_BYTES
        self._client.connect_timeout = connect_s
        with self._mapped():
            self._client.connect(
                self._config.host,
                self._config.port,
                self._keepalive_s,
                clean_start=True if self._mqtt5 else paho.MQTT_CLEAN_START_FIRST_ONLY,
                properties=properties,
            )
        self._selector.register(self._wake, selectors.EVENT_READ)
        deadline_s = time.monotonic() + greeting_s
        while self._greeting is None:
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                raise self._no_greeting("does not answer")
            self.turn(left_s)
        self._client.on_log = None
        self._refuse_poor_service()

    @property
    def window(self) -> int:
        """How many messages may be on their way at once."""
        return min(100, getattr(self._limits, "ReceiveMaximum", 65_535))

    def fits(self, message: Outgoing) -> bool:
        """Whether the broker takes a message of this size."""
        correlation = message.correlation or b""
        size = len(message.payload) + len(message.topic.encode()) + len(correlation) + _HEAD_BYTES
        return size <= int(getattr(self._limits, "MaximumPacketSize", size))

    def subscribe(self, filters: Sequence[str]) -> None:
        """Ask for messages; what is refused is told by take_refused_subscriptions()."""
        with self._mapped():
            if self._mqtt5:
                options = SubscribeOptions(qos=1, noLocal=True)
                _, mid = self._client.subscribe([(one, options) for one in filters])
            else:
                _, mid = self._client.subscribe([(one, 1) for one in filters])
        if mid is not None:
            self._subscriptions[mid] = filters

    def send(self, message: Outgoing) -> int:
        """Send a message; return the number by which take_acks() tells of it."""
        properties = None
        if self._mqtt5 and message.correlation is not None:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.CorrelationData = message.correlation
        with self._mapped():
            return self._client.publish(
                message.topic, message.payload, 1, message.retain, properties
            ).mid

    def turn(self, timeout_s: float) -> None:
        """Read and write what can be; wait for something to do, or to be woken, until then."""
        sock = self._watch()
        decrypted = self._config.tls and sock.pending() > 0  # no longer seen by select
        found = self._selector.select(0.0 if decrypted else timeout_s)
        ready = {key.fileobj: events for key, events in found}
        if self._wake in ready:
            self._wake.recv(4096)
        with self._mapped():
            if decrypted or ready.get(sock, 0) & selectors.EVENT_READ:
                self._client.loop_read()
            if ready.get(sock, 0) & selectors.EVENT_WRITE:
                self._client.loop_write()
            self._client.loop_misc()
        if self._greeting is not None and self._greeting.is_failure:
            raise self._refused(self._greeting)
        if self._client.socket() is None:
            raise self._ended()

    def take_acks(self) -> list[tuple[int, int]]:
        """Return (number, reason code) of what was acknowledged since the last call."""
        acks, self._acks = self._acks, []
        return acks

    def take_messages(self) -> list[Incoming]:
        """Return what came in since the last call."""
        messages, self._messages = self._messages, []
        return messages

    def take_refused_subscriptions(self) -> list[str]:
        """Return the filters that the broker refused since the last call."""
        refused, self._subscriptions_refused = self._subscriptions_refused, []
        return refused

    def close(self) -> None:
        """Say goodbye, so that no last will is published, and free everything."""
        with contextlib.suppress(OSError, *_NOT_MQTT):
            if self._greeting_is_good:
                self._client.disconnect()
        self.drop()

    def drop(self) -> None:
        """Free everything without a goodbye: the broker publishes the last will."""
        self._selector.close()
        for sock in (self._client.socket(), self._tls.wrapped if self._tls else None):
            if sock is not None:
                sock.close()

    @property
    def _greeting_is_good(self) -> bool:
        return self._greeting is not None and not self._greeting.is_failure

    def _new_client(self, client_id: str, will: Outgoing) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id,
            protocol=MQTTProtocolVersion.MQTTv5 if self._mqtt5 else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        client.will_set(will.topic, will.payload, 1, will.retain)
        client.max_inflight_messages_set(0)  # window is kept by the caller
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe
        client.on_log = self._on_log
        return client

    def _authenticate(self) -> None:
        config = self._config
        if config.username is not None:
            password = None
            if config.password_file is not None:
                password = read_secret(config.password_file, where="mqtt.password_file").reveal()
            self._client.username_pw_set(config.username, password)
        if config.tls:
            self._tls = tls_context(config)
            self._client.tls_set_context(self._tls)

    def _watch(self) -> Any:  # noqa: ANN401  a socket, plain or TLS
        """Return paho's socket, watched for what paho wants of it.  Raises when it is gone."""
        sock = self._client.socket()
        if sock is None:
            raise self._ended()
        wanted = selectors.EVENT_READ
        if self._client.want_write():
            wanted |= selectors.EVENT_WRITE
        if self._watched is None:
            self._selector.register(sock, wanted)
            self._watched = sock
        else:
            self._selector.modify(sock, wanted)
        return sock

    def _on_connect(
        self,
        _client: paho.Client,
        _data: object,
        _flags: object,
        reason: ReasonCode,
        found: Properties | None,
    ) -> None:
        self._greeting, self._limits = reason, found

    def _on_disconnect(
        self,
        _client: paho.Client,
        _data: object,
        flags: paho.DisconnectFlags,
        reason: ReasonCode,
        _properties: object,
    ) -> None:
        if self._farewell is None:
            self._farewell = reason
            self._farewell_is_brokers = flags.is_disconnect_packet_from_server

    def _on_publish(
        self, _client: paho.Client, _data: object, mid: int, reason: ReasonCode, _properties: object
    ) -> None:
        self._acks.append((mid, reason.value))

    def _on_subscribe(
        self,
        _client: paho.Client,
        _data: object,
        mid: int,
        reasons: list[ReasonCode],
        _found: object,
    ) -> None:
        filters = self._subscriptions.pop(mid, ())
        refused = [one for one, reason in zip(filters, reasons) if reason.is_failure]
        self._subscriptions_refused += refused

    def _on_message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return  # no subscription of ours can mean it
        properties = message.properties
        self._messages.append(
            Incoming(
                topic=topic,
                payload=bytes(message.payload),
                retained=message.retain,
                response_topic=getattr(properties, "ResponseTopic", None),
                correlation=getattr(properties, "CorrelationData", None),
            )
        )

    def _on_log(self, _client: paho.Client, _data: object, level: int, text: str) -> None:
        if level == LogLevel.MQTT_LOG_ERR:
            self._last_error = text.partition(": ")[2] or text

    @contextlib.contextmanager
    def _mapped(self) -> Iterator[None]:
        """Turn what paho lets through into ours."""
        try:
            yield
        except ssl.SSLCertVerificationError as exc:
            what = f"its certificate is not to be trusted: {exc.verify_message}"
            hint = "set mqtt.ca_file to the authority that signed it, and use the name it is for"
            raise BrokerRefusedError(what, where=self._where, hint=hint) from exc
        except (ssl.SSLEOFError, ConnectionResetError, BrokenPipeError) as exc:
            raise self._ended() from exc
        except ssl.SSLError as exc:
            raise tls_fault(str(exc.reason or exc), self._where) from exc
        except UnicodeDecodeError as exc:
            raise self._not_mqtt() from exc
        except (socket.gaierror, UnicodeError) as exc:  # the latter: a name that cannot be one
            hint = "correct mqtt.url, or see to the name service"
            raise self._unavailable("no such host", hint) from exc
        except TimeoutError as exc:
            raise self._unavailable("does not answer") from exc
        except OSError as exc:
            raise self._unavailable(exc.strerror or str(exc)) from exc
        except _NOT_MQTT as exc:
            raise self._not_mqtt() from exc

    def _not_mqtt(self) -> BrokerUnavailableError:
        return self._unavailable("sends what is not MQTT", "is this the broker's port?")

    def _unavailable(self, what: str, hint: str = "") -> BrokerUnavailableError:
        hint = hint or "is it running, and reachable from here? events wait in the outbox"
        return BrokerUnavailableError(what, where=self._where, hint=hint)

    def _ended(self) -> PublishError:
        """Return why there is no connection any more."""
        farewell = self._farewell
        said = farewell.getName() if farewell is not None else ""
        if said == "Protocol error" and not self._farewell_is_brokers:
            return self._not_mqtt()
        if self._greeting is None:
            return self._no_greeting("hung up before its greeting")
        if farewell is not None and self._farewell_is_brokers:
            return self._refused(farewell)
        if said == "Keep alive timeout":
            return self._unavailable("does not answer any more")
        hint = (
            "was it restarted, has another client the same device.id, or may this user not write"
            " a topic? events wait in the outbox"
        )
        return self._unavailable("closed the connection", hint)

    def _no_greeting(self, what: str) -> PublishError:
        if self._config.tls and "alert" in self._last_error.lower():
            return tls_fault(self._last_error, self._where)
        hint = "is this an MQTT port, and with TLS or without as written in mqtt.url?"
        if self._config.tls and self._config.cert_file is None:
            hint += " does it want a client certificate (mqtt.cert_file)?"
        if self._mqtt5:
            return SilentError(what, where=self._where, hint=hint)
        return self._unavailable(what, hint)

    def _refused(self, reason: ReasonCode) -> PublishError:
        """Return what the broker said, in CONNACK or DISCONNECT, as ours."""
        code, said = reason.value, reason.getName()
        if code == _UNSUPPORTED_VERSION and self._mqtt5:
            return NoMqtt5Error("speaks no MQTT 5", where=self._where)
        if code == _TAKEN_OVER:
            hint = "give each daemon a device.id of its own"
            what = "another client with this device.id took the connection over"
            return BrokerRefusedError(what, where=self._where, hint=hint)
        if code not in _REFUSALS:
            return self._unavailable(f"ended the connection: {said}")
        hint = "see to mqtt.username, mqtt.password_file and the broker's access list"
        return BrokerRefusedError(f"refused: {said}", where=self._where, hint=hint)

    def _refuse_poor_service(self) -> None:
        poor = getattr(self._limits, "MaximumQoS", 1) < 1
        if poor or not getattr(self._limits, "RetainAvailable", 1):
            what = "takes no QoS 1" if poor else "keeps no retained messages"
            hint = "use a broker that offers both"
            raise BrokerRefusedError(what, where=self._where, hint=hint)
