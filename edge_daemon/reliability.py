"""A picture of how well probabilities keep their word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import matplotlib as mpl
import numpy as np

from edge_daemon.figures import expected_calibration_error

mpl.use("Agg")
from matplotlib import pyplot as plt

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Flat = tuple[NDArray[np.float64], NDArray[np.bool_]]

_BINS: Final = 15
_FEW: Final = 10  # answers; the share of YES among fewer says little, and is drawn hollow
_ACROSS: Final = 4


def plot_reliability(groups: Mapping[str, Flat], out: Path) -> None:
    """Write a PNG: per group, the share of YES against p_yes, and how often each p_yes is said.

    A group is p_yes (N,) in [0, 1] and truth (N,).  Dots on the diagonal: p_yes means what it says.
    """
    groups = {name: flat for name, flat in groups.items() if len(flat[0])}
    across = min(_ACROSS, len(groups))
    down = -(-len(groups) // across)
    figure, axes = plt.subplots(
        down, across, figsize=(2.6 * across + 0.4, 2.8 * down + 0.3),
        sharex=True, sharey=True, squeeze=False, layout="constrained",
    )  # fmt: skip
    for place, (name, (p, yes)) in zip(axes.flat, groups.items()):
        _draw(place, name, p, yes)
    for place in axes.flat[len(groups) :]:
        place.set_visible(False)
    figure.supxlabel("p_yes")
    figure.supylabel("share of YES (dots), of answers (bars)")
    figure.savefig(out, dpi=110)
    plt.close(figure)


def _draw(axes: Axes, name: str, p: NDArray[np.float64], yes: NDArray[np.bool_]) -> None:
    bins = np.minimum((p * _BINS).astype(int), _BINS - 1)
    counts = np.bincount(bins, minlength=_BINS)
    filled = np.flatnonzero(counts)
    said = np.array([p[bins == k].mean() for k in filled])
    true = np.array([yes[bins == k].mean() for k in filled])
    many = counts[filled] >= _FEW
    axes.bar((np.arange(_BINS) + 0.5) / _BINS, counts / counts.sum(), 0.9 / _BINS, color="0.85")
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1)
    axes.plot(said[many], true[many], "o-", color="C0", markersize=4)
    axes.plot(said[~many], true[~many], "o", color="C0", markersize=4, markerfacecolor="none")
    error = expected_calibration_error(p, yes)
    axes.set_title(f"{name}: {len(p)} answers, ECE {error:.3f}", fontsize=8)
    axes.set(xlim=(0, 1), ylim=(0, 1))
