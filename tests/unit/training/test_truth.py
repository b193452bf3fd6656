"""Answers from boxes: yes, no, and honestly unknown."""

from __future__ import annotations

import numpy as np
import pytest

from edge_daemon.training.concepts import CONCEPT_INDEX
from edge_daemon.training.labels import Labels
from edge_daemon.training.questions import Question, Term
from edge_daemon.training.truth import (
    NO,
    UNKNOWN,
    YES,
    Grid,
    answers,
    concept_maps,
    coverage,
    place_mask,
)
from tests.unit.training.labelled import labelled

GRID = Grid(20, 12)
LEFT, RIGHT = (0.1, 0.4, 0.2, 0.8), (0.7, 0.4, 0.8, 0.8)
ONE_PERSON = labelled(("person", LEFT))
MAYBE_PERSON = labelled(possible=(("person", LEFT),))
EMPTY = labelled()


def judge(question: Question, labels: Labels, zone: np.ndarray | None = None) -> int:
    zones = np.ones((1, GRID.cells), bool) if zone is None else zone[None]
    return int(answers([question], zones, [labels], GRID)[0, 0])


def ask(*terms: Term, every: bool = True, place: str | None = None, sole: bool = False) -> Question:
    return Question("test", terms, every, place, None, sole)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (ONE_PERSON, YES),
        (EMPTY, NO),
        (MAYBE_PERSON, UNKNOWN),
        (labelled(unseen=("person",)), UNKNOWN),
        (labelled(("person", LEFT), unseen=("person",)), YES),
    ],
)
def test_presence_is_unknown_when_the_labels_are(labels: Labels, expected: int) -> None:
    assert judge(ask(Term("person")), labels) == expected


def test_absence_is_the_opposite_of_presence() -> None:
    question = ask(Term("person", 0, 0))

    assert [judge(question, x) for x in (ONE_PERSON, EMPTY, MAYBE_PERSON)] == [NO, YES, UNKNOWN]


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        (Term("person", 2), YES),
        (Term("person", 3), UNKNOWN),
        (Term("person", 4), NO),
        (Term("person", 2, 2), UNKNOWN),
        (Term("person", 0, 1), NO),
        (Term("person", 2, 3), YES),
    ],
)
def test_number_counts_the_possible_third_person_both_ways(term: Term, expected: int) -> None:
    labels = labelled(("person", LEFT), ("person", RIGHT), possible=(("person", (0.4, 0, 0.5, 1)),))

    assert judge(ask(term), labels) == expected


def test_number_within_the_unsure_band_is_unknown() -> None:
    crowd = Term("person", 6, None, 4, 5)
    people = [("person", (x / 10, 0.3, x / 10 + 0.05, 0.6)) for x in range(9)]

    assert judge(ask(crowd), labelled(*people[:3])) == NO
    assert judge(ask(crowd), labelled(*people[:5])) == UNKNOWN
    assert judge(ask(crowd), labelled(*people)) == YES


def test_riders_are_people_and_their_machines() -> None:
    rider = labelled(("motorcycle_rider", LEFT))

    for concept in ("person", "motorcycle", "motorcyclist", "vehicle"):
        assert judge(ask(Term(concept)), rider) == YES


@pytest.mark.parametrize(
    ("place", "expected"), [("left", YES), ("right", NO), ("top", NO), ("bottom_right", NO)]
)
def test_place_counts_only_what_lies_in_it(place: str, expected: int) -> None:
    assert judge(ask(Term("car"), place=place), labelled(("car", (0.1, 0.4, 0.2, 0.9)))) == expected


def test_place_of_a_box_across_the_border_is_unknown() -> None:
    across = labelled(("car", (0.4, 0.4, 0.6, 0.8)))

    assert judge(ask(Term("car"), place="left"), across) == UNKNOWN


def test_near_and_far_go_by_size_and_foot() -> None:
    near, far = labelled(("car", (0.2, 0.5, 0.7, 1.0))), labelled(("car", (0.5, 0.4, 0.55, 0.44)))

    assert [judge(ask(Term("car"), place="near"), x) for x in (near, far)] == [YES, NO]
    assert [judge(ask(Term("car"), place="far"), x) for x in (near, far)] == [NO, YES]


def test_zone_counts_only_what_reaches_into_it() -> None:
    zone = place_mask("left", GRID)

    assert judge(ask(Term("person")), labelled(("person", LEFT)), zone) == YES
    assert judge(ask(Term("person")), labelled(("person", RIGHT)), zone) == NO
    assert judge(ask(Term("person")), labelled(("person", (0.4, 0.4, 0.9, 0.8))), zone) == UNKNOWN


def test_pairs_follow_three_valued_logic() -> None:
    person, no_car = Term("person"), Term("car", 0, 0)

    assert judge(ask(person, no_car), ONE_PERSON) == YES
    assert judge(ask(person, no_car), labelled(("person", LEFT), ("car", RIGHT))) == NO
    assert judge(ask(person, no_car), MAYBE_PERSON) == UNKNOWN
    assert judge(ask(person, Term("car"), every=False), MAYBE_PERSON) == UNKNOWN
    assert judge(ask(Term("car"), person, every=False), ONE_PERSON) == YES


def test_light_with_two_colours_lit_is_unknown() -> None:
    question = ask(Term("red_light"), sole=True)
    red, green = ("traffic_light:red", LEFT), ("traffic_light:green", RIGHT)

    assert judge(question, labelled(red)) == YES
    assert judge(question, labelled(green)) == NO
    assert judge(question, labelled(red, green)) == UNKNOWN


def test_coverage_adds_up_to_the_area_of_the_box() -> None:
    boxes = np.array([[0.13, 0.21, 0.47, 0.88]], np.float32)

    assert coverage(boxes, GRID).sum() / GRID.cells == pytest.approx(0.34 * 0.67, rel=1e-4)


def test_maps_hold_one_centre_per_box_and_ignore_the_possible() -> None:
    labels = labelled(("person", LEFT), possible=(("person", RIGHT),))
    maps = concept_maps([labels], GRID)
    person = CONCEPT_INDEX["person"]

    assert maps.centres[0, person].sum() == 1
    assert maps.inside[0, person].any()
    assert not (maps.inside & maps.ignored).any()
    assert maps.ignored[0, person, 7 * 20 + 15]
    assert not maps.countable[0, person]


def test_map_marks_the_cell_of_a_thing_smaller_than_a_cell() -> None:
    maps = concept_maps([labelled(("dog", (0.51, 0.51, 0.52, 0.53)))], GRID)

    assert maps.inside[0, CONCEPT_INDEX["dog"]].sum() == 1
