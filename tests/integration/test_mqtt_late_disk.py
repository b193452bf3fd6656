"""A data directory that comes while the daemon is at work, with what an earlier life left in it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from edge_daemon.config.models import OutboxConfig
from edge_daemon.publish.outbox import Outbox
from tests.integration.publishing import QUICK, publishing
from tests.processes import wait_until
from tests.publish_samples import camera, nth

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.mosquitto import Ear
    from tests.integration.publishing import Publishing

ROOT = "edge/porch-pi"
GONE = f"{ROOT}/gate/dog/verdict"


@pytest.fixture
def ear(broker, new_ear) -> Ear:
    ear = new_ear(broker.port, f"{ROOT}/#")
    ear.say(GONE, b"NO", retain=True)
    return ear


@pytest.fixture
def at_work(broker, ear, tmp_path: Path) -> Iterator[Publishing]:
    """A publisher that has sent two events from memory when four older ones appear on its disk."""
    left, data_dir = tmp_path / "left", tmp_path / "data"
    left.mkdir()
    outbox = Outbox(left, OutboxConfig(), on_fault=pytest.fail, on_dropped=pytest.fail)
    outbox.append(*(nth(n) for n in range(1, 5)))
    outbox.remember_topics([GONE])
    outbox.close()
    patient = replace(QUICK, refused_s=60.0)  # or it begins with the oldest anyway
    with publishing(data_dir, broker.url, cameras=[camera()], patience=patient) as at_work:
        for n in (5, 6):
            at_work.event(nth(n))
            ear.wait("/event", n - 4)
        assert at_work.publisher.drain(10)
        left.rename(data_dir)
        wait_until(lambda: at_work.outbox.remember_topics([]) or at_work.outbox.writes)
        yield at_work


def test_older_events_on_a_disk_that_comes_late_go_before_newer_ones(at_work, ear) -> None:
    at_work.event(nth(7))
    assert at_work.publisher.drain(10)
    events = [one.json() for one in ear.wait("/event", 7)]

    assert [event["seq"] for event in events] == [5, 6, 1, 2, 3, 4, 7]
    assert [event["replayed"] for event in events] == [False] * 2 + [True] * 4 + [False]


def test_topics_known_to_a_disk_that_comes_late_are_emptied(at_work, ear) -> None:
    ear.wait_for("/dog/verdict", b"", timeout_s=5)
    wait_until(lambda: GONE not in at_work.outbox.topics())
