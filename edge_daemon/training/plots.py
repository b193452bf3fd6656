"""Pictures of a run: its curves, and how well its probabilities keep their word."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
from matplotlib import pyplot as plt

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def plot_curves(curves: Path, out: Path) -> None:
    """Losses over steps, one line per part, smoothed."""
    rows = [json.loads(line) for line in curves.read_text().splitlines()]
    steps = [row["step"] for row in rows]
    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for name in (n for n in rows[0] if n not in ("step", "pictures_per_s")):
        axes.plot(steps, [row[name] for row in rows], label=name)
    axes.set(xlabel="batches", ylabel="loss", yscale="log")
    axes.legend()
    figure.savefig(out, dpi=110)
    plt.close(figure)


def plot_reliability(p: NDArray[np.float64], yes: NDArray[np.bool_], out: Path) -> None:
    """Share of YES against p_yes, and how often each p_yes is said."""
    bins = np.minimum((p * 15).astype(int), 14)
    filled = [k for k in range(15) if (bins == k).any()]
    figure, (top, low) = plt.subplots(
        2, 1, figsize=(5, 6), sharex=True, height_ratios=(3, 1), layout="constrained"
    )
    top.plot([0, 1], [0, 1], color="grey", linewidth=1)
    top.plot([p[bins == k].mean() for k in filled], [yes[bins == k].mean() for k in filled], "o-")
    top.set(ylabel="share of YES")
    low.hist(p, bins=15, range=(0, 1))
    low.set(xlabel="p_yes", ylabel="answers", yscale="log")
    figure.savefig(out, dpi=110)
    plt.close(figure)
