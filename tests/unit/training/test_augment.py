"""Other views keep their labels right."""

from __future__ import annotations

import numpy as np

from edge_daemon.training.augment import Cutout, Plan, fit, mosaic, paste, vary, whole
from edge_daemon.training.concepts import CONCEPT_INDEX
from tests.unit.training.labelled import labelled

SIZE = (320, 192)
SHAPE = (200, 160)
WHITE_BOX = (0.25, 0.25, 0.5, 0.75)


def picture() -> np.ndarray:
    """Black, 200 x 160 pixels, with a white box where the label is."""
    pixels = np.zeros((160, 200, 3), np.uint8)
    pixels[40:120, 50:100] = 255
    return pixels


def white(pixels: np.ndarray) -> np.ndarray:
    """Box around the white pixels, fractions."""
    bright = pixels.mean(axis=2) > 128
    x, y = np.flatnonzero(bright.any(axis=0)), np.flatnonzero(bright.any(axis=1))
    height, width = bright.shape
    return np.array([x[0] / width, y[0] / height, (x[-1] + 1) / width, (y[-1] + 1) / height])


def test_fit_stretches_the_whole_picture() -> None:
    sample = fit(picture(), labelled(("car", WHITE_BOX)), SIZE)

    assert sample.pixels.shape == (192, 320, 3)
    np.testing.assert_allclose(white(sample.pixels), WHITE_BOX, atol=0.01)


def test_a_thing_cut_off_by_the_crop_is_only_possible() -> None:
    labels = labelled(("car", (0.0, 0.4, 0.1, 0.6)))
    kinds = set()
    for seed in range(200):
        varied = vary("it", SHAPE, labels, SIZE, np.random.default_rng(seed)).labels
        car = CONCEPT_INDEX["car"]
        kinds.add(
            "yes" if varied.certain[:, car].any() else "maybe" if varied.possible.any() else "no"
        )

    assert kinds == {"yes", "maybe", "no"}


def test_mosaic_keeps_everything_at_half_size() -> None:
    one = whole("it", SHAPE, labelled(("car", WHITE_BOX)), SIZE)
    four = mosaic([one] * 4, SIZE)

    assert four.labels.certain[:, CONCEPT_INDEX["car"]].sum() == 4
    np.testing.assert_allclose(four.labels.boxes[3], (0.625, 0.625, 0.75, 0.875), atol=1e-6)


def test_paste_makes_what_it_hides_doubtful() -> None:
    bearing = (frozenset({"dog"}), frozenset[str]())
    bank = [Cutout(np.full((40, 40, 4), 255, np.uint8), bearing)]
    everywhere = [
        ("person", (x / 10, y / 10, x / 10 + 0.02, y / 10 + 0.02))
        for x in range(10)
        for y in range(4, 10)
    ]
    street = Plan((), labelled(*everywhere))
    pasted = paste(street, SIZE, "dog", bank, np.random.default_rng(2))
    person = CONCEPT_INDEX["person"]

    assert pasted.labels.possible[:, person].any()
    assert (pasted.labels.possible | pasted.labels.certain)[:-1, person].all()


def test_a_far_vehicle_is_one_before_it_can_be_told_which() -> None:
    labels = labelled(("bus", (0.5, 0.5, 0.525, 0.525)))  # 8 pixels wide
    sample = fit(picture(), labels, SIZE)

    assert sample.labels.certain[0, CONCEPT_INDEX["vehicle"]]
    assert not sample.labels.certain[0, CONCEPT_INDEX["bus"]]
    assert sample.labels.possible[0, CONCEPT_INDEX["bus"]]
