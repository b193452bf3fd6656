"""ONNX operators in torch.

Source: onnx/onnx, docs/Operators.md, opsets 13 to 21.  Each takes its inputs, None where an
optional one is left out, and its attributes by name.
"""

from __future__ import annotations

from functools import partial, reduce
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  torch's own habit

from edge_daemon.engine.pytorch.shapes import SHAPES, ints, tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

DTYPES: Final = {
    1: torch.float32, 2: torch.uint8, 3: torch.int8, 6: torch.int32, 7: torch.int64,
    9: torch.bool, 10: torch.float16, 11: torch.float64, 16: torch.bfloat16,
}  # fmt: skip
"""By the number of onnx.TensorProto.DataType."""


def _constant(**held: Any) -> Tensor:
    (name, value), *_ = held.items()
    if name == "value":
        return tensor(value)
    return torch.tensor(value, dtype=torch.int64 if name.endswith(("int", "ints")) else None)


def _cast(x: Tensor, to: int) -> Tensor:
    return x.to(DTYPES[to])


def _padded(
    x: Tensor, pads: Sequence[int], auto_pad: bytes, fill: float
) -> tuple[Tensor, Sequence[int]]:
    """A picture with its uneven padding put on, and the even padding that is left."""
    if auto_pad not in (b"NOTSET", b"VALID"):
        raise ValueError(f"auto_pad {auto_pad.decode()}")
    half = len(pads) // 2
    if list(pads[:half]) == list(pads[half:]):
        return x, list(pads[:half])
    flat = [n for axis in reversed(range(half)) for n in (pads[axis], pads[axis + half])]
    return F.pad(x, flat, value=fill), [0] * half


def _conv(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    pads: Sequence[int] = (),
    strides: Sequence[int] = (),
    dilations: Sequence[int] = (),
    group: int = 1,
    auto_pad: bytes = b"NOTSET",
    kernel_shape: Sequence[int] = (),  # noqa: ARG001  the weight tells it
) -> Tensor:
    x, around = _padded(x, pads or [0] * (2 * (x.dim() - 2)), auto_pad, 0.0)
    return F.conv2d(
        x, weight, bias, tuple(strides or (1, 1)), tuple(around), tuple(dilations or (1, 1)), group
    )


def _pool(
    kind: Callable[..., Tensor],
    fill: float,
    x: Tensor,
    *,
    kernel_shape: Sequence[int],
    pads: Sequence[int] = (),
    strides: Sequence[int] = (),
    auto_pad: bytes = b"NOTSET",
    ceil_mode: int = 0,
    **more: Any,
) -> Tensor:
    if any(n != 1 for n in more.pop("dilations", ())):
        raise ValueError("a pool with dilations")
    x, around = _padded(x, pads or [0] * (2 * (x.dim() - 2)), auto_pad, fill)
    if kind is F.avg_pool2d:
        more = {"count_include_pad": bool(more.get("count_include_pad", 0))}
    else:
        more = {}
    steps = tuple(strides or (1, 1))
    return kind(x, tuple(kernel_shape), steps, tuple(around), ceil_mode=bool(ceil_mode), **more)


def _clip(x: Tensor, low: Tensor | None = None, high: Tensor | None = None) -> Tensor:
    return torch.clamp(x, low, high) if low is not None or high is not None else x


def _reduce(
    kind: Callable[..., Tensor],
    x: Tensor,
    axes_in: Tensor | None = None,
    *,
    axes: Sequence[int] = (),
    keepdims: int = 1,
    noop_with_empty_axes: int = 0,
) -> Tensor:
    over = ints(axes_in) or list(axes)
    if not over:
        if noop_with_empty_axes:
            return x
        over = list(range(x.dim()))
    return kind(x, dim=over, keepdim=bool(keepdims))


def _gemm(
    a: Tensor,
    b: Tensor,
    c: Tensor | None = None,
    *,
    alpha: float = 1.0,
    beta: float = 1.0,
    transA: int = 0,  # noqa: N803  ONNX's names
    transB: int = 0,  # noqa: N803
) -> Tensor:
    product = alpha * ((a.T if transA else a) @ (b.T if transB else b))
    return product if c is None else product + beta * c


