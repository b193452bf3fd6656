"""How many pictures the model looks at together: found by trial, never guessed."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_daemon.engine.runtime import GraphTooLargeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_daemon.engine.base import Engine
    from edge_daemon.types import EngineInfo

log = logging.getLogger(__name__)

_TURN_S: Final = 1.0  # a batch that takes longer is cut: answers come at its end, and grow old
_PAYS: Final = 0.95  # of the time a picture takes in half the batch; else the wait is for nothing
_TURN: Final = 8  # pictures, though the model looks at fewer together: one hand-over serves all
_TRIES: Final = 3
_TRIAL_S: Final = 0.5  # the daemon answers nobody meanwhile


class Pace:
    """The largest batch that fits into memory and pays; a turn that ends within a second.

    together is how many pictures the model looks at in one run, at most.
    """

    def __init__(self, most: int) -> None:
        self.together = self._most = most
        self._tried_on: EngineInfo | None = None
        self._picture_s = 0.0  # what one takes, lately

    def fitting(self) -> int:
        """How many pictures a turn may have."""
        wanted = max(self.together, _TURN)
        if self._picture_s * wanted <= _TURN_S:
            return wanted
        return max(1, int(_TURN_S / self._picture_s))

    def learn(self, picture_s: float) -> None:
        """Take what a picture of the last turn took."""
        self._picture_s = (picture_s + (self._picture_s or picture_s)) / 2

    def look(self, engine: Engine, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Tokens of the pictures, as Engine.look; what does not fit is halved, for good.

        Raises EngineRunError.
        """
        if len(pictures) > 1 and self._tried_on != engine.info:  # a plan came, a GPU was given up
            self._try(engine)
        size = min(len(pictures), self.together)
        parts = [self._part(engine, pictures[n : n + size]) for n in range(0, len(pictures), size)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _part(self, engine: Engine, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        try:
            return engine.look(pictures)
        except GraphTooLargeError as exc:
            half = len(pictures) // 2
            if not half:
                raise
            self.together = min(self.together, half)
            log.warning("%s -- looking at %d pictures at a time from now on", exc, self.together)
        return np.concatenate([self._part(engine, p) for p in (pictures[:half], pictures[half:])])

    def _try(self, engine: Engine) -> None:
        """Double the batch while a picture becomes cheaper by it."""
        self._tried_on, self.together = engine.info, self._most
        width, height = engine.input_size
        size, took_s, begun_s = 1, float("inf"), time.monotonic()
        while size <= self.together and time.monotonic() - begun_s < _TRIAL_S:
            pictures = np.zeros((size, height, width, 3), np.uint8)
            try:
                now_s = min(_timed_s(engine, pictures) for _ in range(_TRIES)) / size
            except GraphTooLargeError:
                break
            if now_s > took_s * _PAYS:
                break
            size, took_s = 2 * size, now_s
        self.together = min(self.together, max(1, size // 2))
        log.info("the model looks at %d pictures at a time, more would not pay", self.together)


def _timed_s(engine: Engine, pictures: NDArray[np.uint8]) -> float:
    begun_s = time.monotonic()
    engine.look(pictures)
    return time.monotonic() - begun_s
