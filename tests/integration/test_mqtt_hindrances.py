"""What cannot be delivered keeps nothing else back."""

from __future__ import annotations

import contextlib
import itertools
import json
import sqlite3
from dataclasses import replace
from threading import Event as Flag
from typing import TYPE_CHECKING

import pytest

from edge_daemon.config.models import OutboxConfig
from edge_daemon.publish.outbox import FILE_NAME, Outbox
from edge_daemon.publish.payloads import state_json
from tests.integration.publishing import QUICK, publishing
from tests.integration.refusing_broker import NOT_AUTHORIZED, QUOTA_EXCEEDED, RefusingBroker
from tests.processes import wait_until
from tests.publish_samples import STATE, camera, nth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from edge_daemon.types import Event

ROOT = "edge/porch-pi"
PATIENT = replace(QUICK, refused_s=60.0)  # what is refused is not tried again in a test


@pytest.fixture
def new_refusing() -> Iterator[Callable[..., RefusingBroker]]:
    """Makes brokers by RefusingBroker's arguments."""
    with contextlib.ExitStack() as stack:

        def new(judge: Callable[[str, bytes], int | None], **more: int) -> RefusingBroker:
            broker = RefusingBroker(judge, **more)
            stack.callback(broker.close)
            return broker

        yield new


def leave(data_dir: Path, *events: Event) -> None:
    """Leave events in an outbox, and a topic, for the next process."""
    outbox = Outbox(data_dir, OutboxConfig(), on_fault=pytest.fail, on_dropped=pytest.fail)
    outbox.append(*events)
    outbox.remember_topics([f"{ROOT}/gate/dog/verdict"])
    outbox.close()


def damage(data_dir: Path, change: str) -> None:
    """Change the outbox's file, as bits do that flip."""
    with contextlib.closing(sqlite3.connect(data_dir / FILE_NAME)) as db, db:
        db.execute(change)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE events SET camera = 'ga#e' WHERE n = 1",
        "UPDATE events SET question = 'pedes\x14rian' WHERE n = 1",
        "UPDATE events SET payload = '{' WHERE n = 1",
    ],
)
def test_a_damaged_event_is_dropped_and_told(broker, data_dir, new_ear, change) -> None:
    leave(data_dir, *(nth(n) for n in range(1, 4)))
    damage(data_dir, change)
    ear = new_ear(broker.port, f"{ROOT}/#")
    with publishing(data_dir, broker.url) as at_work:
        assert at_work.publisher.drain(10), at_work.faults
        events = [one.json()["seq"] for one in ear.wait("/event", 2)]

    assert events == [2, 3]
    assert at_work.faults == ["outbox: event pedestrian-1 is damaged and was dropped"]
    assert at_work.outcomes["dropped"] == 1
    assert at_work.outcomes["interrupted"] == 0


def test_a_damaged_topic_is_forgotten(broker, data_dir, new_ear) -> None:
    leave(data_dir, nth(1))
    damage(data_dir, f"UPDATE topics SET topic = '{ROOT}/ga#e/dog/verdict'")
    ear = new_ear(broker.port, f"{ROOT}/#")
    with publishing(data_dir, broker.url, cameras=[camera()]) as at_work:
        assert at_work.publisher.drain(10), at_work.faults
        ear.wait("/event")
        topics = at_work.outbox.topics()

    assert topics == {f"{ROOT}/status", "homeassistant/device/porch-pi_gate/config"}
    assert at_work.faults == []


