"""An ONNX graph seen as convolutions and what lies between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from onnx import ModelProto, NodeProto

_LEVEL: Final = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
_SILENT: Final = 4


@dataclass(frozen=True, slots=True)
class Convolution:
    """One two-dimensional convolution with weights of its own.

    takes and gives are names of tensors; gives is behind the clip (ReLU, ReLU6) where nothing
    else reads the convolution's own output, named raw.
    """

    name: str
    takes: str
    raw: str
    gives: str
    weight: str
    bias: str | None
    groups: int
    kernel: tuple[int, int]
    strides: tuple[int, int]
    pads: tuple[int, int, int, int]  # top, left, bottom, right


@dataclass(slots=True, eq=False)
class Network:
    """A graph that may be changed, with its constants by name."""

    model: ModelProto = field(repr=False)
    convolutions: tuple[Convolution, ...]

    @property
    def nodes(self) -> list[NodeProto]:
        """In the order they run."""
        return list(self.model.graph.node)

    def constant(self, name: str) -> NDArray[Any]:
        """A copy of a constant.  Raises KeyError."""
        for held in self.model.graph.initializer:
            if held.name == name:
                return np.array(numpy_helper.to_array(held))
        raise KeyError(name)

    def set_constant(self, name: str, values: NDArray[Any]) -> None:
        """Put a constant in place of the one of that name, or add it."""
        new = numpy_helper.from_array(values, name)
        for held in self.model.graph.initializer:
            if held.name == name:
                held.CopyFrom(new)
                return
        self.model.graph.initializer.append(new)

    def readers(self, tensor: str) -> list[NodeProto]:
        """Nodes that take the tensor."""
        return [node for node in self.model.graph.node if tensor in node.input]

    def maker(self, tensor: str) -> NodeProto | None:
        """The node that gives the tensor; None for inputs and constants."""
        return next((node for node in self.model.graph.node if tensor in node.output), None)


def read_network(graph: bytes) -> Network:
    """Read an ONNX file, its constants folded and its paddings drawn into the convolutions."""
    model = onnx.load_model_from_string(_simplified(graph))
    used = {name for node in model.graph.node for name in node.input}
    kept = [held for held in model.graph.initializer if held.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    network = Network(model, ())
    network.convolutions = tuple(_convolutions(network))
    return network


def _simplified(graph: bytes) -> bytes:
    """The graph as ONNX Runtime's basic, hardware-independent pass leaves it."""
    from tempfile import TemporaryDirectory  # noqa: PLC0415  the runtime writes to paths only

    with TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = _LEVEL
        options.log_severity_level = _SILENT
        options.optimized_model_filepath = f"{folder}/simple.onnx"
        onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        with open(options.optimized_model_filepath, "rb") as file:  # noqa: PTH123
            return file.read()


def _convolutions(network: Network) -> Iterator[Convolution]:
    held = {constant.name: list(constant.dims) for constant in network.model.graph.initializer}
    for node in network.model.graph.node:
        if node.op_type != "Conv" or len(held.get(node.input[1], ())) != 4:
            continue
        given = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        plain = list(given.get("dilations", [1, 1])) == [1, 1]
        plain = plain and given.get("auto_pad", b"NOTSET") == b"NOTSET"
        bias = node.input[2] if len(node.input) > 2 else None
        if not plain or (bias is not None and bias not in held):
            continue
        yield Convolution(
            name=node.name or node.output[0],
            takes=node.input[0],
            raw=node.output[0],
            gives=_behind_clip(network, node.output[0]),
            weight=node.input[1],
            bias=bias,
            groups=int(given.get("group", 1)),
            kernel=tuple(held[node.input[1]][2:]),
            strides=tuple(given.get("strides", (1, 1))),
            pads=tuple(given.get("pads", (0, 0, 0, 0))),
        )


def _behind_clip(network: Network, tensor: str) -> str:
    readers = network.readers(tensor)
    shown = {value.name for value in network.model.graph.output}
    if len(readers) == 1 and readers[0].op_type in ("Clip", "Relu") and tensor not in shown:
        return str(readers[0].output[0])
    return tensor
