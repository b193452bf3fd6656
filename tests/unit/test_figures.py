"""Figures of merit against values worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from edge_daemon.figures import (
    auroc,
    balanced_accuracy,
    expected_calibration_error,
    fit_temperature,
    logit,
)

YES = np.array([True, True, False, False])


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        ([0.9, 0.8, 0.2, 0.1], 1.0),
        ([0.1, 0.2, 0.8, 0.9], 0.0),
        ([0.5] * 4, 0.5),
        ([0.9, 0.2, 0.5, 0.1], 0.75),
    ],
)
def test_auroc_is_the_share_of_pairs_in_order(p: list[float], expected: float) -> None:
    assert auroc(np.array(p), YES) == pytest.approx(expected)


def test_figures_without_both_answers_are_nan() -> None:
    all_yes = np.ones(3, bool)

    assert math.isnan(auroc(np.array([0.1, 0.2, 0.3]), all_yes))
    assert math.isnan(balanced_accuracy(np.array([0.1, 0.2, 0.3]), all_yes))


def test_balanced_accuracy_weighs_the_rare_answer_alike() -> None:
    yes = np.array([True] + [False] * 9)
    p = np.array([0.1] * 10)

    assert balanced_accuracy(p, yes) == 0.5


def test_calibration_error_is_the_gap_in_each_bin() -> None:
    p, yes = np.full(10, 0.9), np.array([True] * 6 + [False] * 4)

    assert expected_calibration_error(p, yes) == pytest.approx(0.3)


def test_temperature_undoes_overconfidence() -> None:
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 2, 20000)
    yes = rng.random(20000) < 1 / (1 + np.exp(-honest))

    assert fit_temperature(honest * 2.5, yes) == pytest.approx(2.5, rel=0.05)


def test_logit_of_certainty_stays_finite() -> None:
    assert np.isfinite(logit(np.array([0.0, 1.0]))).all()
