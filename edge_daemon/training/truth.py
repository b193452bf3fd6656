"""Answers and maps of a batch of questions on a batch of labelled pictures, three-valued."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_daemon.training.concepts import CONCEPT_INDEX, CONCEPTS, LIGHTS, SCENE_INDEX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_daemon.training.labels import Labels
    from edge_daemon.training.questions import Question, Term

UNKNOWN: Final = -1
NO: Final = 0
YES: Final = 1

_ENDLESS: Final = 1_000_000
_IN_ZONE: Final = 0.35  # this much of a box inside a zone counts as in it ...
_OUT_OF_ZONE: Final = 0.08  # ... and up to this much as outside
_FILLS_ZONE: Final = 0.6  # a box over this much of a zone is in it, however large the box is
_IN_PLACE: Final = 0.65
_OUT_OF_PLACE: Final = 0.35


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells a picture is divided into."""

    columns: int
    rows: int

    @property
    def cells(self) -> int:
        """Their number, T."""
        return self.columns * self.rows


@dataclass(frozen=True, slots=True, eq=False)
class ConceptMaps:
    """Where each concept is, by picture: float32 or bool (B, concepts, T).

    centres counts the box centres in each cell; inside marks cells of certain boxes; ignored
    marks cells about which nothing is known.  countable (B, concepts): whether centres is whole.
    """

    centres: NDArray[np.float32] = field(repr=False)
    inside: NDArray[np.bool_] = field(repr=False)
    ignored: NDArray[np.bool_] = field(repr=False)
    countable: NDArray[np.bool_] = field(repr=False)


def place_mask(place: str, grid: Grid) -> NDArray[np.bool_]:
    """Cells a place word means, bool (T,)."""
    x = (np.arange(grid.columns) + 0.5) / grid.columns
    y = ((np.arange(grid.rows) + 0.5) / grid.rows)[:, None]
    ones = np.ones((grid.rows, grid.columns), bool)
    parts = {
        "left": x < 0.5, "right": x > 0.5, "top": y < 0.5, "bottom": y > 0.5,
        "middle": (x > 0.3) & (x < 0.7), "near": y > 0.45, "far": y < 0.6,
    }  # fmt: skip
    mask = ones
    for part in (place,) if place in parts else place.split("_"):
        mask = mask & parts[part]
    return mask.reshape(-1)


def coverage(boxes: NDArray[np.float32], grid: Grid) -> NDArray[np.float32]:
    """Share of each cell that each box (n, 4) covers, float32 (n, T)."""
    x = np.arange(grid.columns + 1) / grid.columns
    y = np.arange(grid.rows + 1) / grid.rows
    wide = np.minimum(boxes[:, 2:3], x[1:]) - np.maximum(boxes[:, 0:1], x[:-1])
    high = np.minimum(boxes[:, 3:4], y[1:]) - np.maximum(boxes[:, 1:2], y[:-1])
    share = (
        np.clip(high * grid.rows, 0, 1)[:, :, None] * np.clip(wide * grid.columns, 0, 1)[:, None]
    )
    return np.asarray(share.reshape(len(boxes), grid.cells), np.float32)


def answers(
    questions: Sequence[Question],
    zones: NDArray[np.bool_],
    pictures: Sequence[Labels],
    grid: Grid,
) -> NDArray[np.int8]:
    """YES, NO or UNKNOWN of every question on every picture, int8 (B, Q).

    zones is bool (Q, T): all True where the question has no zone.
    """
    every = _Boxes.of(pictures)
    scene = np.stack([labels.scene for labels in pictures])  # (B, S)
    shares = coverage(every.boxes, grid)
    judged = np.full((len(pictures), len(questions)), UNKNOWN, np.int8)
    for q, question in enumerate(questions):
        if question.scene is not None:
            judged[:, q] = scene[:, SCENE_INDEX[question.scene]]
            continue
        counted = _Counts(every, *_where(question.place, zones[q], every.boxes, shares, grid))
        judged[:, q] = _joined([counted.judge(t) for t in question.terms], question.every_term)
        if question.sole:
            others = [c for c in LIGHTS if c != question.terms[0].concept]
            lit = np.sum([counted.range_of(c)[1] for c in others], axis=0)
            judged[(lit > 0) & (judged[:, q] == YES), q] = UNKNOWN
    return judged


def concept_maps(pictures: Sequence[Labels], grid: Grid) -> ConceptMaps:
    """Maps of all concepts on all pictures."""
    shape = (len(pictures), len(CONCEPTS), grid.cells)
    centres = np.zeros(shape, np.float32)
    inside, ignored = np.zeros(shape, bool), np.zeros(shape, bool)
    countable = np.zeros(shape[:2], bool)
    for b, labels in enumerate(pictures):
        covered = coverage(labels.boxes, grid)  # (n, T)
        middle = _middle_cells(labels.boxes, grid)
        core = (covered > 0.5) | (np.arange(grid.cells) == middle[:, None])
        touched = covered > 0.05
        sure = labels.certain.T.astype(np.float32)  # (C, n)
        maybe = labels.possible.T.astype(np.float32)
        inside[b] = sure @ core > 0
        ignored[b] = (
            (sure @ touched > 0) | (maybe @ touched > 0) | labels.unseen[:, None]
        ) & ~inside[b]
        for i, cell in enumerate(middle):
            centres[b, :, cell] += labels.certain[i]
        countable[b] = ~labels.unseen & ~labels.possible.any(axis=0)
    return ConceptMaps(centres, inside, ignored, countable)


