"""What is known to be in a picture: certain, possible and absent things, never a guess."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_daemon.training.concepts import (
    BLIND,
    COMPLETE,
    CONCEPT_INDEX,
    CONCEPTS,
    DETECTOR,
    HUMAN,
    LIGHTS,
    OTHER_NAMES,
    PARTIAL,
    SCENE_INDEX,
    SCENES,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from edge_daemon.training.concepts import Bearing

# Source: the data's catalogue; a box of the detector is mostly right from here up ...
_SURE_SCORE: Final = {"truck": 0.6}
_SURE_SCORE_DEFAULT: Final = 0.45
# ... and where nothing is drawn by people, nothing is there only below this score.
_DOUBTFUL_SCORE: Final = 0.10
# In a set that people labelled fully, only a detection this sure raises a doubt.
_CONTRADICTING_SCORE: Final = 0.6
_SAME_OBJECT_IOU: Final = 0.4
_DAYLIGHT_BRIGHTNESS: Final = 115.0


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Truth about one picture, three-valued.

    boxes is float32 (n, 4): x1 y1 x2 y2 as fractions.  certain and possible are bool
    (n, concepts): what each box shows, and what it may show.  unseen is bool (concepts,): there
    may be more of it outside all boxes.  scene is int8 (scenes,): 1 yes, 0 no, -1 unknown.
    """

    boxes: NDArray[np.float32] = field(repr=False)
    certain: NDArray[np.bool_] = field(repr=False)
    possible: NDArray[np.bool_] = field(repr=False)
    unseen: NDArray[np.bool_] = field(repr=False)
    scene: NDArray[np.int8] = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One line of the labels file."""

    key: str
    dataset: str
    licence: str
    split: str
    shard: str
    labels: Labels = field(repr=False)
    people_labelled: frozenset[str] = frozenset()


def read_rows(path: Path, *, without: frozenset[str]) -> Iterator[Row]:
    """Rows of a labels.jsonl.gz, in order, but for the datasets left out.  Raises OSError."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if row["dataset"] not in without:
                yield Row(
                    row["key"],
                    row["dataset"],
                    row["licence"],
                    row["split"],
                    row["shard"],
                    labels_of(row),
                    _people_labelled(_with_pets(row)),
                )


def labels_of(row: Mapping[str, Any]) -> Labels:
    """Truth from one row's boxes by people and by the detector."""
    row = _with_pets(row)
    dataset = row["dataset"]
    people = list(_drawn_by_people(row))
    complete = _people_labelled(row)
    drawn = complete | PARTIAL.get(dataset, frozenset())
    boxes, bearings = [b for b, _ in people], [bearing for _, bearing in people]
    for *box, name, score in row["detector"]:
        bearing = _detected(box, name, score, people, drawn)
        if bearing is not None:
            boxes.append(box)
            bearings.append(bearing)
    unseen = np.zeros(len(CONCEPTS), bool)
    blind = BLIND.get(dataset, frozenset()) if people else frozenset()
    _mark(unseen, blind | (frozenset(LIGHTS) - complete if _has_lights(row) else frozenset()))
    _mark(unseen, _never_drawn(dataset))
    if dataset == "dogs_cats" and not people:
        _mark(unseen, frozenset({*row["scene"], "animal", "anything"}))
    labels = assemble(boxes, bearings, unseen, _scene_of(row))
    _join_riders(labels, complete)
    return labels


def assemble(
    boxes: list[Any],
    bearings: list[Bearing],
    unseen: NDArray[np.bool_],
    scene: NDArray[np.int8],
) -> Labels:
    """Labels from boxes (fractions) and what each bears on."""
    certain = np.zeros((len(boxes), len(CONCEPTS)), bool)
    possible = np.zeros_like(certain)
    for i, (sure, maybe) in enumerate(bearings):
        _mark(certain[i], sure)
        _mark(possible[i], maybe)
    plain = np.clip(np.asarray(boxes, np.float32).reshape(-1, 4), 0, 1)
    return Labels(plain, certain, possible & ~certain, unseen, scene)


