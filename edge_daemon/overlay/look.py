"""What is drawn of a question, and what its verdict looks like."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Final

from edge_daemon.types import Reason, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge_daemon.types import QuestionId, QuestionState

Colour = tuple[int, int, int]
"""RGB, 0 to 255."""

INK: Final[Colour] = (13, 17, 24)
PAPER: Final[Colour] = (242, 245, 249)
MUTED: Final[Colour] = (178, 188, 202)
COLOURS: Final[dict[Verdict, Colour]] = {
    Verdict.YES: (0, 214, 160),
    Verdict.NO: (166, 190, 222),
    Verdict.UNKNOWN: (255, 176, 32),
}
"""Told apart by the colour-blind, and never the only sign: words and shapes differ too.

Source: bluish green, blue and orange of M. Okabe and K. Ito, "Color Universal Design", 2008,
lightened for a dark ground.
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """A question as the overlay needs it."""

    id: QuestionId
    ask: str
    zone: str | None = None
    yes_above: float = 0.6
    no_below: float = 0.4


@dataclass(frozen=True, slots=True)
class Look:
    """What is said of a question, as far as it can be seen; equal looks are drawn once."""

    verdict: Verdict
    reason: Reason | None
    percent: int | None  # of p_yes; None: no answer

    @classmethod
    def of(cls, state: QuestionState | None) -> Look:
        """Return the look of a state; of none: UNKNOWN, starting."""
        if state is None:
            return cls(Verdict.UNKNOWN, Reason.STARTING, None)
        return cls.said(state.verdict, state.reason, state.p_yes)

    @classmethod
    def said(cls, verdict: Verdict, reason: Reason | None, p_yes: float | None) -> Look:
        """Return the look of an answer; a p_yes of NaN counts as none."""
        percent = None if p_yes is None or isnan(p_yes) else round(100 * p_yes)
        return cls(verdict, reason, percent)

    @property
    def value(self) -> str:
        """The reason of an UNKNOWN, else p_yes."""
        if self.verdict is Verdict.UNKNOWN and self.reason is not None:
            return self.reason.value.replace("_", " ")
        return "" if self.percent is None else f"{self.percent / 100:.2f}"


def counted(verdicts: Iterable[Verdict]) -> str:
    """Return how many say what, as in '2 YES, 1 UNKNOWN'."""
    counts = Counter(verdicts)
    return ", ".join(f"{counts[v]} {v.value}" for v in Verdict if counts[v])
