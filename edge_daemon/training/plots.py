"""Pictures of a run: its curves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

if TYPE_CHECKING:
    from pathlib import Path


def plot_curves(curves: Path, out: Path) -> None:
    """Losses over steps, one line per part; nothing where nothing was noted yet."""
    rows = [json.loads(line) for line in curves.read_text().splitlines()]
    if not rows:
        return
    steps = [row["step"] for row in rows]
    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for name in (n for n in rows[0] if n not in ("step", "pictures_per_s")):
        axes.plot(steps, [row[name] for row in rows], label=name)
    axes.set(xlabel="batches", ylabel="loss", yscale="log")
    axes.legend()
    figure.savefig(out, dpi=110)
    plt.close(figure)
