"""What an ONNX file is made of, read off its bytes: needs no ONNX library."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Final

from edge_daemon.engine.onnxfile import fields_of, varints_of
from edge_daemon.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Iterator

# Field numbers.  Source: onnx/onnx.proto3.
_MODEL_GRAPH: Final = 7
_MODEL_OPSETS: Final = 8
_MODEL_METADATA: Final = 14
_GRAPH_NODE, _GRAPH_INITIALIZER = 1, 5
_NODE_OP_TYPE: Final = 4
_TENSOR_DIMS, _TENSOR_TYPE, _TENSOR_NAME = 1, 2, 8
_OPSET_DOMAIN, _OPSET_VERSION = 1, 2
_ENTRY_KEY, _ENTRY_VALUE = 1, 2
# TensorProto.DataType -> name and bytes of one value
_TYPES: Final = {
    1: ("float32", 4), 2: ("uint8", 1), 3: ("int8", 1), 6: ("int32", 4), 7: ("int64", 8),
    9: ("bool", 1), 10: ("float16", 2), 11: ("float64", 8), 16: ("bfloat16", 2),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class HeldTensor:
    """Numbers that a graph holds: weights, biases, tables."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    n_bytes: int

    @property
    def n_values(self) -> int:
        """How many numbers."""
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class Anatomy:
    """One graph: size of its file, operators with how often, tensors, largest first.

    metadata is what its maker wrote into it.
    """

    n_bytes: int
    opset: int
    operators: dict[str, int]
    tensors: tuple[HeldTensor, ...]
    metadata: dict[str, str]

    @property
    def n_parameters(self) -> int:
        """How many numbers the graph holds."""
        return sum(tensor.n_values for tensor in self.tensors)

    @property
    def bytes_by_type(self) -> dict[str, int]:
        """Bytes of the numbers of each type, most first."""
        sizes: Counter[str] = Counter()
        for tensor in self.tensors:
            sizes[tensor.dtype] += tensor.n_bytes
        return dict(sizes.most_common())


def dissect(model: bytes, *, where: str) -> Anatomy:
    """Take an ONNX file apart.  Raises BundleError when it is none."""
    operators: Counter[str] = Counter()
    tensors, opset, metadata = [], 0, {}
    try:
        for number, value in fields_of(memoryview(model)):
            if number == _MODEL_OPSETS and isinstance(value, memoryview):
                opset = max(opset, _opset(value))
            elif number == _MODEL_METADATA and isinstance(value, memoryview):
                metadata[_text(value, _ENTRY_KEY)] = _text(value, _ENTRY_VALUE)
            if number == _MODEL_GRAPH and isinstance(value, memoryview):
                for part, raw in _messages(value):
                    if part == _GRAPH_NODE:
                        operators[_text(raw, _NODE_OP_TYPE)] += 1
                    elif part == _GRAPH_INITIALIZER:
                        tensors.append(_tensor(raw))
    except (ValueError, IndexError) as exc:
        hint = "export the bundle again"
        raise BundleError("is not an ONNX model", where=where, hint=hint) from exc
    tensors.sort(key=lambda tensor: -tensor.n_bytes)
    return Anatomy(len(model), opset, dict(operators.most_common()), tuple(tensors), metadata)


def _messages(raw: memoryview) -> Iterator[tuple[int, memoryview]]:
    for number, value in fields_of(raw):
        if isinstance(value, memoryview):
            yield number, value


def _text(raw: memoryview, wanted: int) -> str:
    for number, value in _messages(raw):
        if number == wanted:
            return bytes(value).decode("utf-8")
    return ""


def _opset(raw: memoryview) -> int:
    """Version of the standard operators; 0 for other sets of them."""
    version, domain = 0, b""
    for number, value in fields_of(raw):
        if number == _OPSET_VERSION and isinstance(value, int):
            version = value
        elif number == _OPSET_DOMAIN and isinstance(value, memoryview):
            domain = bytes(value)
    return version if domain in (b"", b"ai.onnx") else 0


def _tensor(raw: memoryview) -> HeldTensor:
    shape: list[int] = []
    kind = 0
    for number, value in fields_of(raw):
        if number == _TENSOR_DIMS:  # packed, or one by one
            shape += [value] if isinstance(value, int) else varints_of(value)
        elif number == _TENSOR_TYPE and isinstance(value, int):
            kind = value
    dtype, size = _TYPES.get(kind, (f"type {kind}", 0))
    return HeldTensor(_text(raw, _TENSOR_NAME), tuple(shape), dtype, prod(shape) * size)
