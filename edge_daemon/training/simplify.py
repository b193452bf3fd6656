"""ONNX graphs with fewer and cheaper nodes that compute the same."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import onnx
from onnx import helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

_STANDARD: Final = ("", "ai.onnx")


def simplify(model: onnx.ModelProto) -> onnx.ModelProto:
    """A smaller model: constants folded, what has no effect removed, two things said cheaper.

    Source: measured 2026-11-21 on street 0.1.0: ONNX Runtime's basic optimisation leaves 134 of
    325 nodes of the image graph (onnxsim 139, onnxslim 133) and needs no package more; runtimes
    read the result a fifth to a half faster.
    """
    model = _folded(model)
    _mean_before_product(model.graph)
    _softplus_of_exponentials(model.graph)
    model = _folded(model)
    onnx.checker.check_model(model, full_check=True)
    return model


def name_weights(model: onnx.ModelProto, state: Mapping[str, Tensor]) -> onnx.ModelProto:
    """The model with its tensors named as in the state dict they came from.

    The exporter turns the weight of a linear layer round and gives it a number for a name; here
    it becomes ``NAME.T``, by its values.  Two parameters alike keep their numbers.
    """
    by_bytes: dict[tuple[tuple[int, ...], bytes], list[str]] = {}
    for name, parameter in state.items():
        array = parameter.detach().cpu().numpy()
        by_bytes.setdefault((array.shape, array.tobytes()), []).append(name)
        if array.ndim == 2:
            turned = np.ascontiguousarray(array.T)
            by_bytes.setdefault((turned.shape, turned.tobytes()), []).append(f"{name}.T")
    new = {}
    for held in model.graph.initializer:
        array = numpy_helper.to_array(held)
        names = by_bytes.get((array.shape, array.tobytes()), [])
        if held.name not in state and len(names) == 1:
            new[held.name] = held.name = names[0]
    for node in model.graph.node:
        node.input[:] = [new.get(name, name) for name in node.input]
    return model


def _folded(model: onnx.ModelProto) -> onnx.ModelProto:
    import onnxruntime  # noqa: PLC0415  heavy, and only here

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.log_severity_level = 4
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "folded.onnx"
        options.optimized_model_filepath = str(out)
        onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        folded = onnx.load(out)
    used = {node.domain for node in folded.graph.node}
    if not used <= set(_STANDARD):
        raise ValueError(f"folded into operators of {used}")
    kept = [opset for opset in folded.opset_import if opset.domain in _STANDARD]
    del folded.opset_import[:]
    folded.opset_import.extend(kept)
    folded.producer_name, folded.producer_version = model.producer_name, model.producer_version
    return folded


def _mean_before_product(graph: onnx.GraphProto) -> None:
    """mean(A @ B) over B's last axis is A @ mean(B): a product of T columns becomes one of one."""
    makers = {name: node for node in graph.node for name in node.output}
    readers = _readers(graph)
    for mean in [node for node in graph.node if node.op_type == "ReduceMean"]:
        product = makers.get(mean.input[0])
        attributes = {a.name: helper.get_attribute_value(a) for a in mean.attribute}
        if (
            product is None
            or product.op_type != "MatMul"
            or readers[product.output[0]] != 1
            or attributes.get("axes") != [-1]
            or attributes.get("keepdims", 1)
        ):
            continue
        left, right = product.input
        column, tall = f"{mean.output[0]}_column", f"{mean.output[0]}_tall"
        axis = _held(graph, f"{mean.output[0]}_last", np.array([-1]))
        cheaper = [
            helper.make_node("ReduceMean", [right], [column], axes=[-1], keepdims=1),
            helper.make_node("MatMul", [left, column], [tall]),
            helper.make_node("Squeeze", [tall, axis], list(mean.output)),
        ]
        _replace(graph, mean, cheaper)
        graph.node.remove(product)


def _softplus_of_exponentials(graph: onnx.GraphProto) -> None:
    """log(1 + e^x) as max(x, 0) + log(1 + e^-|x|).

    Source: measured 2026-11-21, ONNX Runtime 1.31.1, x86: its Softplus takes 24 ns a number, one
    at a time; this takes 3.
    """
    for soft in [node for node in graph.node if node.op_type == "Softplus"]:
        (x,), (y,) = soft.input, soft.output
        one = _held(graph, f"{y}_one", np.float32(1))
        away, back, small, more, rest, over = (
            f"{y}_{part}" for part in ("away", "back", "small", "more", "rest", "over")
        )
        cheaper = [
            helper.make_node("Abs", [x], [away]),
            helper.make_node("Neg", [away], [back]),
            helper.make_node("Exp", [back], [small]),
            helper.make_node("Add", [small, one], [more]),
            helper.make_node("Log", [more], [rest]),
            helper.make_node("Relu", [x], [over]),
            helper.make_node("Add", [over, rest], [y]),
        ]
        _replace(graph, soft, cheaper)


def _readers(graph: onnx.GraphProto) -> Mapping[str, int]:
    """How often each tensor is read, outputs of the graph included."""
    names = [*(n for node in graph.node for n in node.input), *(v.name for v in graph.output)]
    return {name: names.count(name) for name in names}


def _held(graph: onnx.GraphProto, name: str, value: np.ndarray | np.generic) -> str:
    graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
    return name


def _replace(graph: onnx.GraphProto, node: onnx.NodeProto, by: list[onnx.NodeProto]) -> None:
    """Put nodes in one's place, in order; their names are those of what they give."""
    for new in by:
        new.name = new.output[0]
    at = list(graph.node).index(node)
    after = list(graph.node)[at + 1 :]
    del graph.node[at:]
    graph.node.extend([*by, *after])
