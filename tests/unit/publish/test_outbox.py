"""The outbox: nothing announced is lost, and what was said is remembered."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Flag
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_daemon.config.models import OutboxConfig
from edge_daemon.publish.outbox import FILE_NAME, Outbox
from edge_daemon.publish.payloads import event_json
from edge_daemon.publish.said import Said
from edge_daemon.types import Reason, Verdict
from tests.publish_samples import nth


@dataclass
class Bench:
    """Makes outboxes on one directory and hears what they tell."""

    directory: Path
    limits: OutboxConfig | None = field(default_factory=OutboxConfig)
    faults: list[str] = field(default_factory=list)
    n_dropped: int = 0
    now_s: float = 1000.0
    made: list[Outbox] = field(default_factory=list)

    def open(self) -> Outbox:
        self.made.append(
            Outbox(
                self.directory,
                self.limits,
                on_fault=lambda fault: self.faults.append(str(fault)),
                on_dropped=self._drop,
                clock=lambda: self.now_s,
                open_timeout_s=0.0,
            )
        )
        return self.made[-1]

    def _drop(self, n: int) -> None:
        self.n_dropped += n


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path)
    yield bench
    for outbox in bench.made:
        outbox.close()


def ids(outbox: Outbox) -> list[str]:
    return [event.id for event in outbox.pending(0, 1_000_000)]


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


def test_what_is_known_is_told_while_the_disk_hangs(bench: Bench) -> None:
    outbox = bench.open()
    outbox.remember_topics(["a"])
    outbox.append(nth(1))
    hangs, is_over = Flag(), Flag()

    def hang() -> None:
        hangs.set()
        is_over.wait(10)

    writer = Thread(target=lambda: outbox.append(nth(2), kept=hang))
    writer.start()
    hangs.wait(10)
    known = outbox.last_seq("gate", "pedestrian"), len(outbox), outbox.topics()
    is_at_work = writer.is_alive()
    is_over.set()
    writer.join(10)

    assert known == (2, 2, {"a"})
    assert is_at_work


def test_without_a_disk_events_wait_in_memory_until_it_works(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "missing")
    outbox = bench.open()
    outbox.append(nth(1))
    outbox.append(nth(2))

    assert ids(outbox) == ["pedestrian-1", "pedestrian-2"]
    assert bench.faults == [
        f"outbox {tmp_path}/missing/{FILE_NAME}: cannot be used: unable to open database file"
        " -- see that the daemon may write there; events are kept in memory meanwhile"
    ]

    bench.directory.mkdir()
    bench.now_s += 2
    outbox.append(nth(3))
    outbox.close()
    again = bench.open()

    assert ids(again) == ["pedestrian-1", "pedestrian-2", "pedestrian-3"]
    assert again.last_seq("gate", "pedestrian") == 3
    again.close()


def test_events_from_memory_follow_those_found_on_a_disk_that_comes_late(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "disk")
    bench.directory.mkdir()
    outbox = bench.open()
    for n in range(1, 4):
        outbox.append(nth(n))
    outbox.close()
    bench.directory.rename(tmp_path / "away")
    late = bench.open()
    late.append(nth(1, "car"))
    (seen,) = late.pending(0, 9)
    (tmp_path / "away").rename(bench.directory)
    bench.now_s += 2
    late.append(nth(2, "car"))

    assert ids(late) == [*(f"pedestrian-{n}" for n in (1, 2, 3)), "car-1", "car-2"]
    late.remove([seen])  # its n is another event's by now: at worst it is sent twice
    assert ids(late)[:3] == [f"pedestrian-{n}" for n in (1, 2, 3)]
    late.close()


def test_memory_is_bounded_and_the_loss_told(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "missing", OutboxConfig(max_events=2))
    outbox = bench.open()
    for n in range(1, 5):
        outbox.append(nth(n))

    assert ids(outbox) == ["pedestrian-3", "pedestrian-4"]
    assert bench.n_dropped == 2
    assert "the disk fails and memory is full" in bench.faults[-1]


def test_a_damaged_file_is_set_aside_and_told(bench: Bench) -> None:
    path = bench.directory / FILE_NAME
    path.write_bytes(b"this is no database, and it is long enough to look at" * 100)
    outbox = bench.open()
    outbox.append(nth(1))
    (aside,) = bench.directory.glob(f"{FILE_NAME}.damaged-*")

    assert ids(outbox) == ["pedestrian-1"]
    assert aside.read_bytes().startswith(b"this is no database")
    assert bench.faults == [
        f"outbox {path}: is damaged (file is not a database), kept as {aside}"
        " -- events not yet delivered may be in it; delete it when you have no use for it"
    ]


def test_numbers_survive_a_damaged_file(bench: Bench) -> None:
    outbox = bench.open()
    outbox.remember_topics(["a"])
    for n in range(1, 200):
        outbox.append(nth(n))
    outbox.close()
    path = bench.directory / FILE_NAME
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + bytes(len(whole) - 8192))
    again = bench.open()
    again.append(nth(200))
    again.pending(0, 1000)
    again.append(nth(201))

    assert ids(again)[-1] == "pedestrian-201"
    assert again.last_seq("gate", "pedestrian") == 201
    assert "is damaged" in bench.faults[0]
    again.close()
    assert bench.open().last_seq("gate", "pedestrian") == 201


def test_a_file_of_a_newer_version_is_left_alone(bench: Bench) -> None:
    with sqlite3.connect(bench.directory / FILE_NAME) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    outbox = bench.open()
    outbox.append(nth(1))

    assert ids(outbox) == ["pedestrian-1"]
    assert "was written by a newer edge-daemon" in bench.faults[0]


def test_two_daemons_on_one_directory_are_told(bench: Bench) -> None:
    first, second = bench.open(), bench.open()
    first.append(nth(1))
    second.append(nth(1, "car"))

    assert ids(first) == ["pedestrian-1"]
    assert "is used by another process -- give each daemon a data_dir of its own" in bench.faults[0]


def test_the_log_of_another_daemon_is_left_alone(bench: Bench) -> None:
    bench.open().close()
    first = bench.open()
    log = bench.directory / f"{FILE_NAME}-wal"
    assert log.exists()  # and is empty: what SQLite tidies away when it closes
    bench.open()  # finds it in use, and looks what was said

    assert log.exists()
    first.append(nth(1))
    assert log.stat().st_size > 0


def test_numbers_of_a_disk_that_comes_late_do_not_go_back(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "disk")
    bench.directory.mkdir()
    outbox = bench.open()
    outbox.append(*(nth(n) for n in range(1, 21)))
    outbox.close()
    bench.directory.rename(tmp_path / "away")
    late = bench.open()
    late.append(nth(1))
    (tmp_path / "away").rename(bench.directory)
    bench.now_s += 2
    late.append(nth(2))
    late.close()

    assert late.last_seq("gate", "pedestrian") == 20
    again = bench.open()
    assert again.last_seq("gate", "pedestrian") == 20
    assert again.last_said("gate", "pedestrian").verdict is Verdict.NO


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


@given(flips=st.lists(st.tuples(st.integers(0), st.integers(0, 255)), min_size=1, max_size=20))
@settings(max_examples=25, deadline=None)
def test_no_damage_to_the_file_stops_the_daemon(tmp_path_factory, flips) -> None:
    bench = Bench(tmp_path_factory.mktemp("outbox"))
    outbox = bench.open()
    outbox.remember_topics(["a"])
    for n in range(1, 10):
        outbox.append(nth(n))
    outbox.close()
    path = bench.directory / FILE_NAME
    content = bytearray(path.read_bytes())
    for at, value in flips:
        content[at % len(content)] = value
    path.write_bytes(content)

    again = bench.open()
    again.append(nth(10))
    found = again.pending(0, 100)
    again.remove(found)
    again.tidy()

    assert found[-1].id == "pedestrian-10"
    assert again.last_seq("gate", "pedestrian") == 10
    again.close()