def test_an_event_over_the_brokers_limit_is_dropped_and_told(new_broker, data_dir, new_ear) -> None:
    broker = new_broker("max_packet_size 1500")
    ear = new_ear(broker.port, f"{ROOT}/#")
    with publishing(data_dir, broker.url) as at_work:
        for event in (nth(1), replace(nth(2), ask="Is there a dog" + " or a cat" * 100), nth(3)):
            at_work.event(event)
        assert at_work.publisher.drain(10), at_work.faults
        events = [one.json()["seq"] for one in ear.wait("/event", 2)]

    assert events == [1, 3]
    assert at_work.faults == [
        "outbox: event pedestrian-2 is too big to send and was dropped"
        " -- raise the broker's limit on the size of a packet"
    ]
    assert at_work.outcomes["dropped"] == 1
    assert at_work.outcomes["interrupted"] == 0


@pytest.mark.parametrize("asked", [b'{"question": "Is it wet?"}', b"what?"])
def test_no_asker_ends_the_connection_by_what_the_answer_carries_back(
    new_broker, data_dir, new_ear, asked
) -> None:
    broker = new_broker("max_packet_size 1500")
    ear = new_ear(broker.port, f"{ROOT}/gate/#", "phone")
    with publishing(data_dir, broker.url, cameras=[camera()]) as at_work:
        for n_bytes in (1400, 1000):
            ear.say(
                f"{ROOT}/gate/ask", asked, response_topic="phone", correlation=bytes(n_bytes)
            )  # fmt: skip
        if asked.startswith(b"{"):
            wait_until(lambda: len(at_work.asked) == 2)
            for request in at_work.asked:
                at_work.publisher.answer(request, bytes(450))
        ear.wait("/gate/answer")
        assert at_work.publisher.drain(10), at_work.faults

        assert at_work.outcomes["interrupted"] == 0
        assert at_work.publisher.connected


@pytest.mark.parametrize("window", [1, 2, 20])
def test_states_without_end_keep_no_event_back(new_refusing, data_dir, window) -> None:
    """Every state has a newer one by the time the broker has it."""
    numbers = itertools.count()
    questions = [f"q{n}" for n in range(40)]

    def say(question: str) -> None:
        state = replace(STATE, p_yes=next(numbers) / 1e6)
        at_work.publisher.publish_state("gate", question, state)

    def judge(topic: str, _payload: bytes) -> int:
        question, _, kind = topic.removeprefix(f"{ROOT}/gate/").partition("/")
        if kind == "state" and question != "car":
            say(question)
        return 0

    broker = new_refusing(judge, window=window)
    with publishing(data_dir, broker.url) as at_work:
        for question in questions:
            say(question)
        wait_until(lambda: len(broker.taken) > 200)
        said = [replace(STATE, p_yes=n / 10, event_id=f"car-{n}") for n in range(1, 6)]
        for n, state in enumerate(said, 1):
            at_work.event(nth(n, "car"), state)
            wait_until(lambda n=n: len(taken_of(broker, "car/event")) == n)
        n_states = len(taken_of(broker, "/state"))
        wait_until(lambda: len(taken_of(broker, "/state")) > n_states + 100)

    of_car = [payload for topic, payload in list(broker.taken) if "/car/" in topic]
    assert of_car[0] == b"YES"
    assert of_car[1::2] == [state_json(state) for state in said]
    assert [json.loads(payload)["id"] for payload in of_car[2::2]] == [s.event_id for s in said]


def test_a_state_comes_before_its_event_though_an_older_one_is_on_its_way(
    new_refusing, data_dir
) -> None:
    came: list[str] = []

    def judge(topic: str, payload: bytes) -> int | None:
        kind = topic.rpartition("/")[2]
        if kind in ("state", "event"):
            found = json.loads(payload)
            came.append(f"{kind} of {found['event_id' if kind == 'state' else 'id']}")
        return None if kind == "state" else 0

    broker = new_refusing(judge)
    with publishing(data_dir, broker.url) as at_work:
        for n in range(1, 4):
            at_work.event(nth(n, "car"), replace(STATE, event_id=f"car-{n}"))
            wait_until(lambda n=n: f"event of car-{n}" in came)

    assert came[:6] == [f"{kind} of car-{n}" for n in range(1, 4) for kind in ("state", "event")]


