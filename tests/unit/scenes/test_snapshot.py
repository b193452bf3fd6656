"""Random pictures: what the truth promises about them."""

from __future__ import annotations

import numpy as np
import pytest

from edge_daemon.scenes import random_scene
from edge_daemon.scenes.truth import KINDS

N = 40


@pytest.fixture(scope="module")
def scenes() -> list[tuple]:
    rng = np.random.default_rng(5)
    return [random_scene(rng, 160, 96) for _ in range(N)]


def test_pictures_have_the_size_asked_for(scenes: list[tuple]) -> None:
    assert {(p.shape, p.dtype.name) for p, _ in scenes} == {((96, 160, 3), "uint8")}


def test_pictures_are_repeatable() -> None:
    a, truth_a = random_scene(np.random.default_rng(9), 160, 96)
    b, truth_b = random_scene(np.random.default_rng(9), 160, 96)

    assert np.array_equal(a, b)
    assert truth_a == truth_b


def test_pictures_differ(scenes: list[tuple]) -> None:
    assert len({p.tobytes() for p, _ in scenes}) == N
    assert len({(t.time, t.weather) for _, t in scenes}) >= 5


def test_boxes_lie_in_the_picture(scenes: list[tuple]) -> None:
    boxes = [box for _, truth in scenes for box in truth.boxes]

    assert len(boxes) > N
    assert {box.kind for box in boxes} == set(KINDS)
    assert all(0 <= b.x1 < b.x2 <= 1 and 0 <= b.y1 < b.y2 <= 1 for b in boxes)
    assert all(0 <= b.visible <= 1 for b in boxes)


def test_riders_are_people_on_their_machines(scenes: list[tuple]) -> None:
    ridden = [
        (box, truth)
        for _, truth in scenes
        for box in truth.boxes
        if box.kind in ("bicycle", "motorcycle") and box.visible > 0.5
    ]

    assert ridden
    for box, truth in ridden:
        middle = (box.x1 + box.x2) / 2
        people = [b for b in truth.boxes if b.kind == "person"]
        assert any(b.x1 - 0.02 < middle < b.x2 + 0.02 and b.y1 < box.y2 for b in people)


def test_a_light_in_the_truth_has_a_box_of_its_colour(scenes: list[tuple]) -> None:
    shown = [truth for _, truth in scenes if truth.light]

    assert len(shown) > 4
    for truth in shown:
        colours = [b.colour for b in truth.boxes if b.kind == "traffic_light"]
        assert truth.light in colours
