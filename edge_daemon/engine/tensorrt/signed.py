"""A graph of bytes as ONNX Runtime's kernels take it, rewritten as TensorRT's parser takes it.

Ours has unsigned activations with a zero point, int32 biases, and a byte tensor before every sum.
TensorRT wants signed bytes around zero and float biases (TensorRT documentation, "Explicit
Quantization"), and fuses a convolution with a sum only where its own result was not rounded first.
The ranges come from the graph itself, so no calibration is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from onnx import helper, numpy_helper

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnx import ModelProto, NodeProto

_STEPS: Final = 127  # of a signed byte, on either side of zero
_LEAST_STEP: Final = float(np.finfo(np.float16).smallest_normal)
"""Steps below it are zero, or lose their bits, as halves; such weights hardly differ from zero."""


def make_signed(model: ModelProto) -> None:
    """Rewrite the model's Q/DQ pairs in place; what they clipped is clipped by a Relu instead."""
    graph = _Graph(model)
    _float_biases(graph)
    _coarsen_weights(graph)
    for quantize in [n for n in model.graph.node if n.op_type == "QuantizeLinear"]:
        if quantize.input[0] in graph.constants:
            continue
        step, zero = (graph.constants[name] for name in quantize.input[1:3])
        low, high = -float(zero) * float(step), (255.0 - float(zero)) * float(step)
        if zero.dtype != np.uint8:
            continue
        if low == 0.0:
            graph.clip_at_zero(quantize)
        graph.rescale(quantize, max(-low, high) / _STEPS)
    _free_sums(graph)
    graph.drop_unused()


class _Graph:
    """A model with its constants by name."""

    def __init__(self, model: ModelProto) -> None:
        self.model = model
        self.constants = {c.name: numpy_helper.to_array(c) for c in model.graph.initializer}

    def readers(self, tensor: str) -> list[NodeProto]:
        return [node for node in self.model.graph.node if tensor in node.input]

    def maker(self, tensor: str) -> NodeProto | None:
        return next((node for node in self.model.graph.node if tensor in node.output), None)

    def add_constant(self, name: str, values: NDArray[Any]) -> str:
        if name not in self.constants:
            self.constants[name] = values
            self.model.graph.initializer.append(numpy_helper.from_array(values, name))
        return name

    def clip_at_zero(self, quantize: NodeProto) -> None:
        """Put a Relu before it: an unsigned range from zero clipped there."""
        tensor = quantize.input[0]
        maker = self.maker(tensor)
        if maker is not None and maker.op_type in ("Relu", "Sigmoid", "Softmax"):
            return
        clipped = f"{tensor}_relu"
        at = list(self.model.graph.node).index(quantize)
        self.model.graph.node.insert(at, helper.make_node("Relu", [tensor], [clipped], clipped))
        quantize.input[0] = clipped

    def rescale(self, quantize: NodeProto, step: float) -> None:
        """Give a quantize node, and what reads it, a signed scale of this step."""
        name = quantize.output[0]
        scale = [
            self.add_constant(f"{name}_step_s8", np.array(step, np.float32)),
            self.add_constant(f"{name}_zero_s8", np.array(0, np.int8)),
        ]
        for node in (quantize, *self.readers(name)):
            node.input[1:3] = scale

    def replace(self, tensor: str, by: str) -> None:
        for node in self.readers(tensor):
            for n, name in enumerate(node.input):
                if name == tensor:
                    node.input[n] = by

    def drop_unused(self) -> None:
        graph = self.model.graph
        used = {name for node in graph.node for name in node.input}
        kept = [held for held in graph.initializer if held.name in used]
        del graph.initializer[:]
        graph.initializer.extend(kept)


def _float_biases(graph: _Graph) -> None:
    """Turn dequantised int32 constants into float ones: the parser takes bytes alone."""
    for node in list(graph.model.graph.node):
        whole = graph.constants.get(node.input[0]) if node.op_type == "DequantizeLinear" else None
        if whole is not None and whole.dtype == np.int32:
            steps = graph.constants[node.input[1]].astype(np.float64)
            values = (whole * steps).astype(np.float32)
            graph.model.graph.node.remove(node)
            graph.replace(node.output[0], graph.add_constant(f"{node.output[0]}_f32", values))


def _coarsen_weights(graph: _Graph) -> None:
    """Round weights whose steps are too small to the smallest step that halves hold."""
    for node in [n for n in graph.model.graph.node if n.op_type == "DequantizeLinear"]:
        whole, step = graph.constants.get(node.input[0]), graph.constants[node.input[1]]
        if whole is None or whole.dtype != np.int8 or (step >= _LEAST_STEP).all():
            continue
        coarse = np.maximum(step, np.float32(_LEAST_STEP))
        share = (step / coarse).reshape(-1, *[1] * (whole.ndim - 1) if step.ndim else [])
        rounded = np.round(whole * share).astype(np.int8)
        node.input[0] = graph.add_constant(f"{node.input[0]}_coarse", rounded)
        node.input[1] = graph.add_constant(f"{node.input[1]}_coarse", coarse)


def _free_sums(graph: _Graph) -> None:
    """Let sums take one convolution's result as it is, unrounded, beside a rounded one."""
    for add in [n for n in graph.model.graph.node if n.op_type == "Add"]:
        for n, name in enumerate(add.input):
            dequantize = graph.maker(name)
            if dequantize is None or dequantize.op_type != "DequantizeLinear":
                continue
            quantize = graph.maker(dequantize.input[0])
            if quantize is None or len(graph.readers(name)) > 1:
                continue
            made_by = graph.maker(quantize.input[0])
            if made_by is None or made_by.op_type != "Conv":
                continue
            add.input[n] = quantize.input[0]
            graph.model.graph.node.remove(dequantize)
            if not graph.readers(quantize.output[0]):
                graph.model.graph.node.remove(quantize)
            break
