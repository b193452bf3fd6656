"""The question grammar: what it says is what it means, and it knows its words."""

from __future__ import annotations

import re
from random import Random

import pytest

from edge_daemon.engine.tokenizer import Tokenizer
from edge_daemon.training.concepts import CONCEPTS, SCENES
from edge_daemon.training.questions import MAX_LENGTH, draw, vocabulary, word_pieces

TOKENIZER = Tokenizer(
    kind="wordpiece",
    lowercase=True,
    max_length=MAX_LENGTH,
    vocab=list(word_pieces()),
    known_words=list(vocabulary()),
)


def drawn(n: int, *, held_out: bool = False) -> list[tuple[object, str]]:
    rng = Random(3)
    return [draw(rng, rng.choice(CONCEPTS + SCENES), held_out=held_out) for _ in range(n)]


@pytest.mark.parametrize("held_out", [False, True])
def test_every_question_is_made_of_known_words(held_out: bool) -> None:
    unknown = {
        w for _, text in drawn(3000, held_out=held_out) for w in TOKENIZER.unknown_words(text)
    }

    assert unknown == set()


def test_unseen_patterns_do_not_occur_in_training() -> None:
    familiar = {text for _, text in drawn(6000)}
    unseen = {text for _, text in drawn(1500, held_out=True)}

    assert len(unseen & familiar) < 0.02 * len(unseen)


def test_questions_fit_the_tokenizer() -> None:
    lengths = [int((TOKENIZER.encode(text) != 0).sum()) for _, text in drawn(3000)]

    assert sum(n >= MAX_LENGTH for n in lengths) < 3


def test_no_field_is_left_unfilled() -> None:
    assert not [text for _, text in drawn(3000) if "{" in text or "}" in text]


@pytest.mark.parametrize(
    "text",
    [
        "Is there a pedestrian?",
        "any cyclists?",
        "Do you see a dog",
        "Are there people in the picture?",
        "more than three cars",
        "at least two people",
        "exactly one bus",
        "is it crowded",
        "Is there a car on the left?",
        "Is there a person near the camera?",
        "Are there bicycles in the lower half?",
        "Is the traffic light red?",
        "Is it night?",
        "a person but no car",
        "Is the road empty?",
        "no vehicles",
        "Is the crossing blocked?",
        "Are there 12 people?",
    ],
)
def test_plain_questions_are_understood(text: str) -> None:
    assert TOKENIZER.supports(text)


@pytest.mark.parametrize(
    "text",
    [
        "Is there a blue car?",
        "Is anyone wearing a hat?",
        "Is the door open?",
        "Is there a giraffe?",
        "Is there a fire?",
        "Is a man fighting?",
        "Is the man old?",
        "Is there snow on the street?",
        "Is a parcel lying there?",
        "Does the licence plate end in 7?",
    ],
)
def test_what_was_never_learned_has_an_unknown_word(text: str) -> None:
    assert TOKENIZER.unknown_words(text)


def test_numbers_mean_the_same_in_digits_and_words() -> None:
    meant: dict[str, set[tuple[int, int | None]]] = {}
    for question, text in drawn(20000):
        found = re.search(r"(?<!no )(?<!not )more than (\w+) ", text)
        if found and question.family == "number":
            meant.setdefault(found[1], set()).add((question.terms[0].low, question.terms[0].high))

    assert meant["two"] == meant["2"] == {(3, None)}
