"""How large the steps of a run are, and lessons of text in such steps."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

log = logging.getLogger(__name__)


def rate_share(step: int, warm_up: int, steps: int) -> float:
    """Share of the peak learning rate: linear warm-up, then a cosine to a hundredth.

    Source: Loshchilov and Hutter 2017, SGDR, without restarts.
    """
    if step < warm_up:
        return (step + 1) / warm_up
    done = (step - warm_up) / max(1, steps - warm_up)
    return 0.01 + 0.99 * (1 + math.cos(math.pi * min(1.0, done))) / 2


def practise(
    parameters: Sequence[Tensor],
    loss_of: Callable[[], Tensor],
    *,
    steps: int,
    rate: float,
    weight_decay: float,
    name: str,
) -> None:
    """Take so many steps down a loss, each found anew; rate is the peak learning rate."""
    optimiser = torch.optim.AdamW(parameters, lr=rate, weight_decay=weight_decay, betas=(0.9, 0.98))
    for step in range(steps):
        loss = loss_of()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call] # torch's own
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.param_groups[0]["lr"] = rate * rate_share(step, 1 + steps // 10, steps)
        optimiser.step()
        if step % 50 == 49:
            log.info("%s step=%d loss=%.4f", name, step + 1, float(loss.detach()))
