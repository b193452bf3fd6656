"""Which answers of an evaluation belong together: by kind of question, by kind of picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from edge_daemon.training.concepts import CONCEPT_INDEX, SCENES
from edge_daemon.training.rendered import RENDERED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_daemon.training.evaluate import Probe
    from edge_daemon.training.labels import Labels, Row

_FAR: Final = 0.004  # of the picture: a box of some 20 by 12 pixels at 320 by 192


def families(probe: Probe) -> dict[str, NDArray[np.bool_]]:
    """Which questions, bool (Q,), are of each family; "zone" has all that ask in one."""
    names = [q.family if z is None else "zone" for q, z in zip(probe.questions, probe.zones)]
    found = {name: np.array([n == name for n in names]) for name in sorted(set(names))}
    return {**found, "all": np.ones(len(names), bool)}


def conditions(
    rows: Sequence[Row], probe: Probe, truth: NDArray[np.int8]
) -> dict[str, NDArray[np.bool_]]:
    """Which answers, bool (N, Q), were given under each condition.

    Night, rain and fog as labelled; far: what is asked for fills less than 0.4 % of the picture,
    against the pictures that do not have it.
    """
    of_picture = {"photographs": np.array([row.dataset != RENDERED for row in rows])}
    of_picture["rendered"] = ~of_picture["photographs"]
    for scene, name in enumerate(SCENES):
        of_picture[name] = np.array([row.labels.scene[scene] == 1 for row in rows])
    found = {k: np.repeat(v[:, None], truth.shape[1], axis=1) for k, v in of_picture.items()}
    asked = [
        CONCEPT_INDEX[q.terms[0].concept] if q.family in ("presence", "light") else None
        for q in probe.questions
    ]
    largest = np.stack([_largest(row.labels) for row in rows])  # (N, C)
    found["far"] = np.stack(
        [
            np.zeros(len(rows), bool) if c is None else (truth[:, q] == 0) | (largest[:, c] < _FAR)
            for q, c in enumerate(asked)
        ],
        axis=1,
    )
    return found


def _largest(labels: Labels) -> NDArray[np.float64]:
    """Share of the picture that the largest box of each concept fills, (C,); 0 where none is."""
    sides = labels.boxes[:, 2:] - labels.boxes[:, :2]  # (n, 2)
    areas = np.where(labels.certain | labels.possible, sides.prod(axis=1)[:, None], 0.0)  # (n, C)
    return np.asarray(areas.max(axis=0, initial=0.0), np.float64)
