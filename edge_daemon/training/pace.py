"""How large the steps of a run are."""

from __future__ import annotations

import math


def rate_share(step: int, warm_up: int, steps: int) -> float:
    """Share of the peak learning rate: linear warm-up, then a cosine to a hundredth.

    Source: Loshchilov and Hutter 2017, SGDR, without restarts.
    """
    if step < warm_up:
        return (step + 1) / warm_up
    done = (step - warm_up) / max(1, steps - warm_up)
    return 0.01 + 0.99 * (1 + math.cos(math.pi * min(1.0, done))) / 2
