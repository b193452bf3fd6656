"""How far two engines of one bundle agree.  Pure NumPy."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_daemon.engine.base import Engine
    from edge_daemon.types import Polygon

_BATCH: Final = 8


@dataclass(frozen=True, slots=True)
class Limits:
    """What an engine in fewer bits must reach beside fp32.

    agreement: one verdict in a hundred may differ, almost always between YES or NO and "not
    sure"; hold times take such a one for noise.  contradictions: YES against NO is a wrong event,
    one in a thousand.  difference: a tenth of the way from one threshold to the other would move
    alarms that were tuned on fp32; half of that.
    """

    agreement: float = 0.99  # at least
    contradictions: float = 0.001  # at most
    difference: float = 0.01  # at most, mean


@dataclass(frozen=True, slots=True)
class Agreement:
    """One engine's answers beside another's: shares of verdicts, differences of p_yes."""

    answers: int
    agreement: float
    contradictions: float
    difference_mean: float
    difference_p99: float
    difference_max: float

    def shortfalls(self, limits: Limits) -> tuple[str, ...]:
        """What is not reached, one sentence each; empty when all is."""
        short = []
        if self.agreement < limits.agreement:
            short.append(f"verdicts agree in {self.agreement:.2%}, not {limits.agreement:.2%}")
        if self.contradictions > limits.contradictions:
            most = limits.contradictions
            short.append(f"YES against NO in {self.contradictions:.2%}, more than {most:.2%}")
        if self.difference_mean > limits.difference:
            short.append(
                f"p_yes differs by {self.difference_mean:.4f}, more than {limits.difference:g}"
            )
        return tuple(short)

    def rounded(self) -> dict[str, float]:
        """The figures for a report."""
        return {name: round(value, 6) for name, value in asdict(self).items()}


def compare(
    expected: NDArray[np.float64],
    found: NDArray[np.float64],
    *,
    yes_above: float = 0.6,
    no_below: float = 0.4,
) -> Agreement:
    """Compare p_yes of both, of one shape; what is NaN in both is left out.

    Raises ValueError when nothing is left.
    """
    known = ~(np.isnan(expected) & np.isnan(found))
    expected, found = expected[known], found[known]
    if not expected.size:
        raise ValueError("no answers to compare")
    said, says = (
        (p >= yes_above).astype(np.int8) - (p <= no_below).astype(np.int8)
        for p in (expected, found)
    )
    apart = np.abs(expected - found)
    return Agreement(
        answers=int(expected.size),
        agreement=float((said == says).mean()),
        contradictions=float((said * says < 0).mean()),
        difference_mean=float(apart.mean()),
        difference_p99=float(np.quantile(apart, 0.99)),
        difference_max=float(apart.max()),
    )


def replay(
    engine: Engine,
    pictures: NDArray[np.uint8],
    texts: Sequence[str],
    zones: Sequence[Polygon | None],
) -> NDArray[np.float64]:
    """p_yes (N, Q) about pictures (N, height, width, 3) of the engine's size."""
    questions = engine.prepare(texts, zones)
    parts = [
        engine.answer(engine.look(pictures[at : at + _BATCH]), questions).p_yes
        for at in range(0, len(pictures), _BATCH)
    ]
    return np.concatenate(parts).astype(np.float64)
