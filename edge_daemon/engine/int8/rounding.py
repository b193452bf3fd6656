"""Weights on a grid of eight bits, each error made up for by the weights after it.  NumPy only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

STEPS: Final = 127  # each way: symmetric, as TensorRT wants it
_SHRINKS: Final = np.linspace(0.3, 1.0, 36)  # of the largest weight: where the grid may end
_ATTEMPTS: Final = 8
_DAMPING: Final = 0.01  # of the mean variance: inputs that calibration never woke still count


def round_weights(weight: Floats, covariance: Floats) -> tuple[Floats, Floats]:
    """Rounded weights (G, R, K), and the step of each output channel (G, R).

    weight is (G, R, K): groups, output channels of a group, inputs; covariance (G, K, K) of the
    inputs.  Source: GPTQ, Frantar et al. 2022 (arXiv 2210.17323), with the grid's end searched
    per channel so that inputs which hardly vary do not widen it.
    """
    damped = _damped(covariance)
    order = np.argsort(-np.diagonal(damped, axis1=1, axis2=2), axis=1)  # (G, K): loudest first
    ordered = np.take_along_axis(weight, order[:, None], 2)
    shuffled = np.take_along_axis(damped, order[:, :, None], 1)
    shuffled = np.take_along_axis(shuffled, order[:, None, :], 2)
    step = _best_steps(ordered, np.diagonal(shuffled, axis1=1, axis2=2))
    rounded = _compensated(ordered, shuffled, step)
    back = np.argsort(order, axis=1)
    return np.take_along_axis(rounded, back[:, None], 2), step


def _damped(covariance: Floats) -> Floats:
    size = covariance.shape[1]
    mean = np.trace(covariance, axis1=1, axis2=2) / size
    floor = np.maximum(_DAMPING * mean, 1e-9)
    return np.asarray(covariance + floor[:, None, None] * np.eye(size))


def _best_steps(weight: Floats, variance: Floats) -> Floats:
    """The step (G, R) with the least error, each weight's counted by its input's variance."""
    largest = np.maximum(np.abs(weight).max(2), 1e-12)
    best, least = largest / STEPS, np.full(largest.shape, np.inf)
    for shrink in _SHRINKS:
        step = largest * shrink / STEPS
        error = ((weight - _on_grid(weight, step[..., None])) ** 2 * variance[:, None]).sum(2)
        best = np.where(error < least, step, best)
        least = np.minimum(error, least)
    return np.asarray(best)


def _compensated(weight: Floats, covariance: Floats, step: Floats) -> Floats:
    """Round input by input; what is lost is spread over the inputs that are still to come."""
    upper = _upper_factor(covariance)  # (G, K, K)
    left, rounded = weight.copy(), np.empty_like(weight)
    for k in range(weight.shape[2]):
        rounded[:, :, k] = _on_grid(left[:, :, k], step)
        lost = (left[:, :, k] - rounded[:, :, k]) / upper[:, k, k, None]
        left[:, :, k:] -= lost[:, :, None] * upper[:, k, None, k:]
    return rounded


def _upper_factor(covariance: Floats) -> Floats:
    """Upper Cholesky factor of the inverse; damped more where rounding left it indefinite."""
    for _ in range(_ATTEMPTS):
        try:
            inverse = np.linalg.inv(covariance)
            return np.asarray(np.linalg.cholesky(inverse).transpose(0, 2, 1))
        except np.linalg.LinAlgError:
            covariance = _damped(covariance)
    raise ValueError("its inputs hold numbers that are not finite")


def _on_grid(weight: Floats, step: Floats) -> Floats:
    return np.asarray(np.clip(np.round(weight / step), -STEPS, STEPS) * step)
