"""What comes in over MQTT: parsed within limits, and never trusted.  Pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydantic import Field, ValidationError

from edge_daemon.config.section import Id, Section
from edge_daemon.errors import PublishError
from edge_daemon.publish.payloads import is_topic

if TYPE_CHECKING:
    from edge_daemon.publish.payloads import Topics
    from edge_daemon.types import CameraId, QuestionId

MAX_PAYLOAD_BYTES: Final = 4096
_MAX_CORRELATION_BYTES: Final = 1024
_ASK_HINT: Final = 'send {"question": "Is there a dog?", "zone": null}'


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message from the broker."""

    topic: str
    payload: bytes
    retained: bool = False
    response_topic: str | None = None  # MQTT 5
    correlation: bytes | None = None  # MQTT 5


@dataclass(frozen=True, slots=True)
class SetRequest:
    """Ask a standing question, or pause it."""

    camera: CameraId
    question: QuestionId
    enabled: bool


@dataclass(frozen=True, slots=True)
class AskRequest:
    """A question to be answered once, about the camera's newest frame."""

    camera: CameraId
    question: str
    zone: str | None  # the name of one of the camera's zones
    response_topic: str
    correlation: bytes | None


class _AskPayload(Section):
    question: str = Field(min_length=3, max_length=200)
    zone: Id | None = None


def parse_command(message: Incoming, topics: Topics) -> SetRequest | AskRequest:
    """Return what a message below the device's topics asks for.

    Raises PublishError, which quotes nothing of the payload, when it cannot be understood.
    """
    levels = message.topic[len(topics.root) + 1 :].split("/")
    where = f"mqtt {printable(message.topic)}"
    if len(message.payload) > MAX_PAYLOAD_BYTES:
        raise PublishError(f"over {MAX_PAYLOAD_BYTES} bytes", where=where, hint="shorten it")
    if len(levels) == 3 and levels[2] == "set":
        return SetRequest(levels[0], levels[1], _parse_set(message.payload, where))
    if len(levels) == 2 and levels[1] == "ask":
        asked = _parse_ask(message.payload, where)
        return AskRequest(
            camera=levels[0],
            question=asked.question,
            zone=asked.zone,
            response_topic=response_topic(message, topics),
            correlation=correlation(message),
        )
    raise PublishError("no such command", where=where, hint="use .../set or .../ask")


def response_topic(message: Incoming, topics: Topics) -> str:
    """Return where the answer to an ``ask`` goes.

    The asker's topic, unless it is none that may be published to, or one of this device's own,
    where an answer could pass for a verdict.
    """
    wanted = message.response_topic or ""
    forged = wanted.startswith((f"{topics.root}/", "$"))
    too_long = len(wanted) > 1024 or correlation(message) != message.correlation
    if forged or too_long or not is_topic(wanted):
        camera = message.topic[len(topics.root) + 1 :].partition("/")[0]
        return topics.answer(camera)
    return wanted


def correlation(message: Incoming) -> bytes | None:
    """Return what the answer to an ``ask`` carries back, unless it is too long to."""
    found = message.correlation
    return None if found is None or len(found) > _MAX_CORRELATION_BYTES else found


def printable(topic: str) -> str:
    """Return a topic that came from outside as it may be logged."""
    shown = "".join(c if c.isprintable() else "?" for c in topic[:120])
    return shown + ("..." if len(topic) > 120 else "")


def _parse_set(payload: bytes, where: str) -> bool:
    wanted = payload.strip().upper()
    if wanted not in (b"ON", b"OFF"):
        raise PublishError("neither ON nor OFF", where=where, hint="send ON or OFF")
    return wanted == b"ON"


def _parse_ask(payload: bytes, where: str) -> _AskPayload:
    try:
        return _AskPayload.model_validate_json(payload)
    except ValidationError as exc:
        first = exc.errors(include_input=False, include_url=False)[0]
        at = ".".join(str(part) for part in first["loc"])[:40]
        what = f"{at}: {first['msg']}" if at else first["msg"]
        raise PublishError(printable(what), where=where, hint=_ASK_HINT) from None
