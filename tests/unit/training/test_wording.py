"""Questions as owners write them, through the tokenizer a new bundle gets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edge_daemon.training.data import make_tokenizer

if TYPE_CHECKING:
    from edge_daemon.engine.tokenizer import Tokenizer

LISTS = Path(__file__).resolve().parents[2] / "data"


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return make_tokenizer()


def written(name: str) -> list[str]:
    return (LISTS / f"questions_{name}.txt").read_text(encoding="utf-8").splitlines()


def test_what_the_concepts_carry_is_understood(tokenizer: Tokenizer) -> None:
    asked = written("supported")
    refused = {text: why for text in asked if (why := tokenizer.refusal(text))}

    assert len(set(asked)) >= 100
    assert len(refused) <= 0.03 * len(asked), refused


def test_what_was_never_learned_is_refused(tokenizer: Tokenizer) -> None:
    asked = written("unsupported")
    taken = [text for text in asked if tokenizer.supports(text)]

    assert len(set(asked)) >= 100
    assert len(taken) <= 0.05 * len(asked), taken
