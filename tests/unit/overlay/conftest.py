"""Questions, what is said of them, and pictures to draw on."""

from __future__ import annotations

from datetime import datetime, timezone

import numpy as np
from numpy.typing import NDArray

from edge_daemon.overlay import Shown
from edge_daemon.types import Polygon, QuestionState, Reason, Verdict

WHEN = datetime(2026, 11, 20, 22, 54, 3, tzinfo=timezone.utc)
CROSSING: Polygon = ((0.1, 0.5), (0.6, 0.5), (0.6, 0.9), (0.1, 0.9))
QUESTIONS = (
    Shown("person", "Is there a pedestrian?", "crossing", yes_above=0.7, no_below=0.4),
    Shown("car", "Is there a car?"),
)


def state(
    verdict: Verdict, p_yes: float | None = None, reason: Reason | None = None
) -> QuestionState:
    return QuestionState(verdict, reason, p_yes, WHEN, WHEN, None)


def grey(width: int, height: int, level: int = 128) -> NDArray[np.uint8]:
    return np.full((height, width, 3), level, np.uint8)


def noise(width: int, height: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
