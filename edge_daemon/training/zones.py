"""Zones that questions of training ask about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from edge_daemon.training.concepts import CONCEPT_INDEX, CONCEPTS, LIGHTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_daemon.training.labels import Labels
    from edge_daemon.types import Polygon

LAMPS: Final = frozenset({"traffic_light", *LIGHTS})
"""Concepts so small that a zone seldom holds one by chance."""


def random_zone(labels: Labels, focus: str, rng: np.random.Generator) -> Polygon:
    """A four-cornered zone, often around something of the concept in focus, or beside it."""
    boxes = labels.boxes[labels.certain[:, CONCEPT_INDEX[focus]]] if focus in CONCEPTS else ()
    luck = rng.random()
    if len(boxes) and luck < 0.6:
        x1, y1, x2, y2 = boxes[int(rng.integers(len(boxes)))]
        x1, x2 = x1 - rng.uniform(0, 0.2), x2 + rng.uniform(0, 0.2)
        y1, y2 = y1 - rng.uniform(0, 0.2), y2 + rng.uniform(0, 0.2)
    elif len(boxes) and luck < (0.9 if focus in LAMPS else 0.7):
        x1, y1, x2, y2 = _beside(boxes[int(rng.integers(len(boxes)))], rng)
    else:
        width, height = rng.uniform(0.15, 0.8), rng.uniform(0.15, 0.8)
        x1, y1 = rng.uniform(0, 1 - width), rng.uniform(0, 1 - height)
        x2, y2 = x1 + width, y1 + height
    corners = np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]]) + rng.normal(0, 0.03, (4, 2))
    return tuple((float(x), float(y)) for x, y in np.clip(corners, 0, 1))


def _beside(box: NDArray[np.float32], rng: np.random.Generator) -> tuple[float, ...]:
    """A rectangle left, right, above or below a box, where the picture leaves the most room.

    Sides are drawn in proportion to the room there; the rectangle fills 30 to 95 % of it.
    """
    x1, y1, x2, y2 = (float(v) for v in box)
    room = np.clip([x1, 1 - x2, y1, 1 - y2], 0.01, 1)
    side = int(rng.choice(4, p=room / room.sum()))
    depth, gap = float(room[side]) * rng.uniform(0.3, 0.95), rng.uniform(0.02, 0.05)
    along = rng.uniform(0, 0.3, 2)
    if side < 2:
        edge = x1 - gap - depth if side == 0 else x2 + gap
        return edge, y1 - along[0], edge + depth, y2 + along[1]
    edge = y1 - gap - depth if side == 2 else y2 + gap
    return x1 - along[0], edge, x2 + along[1], edge + depth
