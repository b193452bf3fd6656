"""Batches: planned pictures, questions asked of all of them, and what is true."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch.utils.data import Dataset

from edge_daemon.training.augment import erase, mosaic, paste, vary
from edge_daemon.training.concepts import CONCEPT_INDEX, CONCEPTS, RIVALS, SCENES
from edge_daemon.training.cutouts import SHARES
from edge_daemon.training.meaning import ids_of, properties
from edge_daemon.training.questions import Question, draw
from edge_daemon.training.rendered import RENDERED
from edge_daemon.training.truth import Grid, answers, concept_maps, place_mask
from edge_daemon.training.zones import LAMPS, random_zone
from edge_daemon.types import polygon_mask

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from edge_daemon.engine.tokenizer import Tokenizer
    from edge_daemon.training.augment import Cutout, Plan
    from edge_daemon.training.labels import Row
    from edge_daemon.training.pictures import Pictures
    from edge_daemon.training.settings import Settings

# How often each concept should be in a picture, at least; rarer ones are drawn more often.
_WANTED_SHARE: Final = {
    "person": 0.3, "cyclist": 0.06, "motorcyclist": 0.06, "car": 0.35, "truck": 0.2, "bus": 0.16,
    "bicycle": 0.12, "motorcycle": 0.12, "rickshaw": 0.06, "dog": 0.04, "cat": 0.02,
    "traffic_light": 0.22, "red_light": 0.12, "green_light": 0.12, "yellow_light": 0.05,
    "stop_sign": 0.015,
}  # fmt: skip
_NIGHT_SHARE: Final = 0.04
_EMPTY_SHARE: Final = 0.06
_MOST_REPEATED: Final = 6.0
_PRESENT_SHARE: Final = 0.55  # of questions about something one of the pictures shows
_TAKEN_FOR: Final = {c: [other for other in CONCEPTS if c in RIVALS[other]] for c in CONCEPTS}
_RIVAL_SHARE: Final = 0.2  # of those, about what it is taken for
_ZONE_SHARE: Final = 0.3
_LIGHT_ZONE_SHARE: Final = 0.5  # zones with lamps are rare, and one beside a lamp must say NO
# Close-ups of pets are no street's view, and all their rooms hold a pet; rooms without are rare.
_SOURCE_WEIGHT: Final = {"dogs_cats": 0.4, "coco256": 2.0}


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """One batch.  Shapes: B pictures, Q questions, T cells, C concepts.

    plans: B pictures to draw; ids int64 (Q,L); zones float32 (Q,T); answers int8 (B,Q), -1
    unknown; subject and partner int64 (Q,): concept number, C for none; place float32 (Q,T), NaN
    where unknown; centres float32, inside, ignored bool (B,C+1,T); countable bool (B,C+1).
    """

    plans: tuple[Plan, ...] = field(repr=False)
    ids: torch.Tensor
    zones: torch.Tensor
    answers: torch.Tensor
    subject: torch.Tensor
    partner: torch.Tensor
    place: torch.Tensor
    centres: torch.Tensor
    inside: torch.Tensor
    ignored: torch.Tensor
    countable: torch.Tensor
    meaning: dict[str, torch.Tensor]  # class numbers (Q,) of each property

    def to(self, device: torch.device) -> Batch:
        """The same with its tensors on another device, which need not have arrived yet."""
        return self._each(lambda x: x.to(device, non_blocking=True))

    def pin_memory(self) -> Batch:
        """The same in memory that a GPU can read by itself."""
        return self._each(lambda x: x.pin_memory())

    def _each(self, change: Callable[[torch.Tensor], torch.Tensor]) -> Batch:
        kept = ("plans", "meaning")
        others = {n: change(getattr(self, n)) for n in self.__slots__ if n not in kept}
        return Batch(self.plans, **others, meaning={k: change(v) for k, v in self.meaning.items()})


class Batches(Dataset[Batch]):
    """Training batches by number; the same number is always the same batch, whoever makes it."""

    def __init__(
        self,
        settings: Settings,
        rows: Sequence[Row],
        pictures: Pictures,
        cutouts: Mapping[str, Sequence[Cutout]],
        tokenizer: Tokenizer,
    ) -> None:
        self._settings, self._rows = settings, rows
        self._cutouts, self._tokenizer = cutouts, tokenizer
        self._shapes = {row.key: pictures.size(row.key) for row in rows}
        self._size = (settings.model.width, settings.model.height)
        self._grid = Grid(settings.model.width // 16, settings.model.height // 16)
        rendered = [n for n, row in enumerate(rows) if row.dataset == RENDERED]
        self._chances = _chances(rows, np.array(rendered, int), settings.data.rendered_share)

    def __len__(self) -> int:
        return self._settings.optim.steps

    def __getitem__(self, number: int) -> Batch:
        rng = np.random.default_rng((self._settings.seed, number))
        speaker = Random(int(rng.integers(2**63)))
        plans = [self._plan(rng) for _ in range(self._settings.optim.batch)]
        asked, zones = self._asked(plans, speaker, rng)
        return make_batch(plans, asked, zones, grid=self._grid, tokenizer=self._tokenizer)

    def _plan(self, rng: np.random.Generator) -> Plan:
        data = self._settings.data
        luck = rng.random()
        if luck < data.mosaic_share:
            return mosaic([self._one(rng) for _ in range(4)], self._size)
        plan = self._one(rng)
        if luck > 1 - data.erase_share:
            plan = erase(plan, self._size, rng)
        elif luck < data.mosaic_share + data.paste_share:
            for _ in range(int(rng.integers(1, 3))):
                name = str(rng.choice(list(SHARES), p=list(SHARES.values())))
                if self._cutouts.get(name):
                    plan = paste(plan, self._size, name, self._cutouts[name], rng)
        return plan

    def _one(self, rng: np.random.Generator) -> Plan:
        row = self._rows[int(np.searchsorted(self._chances, rng.random()))]
        gentle = row.dataset == RENDERED
        shape = self._shapes[row.key]
        return vary(row.key, shape, row.labels, self._size, rng, gentle=gentle)

    def _asked(
        self, plans: Sequence[Plan], speaker: Random, rng: np.random.Generator
    ) -> tuple[list[tuple[Question, str]], NDArray[np.bool_]]:
        """Questions, half of them about something that is in one of the pictures; their zones."""
        asked: list[tuple[Question, str]] = []
        zones = np.ones((self._settings.optim.questions, self._grid.cells), bool)
        for q in range(self._settings.optim.questions):
            labels = plans[int(rng.integers(len(plans)))].labels
            present = np.flatnonzero(labels.certain.any(axis=0))
            if len(present) and rng.random() < _PRESENT_SHARE:
                focus = CONCEPTS[int(rng.choice(present))]
                if _TAKEN_FOR[focus] and rng.random() < _RIVAL_SHARE:
                    focus = str(rng.choice(_TAKEN_FOR[focus]))
            else:
                focus = speaker.choice(CONCEPTS + SCENES)
            asked.append(draw(speaker, focus))
            question = asked[-1][0]
            share = _LIGHT_ZONE_SHARE if focus in LAMPS else _ZONE_SHARE
            if question.scene is None and question.place is None and rng.random() < share:
                polygon = random_zone(labels, focus, rng)
                zones[q] = polygon_mask(polygon, self._grid.columns, self._grid.rows).reshape(-1)
        return asked, zones


def make_batch(
    plans: Sequence[Plan],
    asked: Sequence[tuple[Question, str]],
    zones: NDArray[np.bool_],
    *,
    grid: Grid,
    tokenizer: Tokenizer,
) -> Batch:
    """Everything about these questions on these pictures."""
    questions = [question for question, _ in asked]
    labels = [plan.labels for plan in plans]
    maps = concept_maps(labels, grid)
    return Batch(
        plans=tuple(plans),
        ids=ids_of(tokenizer, asked),
        zones=torch.from_numpy(zones.astype(np.float32)),
        answers=torch.from_numpy(answers(questions, zones, labels, grid)),
        subject=torch.tensor([_concept(q, 0) for q in questions]),
        partner=torch.tensor([_concept(q, 1) for q in questions]),
        place=torch.from_numpy(np.stack([_place(q, grid) for q in questions])),
        centres=torch.from_numpy(_padded(maps.centres)),
        inside=torch.from_numpy(_padded(maps.inside)),
        ignored=torch.from_numpy(_padded(maps.ignored)),
        countable=torch.from_numpy(_padded(maps.countable)),
        meaning=properties(questions),
    )


def _concept(question: Question, n: int) -> int:
    return CONCEPT_INDEX[question.terms[n].concept] if len(question.terms) > n else len(CONCEPTS)


def _place(question: Question, grid: Grid) -> NDArray[np.float32]:
    if question.place in ("near", "far"):
        return np.full(grid.cells, np.nan, np.float32)
    if question.place is None:
        return np.ones(grid.cells, np.float32)
    return place_mask(question.place, grid).astype(np.float32)


def _padded(maps: NDArray[np.generic]) -> NDArray[np.generic]:
    """One more concept, "none", which is nowhere."""
    return np.concatenate([maps, np.zeros_like(maps[:, :1])], axis=1)


def _chances(
    rows: Sequence[Row], rendered: NDArray[np.int64], rendered_share: float
) -> NDArray[np.float64]:
    """Cumulative chance of each row, so that rare things come often enough."""
    shown = np.stack([row.labels.certain.any(axis=0) for row in rows])  # (N, C)
    night = np.array([row.labels.scene[0] == 1 for row in rows])
    empty = ~shown.any(axis=1)
    weight = np.array([_SOURCE_WEIGHT.get(row.dataset, 1.0) for row in rows])
    base = weight.copy()
    wanted = [(shown[:, CONCEPT_INDEX[name]], share) for name, share in _WANTED_SHARE.items()]
    for marked, share in (*wanted, (night, _NIGHT_SHARE), (empty, _EMPTY_SHARE)):
        have = base[marked].sum() / base.sum()
        if 0 < have < share:
            factor = min(_MOST_REPEATED, share / have)
            weight[marked] = np.maximum(weight[marked], base[marked] * factor)
    if len(rendered):
        others = weight.sum() - weight[rendered].sum()
        wanted_sum = others * rendered_share / (1 - rendered_share)
        weight[rendered] *= wanted_sum / weight[rendered].sum()
    return np.asarray(np.cumsum(weight / weight.sum()))
