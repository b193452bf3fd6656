"""What flows through a network on real frames."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import onnx
import onnxruntime

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_daemon.engine.int8.network import Convolution, Network

    Floats = NDArray[np.float64]

_BATCH: Final = 4
_POSITIONS: Final = 240  # places per picture that a convolution's patches are taken from
_SILENT: Final = 4


@dataclass(slots=True, eq=False)
class Patches:
    """First and second moments of what a convolution's weights are multiplied with.

    total is float64 (G, K), products (G, K, K): sums over count patches, for each of G groups.
    """

    total: Floats = field(repr=False)
    products: Floats = field(repr=False)
    count: int = 0

    @property
    def mean(self) -> Floats:
        """Mean patch (G, K)."""
        return self.total / max(1, self.count)

    @property
    def covariance(self) -> Floats:
        """Covariance of patches (G, K, K)."""
        mean = self.mean
        return self.products / max(1, self.count) - mean[:, :, None] * mean[:, None, :]


@dataclass(slots=True, eq=False)
class Flow:
    """Ranges of tensors, lowest and highest per channel (C,), and moments per convolution."""

    lowest: dict[str, Floats] = field(default_factory=dict)
    highest: dict[str, Floats] = field(default_factory=dict)
    patches: dict[str, Patches] = field(default_factory=dict)


def measure_flow(
    network: Network, pictures: NDArray[np.uint8], tensors: Sequence[str], *, moments: bool
) -> Flow:
    """Run the pictures (N, H, W, 3) through, and note the ranges of the tensors (B, C, h, w)."""
    flow, convolutions = Flow(), network.convolutions if moments else ()
    wanted = sorted({*tensors, *(c.takes for c in convolutions)})
    session = _open(network, wanted)
    name = session.get_inputs()[0].name
    for at in range(0, len(pictures), _BATCH):
        found = dict(zip(wanted, session.run(wanted, {name: pictures[at : at + _BATCH]})))
        for tensor in tensors:
            _widen(flow, tensor, found[tensor])
        for convolution in convolutions:
            _add_patches(flow, convolution, found[convolution.takes])
    return flow


def _open(network: Network, tensors: Sequence[str]) -> Any:  # noqa: ANN401  untyped library
    model = onnx.ModelProto()
    model.CopyFrom(network.model)
    shown = {value.name for value in model.graph.output}
    taken = {value.name for value in model.graph.input}
    for tensor in tensors:
        if tensor not in shown | taken:
            model.graph.output.append(onnx.ValueInfoProto(name=tensor))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _SILENT
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def _widen(flow: Flow, tensor: str, x: NDArray[np.float32]) -> None:
    low, high = x.min((0, 2, 3)).astype(np.float64), x.max((0, 2, 3)).astype(np.float64)
    flow.lowest[tensor] = np.minimum(flow.lowest.get(tensor, low), low)
    flow.highest[tensor] = np.maximum(flow.highest.get(tensor, high), high)


def _add_patches(flow: Flow, convolution: Convolution, x: NDArray[np.float32]) -> None:
    patches = patches_of(convolution, x)  # (G, P, K)
    groups, n, size = patches.shape
    held = flow.patches.get(convolution.name)
    if held is None:
        held = Patches(np.zeros((groups, size)), np.zeros((groups, size, size)))
        flow.patches[convolution.name] = held
    held.total += patches.sum(1, dtype=np.float64)
    held.products += np.matmul(patches.transpose(0, 2, 1), patches)
    held.count += n


def patches_of(convolution: Convolution, x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Patches (G, P, K) of x (B, C, h, w): what each group's weights meet, K = C / G * kh * kw.

    Of large pictures every nth patch is taken, spread evenly.
    """
    top, left, bottom, right = convolution.pads
    padded = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, convolution.kernel, axis=(2, 3))
    windows = windows[:, :, :: convolution.strides[0], :: convolution.strides[1]]
    batch, channels, height, width = windows.shape[:4]
    step = max(1, height * width // _POSITIONS) | 1  # odd: not the same columns of each row
    rows, columns = np.divmod(np.arange(0, height * width, step), width)
    taken = windows[:, :, rows, columns]  # (B, C, P, kh, kw)
    groups = convolution.groups
    parted = taken.reshape(batch, groups, channels // groups, len(rows), -1)
    return np.ascontiguousarray(
        parted.transpose(1, 0, 3, 2, 4).reshape(groups, batch * len(rows), -1)
    )
