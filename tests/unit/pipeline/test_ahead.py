from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from threading import get_ident

import pytest

from edge_daemon.pipeline.ahead import Behind, ahead


def test_ahead_yields_all_in_order_from_another_thread() -> None:
    threads = set()

    def items() -> Iterator[int]:
        for n in range(100):
            threads.add(get_ident())
            yield n

    with ahead(items(), 3) as taken:
        assert list(taken) == list(range(100))
        assert list(taken) == []
    assert get_ident() not in threads


def test_ahead_reads_no_more_than_so_many_ahead() -> None:
    read: list[int] = []

    def items() -> Iterator[int]:
        for n in count():
            read.append(n)
            yield n

    with ahead(items(), 3) as taken:
        assert next(taken) == 0
        assert next(taken) == 1
    n_read = len(read)

    assert n_read <= 2 + 3 + 2  # waiting, in its hand, and let go at the end


def test_ahead_raises_what_reading_raises_after_what_came_before() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise KeyError("damaged")

    got = []
    with pytest.raises(KeyError, match="damaged"), ahead(items(), 3) as taken:
        got.extend(taken)
    with ahead(items(), 3) as taken:
        got += [next(taken)]

    assert got[-1] == 1


def test_behind_does_all_before_it_ends() -> None:
    done: list[int] = []
    with Behind(done.append, 2) as behind:
        for n in range(50):
            behind.put(n)

    assert done == list(range(50))


def test_behind_raises_its_fault_at_the_next_item_or_at_the_end() -> None:
    tried = []

    def work(n: int) -> None:
        tried.append(n)
        raise OSError("full")

    def put(most: int) -> None:
        with Behind(work, 2) as behind:
            for n in range(most):
                behind.put(n)

    for most in (1, 1000):
        with pytest.raises(OSError, match="full"):
            put(most)

    assert tried == [0, 0]


def test_behind_lets_a_fault_of_its_user_pass() -> None:
    def work(_n: int) -> None:
        raise OSError("full")

    def fail() -> None:
        with Behind(work, 2) as behind:
            behind.put(1)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
