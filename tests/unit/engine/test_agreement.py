from __future__ import annotations

import numpy as np
import pytest

from edge_daemon.engine.agreement import Limits, compare

NAN = float("nan")


def test_verdicts_are_compared_between_the_thresholds_too() -> None:
    found = compare(np.array([0.9, 0.9, 0.5, 0.1]), np.array([0.8, 0.59, 0.5, 0.9]))

    assert found.answers == 4
    assert found.agreement == 0.5
    assert found.contradictions == 0.25
    assert found.difference_max == pytest.approx(0.8)


def test_unsupported_questions_are_left_out() -> None:
    assert compare(np.array([NAN, 0.2]), np.array([NAN, 0.2])).answers == 1


def test_nothing_to_compare_is_an_error() -> None:
    with pytest.raises(ValueError, match="no answers"):
        compare(np.array([NAN]), np.array([NAN]))


def test_each_limit_is_held_on_its_own() -> None:
    rng = np.random.default_rng(0)
    p = rng.random(1000)
    found = compare(p, np.clip(p + 0.02, 0, 1))

    assert found.shortfalls(Limits(0, 1, 1)) == ()
    assert "verdicts agree" in found.shortfalls(Limits(1.0, 1, 1))[0]
    assert "p_yes differs" in found.shortfalls(Limits(0, 1, 0.01))[0]
    assert "YES against NO" in compare(p, 1 - p).shortfalls(Limits(0, 0.1, 1))[0]
