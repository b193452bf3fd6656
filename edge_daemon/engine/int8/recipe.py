"""From a float image graph to one in eight bits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from edge_daemon.engine.int8.calibrate import measure_flow
from edge_daemon.engine.int8.equalise import equalise, linear_streams
from edge_daemon.engine.int8.network import read_network
from edge_daemon.engine.int8.qdq import RoundedWeights, tensors_to_quantise, write_qdq
from edge_daemon.engine.int8.rounding import round_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_daemon.engine.int8.calibrate import Patches
    from edge_daemon.engine.int8.network import Convolution, Network

_FOR_RANGES: Final = 32  # pictures that tell how loud each channel is


def quantize_graph(
    graph: bytes, pictures: NDArray[np.uint8], *, float_first: int, float_last: int
) -> bytes:
    """The ONNX file with its convolutions in eight bits, calibrated on pictures (N, H, W, 3).

    Convolutions with fewer than float_first others between them and the picture, or fewer than
    float_last between them and the output, stay float.  Raises ValueError when none is left.
    """
    network = read_network(graph)
    chosen = _chosen(network, float_first, float_last)
    if not chosen:
        raise ValueError("no convolution to quantise")
    tensors = tensors_to_quantise(network, chosen)
    streams = linear_streams(network)
    loud = [t for stream in streams for t in stream]
    equalise(network, measure_flow(network, pictures[:_FOR_RANGES], loud, moments=False), streams)
    flow = measure_flow(network, pictures, tensors, moments=True)
    weights = {c.name: _rounded(network, c, flow.patches[c.name]) for c in chosen}
    ranges = {t: (float(flow.lowest[t].min()), float(flow.highest[t].max())) for t in tensors}
    return write_qdq(network, weights, ranges)


def _chosen(network: Network, float_first: int, float_last: int) -> list[Convolution]:
    raws = {c.raw for c in network.convolutions}
    from_input, to_output = dict[str, int](), dict[str, int]()
    for node in network.nodes:  # the most convolutions that lie before each tensor
        before = max((from_input.get(t, 0) for t in node.input), default=0)
        from_input |= {t: before + (t in raws) for t in node.output}
    for node in reversed(network.nodes):  # and after it
        after = max((to_output.get(t, 0) for t in node.output), default=0)
        own = after + (node.output[0] in raws)
        to_output |= {t: max(own, to_output.get(t, 0)) for t in node.input}
    return [
        c
        for c in network.convolutions
        if from_input[c.raw] > float_first and to_output.get(c.raw, 0) >= float_last
    ]


def _neighbours(channels: int, *kernel: int) -> NDArray[np.int64] | None:
    """The input that each of (channels, *kernel) is added to first: the channel beside it.

    None for one channel: filters of single channels are summed at full width.  Source: how ONNX
    Runtime and oneDNN lay inputs out for VPMADDUBSW, seen by equal answers with and without it.
    """
    if channels == 1:
        return None
    taps = int(np.prod(kernel))
    at = np.arange(channels * taps)
    beside = (at // taps ^ 1) * taps + at % taps
    return np.where(beside < len(at), beside, at)


def _rounded(network: Network, convolution: Convolution, patches: Patches) -> RoundedWeights:
    """The convolution's weights on their grid; the bias makes up for what the mean input loses.

    Source of the bias: Nagel et al. 2019 (arXiv 1906.04721), section 4.2.
    """
    weight = network.constant(convolution.weight).astype(np.float64)
    grouped = weight.reshape(convolution.groups, len(weight) // convolution.groups, -1)  # (G, R, K)
    rounded, step = round_weights(grouped, patches.covariance, _neighbours(*weight.shape[1:]))
    lost = np.einsum("grk,gk->gr", grouped - rounded, patches.mean).reshape(-1)
    given = convolution.bias
    bias = network.constant(given).astype(np.float64) if given else np.zeros(len(weight))
    return RoundedWeights(
        rounded.reshape(weight.shape).astype(np.float32),
        step.reshape(-1).astype(np.float32),
        (bias + lost).astype(np.float32),
    )
