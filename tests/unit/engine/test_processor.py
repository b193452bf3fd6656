"""Which graphs a processor without VNNI sums exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from edge_daemon.engine.onnxfile import signed_bytes
from edge_daemon.engine.processor import fits_sixteen_bits

if TYPE_CHECKING:
    from numpy.typing import NDArray


def weights(*channels: int, taps: tuple[int, int] = (1, 1)) -> NDArray[np.int8]:
    """One output channel (1, C, h, w), every tap alike."""
    plain = np.array(channels, np.int8).reshape(1, -1, 1, 1)
    return np.broadcast_to(plain, (1, len(channels), *taps)).copy()


@pytest.mark.parametrize(
    ("held", "fits"),
    [
        (weights(64, 64), True),
        (weights(127, 1), True),
        (weights(127, -127), True),
        (weights(1, 127, 127, 1), True),  # neighbours are 1, 127 and 127, 1
        (weights(-127, -1), True),
        (weights(127, 2), False),
        (weights(-65, -64), False),
        (weights(1, 1, 100, 29), False),
        (weights(1, 1, 127), True),  # the last one alone
        (weights(127), True),  # a filter of one channel is summed at full width
        (weights(127, taps=(3, 3)), True),
        (weights(127, 1, taps=(3, 3)), True),
        (weights(64, 64, 64, taps=(3, 3)), True),  # odd: which are neighbours is not sure
        (weights(65, -65, 65, taps=(3, 3)), False),
        (np.array([[64, 65]], np.int8), False),  # a matrix
        (np.array([127, 127], np.int8), True),  # zero points
        (np.zeros((0, 4, 1, 1), np.int8), True),
    ],
)
def test_weights_fit_where_no_pair_of_products_leaves_sixteen_bits(
    held: NDArray[np.int8], fits: bool
) -> None:
    assert fits_sixteen_bits(held) is fits


def test_signed_bytes_are_found_in_a_graph() -> None:
    held = [
        numpy_helper.from_array(weights(1, -2, 3), "w"),
        numpy_helper.from_array(np.zeros((2, 2), np.uint8), "u"),
        numpy_helper.from_array(np.zeros(3, np.float32), "f"),
        numpy_helper.from_array(np.array(-7, np.int8), "zero"),
    ]
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    graph = helper.make_graph([], "g", [], [out], held)
    found = list(signed_bytes(helper.make_model(graph).SerializeToString()))

    assert [array.shape for array in found] == [(1, 3, 1, 1), ()]
    assert found[0].ravel().tolist() == [1, -2, 3]


def test_what_is_no_graph_is_refused() -> None:
    with pytest.raises((ValueError, IndexError)):
        list(signed_bytes(b"\x3a\xff nothing of the kind"))
