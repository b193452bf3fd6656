"""Known words in combinations that training never used are refused, with advice."""

from __future__ import annotations

import pytest

from edge_daemon.engine.tokenizer import Tokenizer

WORDING = {
    "fillers": ["a", "the"],
    "classes": {
        "is": "", "there": "", "and": "joined", "car": "thing", "cars": "thing", "dog": "thing",
        "traffic light": "light", "light": "light", "red": "colour", "on": "on", "road": "site",
        "to be seen": "",
    },
    "sequences": [
        "| thing |", "| light colour", "light colour |", "| colour light", "colour light |",
        "| thing on", "thing on site", "on site |", "| thing joined", "thing joined thing",
        "joined thing |",
    ],
    "advice": {"red": "colours are for lights"},
    "notes": {"site": "draw a zone"},
    "openers": ["please", "tell me", "tell me if"],
    "barred": ["there light"],
}  # fmt: skip
WORDS = [
    "is", "there", "a", "the", "and", "car", "cars", "dog", "traffic", "light", "red", "on", "road",
    "to", "be", "seen", "please", "tell", "me", "if",
]  # fmt: skip
TOKENIZER = Tokenizer.from_json(
    {
        "kind": "wordpiece",
        "lowercase": True,
        "max_length": 12,
        "vocab": ["[PAD]", "[UNK]", "[CLS]", *WORDS],
        "known_words": WORDS,
        "wording": WORDING,
    },
    "tokenizer.json",
)


@pytest.mark.parametrize(
    "text",
    [
        "Is there a car?",
        "Is the traffic light red?",
        "a red light",
        "Is there a car on the road",
        "car and dog",
        "Is there a car to be seen",
        "Please tell me if there is a car",
        "Please, please tell me: is there a car?",
    ],
)
def test_sequences_of_training_are_understood(text: str) -> None:
    assert TOKENIZER.refusal(text) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Is there light?", "never learned 'there light' -- ask in other words"),
        ("Is there a car, please?", "never learned 'car please' -- ask in other words"),
        ("Is there a red car?", "never learned 'red car' -- colours are for lights"),
        ("Is the car red?", "never learned 'car red' -- colours are for lights"),
        ("Is there a dog on the car", "never learned 'dog on car' -- ask in other words"),
        ("Is there traffic", "never learned 'traffic' -- ask in other words"),
        ("Is there", "never learned 'is there' -- ask in other words"),
        ("Is there a cow or a red pig", "unknown 'cow', 'or', 'pig' -- ask in other words"),
        ("?!", "has no words -- ask a question in English"),
        ("car and " * 6, "more than the 11 words that are read -- ask in fewer words"),
    ],
)
def test_other_sequences_are_refused_by_name(text: str, why: str) -> None:
    assert str(TOKENIZER.refusal(text)).startswith(why)
    assert not TOKENIZER.supports(text)


def test_what_changes_no_answer_is_noted() -> None:
    assert TOKENIZER.note("Is there a car on the road?") == "'road' is not judged -- draw a zone"
    assert TOKENIZER.note("Is there a car?") is None


def test_a_tokenizer_without_wording_judges_by_words_alone() -> None:
    old = TOKENIZER.model_copy(update={"wording": None})

    assert old.supports("Is there a red car?")
    assert old.note("Is there a car on the road?") is None
