"""A thing in the street: its shape, where it stands, how it shines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy.random import Generator

    from edge_daemon.scenes.shape import Colour, Pose, Shape, Vec


@dataclass(frozen=True, slots=True)
class Glow:
    """A lamp of a body: where, in its own metres, which way it shines, and how strongly."""

    at: Vec
    colour: Colour
    radius_m: float
    towards: Vec | None = None


@dataclass(frozen=True, slots=True)
class Body:
    """A thing in the street.  kind None: not part of the truth.

    footprint is (half width, half length) of its shadow in metres, (0, 0) for none.  grain is how
    strongly its surface is mottled; seed fixes that pattern.
    """

    kind: str | None
    shape: Shape
    pose: Pose
    footprint: tuple[float, float]
    height_m: float
    colour: str = ""
    glows: tuple[Glow, ...] = ()
    grain: float = 0.05
    seed: int = 0
    nearer_m: float = 0.0  # drawn as if so much nearer


def random_grain(rng: Generator) -> int:
    """A seed for a body's surface."""
    return int(rng.integers(1 << 16))
