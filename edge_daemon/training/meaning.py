"""Reading lessons: what a question means, predicted from its vectors alone.

Text costs nothing, pictures do: the question encoder learns to read before it sees any, and the
same losses keep it honest afterwards.  Nothing of this is exported.
"""

from __future__ import annotations

import logging
from random import Random
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own habit

from edge_daemon.training import lexicon
from edge_daemon.training.concepts import CONCEPT_INDEX, CONCEPTS, SCENE_INDEX, SCENES
from edge_daemon.training.pace import practise
from edge_daemon.training.questions import draw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_daemon.engine.tokenizer import Tokenizer
    from edge_daemon.training.network import QuestionEncoder
    from edge_daemon.training.questions import Asked, Question

log = logging.getLogger(__name__)

_PLACES: Final = {name: i for i, name in enumerate(lexicon.PLACES)}
_RATE: Final = 3e-3
_MOST: Final = 13  # numbers from here on are one class; no limit is the last

ASPECTS: Final = {
    "subject": ("subject", len(CONCEPTS) + 1),
    "amount": ("subject", len(CONCEPTS) + 1),
    "attribute": ("subject", len(CONCEPTS) + 1),
    "partner": ("partner", len(CONCEPTS) + 1),
    "place": ("place", len(_PLACES) + 1),
    "scene": ("scene", len(SCENES) + 1),
}
"""Role of a vector: which property it must tell, and how many values that has."""

COMMANDS: Final = {
    "low": _MOST + 1,
    "high": _MOST + 2,
    "low2": 3,
    "every": 2,
    "partner": 2,
    "scene": 2,
}
"""Properties the head's conditioning must tell."""


def properties(questions: Sequence[Question]) -> dict[str, Tensor]:
    """Class numbers of each property, int64 (Q,)."""
    rows = [_of(question) for question in questions]
    return {name: torch.tensor([row[name] for row in rows]) for name in rows[0]}


def _of(question: Question) -> dict[str, int]:
    terms = question.terms
    second = terms[1] if len(terms) > 1 else None
    high = terms[0].high if terms else None
    return {
        "subject": CONCEPT_INDEX[terms[0].concept] if terms else len(CONCEPTS),
        "partner": CONCEPT_INDEX[second.concept] if second else len(CONCEPTS),
        "place": _PLACES[question.place] if question.place else len(_PLACES),
        "scene": SCENE_INDEX[question.scene] if question.scene else len(SCENES),
        "low": min(terms[0].low, _MOST) if terms else 0,
        "high": min(high, _MOST) if high is not None else _MOST + 1,
        "low2": min(second.low, 1) if second else 2,
        "every": int(question.every_term),
        "has_partner": int(second is not None),
        "has_scene": int(question.scene is not None),
    }


class Meaning(nn.Module):
    """Linear readers of a question's vectors."""

    def __init__(self, roles: Sequence[str], dim: int, condition: int) -> None:
        super().__init__()
        self._role = {name: n for n, name in enumerate(roles)}
        self._condition = condition
        self.readers = nn.ModuleDict({role: nn.Linear(dim, n) for role, (_, n) in ASPECTS.items()})
        self.commands = nn.ModuleDict({k: nn.Linear(condition, n) for k, n in COMMANDS.items()})

    def losses(self, vectors: Tensor, wanted: dict[str, Tensor]) -> Tensor:
        """Mean cross entropy of all properties; vectors (Q,K,D)."""
        said = self.read(vectors)
        return torch.stack(
            [F.cross_entropy(x, wanted[_property(k)]) for k, x in said.items()]
        ).mean()

    def correct(self, vectors: Tensor, wanted: dict[str, Tensor]) -> dict[str, float]:
        """Share told right, per property."""
        said = self.read(vectors)
        return {
            k: float((x.argmax(-1) == wanted[_property(k)]).float().mean()) for k, x in said.items()
        }

    def read(self, vectors: Tensor) -> dict[str, Tensor]:
        """Scores of each property's values, each (Q, n)."""
        said = {role: reader(vectors[:, self._role[role]]) for role, reader in self.readers.items()}
        told = vectors[:, self._role["head"], : self._condition]
        return said | {f"head:{name}": reader(told) for name, reader in self.commands.items()}


def _property(reader: str) -> str:
    if reader.startswith("head:"):
        name = reader.removeprefix("head:")
        return f"has_{name}" if name in ("partner", "scene") else name
    return ASPECTS[reader][0]


def reading_lesson(
    tokenizer: Tokenizer, rng: Random, n: int, *, held_out: bool = False
) -> tuple[Tensor, dict[str, Tensor]]:
    """Ids int64 (n, L) of random questions and their properties."""
    asked = [draw(rng, rng.choice(CONCEPTS + SCENES), held_out=held_out) for _ in range(n)]
    return ids_of(tokenizer, asked), properties([question for question, _ in asked])


def ids_of(tokenizer: Tokenizer, asked: Sequence[Asked]) -> Tensor:
    """Ids of the questions' texts, int64 (n, L), as long as the longest of them."""
    ids = np.stack([tokenizer.encode(text) for _, text in asked])
    return torch.from_numpy(ids[:, : max(1, int((ids != 0).sum(axis=1).max()))])


def learn_to_read(
    encoder: QuestionEncoder,
    meaning: Meaning,
    tokenizer: Tokenizer,
    *,
    steps: int,
    seed: int,
) -> dict[str, float]:
    """Train encoder and readers on text alone; returns what is told right of unseen patterns."""
    rng = Random(seed)
    parameters = [*encoder.parameters(), *meaning.parameters()]
    device = parameters[0].device

    def loss_of() -> Tensor:
        ids, wanted = reading_lesson(tokenizer, rng, 192)
        vectors = encoder(ids.to(device))
        wrong = meaning.losses(vectors, {k: v.to(device) for k, v in wanted.items()})
        return wrong + 1e-3 * vectors.square().mean()

    encoder.train()
    practise(parameters, loss_of, steps=steps, rate=_RATE, weight_decay=0.02, name="reading")
    return read_aloud(encoder, meaning, tokenizer)


def read_aloud(
    encoder: QuestionEncoder, meaning: Meaning, tokenizer: Tokenizer
) -> dict[str, float]:
    """Share of each property told right, of questions in patterns never trained on."""
    encoder.eval()
    device = next(encoder.parameters()).device
    ids, wanted = reading_lesson(tokenizer, Random(99), 2000, held_out=True)
    with torch.no_grad():
        right = meaning.correct(
            encoder(ids.to(device)), {k: v.to(device) for k, v in wanted.items()}
        )
    log.info("unseen patterns read right: %s", {k: round(v, 3) for k, v in right.items()})
    return right
