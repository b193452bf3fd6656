"""More ways to say what an encoder understands already, learnt from text alone.

Pictures' tokens were trained against the vectors of the questions of then.  Each meaning keeps the
vectors it had, the median over the ways to say it; what changes is which words lead there.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from edge_daemon.training.concepts import CONCEPTS, SCENES
from edge_daemon.training.meaning import ids_of, properties, read_aloud
from edge_daemon.training.pace import practise
from edge_daemon.training.questions import draw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from edge_daemon.engine.tokenizer import Tokenizer
    from edge_daemon.training.meaning import Meaning
    from edge_daemon.training.network import QuestionEncoder
    from edge_daemon.training.questions import Asked, Question

log = logging.getLogger(__name__)

_DRAWS: Final = 24_000
_BATCH: Final = 128
_RATE: Final = 1e-3
_WAYS: Final = 3  # to say a meaning, at least, for their median to count
_MEANING_WEIGHT: Final = 0.1
_PORTION: Final = 512


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """Questions, and the vectors they shall get: ids int64 (N,L), vectors float32 (N,K,D).

    known, bool (N,): others have no vectors.  spread (K,): variance of each role over questions.
    chances float64 (N,): how often each is read; half of the time those that were misread.
    """

    questions: Sequence[Question]
    ids: Tensor = field(repr=False)
    vectors: Tensor = field(repr=False)
    known: Tensor = field(repr=False)
    spread: Tensor = field(repr=False)
    chances: NDArray[np.float64] = field(repr=False)


def reread(
    encoder: QuestionEncoder,
    meaning: Meaning,
    tokenizer: Tokenizer,
    *,
    steps: int,
    seed: int,
    new_words: Tensor,
    n: int = _DRAWS,
) -> dict[str, float]:
    """Teach the encoder the grammar as it is now; returns what is told right of unseen patterns.

    new_words is bool (V,): the words whose embedding means nothing yet.
    """
    rng = Random(seed)
    asked = [draw(rng, rng.choice(CONCEPTS + SCENES)) for _ in range(n)]
    lesson = lesson_of(encoder, tokenizer, asked, new_words)
    parameters = [*encoder.parameters(), *meaning.parameters()]
    order = np.random.default_rng(seed)

    def loss_of() -> Tensor:
        return _loss(encoder, meaning, lesson, order.choice(n, _BATCH, p=lesson.chances))

    encoder.train()
    practise(parameters, loss_of, steps=steps, rate=_RATE, weight_decay=0.0, name="rereading")
    return read_aloud(encoder, meaning, tokenizer)


def lesson_of(
    encoder: QuestionEncoder, tokenizer: Tokenizer, asked: Sequence[Asked], new_words: Tensor
) -> Lesson:
    """What the encoder as it is makes of the questions' meanings.

    A meaning that is said in few ways keeps the vectors of each of them.
    """
    device = new_words.device
    ids = ids_of(tokenizer, asked).to(device)
    known = ~new_words[ids].any(1)
    encoder.eval()
    with torch.no_grad():
        own = torch.cat([encoder(ids[i : i + _PORTION]) for i in range(0, len(ids), _PORTION)])
    vectors = own.clone()
    ways: dict[Question, list[int]] = defaultdict(list)
    for i, (question, _) in enumerate(asked):
        ways[question].append(i)
    spread = vectors[known].var(0).mean(1).clamp(min=1e-6)
    for where in ways.values():
        understood = [i for i in where if known[i]]
        if len(understood) >= _WAYS:
            vectors[where] = vectors[understood].median(0).values
            known[where] = True
    misread = _gap(own, vectors, spread).clamp(max=1.0).cpu().numpy().astype(np.float64)
    chances = 0.5 / len(asked) + 0.5 * misread / max(misread.sum(), 1e-9)
    questions = [question for question, _ in asked]
    return Lesson(questions, ids, vectors, known, spread, chances / chances.sum())


def _gap(vectors: Tensor, wanted: Tensor, spread: Tensor) -> Tensor:
    """Mean squared distance in variances, (N,)."""
    return ((vectors - wanted).square().mean(2) / spread).mean(1)


def _loss(
    encoder: QuestionEncoder, meaning: Meaning, lesson: Lesson, chosen: NDArray[np.int64]
) -> Tensor:
    """Squared distance from the wanted vectors, in variances, and what the readers get wrong."""
    at = torch.from_numpy(chosen).to(lesson.ids.device)
    vectors = encoder(lesson.ids[at])
    gap = _gap(vectors, lesson.vectors[at], lesson.spread)
    known = lesson.known[at].float()
    wanted = properties([lesson.questions[i] for i in chosen])
    wrong = meaning.losses(vectors, {k: v.to(at.device) for k, v in wanted.items()})
    return (gap * known).sum() / known.sum().clamp(min=1) + _MEANING_WEIGHT * wrong
