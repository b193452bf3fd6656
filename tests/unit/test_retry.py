from __future__ import annotations

from itertools import islice
from random import Random

import pytest

from edge_daemon.errors import (
    EdgeError,
    SourceRefusedError,
    SourceStalledError,
    SourceUnavailableError,
)
from edge_daemon.retry import Retry, backoff_s


def test_backoff_doubles_from_its_first_wait() -> None:
    waits_s = list(islice(backoff_s(1.0, 60.0, rng=Random(0)), 5))

    assert all(2**n / 2 <= wait_s <= 2**n for n, wait_s in enumerate(waits_s))


def test_backoff_settles_just_under_its_cap() -> None:
    waits_s = list(islice(backoff_s(1.0, 8.0, rng=Random(0)), 1000))

    assert all(4.0 <= wait_s <= 8.0 for wait_s in waits_s[3:])


def test_backoff_never_waits_longer_than_its_cap_even_at_first() -> None:
    assert next(backoff_s(10.0, 2.0, rng=Random(0))) <= 2.0


def test_backoff_spreads_cameras_that_fail_together() -> None:
    second_waits_s = {list(islice(backoff_s(rng=Random(n)), 2))[1] for n in range(20)}

    assert len(second_waits_s) == 20


@pytest.mark.parametrize("kind", [SourceUnavailableError, SourceStalledError])
def test_retry_comes_back_soon_from_an_absence(kind: type[EdgeError]) -> None:
    retry = Retry(1.0, 60.0, rng=Random(0))

    assert retry.after(kind("away", where="gate")) <= 1.0


def test_retry_never_waits_longer_than_seconds_for_one_that_is_away() -> None:
    retry = Retry(rng=Random(0))
    away = SourceUnavailableError("away", where="gate")

    assert max(retry.after(away) for _ in range(1000)) <= 3.0


def test_retry_after_refused_credentials_waits_at_the_cap_from_the_first_time() -> None:
    retry = Retry(rng=Random(0))
    refused = SourceRefusedError("wrong password", where="gate")

    waits_s = [retry.after(refused) for _ in range(20)]

    assert all(30.0 <= wait_s <= 60.0 for wait_s in waits_s)


def test_retry_reset_begins_with_the_first_wait_again() -> None:
    retry = Retry(1.0, 60.0, rng=Random(0))
    away = SourceUnavailableError("away", where="gate")
    for _ in range(10):
        late_s = retry.after(away)

    retry.reset()

    assert retry.after(away) <= 1.0 < late_s
