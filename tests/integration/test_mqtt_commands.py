"""Commands over a real mosquitto: obeyed, answered, or told in one line."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from edge_daemon.publish.commands import AskRequest
from edge_daemon.publish.payloads import answer_json
from edge_daemon.types import Verdict
from tests.integration.publishing import publishing
from tests.processes import free_port, wait_until
from tests.publish_samples import NOON, camera

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.mosquitto import Ear, Mosquitto
    from tests.integration.publishing import Publishing

ROOT = "edge/porch-pi"
DISCOVERY = "homeassistant/device/porch-pi_gate/config"
ANSWER = answer_json(
    camera="gate", question="Is it wet?", zone=None, verdict=Verdict.NO, reason=None, p_yes=0.1,
    captured_at=NOON,
)  # fmt: skip


@pytest.fixture
def at_work(broker: Mosquitto, data_dir: Path) -> Iterator[Publishing]:
    with publishing(data_dir, broker.url, cameras=[camera()]) as at_work:
        assert at_work.publisher.drain(30)
        yield at_work


@pytest.fixture
def ear(broker: Mosquitto, new_ear) -> Ear:
    return new_ear(broker.port, f"{ROOT}/+/answer", "phone/#", DISCOVERY)


def test_set_pauses_and_asks_again(at_work: Publishing, ear: Ear) -> None:
    ear.say(f"{ROOT}/gate/car/set", "OFF")
    ear.say(f"{ROOT}/gate/pedestrian/set", "ON")
    wait_until(lambda: len(at_work.set) == 2)

    assert at_work.set == [("gate", "car", False), ("gate", "pedestrian", True)]


def test_ask_is_answered_on_the_response_topic_of_mqtt_5(at_work: Publishing, ear: Ear) -> None:
    ear.say(
        f"{ROOT}/gate/ask", '{"question": "Is it wet?"}',
        response_topic="phone/7", correlation=b"\x07",
    )  # fmt: skip
    wait_until(lambda: at_work.asked)
    at_work.publisher.answer(at_work.asked[0], ANSWER)
    (heard,) = ear.wait("phone/7")

    assert (heard.payload, heard.correlation, heard.retained) == (ANSWER, b"\x07", False)


def test_ask_without_a_response_topic_is_answered_on_answer(at_work, ear) -> None:
    ear.say(f"{ROOT}/gate/ask", '{"question": "Is it wet?", "zone": null}')
    wait_until(lambda: at_work.asked)
    at_work.publisher.answer(at_work.asked[0], ANSWER)
    (heard,) = ear.wait("/gate/answer")

    assert heard.payload == ANSWER


def test_answers_that_are_too_many_are_counted(data_dir) -> None:
    nobody = f"mqtt://127.0.0.1:{free_port()}"
    with publishing(data_dir, nobody, is_awaited=False) as at_work:
        for _ in range(130):
            at_work.publisher.answer(AskRequest("gate", "Is it wet?", None, "phone", None), ANSWER)

    assert at_work.outcomes["dropped"] == 30


def test_a_question_that_cannot_be_understood_is_told_to_both_sides(at_work, ear) -> None:
    ear.say(f"{ROOT}/gate/ask", "what?", response_topic="phone/7", correlation=b"\x07")
    (heard,) = ear.wait("phone/7")

    assert heard.json() == {
        "error": "Invalid JSON: expected value at line 1 column 1",
        "where": f"mqtt {ROOT}/gate/ask",
        "hint": 'send {"question": "Is there a dog?", "zone": null}',
    }
    assert at_work.faults == [
        f"mqtt {ROOT}/gate/ask: Invalid JSON: expected value at line 1 column 1"
        ' -- send {"question": "Is there a dog?", "zone": null}'
    ]


@pytest.mark.parametrize(
    ("topic", "payload", "retain", "fault"),
    [
        ("gate/car/set", "MAYBE", False,
         f"mqtt {ROOT}/gate/car/set: neither ON nor OFF -- send ON or OFF"),
        ("gate/dog/set", "ON", False,
         "mqtt: a command for no question of camera gate -- use one of: pedestrian, car"),
        ("yard/car/set", "ON", False,
         "mqtt: a command for no camera of ours -- use one of: gate"),
    ],
)  # fmt: skip
def test_a_command_that_cannot_be_obeyed_is_one_line(
    at_work, ear, topic, payload, retain, fault
) -> None:
    ear.say(f"{ROOT}/{topic}", payload, retain=retain)
    wait_until(lambda: at_work.faults)

    assert at_work.faults == [fault]
    assert at_work.set == []


def test_a_retained_command_that_is_taken_back_is_no_command(broker, data_dir, new_ear) -> None:
    ear = new_ear(broker.port, "x")
    with publishing(data_dir, broker.url, cameras=[camera()]) as at_work:
        ear.say(f"{ROOT}/gate/car/set", "", retain=True)
        ear.say(f"{ROOT}/gate/car/set", "OFF")
        wait_until(lambda: at_work.set)

    assert at_work.faults == []
    assert at_work.set == [("gate", "car", False)]


def test_a_retained_command_is_passed_over(broker, data_dir, new_ear) -> None:
    new_ear(broker.port, "x").say(f"{ROOT}/gate/car/set", "OFF", retain=True)
    with publishing(data_dir, broker.url, cameras=[camera()]) as at_work:
        wait_until(lambda: at_work.faults)

    assert at_work.faults == [
        f"mqtt {ROOT}: passed over a retained command -- publish commands without the retain flag"
    ]
    assert at_work.set == []


def test_discovery_is_sent_again_when_home_assistant_is_born(at_work, ear) -> None:
    ear.wait(DISCOVERY, 1)
    ear.say("homeassistant/status", "offline")
    ear.say("homeassistant/status", "online")
    first, second = ear.wait(DISCOVERY, 2)

    assert first.payload == second.payload
    assert (first.retained, second.retained) == (True, False)


def test_a_thousand_random_commands_never_stop_it(at_work: Publishing, ear: Ear) -> None:
    rng = random.Random(3)
    seeds = [b"ON", b"OFF", b'{"question": "Is it wet?"}', b"[]", b'"', b"\xff\xfe", b"{" * 2000]
    for _ in range(1000):
        payload = bytearray(rng.choice(seeds))
        for _ in range(rng.randrange(4)):
            payload[rng.randrange(len(payload))] = rng.randrange(256)
        topic = rng.choice(["gate/car/set", "gate/ask", "x/y/set", "\u00e4/ask", "a b/c/set"])
        ear._client.publish(f"{ROOT}/{topic}", bytes(payload), 0)
    ear.say(f"{ROOT}/gate/car/set", "OFF")
    wait_until(lambda: at_work.set[-1:] == [("gate", "car", False)])

    assert at_work.thread.is_alive()
    assert all(fault.isprintable() for fault in at_work.faults)
