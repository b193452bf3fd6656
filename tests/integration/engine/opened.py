"""Bundles opened in tests, and what is asked of them."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from edge_daemon.engine.base import Answers
from edge_daemon.engine.bundle import load_bundle
from edge_daemon.engine.open import open_backend
from tests.conftest import missing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from edge_daemon.engine.base import Engine
    from edge_daemon.types import Polygon

RED, GREEN, BLUE, GREY = (200, 20, 20), (20, 200, 20), (20, 20, 200), (128, 128, 128)
LEFT = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
RIGHT = ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0))


def need(backend: str) -> None:
    """Skip the test where a backend's library is not installed."""
    if backend != "onnxruntime" and find_spec(backend) is None:
        what = f"no {backend}: pip install 'edge-daemon[{backend}]'"
        missing(what, f"REQUIRE_{backend.upper()}")


def opened(
    directory: Path, precision: str = "auto", *, backend: str = "onnxruntime", threads: int = 1
) -> Engine:
    """The bundle of a directory, on a runtime."""
    return open_backend(backend, load_bundle(directory), precision, threads)


def ask(
    engine: Engine,
    pictures: Sequence[NDArray[np.uint8]],
    texts: Sequence[str],
    zones: Sequence[Polygon | None] | None = None,
) -> Answers:
    """Ask every question about every picture."""
    questions = engine.prepare(texts, zones or [None] * len(texts))
    return engine.answer(engine.look(np.stack(pictures)), questions)
