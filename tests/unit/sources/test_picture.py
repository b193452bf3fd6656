"""Pictures that already are arrays."""

from __future__ import annotations

import numpy as np
import pytest

from edge_daemon.sources.picture import ArrayPicture


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (40, 60, 3), np.uint8)


def test_an_array_picture_hands_out_copies(pixels: np.ndarray) -> None:
    picture = ArrayPicture(pixels)
    picture.rgb()[:] = 0
    picture.resized(60, 40)[:] = 0

    assert np.array_equal(picture.rgb(), pixels)
    assert (picture.width, picture.height) == (60, 40)


def test_shrinking_averages_areas(pixels: np.ndarray) -> None:
    small = ArrayPicture(pixels).resized(30, 20)
    blocks = pixels.reshape(20, 2, 30, 2, 3).mean((1, 3))

    assert small.shape == (20, 30, 3)
    assert np.abs(small - blocks).max() <= 0.5


@pytest.mark.parametrize("size", [(120, 80), (120, 20), (1, 1)])
def test_any_size_can_be_had(pixels: np.ndarray, size: tuple[int, int]) -> None:
    made = ArrayPicture(pixels).resized(*size)

    assert (made.shape, made.dtype) == ((size[1], size[0], 3), np.uint8)


@pytest.mark.parametrize(
    "bad", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3))]
)
def test_other_arrays_are_refused(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="need uint8"):
        ArrayPicture(bad)