def iou(box: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Overlap of one box (4,) with others (n, 4), intersection over union, float32 (n,)."""
    width = np.minimum(box[2], others[:, 2]) - np.maximum(box[0], others[:, 0])
    height = np.minimum(box[3], others[:, 3]) - np.maximum(box[1], others[:, 1])
    both = np.clip(width, 0, None) * np.clip(height, 0, None)
    area = (others[:, 2] - others[:, 0]) * (others[:, 3] - others[:, 1])
    own = (box[2] - box[0]) * (box[3] - box[1])
    return np.asarray(both / np.maximum(area + own - both, 1e-9), np.float32)


def _detected(
    box: list[float],
    name: str,
    score: float,
    people: list[tuple[list[float], Bearing]],
    drawn: frozenset[str],
) -> Bearing | None:
    """What a detection adds to what people drew; None when it adds nothing."""
    bearing = DETECTOR.get(name)
    if bearing is None or score < _DOUBTFUL_SCORE:
        return None
    certain, possible = bearing
    shown = _shown_there(box, people)
    if (shown[0] | shown[1]) & certain - {"anything"}:
        certain, possible = certain - drawn - shown[0], possible - drawn - shown[0]
    if score < _SURE_SCORE.get(name, _SURE_SCORE_DEFAULT):
        certain, possible = frozenset(), certain | possible
    doubtful = drawn & (certain | possible) if score >= _CONTRADICTING_SCORE else frozenset()
    if certain & drawn:  # people saw the class and did not draw it here
        certain, possible = frozenset(), certain | possible
    certain, possible = certain - drawn, (possible - drawn) | doubtful
    return (certain, possible) if certain | possible else None


def _drawn_by_people(row: Mapping[str, Any]) -> Iterator[tuple[list[float], Bearing]]:
    """Boxes people drew, and what they bear on."""
    others = OTHER_NAMES.get(row["dataset"], {})
    for *box, name in row["human"] or []:
        bearing = HUMAN.get(others.get(name, name))
        if bearing is not None:
            yield box, _settled(box, bearing, row) if name in others else bearing


def _settled(box: list[float], bearing: Bearing, row: Mapping[str, Any]) -> Bearing:
    """A box of one of two kinds, of the one the detector is sure of."""
    votes: dict[str, float] = {}
    for *found, name, score in row["detector"]:
        overlap = iou(np.asarray(box, np.float32), np.asarray([found], np.float32))[0]
        if overlap > _SAME_OBJECT_IOU:
            votes[name] = max(votes.get(name, 0.0), score)
    sure = [n for n, score in votes.items() if n in bearing[1] and score >= _CONTRADICTING_SCORE]
    if len(sure) != 1:
        return bearing
    return bearing[0] | {sure[0]}, frozenset()


def _shown_there(box: list[float], people: list[tuple[list[float], Bearing]]) -> Bearing:
    """What boxes that people drew around the same object show, certainly and possibly."""
    certain, possible = frozenset[str](), frozenset[str]()
    if people:
        drawn = np.asarray([b for b, _ in people], np.float32)
        for i in np.flatnonzero(iou(np.asarray(box, np.float32), drawn) > _SAME_OBJECT_IOU):
            certain, possible = certain | people[i][1][0], possible | people[i][1][1]
    return certain, possible


def _people_labelled(row: Mapping[str, Any]) -> frozenset[str]:
    return COMPLETE.get(row["dataset"], frozenset()) if row["human"] is not None else frozenset()


def _with_pets(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """People said dog or cat of the whole picture; the detector's box says where."""
    if row["dataset"] != "dogs_cats":
        return row
    pets = [box for box in row["detector"] if box[4] in ("dog", "cat")]
    pets.sort(key=lambda box: -box[5])
    sure = [box for box in pets if box[5] >= _SURE_SCORE_DEFAULT] or pets[:1]
    others = [box for box in row["detector"] if box[4] not in ("dog", "cat")]
    human = [[*box[:4], row["scene"][0]] for box in sure]
    return {**row, "human": human, "detector": others}


def _has_lights(row: Mapping[str, Any]) -> bool:
    return any(box[4] == "traffic_light" for box in row["detector"])


def _never_drawn(dataset: str) -> frozenset[str]:
    """Rickshaws stand in streets whose labels do not name them."""
    return frozenset({"rickshaw"}) if dataset == "manaus_v5" else frozenset()


def _scene_of(row: Mapping[str, Any]) -> NDArray[np.int8]:
    scene = np.full(len(SCENES), -1, np.int8)
    night, day = SCENE_INDEX["night"], SCENE_INDEX["day"]
    if "night" in row["scene"] or "day" in row["scene"]:
        scene[night] = "night" in row["scene"]
        scene[day] = 1 - scene[night]
    elif row["brightness"] > _DAYLIGHT_BRIGHTNESS and row["dataset"] in COMPLETE:
        scene[night], scene[day] = 0, 1
    if row["dataset"] not in ("amos_daynight", "atl_v2_highway"):
        scene[SCENE_INDEX["rain"]] = scene[SCENE_INDEX["fog"]] = 0
    return scene


def _join_riders(labels: Labels, complete: frozenset[str]) -> None:
    """A two-wheeler with somebody on it is a rider; without, it may be one."""
    person = labels.certain[:, CONCEPT_INDEX["person"]]
    for wheels, rider in (("bicycle", "cyclist"), ("motorcycle", "motorcyclist")):
        if rider in complete:
            continue
        column = CONCEPT_INDEX[rider]
        for i in np.flatnonzero(labels.certain[:, CONCEPT_INDEX[wheels]]):
            box = labels.boxes[i]
            reach = box + np.array([0, -(box[3] - box[1]), 0, 0], np.float32)
            if person.any() and iou(reach, labels.boxes[person]).max() > 0.25:
                labels.certain[i, column], labels.possible[i, column] = True, False
        labels.possible[person & ~labels.certain[:, column], column] &= bool(
            labels.certain[:, CONCEPT_INDEX[wheels]].any()
            or labels.possible[:, CONCEPT_INDEX[wheels]].any()
        )


def _mark(flags: NDArray[np.bool_], names: frozenset[str]) -> None:
    for name in names:
        flags[CONCEPT_INDEX[name]] = True
