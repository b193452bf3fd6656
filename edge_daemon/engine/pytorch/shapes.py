"""ONNX operators that move numbers about, and compute shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  torch's own habit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def tensor(array: np.ndarray[Any, Any]) -> Tensor:
    """A tensor of a constant's numbers, copied."""
    return torch.from_numpy(np.array(array))


def ints(given: Tensor | None) -> list[int]:
    """Numbers of a small tensor; none of one that is left out."""
    return [] if given is None else [int(n) for n in given.tolist()]


def _constant_of_shape(shape: Tensor, value: Any = None) -> Tensor:
    filler = torch.zeros(1) if value is None else tensor(value)
    return filler.reshape(()).expand(ints(shape)).clone()


def _reshape(x: Tensor, shape: Tensor, allowzero: int = 0) -> Tensor:
    sizes = ints(shape)
    if not allowzero:
        sizes = [x.shape[n] if size == 0 else size for n, size in enumerate(sizes)]
    return x.reshape(sizes)


def _cut(
    x: Tensor,
    starts: Tensor,
    ends: Tensor,
    axes: Tensor | None = None,
    steps: Tensor | None = None,
) -> Tensor:
    begin, end = ints(starts), ints(ends)
    where = ints(axes) or range(len(begin))
    for first, last, axis, step in zip(begin, end, where, ints(steps) or [1] * len(begin)):
        picked = range(x.shape[axis])[slice(first, last if abs(last) < 2**62 else None, step)]
        x = x.index_select(axis, torch.tensor(list(picked), dtype=torch.int64, device=x.device))
    return x


def _pad(
    x: Tensor,
    pads: Tensor,
    value: Tensor | None = None,
    axes: Tensor | None = None,
    mode: bytes = b"constant",
) -> Tensor:
    sizes = ints(pads)
    where = ints(axes) or list(range(x.dim()))
    around = {axis % x.dim(): n for n, axis in enumerate(where)}
    flat: list[int] = []
    for axis in reversed(range(x.dim())):  # torch counts from the last axis
        n = around.get(axis)
        flat += [0, 0] if n is None else [sizes[n], sizes[n + len(where)]]
    kind = {b"edge": "replicate", b"reflect": "reflect"}.get(mode, "constant")
    if kind == "constant":
        return F.pad(x, flat, value=0.0 if value is None else float(value))
    return F.pad(x, flat[: 2 * (x.dim() - 2)], mode=kind)


def _resize(
    x: Tensor,
    _roi: Tensor | None = None,
    scales: Tensor | None = None,
    sizes: Tensor | None = None,
    *,
    mode: bytes = b"nearest",
    coordinate_transformation_mode: bytes = b"half_pixel",
    nearest_mode: bytes = b"round_prefer_floor",
    **_more: Any,
) -> Tensor:
    to = ints(sizes)[2:]
    if scales is not None and sizes is None:
        to = [int(n * f) for n, f in zip(x.shape[2:], scales.tolist()[2:])]
    if mode == b"linear" and coordinate_transformation_mode != b"asymmetric":
        corners = coordinate_transformation_mode == b"align_corners"
        return F.interpolate(x, to, mode="bilinear", align_corners=corners)
    whole = all(n % m == 0 for n, m in zip(to, x.shape[2:]))
    if mode == b"nearest" and (nearest_mode == b"floor" or whole):  # all ways agree
        return F.interpolate(x, to, mode="nearest")
    raise ValueError(f"Resize {mode.decode()}, {coordinate_transformation_mode.decode()}")


def _gather(x: Tensor, at: Tensor, axis: int = 0) -> Tensor:
    size = x.shape[axis]
    inside = torch.where(at < 0, at + size, at)
    if inside.numel() and not 0 <= int(inside.min()) <= int(inside.max()) < size:
        raise IndexError(f"indices element out of data bounds: an axis of {size}")
    found = x.index_select(axis, inside.reshape(-1))
    axis %= x.dim()
    return found.reshape((*x.shape[:axis], *at.shape, *x.shape[axis + 1 :]))


def _split(
    x: Tensor, sizes: Tensor | None = None, *, axis: int = 0, n_outputs: int, **_more: Any
) -> tuple[Tensor, ...]:
    each = ints(sizes) or -(-x.shape[axis] // n_outputs)
    return tuple(torch.split(x, each, axis))


def _unsqueeze(x: Tensor, axes: Tensor) -> Tensor:
    dims = x.dim() + axes.numel()
    for axis in sorted(int(a) % dims for a in axes):
        x = x.unsqueeze(axis)
    return x


def _squeeze(x: Tensor, axes: Tensor | None = None) -> Tensor:
    if axes is None:
        return x.squeeze()
    return x.squeeze(tuple(int(axis) for axis in axes))


def _expand(x: Tensor, shape: Tensor) -> Tensor:
    return (x * torch.ones(ints(shape), dtype=x.dtype, device=x.device)).to(x.dtype)


def _shape_of(x: Tensor, start: int = 0, end: int | None = None) -> Tensor:
    return torch.tensor(list(x.shape[start:end]), dtype=torch.int64)


def _transpose(x: Tensor, perm: Sequence[int] = ()) -> Tensor:
    return x.permute(*(perm or reversed(range(x.dim()))))


SHAPES: Final[Mapping[str, Callable[..., Any]]] = {
    "Concat": lambda *x, axis: torch.cat(x, axis),
    "ConstantOfShape": _constant_of_shape,
    "Expand": _expand,
    "Flatten": lambda x, axis=1: x.flatten(axis),
    "Gather": _gather,
    "Identity": lambda x: x,
    "Pad": _pad,
    "Reshape": _reshape,
    "Resize": _resize,
    "Shape": _shape_of,
    "Slice": _cut,
    "Split": _split,
    "Squeeze": _squeeze,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
"""Operators by name."""
