"""The graph written with QuantizeLinear and DequantizeLinear."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from onnx import helper

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray
    from onnx import NodeProto

    from edge_daemon.engine.int8.network import Convolution, Network

_LEVELS: Final = 255
_PASSES_ON: Final = ("MaxPool",)  # what comes out was in what went in


@dataclass(frozen=True, slots=True, eq=False)
class RoundedWeights:
    """A convolution's weights: float32 values on the grid, and the step of each output channel."""

    weight: NDArray[np.float32] = field(repr=False)
    step: NDArray[np.float32] = field(repr=False)
    bias: NDArray[np.float32] = field(repr=False)


def tensors_to_quantise(network: Network, chosen: Sequence[Convolution]) -> tuple[str, ...]:
    """Tensors that get eight bits: what the chosen convolutions take and give, and sums of it.

    A sum is taken in eight bits only where both sides are; the network's own outputs stay float.
    """
    shown = {value.name for value in network.model.graph.output}
    found = dict.fromkeys(t for c in chosen for t in (c.takes, c.gives) if t not in shown)
    for node in network.nodes:
        (gives, *_), takes = node.output, list(node.input)
        sums = node.op_type == "Add" and all(t in found for t in takes)
        if (sums or (node.op_type in _PASSES_ON and takes[0] in found)) and gives not in shown:
            found[gives] = None
    return tuple(found)


def write_qdq(
    network: Network,
    weights: Mapping[str, RoundedWeights],
    ranges: Mapping[str, tuple[float, float]],
) -> bytes:
    """The ONNX file: unsigned activations with a zero point, signed weights, int32 biases.

    weights is by name of convolution, ranges by tensor.  This is the form ONNX Runtime's CPU
    kernels take whole; clips that the unsigned range implies are left out.
    """
    writer = _Writer(network)
    for tensor, (low, high) in ranges.items():
        writer.keep_scale(tensor, low, high)
    for convolution in network.convolutions:
        if convolution.name in weights:
            writer.put_weights(convolution, weights[convolution.name])
    writer.drop_clips(network.convolutions)
    return writer.file()


class _Writer:
    def __init__(self, network: Network) -> None:
        self._network = network
        self._scales: dict[str, tuple[float, int]] = {}  # tensor -> step, zero point
        self._before: list[NodeProto] = []  # nodes on constants alone

    def keep_scale(self, tensor: str, low: float, high: float) -> None:
        low, high = min(low, 0.0), max(high, 1e-6)  # zero must be on the grid: padding
        step = np.float32((high - low) / _LEVELS)
        zero = int(np.clip(np.round(-low / step), 0, _LEVELS))
        self._scales[tensor] = (float(step), zero)
        self._network.set_constant(f"{tensor}_step", np.array(step, np.float32))
        self._network.set_constant(f"{tensor}_zero", np.array(zero, np.uint8))

    def put_weights(self, convolution: Convolution, rounded: RoundedWeights) -> None:
        node = self._network.maker(convolution.raw)
        assert node is not None  # noqa: S101  it was found in this graph
        step = rounded.step.astype(np.float32)
        whole = np.round(rounded.weight / step.reshape(-1, 1, 1, 1)).astype(np.int8)
        node.input[1] = self._constant(convolution.weight, whole, step)
        bias_step = step * np.float32(self._scales[convolution.takes][0])
        limit = 2**31 - 1
        bias = np.clip(np.round(rounded.bias.astype(np.float64) / bias_step), -limit, limit)
        name = convolution.bias or f"{convolution.name}_bias"
        del node.input[2:]
        node.input.append(self._constant(name, bias.astype(np.int32), bias_step))

    def drop_clips(self, convolutions: Iterable[Convolution]) -> None:
        """Leave out clips to [0, high] whose result is unsigned from zero up: Q clips as well."""
        graph = self._network.model.graph
        for convolution in convolutions:
            step_zero = self._scales.get(convolution.gives)
            if convolution.gives == convolution.raw or step_zero is None or step_zero[1] != 0:
                continue
            clip = self._network.maker(convolution.gives)
            made = self._network.maker(convolution.raw)
            assert clip is not None and made is not None  # noqa: S101,PT018  as above
            graph.node.remove(clip)
            made.output[0] = convolution.gives

    def file(self) -> bytes:
        graph = self._network.model.graph
        written: list[NodeProto] = list(self._before)
        for value in graph.input:
            written += self._round(value.name)
        for node in graph.node:
            for n, name in enumerate(node.input):
                if name in self._scales:
                    node.input[n] = f"{name}_dq"
            written.append(node)
            for name in node.output:
                written += self._round(name)
        del graph.node[:]
        graph.node.extend(written)
        return bytes(self._network.model.SerializeToString())

    def _round(self, tensor: str) -> list[NodeProto]:
        if tensor not in self._scales:
            return []
        scale = [f"{tensor}_step", f"{tensor}_zero"]
        return [
            helper.make_node("QuantizeLinear", [tensor, *scale], [f"{tensor}_q"]),
            helper.make_node("DequantizeLinear", [f"{tensor}_q", *scale], [f"{tensor}_dq"]),
        ]

    def _constant(self, name: str, whole: NDArray[Any], step: NDArray[np.float32]) -> str:
        """Keep whole numbers in place of a constant; return the name they have as floats."""
        kept = f"{name}_whole"
        for held in list(self._network.model.graph.initializer):
            if held.name == name:
                self._network.model.graph.initializer.remove(held)
        self._network.set_constant(kept, whole)
        self._network.set_constant(f"{name}_steps", step)
        self._network.set_constant(f"{name}_zeros", np.zeros(len(step), whole.dtype))
        takes = [kept, f"{name}_steps", f"{name}_zeros"]
        node = helper.make_node("DequantizeLinear", takes, [f"{name}_dq"], axis=0)
        self._before.append(node)
        return f"{name}_dq"
