from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_daemon.overlay.canvas import (
    Canvas,
    Patch,
    line_px,
    printable,
    shortened,
    text_mask,
    text_px,
)
from tests.unit.overlay.conftest import noise

RED, BLUE = (255, 0, 0), (0, 0, 255)


def painted(canvas: Canvas, level: int = 0) -> np.ndarray:
    rgb = np.full((canvas.height, canvas.width, 3), level, np.uint8)
    canvas.patch(0, 0).blend(rgb)
    return rgb


def test_canvas_covers_the_ground_by_its_opacity() -> None:
    canvas = Canvas(4, 4)
    canvas.box(0, 0, 4, 4, (200, 100, 0), opacity=0.25)

    assert np.abs(painted(canvas, 100)[2, 2].astype(int) - (125, 100, 75)).max() <= 1


def test_canvas_paints_later_colours_over_earlier_ones() -> None:
    canvas = Canvas(8, 4)
    canvas.box(0, 0, 8, 4, RED)
    canvas.box(4, 0, 4, 4, BLUE)

    assert painted(canvas)[1, 1].tolist() == [255, 0, 0]
    assert painted(canvas)[1, 6].tolist() == [0, 0, 255]


def test_canvas_shares_a_pixel_that_a_box_half_covers() -> None:
    canvas = Canvas(4, 1)
    canvas.box(0, 0, 1.5, 1, (200, 200, 200))

    assert painted(canvas)[0, :, 0].tolist() == [200, 100, 0, 0]


def test_canvas_draws_a_frame_with_nothing_inside() -> None:
    canvas = Canvas(20, 20)
    canvas.box(0, 0, 20, 20, RED, line=2)
    red = painted(canvas)[..., 0]

    assert (red[:2] == 255).all()
    assert (red[2:18, 2:18] == 0).all()


def test_canvas_rounds_corners() -> None:
    canvas = Canvas(20, 20)
    canvas.box(0, 0, 20, 20, RED, radius=8)
    red = painted(canvas)[..., 0]

    assert red[0, 0] == 0
    assert red[0, 10] == red[10, 0] == 255


def test_canvas_cuts_off_what_sticks_out() -> None:
    canvas = Canvas(10, 10)
    canvas.box(-5, -5, 10, 10, RED)
    canvas.box(8, 8, 10, 10, BLUE)
    canvas.box(30, 30, 4, 4, BLUE)
    rgb = painted(canvas)

    assert rgb[4, 4].tolist() == [255, 0, 0]
    assert rgb[5, 5].tolist() == [0, 0, 0]
    assert rgb[9, 9].tolist() == [0, 0, 255]


@given(x=st.integers(-20, 40), y=st.integers(-20, 40))
def test_patch_blends_the_part_that_lies_in_the_picture(x: int, y: int) -> None:
    rng = np.random.default_rng(1)
    keep, add = rng.integers(0, 128, (2, 12, 16, 3), np.uint8)
    whole = np.zeros((80, 80, 3), np.uint8)
    whole[20:52, 20:52] = noise(32, 32)
    rgb = whole[20:52, 20:52].copy()

    Patch(x, y, keep, add).blend(rgb)
    Patch(x + 20, y + 20, keep, add).blend(whole)

    assert (rgb == whole[20:52, 20:52]).all()


def test_patch_blends_as_it_says() -> None:
    rng = np.random.default_rng(2)
    keep, add = rng.integers(0, 256, (2, 16, 16, 3), np.uint8)
    rgb = noise(16, 16)
    wanted = np.minimum(rgb * (keep / 255.0) + add, 255)

    Patch(0, 0, keep, add).blend(rgb)

    assert np.abs(rgb - wanted).max() <= 1


@given(text=st.text(max_size=60), size_px=st.sampled_from([10, 13, 27]), width=st.integers(0, 400))
def test_shortened_text_fits_and_says_that_it_was_cut(text: str, size_px: int, width: int) -> None:
    short, whole = shortened(text, size_px, width), printable(text)

    assert not short or text_px(short, size_px) <= width
    assert short == whole or short.endswith("…") or short == ""
    assert short == whole or text_px(whole, size_px) > width


def test_shortened_text_keeps_as_much_as_there_is_room_for() -> None:
    whole = "Is a dog running loose near the children?"
    short = shortened(whole, 13, 150)
    longer = whole[: len(short) + 1].rstrip() + "…"

    assert whole.startswith(short[:-1])
    assert text_px(longer, 13) > 150


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Is there a café?", "Is there a cafe?"),
        ("„Straße“—frei?", '"Stra?e"-frei?'),
        ("two\nlines\tand   gaps", "two lines and gaps"),
        ("猫?", "??"),
    ],
)
def test_text_is_shown_in_letters_the_font_has(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize("size_px", [9, 13, 27, 49])
def test_text_stays_inside_its_mask(size_px: int) -> None:
    mask = text_mask("Qgjpy|(W", size_px, bold=True)

    assert mask.shape[0] == line_px(size_px)
    assert mask.max() > 230
    assert not mask[0].any()
    assert mask[:, 0].max() < 128
    assert mask[:, -1].max() < 128
