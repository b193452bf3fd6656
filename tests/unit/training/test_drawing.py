"""Plans become pictures in which everything is where the labels say."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from edge_daemon.training.augment import (
    Cutout,
    Light,
    Plan,
    View,
    erase,
    mirrored,
    mosaic,
    paste,
    vary,
    whole,
)
from edge_daemon.training.concepts import CONCEPT_INDEX
from edge_daemon.training.pictures import Pictures
from tests.conftest import missing
from tests.unit.training.labelled import labelled
from tests.unit.training.test_augment import SHAPE, SIZE, WHITE_BOX, picture, white

try:
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    from edge_daemon.training.drawing import Easel
    from edge_daemon.training.resample import resample
except ModuleNotFoundError:
    torch, TorchDispatchMode = None, object

pytestmark = pytest.mark.train
CAR = labelled(("car", WHITE_BOX))


@pytest.fixture(autouse=True)
def _torch() -> None:
    if torch is None:
        missing("no torch: pip install 'edge-daemon[train]'", "REQUIRE_TORCH")
    torch.set_num_threads(1)


def easel(pixels: np.ndarray | None = None, **cutouts: list[Cutout]) -> Easel:
    stored = picture() if pixels is None else pixels
    height, width = stored.shape[:2]
    pictures = Pictures(stored.reshape(-1), {"it": (0, height, width)})
    return Easel(pictures, cutouts, SIZE, torch.device("cpu"))


def drawn(*plans: Plan, on: Easel | None = None) -> np.ndarray:
    return np.asarray((on or easel()).draw(plans, seed=1).numpy())


@pytest.mark.parametrize("shape", [(352, 352), (352, 198), (200, 160), (300, 300), (90, 600)])
def test_resampling_averages_what_shrinks_and_interpolates_what_grows(
    shape: tuple[int, int],
) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (shape[1], shape[0], 3), np.uint8)
    ways = [cv2.INTER_AREA if n > m else cv2.INTER_LINEAR for n, m in zip(shape, SIZE)]
    wide = cv2.resize(pixels.astype(np.float32), (SIZE[0], shape[1]), interpolation=ways[0])
    expected = cv2.resize(wide, SIZE, interpolation=ways[1])
    # Among others, so that all of them are padded to one size.
    found = resample([torch.from_numpy(pixels), torch.zeros(400, 30, 3, dtype=torch.uint8)], SIZE)

    np.testing.assert_allclose(found[0].numpy(), expected, atol=0.05)
    assert not found[1].any()


def test_a_whole_picture_is_drawn_where_its_label_says() -> None:
    np.testing.assert_allclose(white(drawn(whole("it", SHAPE, CAR, SIZE))[0]), WHITE_BOX, atol=0.01)


def test_a_mirrored_view_moves_the_thing_with_its_box() -> None:
    plan = whole("it", SHAPE, CAR, SIZE)
    pixels = drawn(replace(plan, views=(replace(plan.views[0], mirrored=True),)))[0]

    np.testing.assert_allclose(white(pixels), mirrored(plan.labels).boxes[0], atol=0.01)


def test_varied_pictures_keep_the_box_on_the_thing() -> None:
    pixels = picture()
    pixels[pixels == 0] = 20  # something for the weather to work on
    plans = [vary("it", SHAPE, CAR, SIZE, np.random.default_rng(seed)) for seed in range(60)]
    kinds = {type(plan.views[0].weather).__name__ for plan in plans}

    assert kinds == {"Fog", "Rain", "Dusk", "NoneType"}
    for plan, found in zip(plans, drawn(*plans, on=easel(pixels))):
        for box in plan.labels.boxes[plan.labels.certain[:, CONCEPT_INDEX["car"]]]:
            x1, y1, x2, y2 = (box * [320, 192, 320, 192]).round().astype(int)
            assert found[y1 + 3 : y2 - 3, x1 + 3 : x2 - 3].mean() > found.mean()


def test_a_mosaic_shows_each_view_in_its_quarter() -> None:
    part = View("it", (0, 0, 40, 40))  # all black
    plain, black = whole("it", SHAPE, CAR, SIZE), Plan((part,), labelled())
    pixels = drawn(mosaic([black, plain, black, black], SIZE))[0]

    np.testing.assert_allclose(white(pixels), (0.625, 0.125, 0.75, 0.375), atol=0.01)


def test_erased_things_are_gone_and_so_are_their_labels() -> None:
    plan = erase(whole("it", SHAPE, CAR, SIZE), SIZE, np.random.default_rng(0))

    assert len(plan.labels.boxes) == 0
    assert drawn(plan).max() < 10


def test_a_pasted_thing_is_where_its_box_says() -> None:
    bearing = (frozenset({"dog", "animal", "anything"}), frozenset[str]())
    bank = [Cutout(np.full((40, 40, 4), 255, np.uint8), bearing)]
    street = np.full((160, 200, 3), 60, np.uint8)
    plan = paste(whole("it", SHAPE, labelled(), SIZE), SIZE, "dog", bank, np.random.default_rng(1))
    changed = (drawn(plan, on=easel(street, dog=bank))[0] != 60).any(axis=2)
    x, y = np.flatnonzero(changed.any(axis=0)), np.flatnonzero(changed.any(axis=1))
    found = np.array([x[0] / 320, y[0] / 192, (x[-1] + 1) / 320, (y[-1] + 1) / 192])

    assert plan.labels.certain[0, CONCEPT_INDEX["dog"]]
    np.testing.assert_allclose(plan.labels.boxes[0], found, atol=1e-6)


def test_blur_and_noise_are_as_strong_as_planned() -> None:
    plan = whole("it", SHAPE, CAR, SIZE)
    noisy, soft = (
        replace(plan, views=(replace(plan.views[0], light=light),))
        for light in (Light(lift=0.3, noise=8.0), Light(blur_px=1.3))
    )
    pixels = drawn(noisy, soft).astype(float)
    edge = cv2.GaussianBlur(drawn(plan)[0], (9, 9), 1.3).astype(float)

    assert pixels[0, :40].std() == pytest.approx(8.0, abs=0.3)
    assert np.abs(pixels[1] - edge).max() < 2


def test_the_same_seed_draws_the_same_pictures() -> None:
    plans = [vary("it", SHAPE, CAR, SIZE, np.random.default_rng(seed)) for seed in range(12)]

    assert (drawn(*plans) == drawn(*plans)).all()


class _Waits(TorchDispatchMode):
    """Notes operations after which a processor would wait for a GPU."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        name = str(func)
        if any(word in name for word in ("_local_scalar_dense", "nonzero", "masked_select")):
            self.found.add(name)
        return func(*args, **(kwargs or {}))


def test_drawing_never_asks_the_device_for_a_value() -> None:
    bank = [Cutout(np.full((40, 40, 4), 255, np.uint8), (frozenset({"dog"}), frozenset()))]
    rng = np.random.default_rng(0)
    one = [vary("it", SHAPE, CAR, SIZE, np.random.default_rng(seed)) for seed in range(40)]
    plans = [*one, mosaic(one[:4], SIZE), paste(one[0], SIZE, "dog", bank, rng)]
    board = easel(dog=bank)
    with _Waits() as waits:
        board.draw(plans, seed=1)

    assert waits.found == set()
