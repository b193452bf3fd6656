"""Weights on a grid of eight bits, each error made up for by the weights after it.  NumPy only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from edge_daemon.engine.processor import PAIR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Places = NDArray[np.int64]

STEPS: Final = 127  # each way: symmetric, as TensorRT wants it
_ENDS: Final = np.concatenate([np.linspace(0.3, 1.0, 36), np.linspace(1.05, 2.0, 20)])
"""Where the grid may end, in largest weights; beyond one where neighbours are both large."""
_BLOCK: Final = 64
_ATTEMPTS: Final = 8
_DAMPING: Final = 0.01  # of the mean variance: inputs that calibration never woke still count


def round_weights(
    weight: Floats, covariance: Floats, neighbours: Places | None = None
) -> tuple[Floats, Floats]:
    """Rounded weights (G, R, K), and the step of each output channel (G, R).

    weight is (G, R, K): groups, output channels of a group, inputs; covariance (G, K, K) of the
    inputs.  neighbours (K,) is the input that each is added to first, itself where there is none:
    the two come to at most PAIR steps.  Source: GPTQ, Frantar et al. 2022 (arXiv 2210.17323), with
    the grid's end searched per channel so that inputs which hardly vary do not widen it.
    """
    damped = _damped(covariance)
    order = np.argsort(-np.diagonal(damped, axis1=1, axis2=2), axis=1)  # (G, K): loudest first
    ordered = np.take_along_axis(weight, order[:, None], 2)
    shuffled = np.take_along_axis(damped, order[:, :, None], 1)
    shuffled = np.take_along_axis(shuffled, order[:, None, :], 2)
    back = np.argsort(order, axis=1)
    alone = np.arange(weight.shape[2])
    beside = np.take_along_axis(back, (alone if neighbours is None else neighbours)[order], 1)
    step = _best_steps(ordered, np.diagonal(shuffled, axis1=1, axis2=2), beside)
    rounded = _compensated(ordered, shuffled, step, beside)
    return np.take_along_axis(rounded, back[:, None], 2), step


def _damped(covariance: Floats) -> Floats:
    size = covariance.shape[1]
    mean = np.trace(covariance, axis1=1, axis2=2) / size
    floor = np.maximum(_DAMPING * mean, 1e-9)
    return np.asarray(covariance + floor[:, None, None] * np.eye(size))


def _best_steps(weight: Floats, variance: Floats, beside: Places) -> Floats:
    """The step (G, R) with the least error, each weight's counted by its input's variance."""
    largest = np.maximum(np.abs(weight).max(2), 1e-12)
    best, least = largest / STEPS, np.full(largest.shape, np.inf)
    for end in _ENDS:
        step = largest * end / STEPS
        whole = _paired(np.clip(np.round(weight / step[..., None]), -STEPS, STEPS), beside)
        error = ((weight - whole * step[..., None]) ** 2 * variance[:, None]).sum(2)
        best = np.where(error < least, step, best)
        least = np.minimum(error, least)
    return np.asarray(best)


def _paired(whole: Floats, beside: Places) -> Floats:
    """Whole steps (G, R, K), smaller where two neighbours would come to more than PAIR."""
    has_none = beside == np.arange(beside.shape[1])  # (G, K)
    if has_none.all():
        return whole
    both = whole + np.stack([group[:, at] for group, at in zip(whole, beside)])
    over = np.ceil(np.maximum(np.abs(both) - PAIR, 0) / 2) * np.sign(both)
    return np.where(has_none[:, None], whole, whole - over)


def _compensated(weight: Floats, covariance: Floats, step: Floats, beside: Places) -> Floats:
    """Round input by input; what is lost is spread over the inputs that are still to come.

    Inputs beyond a block are told once for it, by one product.  Source: GPTQ, section 3.3.
    """
    upper = _upper_factor(covariance)  # (G, K, K)
    left, whole = weight.copy(), np.zeros_like(weight)
    groups, size = np.arange(len(weight)), weight.shape[2]
    for begin in range(0, size, _BLOCK):
        end = min(begin + _BLOCK, size)
        lost = np.zeros_like(weight[:, :, begin:end])
        for k in range(begin, end):
            # Steps of the neighbour; 0 while it is still to come, and of an input that has none.
            other = whole[groups, :, beside[:, k]]  # (G, R)
            low, high = np.maximum(-STEPS, -PAIR - other), np.minimum(STEPS, PAIR - other)
            whole[:, :, k] = np.clip(np.round(left[:, :, k] / step), low, high)
            error = (left[:, :, k] - whole[:, :, k] * step) / upper[:, k, k, None]
            left[:, :, k:end] -= error[:, :, None] * upper[:, k, None, k:end]
            lost[:, :, k - begin] = error
        left[:, :, end:] -= lost @ upper[:, begin:end, end:]
    return whole * step[..., None]


def _upper_factor(covariance: Floats) -> Floats:
    """Upper Cholesky factor of the inverse; damped more where rounding left it indefinite."""
    for _ in range(_ATTEMPTS):
        try:
            inverse = np.linalg.inv(covariance)
            return np.asarray(np.linalg.cholesky(inverse).transpose(0, 2, 1))
        except np.linalg.LinAlgError:
            covariance = _damped(covariance)
    raise ValueError("its inputs hold numbers that are not finite")