def _layer_norm(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    axis: int = -1,
    epsilon: float = 1e-5,
    **_more: Any,
) -> Tensor:
    return F.layer_norm(x, x.shape[axis:], weight, bias, epsilon)


def _batch_norm(
    x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, var: Tensor, *,
    epsilon: float = 1e-5, **_more: Any,
) -> Tensor:  # fmt: skip
    return F.batch_norm(x, mean, var, weight, bias, eps=epsilon)


def _along(steps: Tensor, x: Tensor, axis: int) -> Tensor:
    """A scale or zero point for each channel, in a shape that goes with x."""
    if steps.numel() == 1:
        return steps.reshape(())
    shape = [1] * x.dim()
    shape[axis] = -1
    return steps.reshape(shape)


def _quantize(x: Tensor, step: Tensor, zero: Tensor | None = None, *, axis: int = 1) -> Tensor:
    kind = torch.uint8 if zero is None else zero.dtype
    limits = torch.iinfo(kind)
    whole = torch.round(x / _along(step, x, axis))  # to even, as ONNX wants it
    if zero is not None:
        whole = whole + _along(zero, x, axis).float()
    return whole.clamp(limits.min, limits.max).to(kind)


def _dequantize(x: Tensor, step: Tensor, zero: Tensor | None = None, *, axis: int = 1) -> Tensor:
    whole = x.float() if zero is None else x.float() - _along(zero, x, axis).float()
    return whole * _along(step, x, axis)


def _div(a: Tensor, b: Tensor) -> Tensor:
    whole = not a.is_floating_point()
    return torch.div(a, b, rounding_mode="trunc") if whole else a / b


def _gelu(x: Tensor, approximate: bytes = b"none") -> Tensor:
    return F.gelu(x, approximate=approximate.decode())


OPERATORS: Final[Mapping[str, Callable[..., Any]]] = {
    **SHAPES,
    "Abs": torch.abs,
    "Add": torch.add,
    "And": torch.logical_and,
    "AveragePool": partial(_pool, F.avg_pool2d, 0.0),
    "BatchNormalization": _batch_norm,
    "Cast": _cast,
    "Clip": _clip,
    "Constant": _constant,
    "Conv": _conv,
    "Cos": torch.cos,
    "DequantizeLinear": _dequantize,
    "Div": _div,
    "Equal": torch.eq,
    "Erf": torch.erf,
    "Exp": torch.exp,
    "Gelu": _gelu,
    "Gemm": _gemm,
    "GlobalAveragePool": lambda x: x.mean((2, 3), keepdim=True),
    "Greater": torch.gt,
    "HardSigmoid": lambda x, alpha=0.2, beta=0.5: torch.clamp(alpha * x + beta, 0, 1),
    "HardSwish": F.hardswish,
    "LayerNormalization": _layer_norm,
    "LeakyRelu": lambda x, alpha=0.01: F.leaky_relu(x, alpha),
    "Less": torch.lt,
    "Log": torch.log,
    "MatMul": torch.matmul,
    "Max": lambda *x: reduce(torch.maximum, x),
    "MaxPool": partial(_pool, F.max_pool2d, -torch.inf),
    "Min": lambda *x: reduce(torch.minimum, x),
    "Mul": torch.mul,
    "Neg": torch.neg,
    "Not": torch.logical_not,
    "Or": torch.logical_or,
    "Pow": torch.pow,
    "QuantizeLinear": _quantize,
    "Reciprocal": torch.reciprocal,
    "ReduceMax": partial(_reduce, torch.amax),
    "ReduceMean": partial(_reduce, torch.mean),
    "ReduceMin": partial(_reduce, torch.amin),
    "ReduceSum": partial(_reduce, torch.sum),
    "Relu": torch.relu,
    "Sigmoid": torch.sigmoid,
    "Sin": torch.sin,
    "Softmax": lambda x, axis=-1: torch.softmax(x, axis),
    "Softplus": lambda x: F.softplus(x, threshold=88.0),
    "Sqrt": torch.sqrt,
    "Sub": torch.sub,
    "Tanh": torch.tanh,
    "Where": torch.where,
}
"""By name, those of the standard set that bundles are made of."""
