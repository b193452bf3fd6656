"""The one time by which a stop is over, handed down to all who have a part in it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

_SHARE: Final = 0.45  # of what is left, for one part: whoever comes later gets something too


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point of the monotonic clock."""

    at_s: float

    @classmethod
    def within(cls, seconds: float) -> Deadline:
        """Return the deadline in so many seconds."""
        return cls(time.monotonic() + seconds)

    @property
    def left_s(self) -> float:
        """Seconds until then, 0 when it has passed."""
        return max(0.0, self.at_s - time.monotonic())

    def share_s(self, most_s: float) -> float:
        """Return how many seconds a part may take that never needs more than most_s."""
        return min(most_s, _SHARE * self.left_s)
