"""How an engine's answers compare with those of the reference, fp32 on torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING

from edge_daemon.engine.agreement import compare, replay
from edge_daemon.engine.open import open_backend
from edge_daemon.engine.quantize import standing_questions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edge_daemon.engine.agreement import Agreement
    from edge_daemon.engine.base import Engine
    from edge_daemon.engine.bundle import Bundle
    from edge_daemon.types import Polygon


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """What the reference says of some pictures: p_yes float64 (N, Q) to standing questions."""

    backend: str
    pictures: NDArray[np.uint8] = field(repr=False)
    texts: tuple[str, ...] = field(repr=False)
    zones: tuple[Polygon | None, ...] = field(repr=False)
    p_yes: NDArray[np.float64] = field(repr=False)

    def beside(self, engine: Engine) -> Agreement:
        """Ask an engine the same.  Raises EngineRunError."""
        return compare(self.p_yes, replay(engine, self.pictures, self.texts, self.zones))


def ask_reference(bundle: Bundle, pictures: NDArray[np.uint8]) -> Reference:
    """Ask the reference about pictures (N, height, width, 3) of the bundle's size.

    Where torch is not installed it is ONNX Runtime, in fp32 as well.
    """
    here = find_spec("torch") is not None and find_spec("onnx") is not None
    backend = "torch" if here else "onnxruntime"
    asked = standing_questions(bundle)
    texts, zones = tuple(text for text, _ in asked), tuple(zone for _, zone in asked)
    engine = open_backend(backend, bundle, "fp32", 1)
    p_yes = replay(engine, pictures, texts, zones)
    engine.close()
    return Reference(backend, pictures, texts, zones, p_yes)
