"""Many pieces of pictures stretched to one size at once, on any device.

An axis that shrinks is averaged over areas, as cameras' scaling does in the daemon; one that grows
is interpolated linearly.  Both are a few weighted taps, so an axis is one embedding_bag.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own habit

if TYPE_CHECKING:
    from collections.abc import Sequence


def sent(values: Sequence[float] | Sequence[Sequence[float]], device: torch.device) -> Tensor:
    """A small tensor on a device, without waiting for what the device is doing."""
    tensor = torch.tensor(values)
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def resample(
    pieces: Sequence[Tensor], size: tuple[int, int], mirrored: Sequence[bool] | None = None
) -> Tensor:
    """Pieces (h, w, C), of any sizes, at size (width, height): float32 (N, height, width, C).

    mirrored exchanges left and right of those marked.
    """
    device, channels = pieces[0].device, pieces[0].shape[2]
    high, wide = max(p.shape[0] for p in pieces), max(p.shape[1] for p in pieces)
    # On its side, so that each axis in turn is made of whole rows of memory.
    table = pieces[0].new_zeros(len(pieces), wide, high, channels)
    for row, piece in zip(table, pieces):
        row[: piece.shape[1], : piece.shape[0]] = piece.transpose(0, 1)
    across = _taps([p.shape[1] for p in pieces], size[0], device)
    if mirrored is not None:
        flip = sent([float(m) for m in mirrored], device)[:, None, None] > 0
        across = tuple(torch.where(flip, x.flip(1), x) for x in across)  # type: ignore[assignment] # of the same length
    x = _bag(table.float(), *across)  # (N, width, high, C)
    return _bag(x.transpose(1, 2), *_taps([p.shape[0] for p in pieces], size[1], device))


def _bag(table: Tensor, index: Tensor, weight: Tensor) -> Tensor:
    """Weighted sums of table's rows: (N, m, a, C) by (N, n, K) to (N, n, a, C)."""
    n, m, a, channels = table.shape
    start = torch.arange(n, device=table.device)[:, None, None] * m
    summed = F.embedding_bag(
        (index + start).flatten(0, 1),
        table.reshape(n * m, a * channels),
        per_sample_weights=weight.flatten(0, 1),
        mode="sum",
    )
    return summed.view(n, -1, a, channels)


def _taps(lengths: Sequence[int], n_out: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Which pixels of axes so long make n_out pixels, and how much of each: (N, n_out, K)."""
    n_taps = max(2, *(math.ceil(n / n_out) + 1 for n in lengths))
    length = sent([float(n) for n in lengths], device)[:, None]  # (N, 1)
    out = torch.arange(n_out, device=device)
    tap = torch.arange(n_taps, device=device)
    scale = length / n_out
    begin = out * scale  # (N, n_out)
    centre = ((out + 0.5) * scale - 0.5).clamp(min=0)
    shrinks = scale > 1
    index = torch.where(shrinks, begin, centre).floor()[..., None] + tap  # (N, n_out, K)
    area = torch.minimum(index + 1, (begin + scale)[..., None]) - index.maximum(begin[..., None])
    near = 1 - (index - centre[..., None]).abs()
    weight = torch.where(shrinks[..., None], area / scale[..., None], near).clamp(min=0)
    return index.minimum(length[..., None] - 1).long(), weight
