"""What training minimises; everything unknown is left out."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own habit

from edge_daemon.training.concepts import CONCEPT_INDEX, CONCEPTS, RIVALS

if TYPE_CHECKING:
    from edge_daemon.training.batches import Batch

_RIVAL_WEIGHT: Final = 4.0  # of a cell that shows a rival, beside one of empty road
_RIVAL_ANSWER_WEIGHT: Final = 3.0  # of an answer about a picture that shows one

_TILT: Final = 0.25
"""How far rare answers are weighed up: 0 not at all, 1 until YES and NO weigh the same.

At 0.5 the model cried "dog" at empty rooms (single runs, in which more was changed).
"""

WEIGHTS: Final = {"answer": 1.0, "map": 0.7, "amount": 0.25, "total": 0.15, "place": 0.5}


def losses(out: dict[str, Tensor], batch: Batch) -> dict[str, Tensor]:
    """Each part, a scalar; their weighted sum under "loss"."""
    parts = {
        "answer": _answer(out["logits"], batch.answers, _rivals(batch, batch.subject).any(-1)),
        "map": _map(out["subject"], batch, batch.subject)
        + _map(out["partner"], batch, batch.partner),
        **_amounts(out["amount"], batch),
        "place": _place(out["place"], batch.place),
    }
    parts["loss"] = torch.stack([WEIGHTS[name] * value for name, value in parts.items()]).sum()
    return parts


def _rivals(batch: Batch, concept: Tensor) -> Tensor:
    """Cells of certain boxes of a concept's rivals, not its own: bool (B,Q,T)."""
    table = _rival_table(concept.device)
    theirs = torch.einsum("qc,bct->bqt", table[concept], batch.inside.float()) > 0
    return theirs & ~batch.inside[:, concept]


@cache
def _rival_table(device: torch.device) -> Tensor:
    """Which concepts (C+1, C+1) are rivals, 1.0 or 0.0."""
    table = torch.zeros(len(CONCEPTS) + 1, len(CONCEPTS) + 1)
    for one, others in RIVALS.items():
        for other in others:
            table[CONCEPT_INDEX[one], CONCEPT_INDEX[other]] = 1.0
    return table.to(device)


def _answer(logits: Tensor, answers: Tensor, rival: Tensor) -> Tensor:
    """Cross entropy; within a question YES and NO are weighted toward each other.

    rival is bool (B,Q): pictures that show something easily taken for what is asked.
    """
    yes, no = (answers == 1).float(), (answers == 0).float()  # (B,Q)
    n_yes, n_no = yes.sum(0), no.sum(0)  # (Q,)
    both = (n_yes > 0) & (n_no > 0)
    tilt = torch.where(both, (n_no.clamp(min=1) / n_yes.clamp(min=1)) ** _TILT, 1.0)
    weight = (yes * tilt + no / tilt) * (1 + (_RIVAL_ANSWER_WEIGHT - 1) * rival.float())
    loss = F.cross_entropy(
        logits.flatten(0, 1), answers.clamp(min=0).long().flatten(), reduction="none"
    )
    return (loss * weight.flatten()).sum() / weight.sum().clamp(min=1)


def _map(logits: Tensor, batch: Batch, concept: Tensor) -> Tensor:
    """Focal loss of the cells of certain boxes against the rest, by number of such cells.

    Source: Lin et al. 2017, Focal Loss for Dense Object Detection, eq. 5, gamma 2.
    """
    target = batch.inside[:, concept].float()  # (B,Q,T)
    known = 1 - batch.ignored[:, concept].float()
    chance = torch.sigmoid(logits)
    wrong = target * (1 - chance) + (1 - target) * chance
    loss = F.binary_cross_entropy_with_logits(logits, target, reduction="none") * wrong.square()
    side = 0.6 * target + 0.4 * (1 - target)
    side = side * (1 + (_RIVAL_WEIGHT - 1) * _rivals(batch, concept).float())
    return (loss * side * known).sum() / (target * known).sum().clamp(min=50.0)


def _amounts(logits: Tensor, batch: Batch) -> dict[str, Tensor]:
    """Poisson likelihood of the box centres per cell, and of their total where it is known."""
    rate = F.softplus(logits)  # (B,Q,T)
    centres = batch.centres[:, batch.subject]
    known = 1 - (batch.ignored[:, batch.subject] & (centres == 0)).float()
    cells = ((rate - centres * torch.log(rate + 1e-6)) * known).sum() / (
        centres * known
    ).sum().clamp(min=20.0)
    whole = batch.countable[:, batch.subject].float()  # (B,Q)
    gap = torch.log1p(rate.sum(-1)) - torch.log1p(centres.sum(-1))
    total = (F.smooth_l1_loss(gap, torch.zeros_like(gap), reduction="none") * whole).sum()
    return {"amount": cells, "total": total / whole.sum().clamp(min=1.0)}


def _place(logits: Tensor, place: Tensor) -> Tensor:
    """The cells a place word means, (Q,T); NaN where that is not fixed."""
    known = ~place.isnan()
    target = torch.where(known, place, 0.0)
    loss = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return (loss * known).sum() / known.sum().clamp(min=1)
