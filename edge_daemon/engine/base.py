"""What the pipeline asks of every runtime."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edge_daemon.engine.drift import Drift
    from edge_daemon.types import EngineInfo, Polygon


@dataclass(frozen=True, eq=False)
class QuestionSet:
    """Questions made ready once, asked of every frame.

    vectors is float32 (Q, K, D); mask is float32 (Q, T), 1 where the zone lets a token count;
    supported is bool (Q,): whether the bundle ever learned what is asked; remarks say why it did
    not, or what in an understood question changes no answer, and are "" for all others.
    """

    texts: tuple[str, ...]
    vectors: NDArray[np.float32] = field(repr=False)
    mask: NDArray[np.float32] = field(repr=False)
    supported: NDArray[np.bool_] = field(repr=False)
    remarks: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Answers to one QuestionSet for a batch of pictures.

    p_yes is float32 (B, Q), calibrated, NaN where the question is unsupported; evidence is
    float32 (B, Q, rows, columns) in [0, 1] over the token grid; bundles of kind single have none:
    zeros on a grid of one cell.
    """

    p_yes: NDArray[np.float32]
    evidence: NDArray[np.float32] = field(repr=False)


class Engine(Protocol):
    """A bundle opened on a runtime.  One thread at a time."""

    @property
    def info(self) -> EngineInfo:
        """Who answers now: it may change while a plan is built, or when a GPU fails."""
        ...

    input_size: tuple[int, int]  # (width, height) a picture is stretched to
    grid: tuple[int, int]  # (columns, rows) of tokens; T = columns * rows
    drift: Drift | None  # how unlike training tokens are; None: the bundle cannot tell

    def prepare(self, texts: Sequence[str], zones: Sequence[Polygon | None]) -> QuestionSet:
        """Encode questions, once; equal texts are encoded once and kept."""
        ...

    def look(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Tokens (B, T, D) float32 of pictures (B, height, width, 3), uint8 RGB.

        Raises EngineRunError.
        """
        ...

    def answer(self, tokens: NDArray[np.float32], questions: QuestionSet) -> Answers:
        """Answer all the questions from the tokens (B, T, D).  Raises EngineRunError."""
        ...

    def close(self) -> None:
        """Free the runtime."""
        ...
