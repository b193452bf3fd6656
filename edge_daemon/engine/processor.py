"""What this machine's processor can do."""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_daemon.engine.onnxfile import signed_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

PAIR: Final = 128
"""What two weights that are added first may come to together: 255 times it still fits into 16 bits,
in which x86 without VNNI adds their products.  Source: Intel's manual, VPMADDUBSW."""


@cache
def sums_bytes_exactly() -> bool:
    """Whether the processor sums products of bytes at full width.

    x86 without VNNI adds pairs of them in 16 bits, and saturates.
    Source: ONNX Runtime, onnxruntime_session_options_config_keys.h, session.x64quantprecision.
    """
    if platform.machine() not in ("x86_64", "AMD64"):
        return True
    try:
        return "vnni" in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def sums_exactly(model: bytes) -> bool:
    """Whether this processor sums the products of a graph's bytes exactly, the fast way.

    Raises ValueError or IndexError when it is not an ONNX model.
    """
    return sums_bytes_exactly() or all(map(fits_sixteen_bits, signed_bytes(model)))


def fits_sixteen_bits(weights: NDArray[np.int8]) -> bool:
    """Whether unsigned bytes times two weights that are added first never leave 16 bits.

    Those are channels 2n and 2n + 1 of a convolution (O, C, h, w); filters of single channels, and
    vectors, are summed otherwise.  Where that is not sure, weights count by the largest.
    """
    wide = weights.astype(np.int16)
    if weights.ndim < 2 or not weights.size or weights.shape[1:2] == (1,):
        return True
    channels, taps = weights.shape[1], int(np.prod(weights.shape[2:]))
    if weights.ndim != 4 or (channels % 2 and taps > 1):
        return int(np.abs(wide).max()) * 2 <= PAIR
    sums = wide[:, ::2].copy()
    sums[:, : channels // 2] += wide[:, 1::2]
    return int(np.abs(sums).max()) <= PAIR