def test_a_refused_backlog_keeps_no_other_question_back(new_refusing, data_dir) -> None:
    leave(data_dir, *(nth(n, "car") for n in range(1, 5001)), nth(1), nth(2))
    broker = new_refusing(lambda topic, _: NOT_AUTHORIZED if "/car/" in topic else 0)
    with publishing(data_dir, broker.url, patience=PATIENT) as at_work:
        wait_until(lambda: len(taken_of(broker, "/event")) == 2)
        at_work.event(nth(3))
        wait_until(lambda: len(taken_of(broker, "/event")) == 3)

    assert [json.loads(event)["seq"] for event in taken_of(broker, "/event")] == [1, 2, 3]


def test_events_keep_their_order_where_single_ones_are_refused(new_refusing, data_dir) -> None:
    """Of the first refusal the others on their way know nothing; from then on all goes in order."""
    refused_once = {2, 12, 13, 20, 39}

    def judge(topic: str, payload: bytes) -> int:
        seq = json.loads(payload)["seq"] if topic.endswith("car/event") else 0
        if seq not in refused_once:
            return 0
        refused_once.remove(seq)
        return QUOTA_EXCEEDED

    broker = new_refusing(judge)
    with publishing(data_dir, broker.url) as at_work:
        at_work.publisher.publish_events([nth(n, "car") for n in range(1, 11)])
        assert at_work.publisher.drain(10)
        events = [nth(n, question) for n in range(11, 41) for question in ("car", "dog")]
        at_work.publisher.publish_events(events)
        assert at_work.publisher.drain(10)

    seqs = {
        question: [json.loads(event)["seq"] for event in taken_of(broker, f"{question}/event")]
        for question in ("car", "dog")
    }
    assert not refused_once
    assert sorted(seqs["car"][:10]) == list(range(1, 11))
    assert seqs["car"][10:] == list(range(11, 41))
    assert seqs["dog"] == list(range(11, 41))


def test_events_that_were_refused_or_held_back_are_late(new_refusing, data_dir) -> None:
    is_mended = Flag()

    def judge(topic: str, _payload: bytes) -> int:
        return 0 if is_mended.is_set() or "/car/" not in topic else NOT_AUTHORIZED

    broker = new_refusing(judge)
    with publishing(data_dir, broker.url) as at_work:
        at_work.event(nth(1, "car"))
        wait_until(lambda: at_work.outcomes["refused"])
        at_work.event(nth(2, "car"))
        n_refused = at_work.outcomes["refused"]
        wait_until(lambda: at_work.outcomes["refused"] > n_refused)
        is_mended.set()
        assert at_work.publisher.drain(10), at_work.faults
        at_work.event(nth(3, "car"))
        assert at_work.publisher.drain(10), at_work.faults

    events = [json.loads(event) for event in taken_of(broker, "/event")]
    assert [(event["seq"], event["replayed"]) for event in events] == [
        (1, True),
        (2, True),
        (3, False),
    ]


def test_a_refused_backlog_makes_no_other_event_late(new_refusing, data_dir) -> None:
    broker = new_refusing(lambda topic, _: NOT_AUTHORIZED if "/car/" in topic else 0)
    with publishing(data_dir, broker.url, patience=PATIENT) as at_work:
        at_work.publisher.publish_events([nth(n, "car") for n in range(1, 1101)])
        wait_until(lambda: at_work.outcomes["refused"])
        for n in range(1, 4):
            at_work.event(nth(n))
        wait_until(lambda: len(taken_of(broker, "/event")) == 3)

    assert [json.loads(event)["replayed"] for event in taken_of(broker, "/event")] == [False] * 3


def taken_of(broker: RefusingBroker, topic_end: str) -> list[bytes]:
    """Return what the broker took on topics with this end."""
    return [payload for topic, payload in list(broker.taken) if topic.endswith(topic_end)]
