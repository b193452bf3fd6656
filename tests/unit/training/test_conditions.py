"""Answers are sorted by what was asked and by what the picture is like."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edge_daemon.training.concepts import SCENE_INDEX
from edge_daemon.training.conditions import conditions, families
from edge_daemon.training.evaluate import Probe, family_scores
from edge_daemon.training.labels import Row
from edge_daemon.training.questions import Question, Term
from edge_daemon.training.rendered import RENDERED
from tests.unit.training.labelled import Box, labelled

CAR = Question("presence", (Term("car"),))
TWO = Question("number", (Term("car", 2),))
NEAR, FAR = (0.1, 0.1, 0.5, 0.5), (0.4, 0.4, 0.45, 0.45)
PROBE = Probe(
    (CAR, TWO, CAR), ("a car", "two cars", "a car"), (None, None, ((0, 0), (1, 0), (1, 1)))
)


def row(dataset: str, *cars: Box, night: int = 0) -> Row:
    labels = labelled(*(("car", box) for box in cars))
    scene = labels.scene.copy()
    scene[SCENE_INDEX["night"]] = night
    return Row("key", dataset, "none", "val", "shard", replace(labels, scene=scene))


def test_families_are_by_kind_and_zone() -> None:
    found = {name: which.tolist() for name, which in families(PROBE).items()}

    assert found == {
        "number": [False, True, False],
        "presence": [True, False, False],
        "zone": [False, False, True],
        "all": [True, True, True],
    }


def test_conditions_are_of_the_picture_and_of_what_is_asked() -> None:
    rows = [row("a", FAR), row("a", NEAR, FAR, night=1), row(RENDERED)]
    truth = np.array([[1, 0, 1], [1, 1, 1], [0, 0, 0]], np.int8)
    found = conditions(rows, PROBE, truth)

    assert found["night"].all(axis=1).tolist() == [False, True, False]
    assert found["photographs"].any(axis=1).tolist() == [True, True, False]
    assert found["rendered"].any(axis=1).tolist() == [False, False, True]
    assert found["far"][:, 0].tolist() == [True, False, True]
    assert not found["far"][:, 1].any()  # of a number it is not clear which are far


def test_family_scores_count_what_is_known_and_asked_for() -> None:
    truth = np.array([[1, -1, 0], [0, 1, 1]], np.int8)
    p = np.array([[0.9, 0.5, 0.1], [0.2, 0.5, 0.7]])
    among = np.array([[True, True, True], [True, False, False]])
    scores = family_scores(PROBE, p, truth, among)

    assert {name: (s["n"], s["yes"]) for name, s in scores.items()} == {
        "presence": (2, 1),
        "zone": (1, 0),
        "all": (3, 1),
    }
    assert scores["presence"]["balanced_accuracy"] == 1.0
