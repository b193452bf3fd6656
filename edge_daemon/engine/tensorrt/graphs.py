"""Graphs as TensorRT wants them: the precision lies in the ONNX file.

TensorRT 11 has no precision flags and no calibrators; 8.5 has no strong types.  One graph serves
both: halves are written into it, and bytes as Q/DQ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import onnx
from onnx import version_converter
from onnxruntime.transformers.float16 import convert_float_to_float16
from onnxruntime.transformers.onnx_model import OnnxModel

from edge_daemon.engine.int8.network import read_network
from edge_daemon.engine.tensorrt.lint import faults
from edge_daemon.engine.tensorrt.signed import make_signed
from edge_daemon.errors import BundleError

if TYPE_CHECKING:
    from onnx import ModelProto

    from edge_daemon.engine.manifest import Precision

OLD_OPSET: Final = 17
"""The newest that TensorRT 8.5 and 8.6 parse."""
HALF_SCALES_OPSET: Final = 19
"""The first whose QuantizeLinear takes half scales; TensorRT 10 and later parse it."""


def tensorrt_graph(graph: bytes, precision: Precision, *, strong: bool, where: str) -> bytes:
    """An ONNX file for TensorRT's parser from a bundle's: fp32 for fp32 and fp16, int8 for int8.

    strong: every tensor gets exactly the type it has in the file (TensorRT 10 and later), so what
    is not in bytes is written in halves.  Raises BundleError.
    """
    if precision == "int8":
        model = onnx.load_model_from_string(graph)
        make_signed(model)
    else:
        model = read_network(graph).model
    _drop_foreign_opsets(model)
    _cast_first(model)
    _narrow_inputs(model)
    if precision == "int8" and strong:
        model = version_converter.convert_version(model, HALF_SCALES_OPSET)
    if precision == "fp16" or (precision == "int8" and strong):
        model = _in_halves(model)
    found = faults(model)
    if found:
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        bytes_hint = "use precision fp16, or quantize the bundle again"
        hint = bytes_hint if precision == "int8" else "export the bundle again"
        raise BundleError(f"not for TensorRT: {found[0]}{more}", where=where, hint=hint)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _in_halves(model: ModelProto) -> ModelProto:
    """Float tensors become halves; inputs and outputs keep their types.

    The converter writes the same cast once for each reader that stays float (1.31.1).
    """
    halved = OnnxModel(convert_float_to_float16(model, keep_io_types=True))
    nodes = {node.output[0]: node for node in halved.model.graph.node}
    del halved.model.graph.node[:]
    halved.model.graph.node.extend(nodes.values())
    halved.topological_sort()
    made: ModelProto = halved.model
    return made


def _drop_foreign_opsets(model: ModelProto) -> None:
    kept = [entry for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    del model.opset_import[:]
    model.opset_import.extend(kept)


def _cast_first(model: ModelProto) -> None:
    """Turn Transpose, Cast of a byte input into Cast, Transpose.

    TensorRT 8 takes a uint8 input into nothing but a cast.
    Source: TensorRT 8.6 API, DataType.UINT8.
    """
    inputs = {value.name for value in model.graph.input}
    nodes = list(model.graph.node)
    for n, moved in enumerate(nodes):
        if moved.op_type != "Transpose" or moved.input[0] not in inputs:
            continue
        readers = [node for node in nodes if moved.output[0] in node.input]
        if len(readers) != 1 or readers[0].op_type != "Cast":
            continue
        cast = readers[0]
        given, between, taken = moved.input[0], moved.output[0], cast.output[0]
        cast.input[0], cast.output[0] = given, between
        moved.input[0], moved.output[0] = between, taken
        graph = model.graph.node
        graph.remove(cast)
        graph.insert(n, cast)


def _narrow_inputs(model: ModelProto) -> None:
    """Take int64 inputs as int32, and widen them inside: TensorRT before 10 has no int64."""
    for value in model.graph.input:
        kind = value.type.tensor_type
        if kind.elem_type != onnx.TensorProto.INT64:
            continue
        kind.elem_type, wide = onnx.TensorProto.INT32, f"{value.name}_int64"
        for node in model.graph.node:
            node.input[:] = [wide if name == value.name else name for name in node.input]
        widen = onnx.helper.make_node("Cast", [value.name], [wide], to=onnx.TensorProto.INT64)
        model.graph.node.insert(0, widen)
