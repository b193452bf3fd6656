from __future__ import annotations

import numpy as np
import pytest

from edge_daemon.engine.int8.rounding import PAIR, STEPS, round_weights


def test_rounded_weights_lie_on_the_grid_of_their_channel() -> None:
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(2, 3, 8))
    rounded, step = round_weights(weight, np.eye(8)[None].repeat(2, 0))
    whole = rounded / step[..., None]

    np.testing.assert_allclose(whole, np.round(whole), atol=1e-9)
    assert np.abs(whole).max() <= STEPS + 1e-9


def test_an_input_that_hardly_varies_does_not_widen_the_grid() -> None:
    rng = np.random.default_rng(2)
    weight = rng.uniform(-1, 1, (1, 1, 1500))
    weight[..., 0] = 8.0
    variance = np.ones(1500)
    variance[0] = 0.0
    _rounded, step = round_weights(weight, np.diag(variance)[None])

    assert step[0, 0] < 0.8 * 8.0 / STEPS


def test_errors_are_made_up_for_by_inputs_that_move_together() -> None:
    rng = np.random.default_rng(1)
    shared = rng.normal(size=(4000, 1))
    x = shared + 0.1 * rng.normal(size=(4000, 16))
    weight = rng.normal(size=(1, 4, 16))
    covariance = np.cov(x.T)[None]
    rounded, step = round_weights(weight, covariance)
    plain = np.clip(np.round(weight / step[..., None]), -STEPS, STEPS) * step[..., None]
    error, plain_error = (float((x @ (weight - w)[0].T).var()) for w in (rounded, plain))

    assert error < 0.5 * plain_error


def test_neighbours_never_come_to_more_than_sixteen_bits_hold() -> None:
    rng = np.random.default_rng(3)
    weight = rng.normal(size=(2, 5, 12))
    weight[..., :4] = 1.0  # pairs that would come to 254
    beside = np.arange(12) ^ 1
    x = rng.normal(size=(4000, 12)) + rng.normal(size=(4000, 1))
    covariance = np.cov(x.T)[None].repeat(2, 0)
    rounded, step = round_weights(weight, covariance, beside)
    free, free_step = round_weights(weight, covariance)
    whole, free_whole = np.round(rounded / step[..., None]), np.round(free / free_step[..., None])

    assert np.abs(free_whole + free_whole[..., beside]).max() > PAIR
    assert np.abs(whole + whole[..., beside]).max() <= PAIR
    assert np.abs(whole).max() > 64
    np.testing.assert_allclose(rounded, weight, atol=0.05)


@pytest.mark.parametrize("scale", [1e-20, 1e20])
def test_weights_of_any_size_are_rounded(scale: float) -> None:
    rounded, step = round_weights(np.full((1, 1, 3), scale), np.eye(3)[None])

    assert np.isfinite(rounded).all()
    assert (step > 0).all()
