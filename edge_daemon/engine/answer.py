"""From what the answer graph says to p_yes and maps; from zones to token masks.  Pure NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge_daemon.types import polygon_mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_daemon.types import Polygon


def p_yes(logits: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Calibrated probability of YES in [0, 1], float32 (B, Q).

    logits: (B, Q, 2) float32, NO and YES.  Source: two-way softmax at a temperature fitted on
    held-out pictures (Guo et al. 2017, On Calibration of Modern Neural Networks).
    """
    no, yes = np.moveaxis(logits.astype(np.float64) / temperature, -1, 0)  # (B, Q) each
    return np.asarray(np.exp(-np.logaddexp(0, no - yes)), np.float32)  # sigmoid, no overflow


def zone_masks(zones: Sequence[Polygon | None], grid: tuple[int, int]) -> NDArray[np.float32]:
    """Which tokens count for each question, float32 (Q, T): 1 inside its zone, else 0.

    None is the whole picture.  grid is (columns, rows), T = columns * rows, row by row.  The
    whole picture is stretched onto the grid, so a zone's fractions need no correction.
    """
    columns, rows = grid
    masks = np.ones((len(zones), columns * rows), np.float32)
    for mask, zone in zip(masks, zones):
        if zone is not None:
            mask[:] = polygon_mask(zone, columns, rows).reshape(-1)
    return masks


def evidence_maps(evidence: NDArray[np.float32], grid: tuple[int, int]) -> NDArray[np.float32]:
    """Evidence (B, Q, T) as maps over the picture, float32 (B, Q, rows, columns) in [0, 1]."""
    columns, rows = grid
    maps = evidence.reshape(*evidence.shape[:2], rows, columns)
    return np.clip(maps, 0, 1).astype(np.float32, copy=False)
