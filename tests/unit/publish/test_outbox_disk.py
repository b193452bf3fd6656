"""The outbox on a disk that hangs, fails, comes late or is damaged."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from threading import Event as Flag
from threading import Thread

from hypothesis import given, settings
from hypothesis import strategies as st

from edge_daemon.config.models import OutboxConfig
from edge_daemon.publish.outbox import FILE_NAME
from edge_daemon.types import Verdict
from tests.publish_samples import nth
from tests.unit.publish.outboxes import Bench, ids


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


def test_a_file_that_cannot_be_read_for_a_moment_is_whole_afterwards(bench: Bench) -> None:
    earlier = bench.open()
    earlier.append(*(nth(n) for n in range(1, 4)))
    earlier.close()
    path = bench.directory / FILE_NAME
    overflow = "abs(-9223372036854775807 - 1)"  # SQLite raises what is no damage
    for_a_moment = f"CREATE VIEW said AS SELECT {overflow} AS camera"
    run_sql(path, "ALTER TABLE said RENAME TO kept", for_a_moment)
    outbox = bench.open()
    bench.now_s += 2
    outbox.append(nth(4))

    assert set(bench.faults) == {
        f"outbox {path}: cannot be used: integer overflow"
        " -- see that the daemon may write there; events are kept in memory meanwhile"
    }
    n_faults = len(bench.faults)
    run_sql(path, "DROP VIEW said", "ALTER TABLE kept RENAME TO said")
    bench.now_s += 2
    outbox.append(nth(5))

    assert ids(outbox) == [f"pedestrian-{n}" for n in range(1, 6)]
    assert outbox.last_seq("gate", "pedestrian") == 5
    assert len(bench.faults) == n_faults


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
    assert again.last_seq("gate", "pedestrian") >= 10  # a damaged one may be higher: none goes back
    again.close()


def run_sql(path: Path, *statements: str) -> None:
    """Change a file that nobody has open."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)
