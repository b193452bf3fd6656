"""A stream's own times, made fit to count with."""

from __future__ import annotations

from typing import Final

_REORDERED_S: Final = 1.0  # going back by less is jitter, by more a new beginning
_LONGEST_GAP_S: Final = 3600.0  # a longer one is a damaged time stamp or another clock
_LEAST_STEP_S: Final = 0.001


class Timeline:
    """Seconds from the start of the stream: they begin at 0 and only grow.

    A known time keeps its distance to the others, gaps included.  A missing time, a new
    beginning (the next file, a camera that restarts its clock) and a senseless jump continue one
    frame after the last.
    """

    def __init__(self) -> None:
        self._last_s: float | None = None
        self._shift_s: float | None = None  # what is added to a raw time

    def place(self, raw_s: float | None, step_s: float) -> float:
        """Return the seconds, to the microsecond, of the next frame.

        raw_s is the stream's own time, None when it gives none; step_s the usual distance of
        two frames.
        """
        placed_s = self._placed_s(raw_s, step_s)
        if raw_s is not None and self._shift_s is None:
            self._shift_s = placed_s - raw_s
        self._last_s = round(placed_s, 6)
        return self._last_s

    def restart(self) -> None:
        """Raw times begin anew, as those of the next file do."""
        self._shift_s = None

    def _placed_s(self, raw_s: float | None, step_s: float) -> float:
        if self._last_s is None:
            return 0.0
        if raw_s is None or self._shift_s is None:
            return self._last_s + step_s
        ahead_s = raw_s + self._shift_s - self._last_s
        if -_REORDERED_S < ahead_s < _LONGEST_GAP_S:
            return self._last_s + max(ahead_s, _LEAST_STEP_S)
        self._shift_s = None
        return self._last_s + step_s
