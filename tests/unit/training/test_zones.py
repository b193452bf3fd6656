"""Zones of training: around what is asked for, and beside it, where the answer is NO."""

from __future__ import annotations

import numpy as np
import pytest

from edge_daemon.training.questions import Question, Term
from edge_daemon.training.truth import NO, YES, Grid, answers
from edge_daemon.training.zones import random_zone
from edge_daemon.types import polygon_mask
from tests.unit.training.labelled import labelled

GRID = Grid(20, 12)
RED = Question("light", (Term("red_light"),), sole=True)


@pytest.mark.parametrize("lamp", [(0.1, 0.1, 0.14, 0.2), (0.5, 0.3, 0.55, 0.42)])
def test_a_lamp_is_asked_for_in_zones_with_it_and_in_zones_beside_it(
    lamp: tuple[float, float, float, float],
) -> None:
    rng, said = np.random.default_rng(2), []
    labels = labelled(("traffic_light:red", lamp))
    for _ in range(400):
        polygon = random_zone(labels, "red_light", rng)
        zone = polygon_mask(polygon, GRID.columns, GRID.rows).reshape(1, -1)
        said.append(int(answers([RED], zone, [labels], GRID)[0, 0]))

    assert said.count(YES) > 0.35 * len(said)
    assert said.count(NO) > 0.25 * len(said)
