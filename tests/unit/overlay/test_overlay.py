from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_daemon.overlay import Overlay, Shown
from edge_daemon.overlay.look import COLOURS
from edge_daemon.types import Polygon, QuestionState, Verdict
from tests.unit.overlay.conftest import CROSSING, QUESTIONS, WHEN, grey, noise, state

STATES = {"person": state(Verdict.YES, 0.9), "car": state(Verdict.NO, 0.1)}


def drawn(overlay: Overlay, rgb: np.ndarray, states: dict[str, QuestionState]) -> np.ndarray:
    overlay.draw(rgb, states, WHEN)
    return rgb


@settings(max_examples=25, deadline=None)
@given(width=st.integers(16, 700), height=st.integers(16, 500))
def test_overlay_draws_on_any_size(width: int, height: int) -> None:
    rgb = drawn(Overlay("gate", QUESTIONS, {"crossing": CROSSING}), grey(width, height), STATES)

    assert rgb.shape == (height, width, 3)
    assert (rgb != 128).any()


def test_overlay_follows_a_picture_that_changes_its_size() -> None:
    overlay = Overlay("gate", QUESTIONS, {"crossing": CROSSING})
    first = drawn(overlay, noise(640, 360), STATES)
    drawn(overlay, noise(320, 240), STATES)

    assert (drawn(overlay, noise(640, 360), STATES) == first).all()


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("verdict", list(Verdict))
def test_overlay_colours_the_zone_by_its_answer(verdict: Verdict, level: int) -> None:
    overlay = Overlay("gate", QUESTIONS, {"crossing": CROSSING})
    rgb = drawn(overlay, grey(640, 360, level), {"person": state(verdict, 0.5)})
    wanted = 0.86 * level + 0.14 * np.asarray(COLOURS[verdict])

    assert np.abs(rgb[252, 224] - wanted).max() <= 2
    assert (rgb[340, 620] == level).all()


def test_overlay_draws_edges_of_different_kind_for_each_verdict() -> None:
    overlay = Overlay("gate", QUESTIONS, {"crossing": CROSSING})
    inked = {}
    for verdict in Verdict:
        rgb = drawn(overlay, grey(1280, 720, 255), {"person": state(verdict, 0.5)})
        left_edge = rgb[370:640, 112:144].astype(int)
        inked[verdict] = int((np.abs(left_edge - COLOURS[verdict]).max(axis=2) < 8).sum())

    assert inked[Verdict.YES] > 1.3 * inked[Verdict.NO]
    assert inked[Verdict.UNKNOWN] < 0.8 * inked[Verdict.NO]


def test_overlay_shows_the_strongest_of_several_answers_in_a_zone() -> None:
    questions = [Shown("a", "Is there a car?", "crossing"), Shown("b", "Is it red?", "crossing")]
    overlay = Overlay("gate", questions, {"crossing": CROSSING})
    states = {"a": state(Verdict.NO, 0.1), "b": state(Verdict.YES, 0.9)}
    rgb = drawn(overlay, grey(640, 360), states)

    assert np.abs(rgb[252, 224] - (0.86 * 128 + 0.14 * np.asarray(COLOURS[Verdict.YES]))).max() <= 2


def test_overlay_shows_a_zone_nobody_asks_about_without_a_verdict() -> None:
    rgb = drawn(Overlay("gate", QUESTIONS[1:], {"crossing": CROSSING}), grey(640, 360), STATES)
    spread = rgb[252, 224].astype(int)

    assert spread.max() - spread.min() <= 3
    assert spread.min() > 128


def test_overlay_leaves_the_rest_of_the_picture_alone() -> None:
    rgb, before = noise(1280, 720), noise(1280, 720)
    drawn(Overlay("gate", QUESTIONS, {}), rgb, STATES)
    changed = (rgb != before).any(axis=2)

    assert 0.01 < changed.mean() < 0.2
    assert not changed[360:].any()


@pytest.mark.parametrize(
    "zone",
    [
        ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)),
        ((0.9, 0.95), (1.0, 0.95), (1.0, 1.0)),
        ((0.5, 0.5), (0.5, 0.5), (0.5, 0.5)),
    ],
)
def test_overlay_copes_with_zones_at_the_edge_and_without_area(zone: Polygon) -> None:
    questions = [Shown("a", "Is there a car?", "z")]
    rgb = drawn(Overlay("gate", questions, {"z": zone}), grey(640, 360), STATES)

    assert (rgb != 128).any()


def test_overlay_without_an_answer_says_unknown_and_why() -> None:
    overlay = Overlay("gate", QUESTIONS, {})
    starting = drawn(overlay, grey(640, 360), {})
    unknown = COLOURS[Verdict.UNKNOWN]

    assert (np.abs(starting.astype(int) - unknown).max(axis=2) <= 2).sum() > 500


def test_overlay_tints_the_picture_where_the_evidence_is() -> None:
    evidence = np.zeros((4, 4), np.float32)
    evidence[3, 3] = 1
    rgb = grey(640, 360)
    Overlay("gate", QUESTIONS, {}).draw(rgb, STATES, WHEN, evidence)

    assert np.abs(rgb[340, 620].astype(int) - 128).max() > 50
    assert (rgb[340, 20] == 128).all()
