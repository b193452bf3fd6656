from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_daemon.engine.answer import evidence_maps, p_yes, zone_masks

LOGIT = st.floats(-1e6, 1e6, width=32)


@pytest.mark.parametrize(
    ("no", "yes", "temperature", "expected"),
    [
        (0, 0, 1, 0.5),
        (0, 2, 1, 0.880797),
        (5, 7, 1, 0.880797),  # only the difference counts
        (0, 2, 2, 0.731059),  # a temperature above 1 makes less sure
        (-1e6, 1e6, 1, 1.0),
        (1e6, -1e6, 1, 0.0),
    ],
)
def test_p_yes_is_the_softmax_at_the_temperature(
    no: float, yes: float, temperature: float, expected: float
) -> None:
    found = p_yes(np.array([[[no, yes]]], np.float32), temperature)

    assert found.dtype == np.float32
    assert found.shape == (1, 1)
    assert found[0, 0] == pytest.approx(expected, abs=1e-6)


@given(LOGIT, LOGIT, st.floats(0.05, 20))
def test_p_yes_is_a_probability_and_its_mirror_adds_up_to_one(
    no: float, yes: float, temperature: float
) -> None:
    found = p_yes(np.array([[[no, yes], [yes, no]]], np.float32), temperature)[0]

    assert np.all((found >= 0) & (found <= 1))
    assert found.sum() == pytest.approx(1, abs=1e-6)


def test_a_question_without_zone_counts_every_token() -> None:
    masks = zone_masks([None, None], (5, 3))

    assert masks.dtype == np.float32
    assert masks.shape == (2, 15)
    assert masks.min() == 1


def test_a_zone_counts_its_tokens_row_by_row() -> None:
    upper_right = ((0.5, 0.0), (1.0, 0.0), (1.0, 0.5), (0.5, 0.5))

    (mask,) = zone_masks([upper_right], (4, 2))

    assert mask.tolist() == [0, 0, 1, 1, 0, 0, 0, 0]


def test_a_zone_smaller_than_a_token_counts_the_token_it_lies_in() -> None:
    small = ((0.80, 0.6), (0.81, 0.6), (0.81, 0.61))

    (mask,) = zone_masks([small], (4, 2))

    assert mask.tolist() == [0, 0, 0, 0, 0, 0, 0, 1]


def test_no_questions_have_no_masks() -> None:
    assert zone_masks([], (4, 2)).shape == (0, 8)


def test_evidence_becomes_maps_row_by_row_within_bounds() -> None:
    evidence = np.array([[[0, 0.25, 0.5, 0.75, 1, 1.00001]]], np.float32)

    maps = evidence_maps(evidence, (3, 2))

    assert maps.tolist() == [[[[0, 0.25, 0.5], [0.75, 1, 1]]]]
    assert maps.dtype == np.float32
