"""The outbox: nothing announced is lost, and what was said is remembered."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_daemon.config.models import OutboxConfig
from edge_daemon.publish.payloads import event_json
from edge_daemon.publish.said import Said
from edge_daemon.types import Reason, Verdict
from tests.publish_samples import nth
from tests.unit.publish.outboxes import Bench, ids


def test_events_leave_in_the_order_they_came(bench: Bench) -> None:
    outbox = bench.open()
    for n in range(1, 4):
        outbox.append(nth(n, "car"))
        outbox.append(nth(n, "dog"))

    assert ids(outbox) == ["car-1", "dog-1", "car-2", "dog-2", "car-3", "dog-3"]
    assert len(outbox) == 6
    assert outbox.pending(0, 1)[0].payload == event_json(nth(1, "car"))


def test_pending_goes_on_after_what_was_seen(bench: Bench) -> None:
    outbox = bench.open()
    for n in range(1, 6):
        outbox.append(nth(n))
    first = outbox.pending(0, 2)

    rest = outbox.pending(first[-1].n, 2)

    assert [event.id for event in rest] == ["pedestrian-3", "pedestrian-4"]


def test_what_was_acknowledged_is_gone_for_ever(bench: Bench) -> None:
    outbox = bench.open()
    for n in range(1, 4):
        outbox.append(nth(n))
    outbox.remove(outbox.pending(0, 2))

    assert ids(outbox) == ["pedestrian-3"]
    outbox.close()
    assert ids(bench.open()) == ["pedestrian-3"]


def test_a_restart_keeps_events_numbers_and_what_was_said(bench: Bench) -> None:
    outbox = bench.open()
    outbox.append(nth(1))
    outbox.append(nth(2, "car"))
    outbox.close()
    again = bench.open()

    assert ids(again) == ["pedestrian-1", "car-2"]
    assert again.last_seq("gate", "pedestrian") == 1
    assert again.last_said("gate", "pedestrian") == Said(
        1, Verdict.YES, None, "pedestrian-1", "pedestrian-1", nth(1).decided_at
    )
    assert again.last_said("gate", "car") == Said(
        2, Verdict.NO, None, None, "car-2", nth(2).decided_at
    )
    assert again.last_said("gate", "dog") is None
    assert again.last_seq("gate", "dog") == 0


def test_without_a_broker_only_what_was_said_is_kept(bench: Bench) -> None:
    waiting = bench.open()
    waiting.append(nth(1))
    waiting.close()
    bench.limits = None
    outbox = bench.open()
    outbox.append(nth(2))
    outbox.append(nth(3))
    outbox.tidy()
    outbox.close()
    bench.limits = OutboxConfig()
    again = bench.open()

    assert ids(again) == ["pedestrian-1"]  # for the broker that there was, and now is again
    assert again.last_said("gate", "pedestrian") == Said(
        seq=3,
        verdict=Verdict.YES,
        reason=None,
        episode="pedestrian-3",
        event_id="pedestrian-3",
        since=nth(3).decided_at,
    )
    assert (bench.faults, bench.n_dropped) == ([], 0)


def test_why_a_question_is_unknown_is_kept_over_restarts_without_an_event(bench: Bench) -> None:
    outbox = bench.open()
    outbox.append(nth(3, "car"))
    for question in ("car", "dog"):
        outbox.note("gate", question, Reason.PAUSED)
    outbox.close()
    again = bench.open()
    car, dog = (again.last_said("gate", question) for question in ("car", "dog"))

    assert (car.seq, car.reason, car.event_id) == (3, Reason.PAUSED, "car-3")
    assert (dog.seq, dog.verdict, dog.reason) == (0, Verdict.UNKNOWN, Reason.PAUSED)
    again.note("gate", "car", Reason.STARTING)
    assert again.last_said("gate", "car").reason is Reason.STARTING
    assert ids(again) == ["car-3"]


def test_a_pause_is_not_undone_by_events_from_before_it(bench: Bench) -> None:
    outbox = bench.open()
    outbox.append(nth(1))
    outbox.note("gate", "pedestrian", Reason.PAUSED)
    outbox.append(nth(2))
    outbox.close()
    again = bench.open()
    paused = again.last_said("gate", "pedestrian")
    again.note("gate", "pedestrian", Reason.STARTING)
    again.append(nth(3))
    asked = again.last_said("gate", "pedestrian")

    assert (paused.seq, paused.verdict, paused.reason) == (2, Verdict.NO, Reason.PAUSED)
    assert (asked.seq, asked.verdict, asked.reason) == (3, Verdict.YES, None)


def test_numbers_go_on_though_every_event_was_delivered(bench: Bench) -> None:
    outbox = bench.open()
    outbox.append(nth(1))
    outbox.remove(outbox.pending(0, 9))
    outbox.close()
    again = bench.open()

    assert len(again) == 0
    assert again.last_seq("gate", "pedestrian") == 1


def test_more_than_max_events_drops_the_oldest_and_tells(bench: Bench) -> None:
    bench.limits = OutboxConfig(max_events=3)
    outbox = bench.open()
    for n in range(1, 6):
        outbox.append(nth(n))

    assert ids(outbox) == ["pedestrian-3", "pedestrian-4", "pedestrian-5"]
    assert bench.n_dropped == 2
    assert (
        bench.faults
        == [
            "outbox: 1 oldest event was dropped: more than mqtt.outbox.max_events"
            " -- see why the broker is away; a longer outage needs higher limits"
        ]
        * 2
    )


def test_what_is_older_than_max_age_is_dropped_and_told(bench: Bench) -> None:
    bench.limits = OutboxConfig(max_age="1m")
    outbox = bench.open()
    outbox.append(nth(1))
    outbox.append(nth(2))
    bench.now_s += 50
    outbox.append(nth(3))
    bench.now_s += 20
    outbox.tidy()

    assert ids(outbox) == ["pedestrian-3"]
    assert bench.n_dropped == 2
    assert outbox.oldest_s == pytest.approx(20)


def test_age_goes_on_over_restarts_and_counts_only_running(bench: Bench) -> None:
    outbox = bench.open()
    outbox.append(nth(1))
    bench.now_s += 50
    outbox.close()
    bench.now_s = 3.0  # another boot: the monotonic clock begins again
    again = bench.open()
    bench.now_s += 7

    assert again.oldest_s == pytest.approx(57)


def test_topics_are_remembered_over_restarts(bench: Bench) -> None:
    outbox = bench.open()
    outbox.remember_topics(["a", "b"])
    outbox.remember_topics(["b", "c"])
    outbox.forget_topic("a")
    outbox.close()

    assert bench.open().topics() == {"b", "c"}


def test_a_bug_in_an_event_is_not_hidden(bench: Bench) -> None:
    outbox = bench.open()

    with pytest.raises(AttributeError):
        outbox.append(None)  # type: ignore[arg-type]


@given(
    steps=st.lists(st.sampled_from(["append", "deliver", "restart", "away", "back"]), max_size=15)
)
@settings(max_examples=25, deadline=None)
def test_every_event_is_delivered_in_order_whatever_happens(tmp_path_factory, steps) -> None:
    home = tmp_path_factory.mktemp("outbox")
    bench = Bench(home / "disk")
    bench.directory.mkdir()
    outbox, delivered, n, is_away = bench.open(), [], 0, False
    for step in [*steps, "back", "deliver"]:
        bench.now_s += 2
        if step == "append":
            n += 1
            outbox.append(nth(n))
        elif step == "deliver":
            events = outbox.pending(0, 3)
            delivered += [event.id for event in events]
            outbox.remove(events)
        elif step == "restart" and not is_away:
            outbox.close()
            outbox = bench.open()
            is_away = False
        elif step == "away" and not is_away and not len(outbox):
            outbox.close()
            bench.directory.rename(home / "gone")
            outbox, is_away = bench.open(), True
        elif step == "back" and is_away:
            (home / "gone").rename(bench.directory)
            is_away = False
    events = outbox.pending(0, 1000)
    delivered += [event.id for event in events]
    outbox.close()

    assert delivered == [f"pedestrian-{k}" for k in range(1, n + 1)]
    assert bench.n_dropped == 0
