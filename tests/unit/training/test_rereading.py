"""More ways to say what an encoder understands already."""

from __future__ import annotations

from random import Random

import pytest

from edge_daemon.training.concepts import CONCEPTS
from edge_daemon.training.questions import Question, Term, presence
from tests.conftest import missing
from tests.unit.training.test_questions import TOKENIZER

try:
    import torch

    from edge_daemon.training.meaning import Meaning
    from edge_daemon.training.network import ROLES, QuestionEncoder
    from edge_daemon.training.rereading import lesson_of, reread
except ModuleNotFoundError:
    torch = None

pytestmark = pytest.mark.train
TRUCK, DOG, CAT = (Question("presence", (Term(name),)) for name in ("truck", "dog", "cat"))


@pytest.fixture
def encoder() -> QuestionEncoder:
    if torch is None:
        missing("no torch: pip install 'edge-daemon[train]'", "REQUIRE_TORCH")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    return QuestionEncoder(len(TOKENIZER.vocab), TOKENIZER.max_length, 72, 16, 1).eval()


def new(*words: str) -> torch.Tensor:
    return torch.tensor([piece in words for piece in TOKENIZER.vocab])


def test_a_new_way_to_say_it_gets_the_vectors_of_the_others(encoder: QuestionEncoder) -> None:
    trucks = [(TRUCK, text) for text in ("a truck", "trucks", "any truck", "a lorry")]
    asked = [*trucks, (DOG, "a dog"), (CAT, "a kitty")]
    lesson = lesson_of(encoder, TOKENIZER, asked, new("lorry", "kitty"))
    with torch.no_grad():
        own = encoder(lesson.ids)

    assert lesson.known.tolist() == [True, True, True, True, True, False]
    for n in range(4):
        assert lesson.vectors[n].equal(own[:3].median(0).values)
    assert lesson.vectors[4].equal(own[4])


def test_rereading_brings_questions_to_their_meanings(encoder: QuestionEncoder) -> None:
    rng = Random(1)
    asked = [presence(rng.choice(CONCEPTS[:6]), rng) for _ in range(300)]
    lesson = lesson_of(encoder, TOKENIZER, asked, new("lorry", "lorries"))

    def gap() -> float:
        with torch.no_grad():
            return float(
                (encoder.eval()(lesson.ids) - lesson.vectors)[lesson.known].square().mean()
            )

    before = gap()
    reread(encoder, Meaning(ROLES, 72, 64), TOKENIZER,
           steps=30, seed=0, new_words=new("lorry", "lorries"), n=300)  # fmt: skip

    assert gap() < 0.8 * before
