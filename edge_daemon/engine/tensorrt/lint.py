"""What TensorRT's parser refuses in a graph, found before the parser is asked.

Source: agreement with the parser of TensorRT for RTX 1.7.1 on 14 quantised forms; TensorRT
documentation, "Explicit Quantization"; onnx-tensorrt, docs/operators.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from onnx import TensorProto, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onnx import ModelProto, NodeProto
    from onnx import TensorProto as Tensor

_PAIR: Final = ("QuantizeLinear", "DequantizeLinear")
_REFUSED: Final = frozenset({
    "ConvInteger", "DynamicQuantizeLinear", "MatMulInteger", "QLinearConv", "QLinearMatMul",
})  # fmt: skip


def faults(model: ModelProto) -> list[str]:
    """Every fault, one clause each; empty where the parser will take the graph's types."""
    constants = {held.name: held for held in model.graph.initializer}
    damaged = [f"{name}: not finite numbers" for name in constants if not _finite(constants[name])]
    return damaged + [fault for node in model.graph.node for fault in _faults_of(node, constants)]


def _finite(held: Tensor) -> bool:
    values = numpy_helper.to_array(held)
    return values.dtype.kind != "f" or bool(np.isfinite(values).all())


def _faults_of(node: NodeProto, constants: dict[str, Tensor]) -> Iterator[str]:
    name = node.name or node.output[0]
    if node.domain not in ("", "ai.onnx"):
        yield f"{name}: {node.domain}.{node.op_type} is no ONNX operator"
    elif node.op_type in _REFUSED:
        yield f"{name}: {node.op_type} instead of QuantizeLinear and DequantizeLinear"
    elif node.op_type in _PAIR:
        yield from _pair_faults(node, name, constants)


def _pair_faults(node: NodeProto, name: str, constants: dict[str, Tensor]) -> Iterator[str]:
    known = [constants.get(at) for at in node.input]
    if len(known) < 3 or known[1] is None or known[2] is None:
        yield f"{name}: no constant scale and zero point"
        return
    if known[2].data_type != TensorProto.INT8:
        yield f"{name}: zero point is {TensorProto.DataType.Name(known[2].data_type)}, not INT8"
    elif numpy_helper.to_array(known[2]).any():
        yield f"{name}: zero point is not zero"
    scale = numpy_helper.to_array(known[1]).astype(np.float64)
    if not (np.isfinite(scale).all() and (scale > 0).all()):
        yield f"{name}: scale is not above zero"
