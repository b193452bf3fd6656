"""What comes in over MQTT: understood, or one line that quotes nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_daemon.errors import PublishError
from edge_daemon.publish.commands import (
    AskRequest,
    Incoming,
    SetRequest,
    parse_command,
    printable,
)
from edge_daemon.publish.payloads import Topics

TOPICS = Topics("edge", "porch-pi")
SET = TOPICS.set("gate", "car")
ASK = TOPICS.ask("gate")
WET = b'{"question": "Is it wet?"}'


@pytest.mark.parametrize(
    ("payload", "enabled"), [(b"ON", True), (b"OFF", False), (b" off\n", False)]
)
def test_set_is_understood(payload: bytes, enabled: bool) -> None:
    assert parse_command(Incoming(SET, payload), TOPICS) == SetRequest("gate", "car", enabled)


@pytest.mark.parametrize("zone", [None, "crossing"])
def test_ask_is_understood(zone: str | None) -> None:
    payload = json.dumps({"question": "Is it wet?", "zone": zone}).encode()

    asked = parse_command(Incoming(ASK, payload), TOPICS)

    assert asked == AskRequest("gate", "Is it wet?", zone, "edge/porch-pi/gate/answer", None)


def test_ask_is_answered_where_the_asker_wants_it() -> None:
    message = Incoming(ASK, WET, response_topic="phone/answers", correlation=b"\x01\xff")

    asked = parse_command(message, TOPICS)

    assert isinstance(asked, AskRequest)
    assert (asked.response_topic, asked.correlation) == ("phone/answers", b"\x01\xff")


def test_what_is_too_long_to_be_carried_back_is_not() -> None:
    message = Incoming(ASK, WET, response_topic="phone/answers", correlation=bytes(1025))

    asked = parse_command(message, TOPICS)

    assert isinstance(asked, AskRequest)
    assert (asked.response_topic, asked.correlation) == ("edge/porch-pi/gate/answer", None)


@pytest.mark.parametrize(
    "response_topic",
    ["edge/porch-pi/gate/car/verdict", "$SYS/x", "a/#", "a/+/b", "a\0b", "a\x01", "", "x" * 2000],
)
def test_answers_never_go_where_they_could_pass_for_a_verdict(response_topic: str) -> None:
    asked = parse_command(Incoming(ASK, WET, response_topic=response_topic), TOPICS)

    assert isinstance(asked, AskRequest)
    assert asked.response_topic == "edge/porch-pi/gate/answer"


@pytest.mark.parametrize(
    ("topic", "payload", "text"),
    [
        (SET, b"hunter2", f"mqtt {SET}: neither ON nor OFF -- send ON or OFF"),
        (SET, b"", f"mqtt {SET}: neither ON nor OFF -- send ON or OFF"),
        (SET, b"O" * 4097, f"mqtt {SET}: over 4096 bytes -- shorten it"),
        (ASK, b'{"question": "' + b"a" * 201 + b'"}',
         f"mqtt {ASK}: question: String should have at most 200 characters"
         ' -- send {"question": "Is there a dog?", "zone": null}'),
        (ASK, b"{}",
         f"mqtt {ASK}: question: Field required"
         ' -- send {"question": "Is there a dog?", "zone": null}'),
        (ASK, b'{"question": "Is it wet?", "zone": null, "tone": 1}',
         f"mqtt {ASK}: tone: Extra inputs are not permitted"
         ' -- send {"question": "Is there a dog?", "zone": null}'),
        (f"{TOPICS.root}/gate/car/sing", b"", f"mqtt {TOPICS.root}/gate/car/sing: no such command"
         " -- use .../set or .../ask"),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_one_line(topic: str, payload: bytes, text: str) -> None:
    with pytest.raises(PublishError) as caught:
        parse_command(Incoming(topic, payload), TOPICS)

    assert str(caught.value) == text


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(
    levels=st.lists(st.text(max_size=20), min_size=1, max_size=3),
    command=st.sampled_from(["set", "ask"]),
    payload=st.binary()
    | st.text().map(lambda text: text.encode("utf-8", "replace"))
    | JSON.map(lambda found: json.dumps(found).encode())
    | st.fixed_dictionaries({"question": JSON, "zone": JSON}).map(
        lambda found: json.dumps(found).encode()
    ),
    response_topic=st.none() | st.text(),
    correlation=st.none() | st.binary(),
)
def test_any_message_is_understood_or_one_line(
    levels, command, payload, response_topic, correlation
) -> None:
    topic = "/".join([TOPICS.root, *levels, command])
    message = Incoming(topic, payload, False, response_topic, correlation)

    found: object = None
    text = ""
    try:
        found = parse_command(message, TOPICS)
    except PublishError as fault:
        text = str(fault)

    assert text.isprintable()
    assert bool(text) != isinstance(found, (SetRequest, AskRequest))


def test_printable_keeps_a_line_short_and_plain() -> None:
    assert printable("a\nb\x1b[31m") == "a?b?[31m"
    assert printable("x" * 500) == "x" * 120 + "..."
