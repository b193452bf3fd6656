"""What cannot be delivered keeps nothing else back."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from edge_daemon.config.models import OutboxConfig
from edge_daemon.publish.outbox import FILE_NAME, Outbox
from tests.integration.publishing import publishing
from tests.publish_samples import camera, nth

if TYPE_CHECKING:
    from pathlib import Path

    from edge_daemon.types import Event

ROOT = "edge/porch-pi"


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
