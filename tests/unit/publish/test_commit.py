"""Group commit: nobody waits for the disk, and nothing is told before it is on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from threading import Event as Flag
from threading import Thread

import pytest

from edge_daemon.publish.commit import GroupCommit
from edge_daemon.types import Event
from tests.publish_samples import nth


class Disk:
    """Takes a group at a time, and as long as it is held."""

    def __init__(self) -> None:
        self.done: list[list[int] | str] = []  # groups of events' numbers, and news, as they came
        self.n_turns = self.n_dropped = 0
        self.is_free, self.is_asked = Flag(), Flag()
        self.is_free.set()
        self.commit = GroupCommit(self.write, self.drop)
        self._thread = Thread(target=self.commit.run)
        self._thread.start()

    def write(self, events: Sequence[Event], tell: Callable[[], None]) -> None:
        self.n_turns += 1
        if events:
            self.is_asked.set()
            assert self.is_free.wait(10)
            self.done.append([event.seq for event in events])
        tell()

    def drop(self, n_events: int) -> None:
        self.n_dropped += n_events

    def hold(self) -> None:
        """Let it hang with event number 1."""
        self.is_free.clear()
        self.commit.keep(nth(1))
        assert self.is_asked.wait(10)

    def tell(self, about: str, text: str) -> None:
        self.commit.then(about, partial(self.done.append, text))

    def end(self) -> None:
        self.is_free.set()
        assert self.commit.close(10)
        self._thread.join(10)
        assert not self._thread.is_alive()


@pytest.fixture
def disk() -> Iterator[Disk]:
    disk = Disk()
    yield disk
    disk.end()


def test_events_that_come_while_the_disk_is_busy_are_one_group(disk: Disk) -> None:
    disk.hold()
    for n in range(2, 6):
        disk.commit.keep(nth(n))
    n_waiting = len(disk.commit)
    disk.is_free.set()

    assert disk.commit.flush(10)
    assert disk.done == [[1], [2, 3, 4, 5]]
    assert (n_waiting, len(disk.commit), disk.commit.busy_s) == (5, 0, 0.0)


def test_news_wait_for_the_events_before_them_and_the_last_of_each_is_told(disk: Disk) -> None:
    disk.hold()
    disk.tell("gate", "YES")
    disk.commit.keep(nth(2))
    disk.tell("yard", "NO")
    disk.tell("gate", "UNKNOWN")

    assert not disk.commit.flush(0.01)
    assert disk.done == []
    assert disk.commit.busy_s > 0.0
    disk.is_free.set()
    assert disk.commit.flush(10)
    assert disk.done == [[1], [2], "NO", "UNKNOWN"]


def test_news_without_an_event_write_nothing(disk: Disk) -> None:
    disk.tell("gate", "YES")

    assert disk.commit.flush(10)
    assert disk.done == ["YES"]


def test_what_is_brought_together_is_of_one_group(disk: Disk) -> None:
    with disk.commit.together():
        disk.commit.keep(nth(1))
        disk.is_asked.wait(0.05)  # a turn would begin now
        disk.tell("gate", "YES")

    assert disk.commit.flush(10)
    assert disk.done == [[1], "YES"]
    assert disk.n_turns == 1


def test_who_can_wait_does_so_where_a_thousand_events_do(disk: Disk) -> None:
    disk.hold()
    for n in range(2, 1002):
        disk.commit.keep(nth(n))
    patient = Thread(target=disk.commit.wait_for_room)
    patient.start()
    patient.join(0.05)
    is_waiting = patient.is_alive()
    disk.is_free.set()
    patient.join(10)

    assert is_waiting
    assert not patient.is_alive()


def test_who_cannot_wait_never_does_and_the_oldest_events_are_dropped_and_counted(
    disk: Disk,
) -> None:
    disk.hold()
    for n in range(2, 5012):
        disk.commit.keep(nth(n))
    disk.is_free.set()

    assert disk.commit.flush(10)
    assert disk.n_dropped == 10
    assert [n for group in disk.done for n in group] == [1, *range(12, 5012)]


def test_an_end_writes_what_waits() -> None:
    disk = Disk()
    disk.hold()
    disk.commit.keep(nth(2))
    disk.tell("gate", "YES")
    in_time = disk.commit.close(0.01)
    disk.end()

    assert not in_time
    assert disk.done == [[1], [2], "YES"]
