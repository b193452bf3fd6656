"""Channels of one tensor brought to one range, where that changes nothing.

A tensor gets one step for all its channels; a channel that is forty times quieter than the
loudest keeps three of eight bits.  Between convolutions with no clip in between, a channel may be
divided by any number that the next convolutions multiply it with again.
Source: Nagel et al. 2019, Data-Free Quantization (arXiv 1906.04721), here without the ReLU6
tensors, whose clip at six would have to move with the channel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_daemon.engine.int8.calibrate import Flow
    from edge_daemon.engine.int8.network import Convolution, Network

_LINEAR: Final = ("Add", "ReduceMean", "Resize")  # give each channel back as they got it, or sums
_QUIETEST: Final = 1 / 256  # of the loudest: a channel that hardly speaks is not blown up further


def linear_streams(network: Network) -> list[frozenset[str]]:
    """Sets of tensors whose channels must be scaled together, and may be."""
    found, seen = [], set[str]()
    for convolution in network.convolutions:
        if convolution.gives != convolution.raw or convolution.raw in seen:
            continue
        stream = _stream(network, convolution.raw)
        seen |= stream
        if _may_be_scaled(network, stream):
            found.append(frozenset(stream))
    return found


def equalise(network: Network, flow: Flow, streams: Sequence[frozenset[str]]) -> None:
    """Scale the weights around each stream; flow holds the ranges of all its tensors."""
    for stream in streams:
        loudest = np.max(
            [np.maximum(np.abs(flow.lowest[t]), np.abs(flow.highest[t])) for t in stream], axis=0
        )
        if loudest.max() <= 0:
            continue
        share = np.maximum(loudest / loudest.max(), _QUIETEST).astype(np.float32)  # (C,)
        for convolution in network.convolutions:
            if convolution.raw in stream:
                _divide_outputs(network, convolution, share)
            if convolution.takes in stream:
                _multiply_inputs(network, convolution, share)


def _stream(network: Network, start: str) -> set[str]:
    stream, todo = set[str](), [start]
    while todo:
        tensor = todo.pop()
        if tensor in stream:
            continue
        stream.add(tensor)
        maker = network.maker(tensor)
        near = [*network.readers(tensor), *([maker] if maker is not None else [])]
        for node in near:
            if node.op_type == "Add":
                todo += [*node.input, *node.output]
            elif node.op_type in _LINEAR:
                todo += [node.input[0], node.output[0]]
    return stream


def _may_be_scaled(network: Network, stream: set[str]) -> bool:
    """Whether all that makes or reads the stream is a convolution, or passes it on."""
    own_out = {c.raw for c in network.convolutions if c.raw == c.gives}
    own_in = {(c.raw, c.takes) for c in network.convolutions}
    shown = {value.name for value in network.model.graph.output}
    for tensor in stream:
        maker = network.maker(tensor)
        if maker is None or tensor in shown:
            return False
        if maker.op_type not in _LINEAR and tensor not in own_out:
            return False
        for reader in network.readers(tensor):
            if reader.op_type not in _LINEAR and (reader.output[0], tensor) not in own_in:
                return False
    return True


def _divide_outputs(network: Network, convolution: Convolution, share: NDArray[np.float32]) -> None:
    weight = network.constant(convolution.weight)
    network.set_constant(convolution.weight, weight / share.reshape(-1, 1, 1, 1))
    if convolution.bias is not None:
        network.set_constant(convolution.bias, network.constant(convolution.bias) / share)


def _multiply_inputs(
    network: Network, convolution: Convolution, share: NDArray[np.float32]
) -> None:
    weight = network.constant(convolution.weight)  # (M, C / groups, kh, kw)
    outputs, inputs = weight.shape[:2]
    parted = share.reshape(convolution.groups, 1, inputs, 1, 1)
    scaled = weight.reshape(convolution.groups, -1, *weight.shape[1:]) * parted
    network.set_constant(convolution.weight, scaled.reshape(outputs, *weight.shape[1:]))
