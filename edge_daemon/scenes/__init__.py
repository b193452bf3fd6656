"""A street drawn from nothing, with the truth about it: ``test:street?...``.

Importing this package loads nothing heavy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edge_daemon.scenes.truth import Box, Truth

if TYPE_CHECKING:
    import numpy as np
    from numpy.random import Generator
    from numpy.typing import NDArray

__all__ = ["DEMO_SCENE", "Box", "Truth", "random_scene"]

DEMO_SCENE: Final = (
    "test:street?seed=185&view=diagonal&size=640x360&fps=10&seconds=39.2"
    "&people=0-3&cars=0-2&bus=0-1&bicycles=0&light=cycle"
)
"""The shipped clip: people, cars and a bus come and go, the light changes, the street empties."""


def random_scene(
    rng: Generator, width: int = 320, height: int = 192
) -> tuple[NDArray[np.uint8], Truth]:
    """A street nobody saw before: uint8 RGB (height, width, 3), and what it shows."""
    from edge_daemon.scenes import snapshot  # noqa: PLC0415  OpenCV, only when something is drawn

    return snapshot.random_scene(rng, width, height)
