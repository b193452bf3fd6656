from __future__ import annotations

import numpy as np

from edge_daemon.pipeline.masked import PrivacyMasks
from edge_daemon.sources.picture import ArrayPicture

LEFT_HALF = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))


def test_mask_is_black_in_every_size_and_leaves_the_rest() -> None:
    picture = PrivacyMasks([LEFT_HALF]).apply(ArrayPicture(np.full((72, 128, 3), 200, np.uint8)))

    for pixels in (picture.rgb(), picture.resized(32, 18), picture.resized(256, 144)):
        width = pixels.shape[1]
        assert (pixels[:, : width // 2] == 0).all()
        assert (pixels[:, width // 2 + 2 :] == 200).all()


def test_mask_leaves_the_camera_picture_itself_alone() -> None:
    pixels = np.full((72, 128, 3), 200, np.uint8)
    PrivacyMasks([LEFT_HALF]).apply(ArrayPicture(pixels)).rgb()

    assert (pixels == 200).all()


def test_no_mask_hands_the_picture_itself_on() -> None:
    picture = ArrayPicture(np.zeros((4, 4, 3), np.uint8))

    assert PrivacyMasks([]).apply(picture) is picture
