"""How long to wait before the next try.  Pure: the waiting is the caller's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_daemon.errors import SourceRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from edge_daemon.errors import EdgeError


def backoff_s(first_s: float = 1.0, cap_s: float = 60.0, *, rng: Random) -> Iterator[float]:
    """Yield waits in seconds; the ceiling doubles up to cap_s, each wait is 50-100 % of it.

    Source: "equal jitter", M. Brooker, Exponential Backoff and Jitter, AWS blog, 2015.
    """
    ceiling_s = min(first_s, cap_s)
    while True:
        yield rng.uniform(ceiling_s / 2, ceiling_s)
        ceiling_s = min(cap_s, ceiling_s * 2)


class Retry:
    """When to try a camera again: soon at first, later more patiently, never giving up.

    The cap is short, so that a camera that was away for hours answers again within seconds of its
    return; one that refuses the password is asked once a minute at most: many lock a user out who
    fails too often.
    """

    def __init__(
        self, first_s: float = 1.0, cap_s: float = 3.0, refused_s: float = 60.0, *, rng: Random
    ) -> None:
        self._first_s, self._cap_s, self._refused_s, self._rng = first_s, cap_s, refused_s, rng
        self.reset()

    def after(self, error: EdgeError) -> float:
        """Seconds to wait after this failure."""
        if isinstance(error, SourceRefusedError):
            return self._rng.uniform(self._refused_s / 2, self._refused_s)
        return next(self._waits)

    def reset(self) -> None:
        """Frames arrive again: begin with the first wait at the next failure."""
        self._waits = backoff_s(self._first_s, self._cap_s, rng=self._rng)
