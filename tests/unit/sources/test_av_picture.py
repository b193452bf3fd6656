from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import pytest

from edge_daemon.sources.av_picture import AvPicture
from edge_daemon.sources.picture import ArrayPicture

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMATS = [
    *("yuv420p", "yuvj420p", "yuv422p", "yuv444p", "yuv420p10le", "p010le", "nv12", "yuyv422"),
    *("gray", "gray10le", "rgb24", "bgr24", "rgba", "gbrp"),
]


def street(width: int, height: int) -> NDArray[np.uint8]:
    """Something like a picture: soft shapes and colours, some texture; uint8 RGB."""
    rng = np.random.default_rng(3)
    coarse = cv2.resize(rng.integers(0, 256, (9, 16, 3), dtype=np.uint8), (width, height))
    return np.asarray(cv2.add(coarse // 2 + 50, rng.integers(0, 12, coarse.shape, np.uint8)))


def decoded(rgb: NDArray[np.uint8], pix_fmt: str = "yuv420p") -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=pix_fmt)


def difference(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(np.abs(one.astype(int) - other).mean())


@pytest.mark.parametrize("pix_fmt", FORMATS)
def test_picture_of_any_pixel_format_looks_the_same(pix_fmt: str) -> None:
    rgb = street(320, 180)
    wanted = (
        rgb
        if "gray" not in pix_fmt
        else cv2.cvtColor(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    )

    picture = AvPicture(decoded(rgb, pix_fmt))

    assert difference(picture.rgb(), wanted) < 4.0
    assert difference(picture.resized(96, 64), ArrayPicture(wanted).resized(96, 64)) < 2.0


@pytest.mark.parametrize("size", [(1920, 1080), (1280, 720), (626, 360), (641, 359), (320, 240)])
@pytest.mark.parametrize("wanted", [(224, 224), (384, 224), (101, 57)])
def test_resized_agrees_with_the_scaling_of_array_pictures(
    size: tuple[int, int], wanted: tuple[int, int]
) -> None:
    picture = AvPicture(decoded(street(*size)))

    small = picture.resized(*wanted)

    assert small.shape == (wanted[1], wanted[0], 3)
    assert small.dtype == np.uint8
    assert difference(small, ArrayPicture(street(*size)).resized(*wanted)) < 1.5


@pytest.mark.parametrize("size", [(33, 30), (34, 50), (66, 49), (1, 1)])
def test_rgb_of_odd_sizes_has_no_padding(size: tuple[int, int]) -> None:
    rgb = street(*size)

    found = AvPicture(decoded(rgb, "rgb24")).rgb()

    assert found.flags.c_contiguous
    assert np.array_equal(found, rgb)


@pytest.mark.parametrize("pix_fmt", ["rgb24", "yuv420p"])
def test_arrays_belong_to_the_caller(pix_fmt: str) -> None:
    picture = AvPicture(decoded(street(64, 48), pix_fmt))
    before = picture.rgb()

    for scribbled in (picture.rgb(), picture.resized(64, 48)):
        scribbled[:] = 0

    assert np.array_equal(picture.rgb(), before)


@pytest.mark.parametrize("tag", [3, 8, 10, 14, 23])
def test_unknown_colour_tags_do_not_stop_a_picture(tag: int) -> None:
    frame = decoded(street(64, 48))
    wanted = AvPicture(frame).resized(32, 24)
    frame.colorspace, frame.color_range = tag, 4

    found = AvPicture(frame).resized(32, 24)

    assert difference(found, wanted) < 2.0


def test_a_picture_may_be_converted_by_many_threads_at_once() -> None:
    picture = AvPicture(decoded(street(640, 360)))
    wanted = picture.resized(224, 224)
    wrong: list[float] = []

    def convert() -> None:
        for _ in range(20):
            wrong.append(difference(picture.resized(224, 224), wanted))
            picture.rgb()

    threads = [threading.Thread(target=convert) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == [0.0] * 80
