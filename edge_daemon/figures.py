"""Figures of merit from probabilities and truths.  Pure NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Truths = NDArray[np.bool_]


def auroc(p: Floats, yes: Truths) -> float:
    """Chance that a YES scores above a NO, ties half; NaN without both.

    Source: Mann-Whitney U, Hanley and McNeil 1982.
    """
    n_yes, n_no = int(yes.sum()), int((~yes).sum())
    if not n_yes or not n_no:
        return float("nan")
    _, place, count = np.unique(p, return_inverse=True, return_counts=True)
    middle_rank = np.cumsum(count) - (count - 1) / 2
    ranks = middle_rank[place]
    return float((ranks[yes].sum() - n_yes * (n_yes + 1) / 2) / (n_yes * n_no))


def balanced_accuracy(p: Floats, yes: Truths, threshold: float = 0.5) -> float:
    """Mean of the shares of YES and of NO that are told right; NaN without both."""
    if yes.all() or not yes.any():
        return float("nan")
    said = p >= threshold
    return float((said[yes].mean() + (~said[~yes]).mean()) / 2)


def expected_calibration_error(p: Floats, yes: Truths, bins: int = 15) -> float:
    """Mean gap between p_yes and the share of YES over equal bins.

    Source: Guo et al. 2017, On Calibration of Modern Neural Networks, eq. 3.
    """
    which = np.minimum((p * bins).astype(int), bins - 1)
    gap = 0.0
    for k in range(bins):
        members = which == k
        if members.any():
            gap += members.mean() * abs(float(p[members].mean()) - float(yes[members].mean()))
    return float(gap)


def fit_temperature(logit: Floats, yes: Truths) -> float:
    """The divisor of the logits under which the truths are likeliest, between 0.3 and 5.

    Source: temperature scaling, Guo et al. 2017; searched on a grid of 1 % steps.
    """
    grid = np.exp(np.arange(np.log(0.3), np.log(5.0), 0.01))
    signed = np.where(yes, logit, -logit)
    losses = [float(np.logaddexp(0, -signed / t).mean()) for t in grid]
    return float(grid[int(np.argmin(losses))])


def logit(p: Floats) -> Floats:
    """Inverse of the logistic function, kept finite."""
    safe = np.clip(p, 1e-7, 1 - 1e-7)
    return np.asarray(np.log(safe / (1 - safe)))
