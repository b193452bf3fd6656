from __future__ import annotations

import numpy as np
import pytest

from edge_daemon.engine.int8.rounding import STEPS, round_weights


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


@pytest.mark.parametrize("scale", [1e-20, 1e20])
def test_weights_of_any_size_are_rounded(scale: float) -> None:
    rounded, step = round_weights(np.full((1, 1, 3), scale), np.eye(3)[None])

    assert np.isfinite(rounded).all()
    assert (step > 0).all()
