from __future__ import annotations

from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_daemon.overlay import Shown
from edge_daemon.overlay.panel import Panel, lay_out, time_text
from edge_daemon.types import Polygon, Verdict
from tests.unit.overlay.conftest import QUESTIONS, WHEN, grey, state

SIZES = ((320, 240), (640, 360), (1280, 720), (1920, 1080), (3840, 2160), (720, 1280))


def asks(n: int) -> list[str]:
    return [f"Is there a pedestrian on crossing {k}?" for k in range(n)]


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 256), size=st.sampled_from(SIZES))
def test_layout_has_a_place_for_all_questions_or_counts_the_rest(
    n: int, size: tuple[int, int]
) -> None:
    layout = lay_out("gate", asks(n), *size)
    n_cells = layout.rows * layout.columns

    assert n - layout.n_hidden <= n_cells - bool(layout.n_hidden)
    assert layout.n_hidden == 0 or layout.n_hidden >= 2
    assert layout.width <= size[0]
    assert layout.height <= 0.66 * size[1]


@pytest.mark.parametrize("size", SIZES)
def test_layout_shows_eight_questions(size: tuple[int, int]) -> None:
    assert lay_out("gate", asks(8), *size).n_hidden == 0


@pytest.mark.parametrize("size", SIZES)
def test_layout_puts_few_questions_above_their_bars(size: tuple[int, int]) -> None:
    layout = lay_out("gate", asks(3), *size)

    assert layout.style.bar_below
    assert layout.columns == 1


def test_letters_grow_with_the_picture() -> None:
    sizes = [lay_out("gate", asks(1), *size).style.text_px for size in SIZES[:5]]

    assert sizes == sorted(set(sizes))
    assert sizes[0] >= 10


@pytest.mark.parametrize(
    "zone",
    [
        ((0.0, 0.0), (0.5, 0.0), (0.5, 0.6), (0.0, 0.6)),
        ((0.0, 0.0), (1.0, 0.0), (1.0, 0.5), (0.0, 0.5)),
    ],
)
def test_panel_goes_where_no_zone_is(zone: Polygon) -> None:
    panel = Panel("gate", QUESTIONS, [zone], 1280, 720)
    x, y, width, height = panel.place
    right, bottom = max(px for px, _ in zone) * 1280, max(py for _, py in zone) * 720

    assert x >= right or y >= bottom
    assert x + width <= 1280
    assert y + height <= 720


def test_panel_prefers_the_upper_left() -> None:
    x, y, _, _ = Panel("gate", QUESTIONS, [], 1280, 720).place

    assert x < 30
    assert y < 30


def drawn(panel: Panel, states: dict, when: datetime | float = WHEN) -> np.ndarray:
    rgb = grey(640, 360)
    panel.draw(rgb, states, when)
    return rgb


def test_panel_draws_the_same_again_after_something_else() -> None:
    panel = Panel("gate", QUESTIONS, [], 640, 360)
    states = {"person": state(Verdict.YES, 0.9), "car": state(Verdict.NO, 0.1)}
    first = drawn(panel, states)
    other = drawn(panel, {"person": state(Verdict.NO, 0.2)}, 5.0)

    assert (drawn(panel, states) == first).all()
    assert (other != first).any()


@pytest.mark.parametrize(
    "changed",
    [state(Verdict.YES, 0.8), state(Verdict.NO, 0.9), state(Verdict.UNKNOWN, 0.9)],
)
def test_panel_changes_only_the_row_of_the_question(changed: object) -> None:
    panel = Panel("gate", QUESTIONS, [], 640, 360)
    before = drawn(panel, {"person": state(Verdict.YES, 0.9)})
    after = drawn(panel, {"person": changed})
    rows = np.flatnonzero((before != after).any(axis=(1, 2)))
    layout = lay_out("gate", [q.ask for q in QUESTIONS], 640, 360)
    top = panel.place[1] + layout.header_px

    assert rows.min() >= top
    assert rows.max() < top + layout.style.height_px


def test_panel_marks_where_the_thresholds_are() -> None:
    low = Panel("gate", [Shown("a", "Car?", None, 0.5, 0.2)], [], 1280, 720)
    high = Panel("gate", [Shown("a", "Car?", None, 0.9, 0.2)], [], 1280, 720)
    pictures = []
    for panel in (low, high):
        rgb = grey(1280, 720)
        panel.draw(rgb, {"a": state(Verdict.NO, 0.1)}, WHEN)
        pictures.append(rgb)
    changed = (pictures[0] != pictures[1]).any(axis=(0, 2))
    columns = np.flatnonzero(changed)

    assert 2 <= len(columns) <= 20
    assert columns.max() - columns.min() > 0.2 * low.place[2]


def test_panel_counts_what_the_hidden_questions_say() -> None:
    questions = [Shown(f"q{n}", ask) for n, ask in enumerate(asks(200))]
    panel = Panel("gate", questions, [], 640, 360)
    before, after = drawn(panel, {}), drawn(panel, {"q199": state(Verdict.YES, 1.0)})

    assert (before != after).any()


@pytest.mark.parametrize(
    ("when", "text"),
    [
        (WHEN, "2026-11-20 22:54:03 UTC"),
        (WHEN.astimezone(timezone(timedelta(hours=5))), "2026-11-20 22:54:03 UTC"),
        (0.0, "0:00:00.0"),
        (59.96, "0:00:59.9"),
        (3600 * 27 + 62.31, "27:01:02.3"),
        (-0.2, "0:00:00.0"),
    ],
)
def test_time_is_shown_as_clock_or_stream_time(when: datetime | float, text: str) -> None:
    assert time_text(when) == text
