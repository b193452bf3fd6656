"""Pictures' truths, written down in a line for the tests."""

from __future__ import annotations

import numpy as np

from edge_daemon.training.concepts import CONCEPT_INDEX, CONCEPTS, HUMAN, SCENES
from edge_daemon.training.labels import Labels, assemble

Box = tuple[float, float, float, float]


def labelled(
    *things: tuple[str, Box],
    possible: tuple[tuple[str, Box], ...] = (),
    unseen: tuple[str, ...] = (),
) -> Labels:
    """Labels of boxes drawn by people, of boxes that may show something, and of what is open."""
    bearings = [HUMAN[name] for name, _ in things]
    bearings += [(frozenset(), HUMAN[name][0]) for name, _ in possible]
    blind = np.zeros(len(CONCEPTS), bool)
    for name in unseen:
        blind[CONCEPT_INDEX[name]] = True
    boxes = [list(box) for _, box in (*things, *possible)]
    return assemble(boxes, bearings, blind, np.full(len(SCENES), -1, np.int8))
