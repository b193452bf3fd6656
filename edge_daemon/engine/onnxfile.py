"""ONNX files as bytes: whether one stands alone, and inputs made constant.  Needs no library.

ONNX lets a tensor's values lie in another file.  ONNX Runtime opens that file when a model is
given as bytes, relative to the working directory, and up to 1.20 also at any absolute path
(measured with 1.20.1 and 1.31.1).  A bundle's hashes would not cover it, so such graphs are
refused before the runtime sees them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from edge_daemon.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

# Message -> its fields that may hold a tensor, however deep.  Source: onnx/onnx.proto3.
_MAY_HOLD_TENSORS: Final[Mapping[str, Mapping[int, str]]] = {
    "ModelProto": {7: "GraphProto", 20: "TrainingInfoProto", 25: "FunctionProto"},
    "TrainingInfoProto": {1: "GraphProto", 2: "GraphProto"},
    "FunctionProto": {7: "NodeProto", 11: "AttributeProto"},
    "GraphProto": {1: "NodeProto", 5: "TensorProto", 15: "SparseTensorProto"},
    "NodeProto": {5: "AttributeProto"},
    "AttributeProto": {
        5: "TensorProto",
        6: "GraphProto",
        10: "TensorProto",
        11: "GraphProto",
        22: "SparseTensorProto",
        23: "SparseTensorProto",
    },
    "SparseTensorProto": {1: "TensorProto", 2: "TensorProto"},
    "TensorProto": {},
}
_EXTERNAL_DATA: Final = 13  # of TensorProto: where the values lie
_DATA_LOCATION: Final = 14  # of TensorProto: 0 here, 1 elsewhere

# Field numbers.  Source: onnx/onnx.proto3.
_MODEL_GRAPH: Final = 7
_GRAPH_INITIALIZER, _GRAPH_INPUT = 5, 11
_TENSOR_DIMS, _TENSOR_TYPE, _TENSOR_NAME, _TENSOR_RAW = 1, 2, 8, 9
_FLOAT32, _INT8 = 1, 3  # of TensorProto.DataType

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types; source: protobuf encoding guide
_FIXED_SIZE: Final = {_FIXED64: 8, _FIXED32: 4}


def refuse_external_data(model: bytes, *, where: str) -> None:
    """Raise BundleError when any tensor of the ONNX model lies in another file."""
    hint = "export the bundle again with its weights inside the graphs"
    try:
        if _has_external_data(memoryview(model)):
            raise BundleError("keeps weights in another file", where=where, hint=hint)
    except (ValueError, IndexError) as exc:
        raise BundleError("is not an ONNX model", where=where, hint=hint) from exc


def _has_external_data(model: memoryview) -> bool:
    todo = [("ModelProto", model)]
    while todo:
        message, raw = todo.pop()
        inside = _MAY_HOLD_TENSORS[message]
        for number, value in fields_of(raw):
            if message == "TensorProto" and (
                number == _EXTERNAL_DATA or (number == _DATA_LOCATION and value != 0)
            ):
                return True
            if number in inside:
                if not isinstance(value, memoryview):
                    raise ValueError("a message was expected")
                todo.append((inside[number], value))
    return False


def with_constants(model: bytes, values: Mapping[str, NDArray[np.float32]]) -> bytes:
    """The model with inputs replaced by constants, so that a runtime computes with them once.

    Raises ValueError or IndexError when it is not an ONNX model.
    """
    out = bytearray()
    for number, value, whole in _spans(memoryview(model)):
        if number == _MODEL_GRAPH and isinstance(value, memoryview):
            graph = bytearray()
            for part, held, raw in _spans(value):
                if part == _GRAPH_INPUT and isinstance(held, memoryview) and _name(held) in values:
                    continue
                graph += raw
            for name, array in values.items():
                graph += _field(_GRAPH_INITIALIZER, _tensor(name, array))
            out += _field(_MODEL_GRAPH, bytes(graph))
        else:
            out += whole
    return bytes(out)


def _tensor(name: str, array: NDArray[np.float32]) -> bytes:
    """A TensorProto of float32 numbers."""
    dims = b"".join(_number(_TENSOR_DIMS << 3 | _VARINT) + _number(n) for n in array.shape)
    kind = _number(_TENSOR_TYPE << 3 | _VARINT) + _number(_FLOAT32)
    held = np.ascontiguousarray(array, "<f4").tobytes()
    return dims + kind + _field(_TENSOR_NAME, name.encode()) + _field(_TENSOR_RAW, held)


def _field(number: int, value: bytes) -> bytes:
    return _number(number << 3 | _BYTES) + _number(len(value)) + value


def _number(value: int) -> bytes:
    """Base 128, lowest first.  Source: protobuf encoding guide."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _name(value_info: memoryview) -> str:
    named = (v for number, v in fields_of(value_info) if number == 1)
    return next((bytes(v).decode("utf-8") for v in named if isinstance(v, memoryview)), "")


def signed_bytes(model: bytes) -> Iterator[NDArray[np.int8]]:
    """Yield the int8 tensors that a graph holds: quantised weights.

    Raises ValueError or IndexError when it is not an ONNX model.
    """
    for number, graph in fields_of(memoryview(model)):
        if number != _MODEL_GRAPH or not isinstance(graph, memoryview):
            continue
        for part, held in fields_of(graph):
            if part == _GRAPH_INITIALIZER and isinstance(held, memoryview):
                kind, dims, raw = _parts(held)
                if kind == _INT8 and raw is not None:
                    yield np.frombuffer(raw, np.int8).reshape(dims)


def _parts(held: memoryview) -> tuple[int, list[int], memoryview | None]:
    """Type, shape and raw values of a TensorProto."""
    kind, dims, raw = 0, list[int](), None
    for number, value in fields_of(held):
        if number == _TENSOR_DIMS:  # packed, or one by one
            dims += [value] if isinstance(value, int) else varints_of(value)
        elif number == _TENSOR_TYPE and isinstance(value, int):
            kind = value
        elif number == _TENSOR_RAW and isinstance(value, memoryview):
            raw = value
    return kind, dims, raw


def fields_of(raw: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield number and value of each field; raise ValueError or IndexError when malformed."""
    for number, value, _ in _spans(raw):
        yield number, value


def _spans(raw: memoryview) -> Iterator[tuple[int, int | memoryview, memoryview]]:
    """Yield number and value of each field, and all its bytes."""
    at = 0
    while at < len(raw):
        begin = at
        key, at = _varint(raw, at)
        number, wire_type = key >> 3, key & 7
        if wire_type == _VARINT:
            value, at = _varint(raw, at)
            yield number, value, raw[begin:at]
            continue
        if wire_type == _BYTES:
            size, at = _varint(raw, at)
        else:
            size = _FIXED_SIZE.get(wire_type, -1)
        if not 0 <= size <= len(raw) - at:
            raise ValueError("field runs past the end")
        at += size
        yield number, raw[at - size : at], raw[begin:at]


def varints_of(raw: memoryview) -> list[int]:
    """Return packed numbers; raise ValueError or IndexError when malformed."""
    numbers, at = [], 0
    while at < len(raw):
        number, at = _varint(raw, at)
        numbers.append(number)
    return numbers


def _varint(raw: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = raw[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("number without end")
