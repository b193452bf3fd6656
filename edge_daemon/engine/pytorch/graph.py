"""An ONNX graph walked node by node in torch, in fp32 on the processor or on a GPU."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final

import onnx
import torch
from google.protobuf.message import DecodeError
from onnx import numpy_helper

from edge_daemon.engine.pytorch.modelfile import open_model_file
from edge_daemon.engine.pytorch.operators import OPERATORS
from edge_daemon.engine.pytorch.shapes import tensor
from edge_daemon.engine.runtime import GraphTooLargeError, Port
from edge_daemon.errors import BundleError, EngineMissingError, EngineRunError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from edge_daemon.engine.manifest import GraphName, Precision
    from edge_daemon.engine.runtime import Graph

# Source: torch raises RuntimeError and its children (OutOfMemoryError); our operators the others.
_FAULTS: Final = (
    RuntimeError, ValueError, TypeError, IndexError, KeyError, MemoryError,
)  # fmt: skip
_TOO_LARGE: Final = ("out of memory", "can't allocate memory", "not enough memory")
_STANDARD: Final = ("", "ai.onnx")
_ARGUMENTS: Final[Mapping[GraphName, tuple[str, ...]]] = {
    "image": ("pixels",),
    "question": ("ids",),
    "answer": ("tokens", "vectors", "mask"),
    "model": ("pixel_values", "input_ids", "attention_mask"),
}
"""What the program of each graph takes, in order."""


class Torch:
    """Torch on the processor.

    weights: a state dict or TorchScript file whose weights, or program, take the place of the
    bundle's.  Raises BundleError, EngineMissingError.
    """

    backend: ClassVar[str] = "torch"
    device: ClassVar[str] = "cpu"
    prefers: Sequence[Precision] = ("fp32",)

    def __init__(self, weights: Path | None = None) -> None:
        self._file = None if weights is None else open_model_file(weights)
        self.weights_sha256 = None if self._file is None else self._file.sha256

    def gains(self, model: bytes) -> bool:  # noqa: ARG002
        """Never asked: it has no kernels for bytes."""
        return False

    def open(self, model: bytes, *, where: str, which: GraphName, threads: int) -> Graph:
        """Read a graph.  Raises BundleError.

        Threads are the process's own in torch: the last engine opened sets them.
        """
        torch.set_num_threads(threads)
        hint = "export the bundle again"
        try:
            parsed = onnx.load_from_string(model)
            onnx.checker.check_model(parsed)
        except (DecodeError, onnx.checker.ValidationError, ValueError) as exc:
            what = f"cannot be opened: {_short(exc)}"
            raise BundleError(what, where=where, hint=hint) from exc
        strange = {
            node.op_type
            for node in parsed.graph.node
            if node.domain not in _STANDARD or node.op_type not in OPERATORS
        }
        if strange:
            what = f"cannot be opened: torch lacks {', '.join(sorted(strange))}"
            raise BundleError(what, where=where, hint="use backend onnxruntime")
        try:
            return self._opened(parsed.graph, where, which)
        except _FAULTS as exc:
            what = f"cannot be opened: {_short(exc)}"
            raise BundleError(what, where=where, hint=hint) from exc

    def _opened(self, graph: onnx.GraphProto, where: str, which: GraphName) -> _TorchGraph:
        file = self._file
        if file is not None and file.program is not None:
            return _ProgramGraph(graph, where, self.device, file.part(which), _ARGUMENTS[which])
        opened = _TorchGraph(graph, where, self.device)
        if file is not None:
            opened.fill(lambda held: file.fill(held, which))
        return opened


class TorchCuda(Torch):
    """Torch on an NVIDIA GPU.  Raises EngineMissingError where it sees none."""

    backend: ClassVar[str] = "torch-cuda"
    device: ClassVar[str] = "cuda"

    def __init__(self, weights: Path | None = None) -> None:
        if not torch.cuda.is_available():
            what = f"torch {torch.__version__} sees no GPU"
            hint = "install torch with CUDA and a driver for it, or use another backend"
            raise EngineMissingError(what, where=f"engine backend {self.backend}", hint=hint)
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        super().__init__(weights)


@dataclass(frozen=True, slots=True)
class _Step:
    """One node: inputs by name ("" where left out), and the tensors nobody needs after it."""

    operator: str
    takes: tuple[str, ...]
    gives: tuple[str, ...]
    attributes: dict[str, Any] = field(repr=False)
    last: tuple[str, ...]


class _TorchGraph:
    """Constants on the device, and the nodes in order."""

    def __init__(self, graph: onnx.GraphProto, where: str, device: str) -> None:
        self._where, self._device = where, device
        self._held: dict[str, Tensor] = {
            held.name: self._placed(numpy_helper.to_array(held)) for held in graph.initializer
        }
        self.inputs = {v.name: _port(v) for v in graph.input if v.name not in self._held}
        self.outputs = {v.name: _port(v) for v in graph.output}
        self._steps: list[_Step] = []
        for node, last in zip(graph.node, _last_uses(graph)):
            attributes = {a.name: _value(a) for a in node.attribute}
            if node.op_type == "Split":
                attributes["n_outputs"] = len(node.output)
            if node.op_type == "Constant":
                self._held[node.output[0]] = OPERATORS["Constant"](**attributes).to(device)
                continue
            takes, gives = tuple(node.input), tuple(node.output)
            self._steps.append(_Step(node.op_type, takes, gives, attributes, last))

    def fill(self, learnt: Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]]) -> None:
        """Replace constants by what is made of them on the processor."""
        found = learnt({name: held.cpu() for name, held in self._held.items()})
        self._held = {name: held.to(self._held[name].device) for name, held in found.items()}

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
        """Outputs in order.  Raises EngineRunError, GraphTooLargeError."""
        try:
            with torch.inference_mode():
                known = self._computed(
                    {**self._held, **{n: self._placed(x) for n, x in feeds.items()}}
                )
                return [known[name].cpu().numpy() for name in self.outputs]
        except _FAULTS as exc:
            said = _short(exc)
            large = isinstance(exc, MemoryError) or any(words in said for words in _TOO_LARGE)
            fault = GraphTooLargeError if large else EngineRunError
            hint = "free memory; if this stays, copy the bundle again"
            raise fault(said, where=self._where, hint=hint) from exc

    def _computed(self, known: dict[str, Tensor]) -> Mapping[str, Tensor]:
        """Outputs by name, of inputs and constants."""
        for step in self._steps:
            self._take(step, known)
        return known

    def _take(self, step: _Step, known: dict[str, Tensor]) -> None:
        given = [known[name] if name else None for name in step.takes]
        found = OPERATORS[step.operator](*given, **step.attributes)
        if not isinstance(found, tuple):
            found = (found,)
        known.update(zip(step.gives, found))
        for name in step.last:
            del known[name]

    def _placed(self, array: NDArray[Any]) -> Tensor:
        """On the device; numbers that become shapes stay where Python reads them."""
        placed = tensor(array)
        return (
            placed
            if placed.numel() <= 8 and not placed.is_floating_point()
            else placed.to(self._device)
        )


class _ProgramGraph(_TorchGraph):
    """A TorchScript module in a graph's place: the same inputs and outputs."""

    def __init__(
        self, graph: onnx.GraphProto, where: str, device: str, program: Any, takes: Sequence[str]
    ) -> None:
        super().__init__(graph, where, device)
        self._program, self._takes = program.to(device), takes

    def _computed(self, known: dict[str, Tensor]) -> Mapping[str, Tensor]:
        found = self._program(*(known[name].to(self._device) for name in self._takes))
        if isinstance(found, dict):
            return found
        return dict(zip(self.outputs, found if isinstance(found, tuple) else (found,)))


def _last_uses(graph: onnx.GraphProto) -> list[tuple[str, ...]]:
    """For each node the tensors made by nodes that no later node reads."""
    kept = {v.name for v in graph.output}
    made: set[str] = {
        name for node in graph.node for name in node.output if node.op_type != "Constant"
    }
    last: list[tuple[str, ...]] = []
    for node in reversed(graph.node):
        used = {*node.input, *node.output} & made - kept
        last.append(tuple(sorted(used)))
        kept |= used
    return last[::-1]


def _port(value: onnx.ValueInfoProto) -> Port:
    kind = value.type.tensor_type
    sizes = [d.dim_value if d.HasField("dim_value") else d.dim_param or "?" for d in kind.shape.dim]
    dtype = onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type).name
    return Port(dtype, tuple(sizes))


def _value(attribute: onnx.AttributeProto) -> Any:
    value = onnx.helper.get_attribute_value(attribute)
    return numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value


def _short(exc: Exception) -> str:
    """Torch's or ONNX's own words, in 200 characters."""
    words = " ".join(str(exc).rpartition("RuntimeError: ")[2].split())  # TorchScript tells it last
    return words[:200] + "..." if len(words) > 200 else words or type(exc).__name__
