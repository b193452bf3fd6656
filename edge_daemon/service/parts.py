"""What a test or a benchmark may put in the place of the real thing."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from edge_daemon.retry import Retry
from edge_daemon.sources.open import open_source

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_daemon.engine.base import Engine
    from edge_daemon.sources.base import Source


@dataclass(frozen=True, slots=True)
class Parts:
    """None, or as it is: the real thing."""

    engine: Engine | None = None
    open_source: Callable[..., Source] = open_source
    retry: Callable[[], Retry] = lambda: Retry(rng=Random())  # noqa: S311  jitter, not a secret
    patience_s: float | None = None  # for a source to be heard of
