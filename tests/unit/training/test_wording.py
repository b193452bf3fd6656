"""Questions as owners write them, through the tokenizer a new bundle gets."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from edge_daemon.engine.bundle import load_bundle
from edge_daemon.training.advice import ADVICE
from edge_daemon.training.concepts import CONCEPTS, SCENES
from edge_daemon.training.data import make_tokenizer
from edge_daemon.training.questions import draw

if TYPE_CHECKING:
    from edge_daemon.engine.tokenizer import Tokenizer

ROOT = Path(__file__).resolve().parents[3]
LISTS, ENGINES = ROOT / "tests" / "data", ROOT / "engines"


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return make_tokenizer()


@pytest.fixture(scope="module")
def shipped() -> Tokenizer:
    return load_bundle(ENGINES / "street").tokenizer


def written(name: str) -> list[str]:
    return (LISTS / f"questions_{name}.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("whose", ["tokenizer", "shipped"])
def test_what_the_concepts_carry_is_understood(whose: str, request: pytest.FixtureRequest) -> None:
    reader, asked = request.getfixturevalue(whose), written("supported")
    refused = {text: why for text in asked if (why := reader.refusal(text))}

    assert len(set(asked)) >= 340
    assert len(refused) <= 0.03 * len(asked), refused


@pytest.mark.parametrize("whose", ["tokenizer", "shipped"])
def test_what_was_never_learned_is_refused(whose: str, request: pytest.FixtureRequest) -> None:
    reader, asked = request.getfixturevalue(whose), written("unsupported")
    taken = [text for text in asked if reader.supports(text)]

    assert len(set(asked)) >= 330
    assert len(taken) <= 0.05 * len(asked), taken


def test_a_refusal_says_what_to_ask_instead(tokenizer: Tokenizer) -> None:
    why = {
        text: str(tokenizer.refusal(text)).split(" -- ")
        for text in ("Is there a child?", "Is there a red car?", "How many cars are there?")
    }

    assert why["Is there a child?"][0] == "unknown 'child'"
    assert why["Is there a child?"][1].startswith("ask for a person")
    assert why["Is there a red car?"] == ["never learned 'red car'", ADVICE["red"]]
    assert "at least 3 cars" in why["How many cars are there?"][1]


def test_places_and_postures_are_understood_but_noted(tokenizer: Tokenizer) -> None:
    note = tokenizer.note("Is a car parked on the sidewalk?")

    assert note is not None
    assert "'parked' is not judged" in note
    assert "'sidewalk' is not judged" in note


@pytest.mark.parametrize("held_out", [False, True])
def test_drawn_questions_are_understood(tokenizer: Tokenizer, held_out: bool) -> None:
    rng = Random(17)
    drawn = [draw(rng, rng.choice(CONCEPTS + SCENES), held_out=held_out)[1] for _ in range(1000)]
    refused = [text for text in drawn if not tokenizer.supports(text)]

    assert len(refused) <= 0.01 * len(drawn), refused
