"""The traffic light's clock."""

from __future__ import annotations

from dataclasses import dataclass

GREEN_S, YELLOW_S, RED_S = 9.0, 2.0, 10.0
CYCLE_S = GREEN_S + YELLOW_S + RED_S


@dataclass(frozen=True, slots=True)
class Signal:
    """A light for the road.  mode is cycle, a colour it always shows, or none."""

    mode: str
    offset_s: float = 0.0

    def lamp(self, time_s: float) -> str | None:
        """Which lamp burns."""
        if self.mode != "cycle":
            return None if self.mode == "none" else self.mode
        at = (time_s + self.offset_s) % CYCLE_S
        return "green" if at < GREEN_S else "yellow" if at < GREEN_S + YELLOW_S else "red"

    def stops(self, time_s: float) -> bool:
        """Whether vehicles must stop."""
        return self.lamp(time_s) in ("red", "yellow")

    def may_walk(self, time_s: float) -> bool:
        """Whether people may begin to cross: with a cycle, early in the red only."""
        if self.mode != "cycle":
            return True
        at = (time_s + self.offset_s) % CYCLE_S
        return GREEN_S + YELLOW_S + 0.8 < at < CYCLE_S - 5.0