def _middle_cells(boxes: NDArray[np.float32], grid: Grid) -> NDArray[np.int64]:
    column = np.clip((boxes[:, 0] + boxes[:, 2]) / 2 * grid.columns, 0, grid.columns - 1)
    row = np.clip((boxes[:, 1] + boxes[:, 3]) / 2 * grid.rows, 0, grid.rows - 1)
    return np.asarray(row, np.int64) * grid.columns + np.asarray(column, np.int64)


def _where(
    place: str | None,
    zone: NDArray[np.bool_],
    boxes: NDArray[np.float32],
    shares: NDArray[np.float32],
    grid: Grid,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Boxes surely inside place and zone, and boxes surely outside, bool (n,) each."""
    total = np.maximum(shares.sum(axis=1), 1e-6)
    within, without = np.ones(len(boxes), bool), np.zeros(len(boxes), bool)
    if not zone.all():
        shared = shares @ zone.astype(np.float32)
        filled = shared / zone.sum()
        within &= (shared / total >= _IN_ZONE) | (filled >= _FILLS_ZONE)
        without |= (shared / total <= _OUT_OF_ZONE) & (filled < 0.1)
    if place in ("near", "far"):
        near, far = _nearness(boxes)
        within &= near if place == "near" else far
        without |= far if place == "near" else near
    elif place is not None:
        inside = shares @ place_mask(place, grid).astype(np.float32) / total
        within &= inside >= _IN_PLACE
        without |= inside <= _OUT_OF_PLACE
    return within, without


def _nearness(boxes: NDArray[np.float32]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Near: large, or standing low in the picture.  Far: small and not low."""
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    near = (area > 0.08) | ((boxes[:, 3] > 0.8) & (area > 0.02))
    far = (area < 0.01) & (boxes[:, 3] < 0.65)
    return near, far


@dataclass(frozen=True, slots=True, eq=False)
class _Boxes:
    """Boxes of all pictures in a row (N, ...), the picture each belongs to, and unseen (B, C)."""

    boxes: NDArray[np.float32]
    owner: NDArray[np.int64]
    certain: NDArray[np.bool_]
    possible: NDArray[np.bool_]
    unseen: NDArray[np.bool_]

    @classmethod
    def of(cls, pictures: Sequence[Labels]) -> _Boxes:
        """All boxes of these pictures."""
        return cls(
            np.concatenate([labels.boxes for labels in pictures]),
            np.repeat(np.arange(len(pictures)), [len(labels.boxes) for labels in pictures]),
            np.concatenate([labels.certain for labels in pictures]),
            np.concatenate([labels.possible for labels in pictures]),
            np.stack([labels.unseen for labels in pictures]),
        )


class _Counts:
    """Least and greatest number of each concept per picture, for one place and zone."""

    def __init__(
        self,
        pictures: _Boxes,
        within: NDArray[np.bool_],
        without: NDArray[np.bool_],
    ) -> None:
        self._n, self._owner = len(pictures.unseen), pictures.owner
        self._certain, self._possible = pictures.certain, pictures.possible
        self._unseen = pictures.unseen
        self._within, self._maybe_within = within, ~without

    def range_of(self, concept: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Least and greatest number, int64 (B,) each."""
        c = CONCEPT_INDEX[concept]
        surely = self._certain[:, c] & self._within
        maybe = (self._certain[:, c] | self._possible[:, c]) & self._maybe_within
        least = np.bincount(self._owner[surely], minlength=self._n)
        most = np.bincount(self._owner[maybe | surely], minlength=self._n)
        return least, np.where(self._unseen[:, c], _ENDLESS, most)

    def judge(self, term: Term) -> NDArray[np.int8]:
        """YES, NO or UNKNOWN per picture, int8 (B,)."""
        least, most = self.range_of(term.concept)
        if (term.high or 0) > 1 or term.low > 1:
            most = most + most // 5  # in a throng nobody draws every box
        high = _ENDLESS * 2 if term.high is None else term.high
        verdict = np.full(self._n, UNKNOWN, np.int8)
        verdict[(least >= term.low) & (most <= high)] = YES
        verdict[(most < term.low) | (least > high)] = NO
        unsure = (most >= term.unsure_low) & (least <= term.unsure_high)
        verdict[unsure] = UNKNOWN
        return verdict


def _joined(verdicts: list[NDArray[np.int8]], every: bool) -> NDArray[np.int8]:  # noqa: FBT001
    """Kleene's three-valued and, or."""
    stack = np.stack(verdicts)
    deciding, other = (NO, YES) if every else (YES, NO)
    joined = np.where((stack == other).all(axis=0), other, UNKNOWN)
    return np.asarray(np.where((stack == deciding).any(axis=0), deciding, joined), np.int8)
