"""Whether an engine gives the answers its bundle's maker got."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge_daemon.errors import BundleError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_daemon.engine.base import Engine
    from edge_daemon.engine.bundle import Bundle


@dataclass(frozen=True, slots=True)
class GoldenResult:
    """One golden answer beside the one this engine gives."""

    image: str
    question: str
    expected: float
    found: float  # NaN when the bundle does not support its own question
    tolerance: float

    @property
    def difference(self) -> float:
        """Absolute, in p_yes."""
        return abs(self.found - self.expected)

    @property
    def ok(self) -> bool:
        """Whether the difference is within the tolerance."""
        return self.difference <= self.tolerance  # NaN is not


def verify_goldens(engine: Engine, bundle: Bundle) -> list[GoldenResult]:
    """Ask every golden question; empty when the bundle has none.

    Raises BundleError for a damaged picture, EngineRunError.
    """
    goldens = bundle.goldens()
    if goldens is None:
        return []
    tolerance = goldens.tolerance_in.get(engine.info.precision, goldens.tolerance)
    results: list[GoldenResult] = []
    seen: dict[str, NDArray[np.float32]] = {}  # each picture is looked at once
    for row in goldens.rows:
        if row.image not in seen:
            picture = _picture(bundle, row.image, engine.input_size)
            seen[row.image] = engine.look(picture[None])
        questions = engine.prepare([row.question], [row.zone])
        found = float(engine.answer(seen[row.image], questions).p_yes[0, 0])
        expected = row.p_yes_in.get(engine.info.precision, row.p_yes)
        results.append(GoldenResult(row.image, row.question, expected, found, tolerance))
    return results


def _picture(bundle: Bundle, name: str, size: tuple[int, int]) -> NDArray[np.uint8]:
    """A golden picture, uint8 RGB (height, width, 3), stretched where it is not of that size."""
    raw = np.frombuffer(bundle.read(name), np.uint8)
    bgr = cv2.imdecode(raw, cv2.IMREAD_COLOR) if len(raw) else None
    if bgr is None:
        where, hint = str(bundle.path / name), "copy the bundle again"
        raise BundleError("is not a picture", where=where, hint=hint)
    if bgr.shape[1::-1] != size:
        bgr = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)
