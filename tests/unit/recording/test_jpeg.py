from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_daemon.recording.jpeg import (
    SMALL_BYTES,
    SMALL_WIDTH,
    comment_of,
    small_jpeg,
    whole_jpeg,
)


def noise(width: int, height: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def opened(jpeg: bytes) -> NDArray[np.uint8]:
    bgr = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def test_whole_jpeg_keeps_size_and_colours() -> None:
    red = np.zeros((1080, 1920, 3), np.uint8)
    red[..., 0] = 220
    found = opened(whole_jpeg(red, "x"))

    assert found.shape == red.shape
    assert np.abs(found.astype(int) - red).max() < 6


@pytest.mark.parametrize(
    ("size", "wanted"),
    [((640, 360), (640, 360)), ((1920, 1080), (SMALL_WIDTH, 720)), ((3840, 40), (SMALL_WIDTH, 13))],
)
def test_small_jpeg_is_as_wide_as_it_may(size: tuple[int, int], wanted: tuple[int, int]) -> None:
    grey = np.full((size[1], size[0], 3), 90, np.uint8)
    height, width = opened(small_jpeg(grey, "x")).shape[:2]

    assert (width, height) == wanted


@pytest.mark.parametrize("size", [(640, 360), (1280, 720), (3840, 2160)])
def test_small_jpeg_of_anything_is_small(size: tuple[int, int]) -> None:
    jpeg = small_jpeg(noise(*size), "x" * 100)

    assert len(jpeg) <= SMALL_BYTES
    assert min(opened(jpeg).shape[:2]) >= 300


def test_jpeg_says_of_which_event_it_is() -> None:
    picture = noise(64, 36)

    assert comment_of(whole_jpeg(picture, "01a1fb5f")) == "01a1fb5f"
    assert comment_of(small_jpeg(picture, "é")) == "é"
    assert comment_of(cv2.imencode(".jpg", picture)[1].tobytes()) is None
    assert comment_of(b"") is None
