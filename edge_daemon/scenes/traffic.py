"""Who is where, when: a small simulation of a street, run once before the first frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from edge_daemon.scenes.cast import Character, Motion
from edge_daemon.scenes.shape import Pose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_daemon.scenes.routes import Route
    from edge_daemon.scenes.signal import Signal

STEP_S: Final = 0.1
_ACCELERATE: Final = 2.2  # m/s2
_BRAKE: Final = 4.5  # m/s2
_GAP_M: Final = 1.2  # between vehicles that stand
_PATIENCE_S: Final = 9.0  # so long a driver waits at a light that never changes


@dataclass(slots=True, eq=False)
class Mover:
    """One character on its route, with everything it did, once each STEP_S."""

    character: Character
    route: Route
    top_mps: float
    start_step: int
    resident: bool = False  # turns round at the ends of its route and never leaves
    there_m: float = 0.0
    total_m: float = 0.0
    speed_mps: float = 0.0
    waited_s: float = 0.0
    sense: int = 1
    log: list[tuple[float, float, float]] = field(default_factory=list)  # there, total, speed

    @property
    def drives(self) -> bool:
        """Whether it follows a lane of the road."""
        return self.route.lane is not None

    @property
    def front_m(self) -> float:
        """Where its front is along the route."""
        return self.there_m + self.character.length_m / 2

    @property
    def back_m(self) -> float:
        """Where its rear is along the route."""
        return self.there_m - self.character.length_m / 2

    @property
    def gone(self) -> bool:
        """Whether it has left the picture for good."""
        return not self.resident and self.there_m >= self.route.length_m

    @property
    def on_crossing(self) -> bool:
        """Whether it walks on the road now."""
        halt_m = self.route.halt_m
        return not self.drives and halt_m is not None and halt_m < self.there_m < self.route.clear_m

    def advance(self, metres: float) -> None:
        """Move on, and turn round at an end where it belongs to the street."""
        self.there_m += self.sense * metres
        self.total_m += metres
        self.speed_mps = metres / STEP_S
        if self.resident and not 0 < self.there_m < self.route.length_m:
            self.sense = -self.sense
            self.there_m = min(max(self.there_m, 0.0), self.route.length_m)

    def at(self, time_s: float) -> tuple[Pose, Motion] | None:
        """Where and how it was; None before it came or after it left."""
        step = time_s / STEP_S - self.start_step
        if step < 0 or step > len(self.log) - 1:
            return None
        first = min(int(step), max(len(self.log) - 2, 0))
        a, b = self.log[first], self.log[min(first + 1, len(self.log) - 1)]
        there, total, speed = (p + (q - p) * (step - first) for p, q in zip(a, b))
        turned = np.pi if b[0] < a[0] else 0.0
        pose = Pose(*self.route.at(there), self.route.heading_rad(there) + turned)
        return pose, Motion(total, speed)


class Arrivals(Protocol):
    """Decides who comes next."""

    def due(self, step: int, present: Sequence[Mover]) -> list[Mover]:
        """Those who enter at this step."""
        ...


def simulate(
    residents: Sequence[Mover], arrivals: Arrivals, signal: Signal, steps: int
) -> list[Mover]:
    """Everybody who was ever there, with their logs filled in."""
    present, past = list(residents), list[Mover]()
    for step in range(steps):
        present.extend(arrivals.due(step, present))
        time_s = step * STEP_S
        closed = signal.stops(time_s) or any(m.on_crossing for m in present)
        for mover in present:
            if mover.resident:
                mover.advance(mover.top_mps * STEP_S)
            elif mover.drives:
                _drive(mover, present, closed=closed)
            else:
                may_cross = signal.may_walk(time_s) and not _traffic_near(present)
                _walk(mover, may_cross=may_cross)
            mover.log.append((mover.there_m, mover.total_m, mover.speed_mps))
        past.extend(m for m in present if m.gone)
        present = [m for m in present if not m.gone]
    return past + present


def _traffic_near(present: Sequence[Mover]) -> bool:
    """Whether a vehicle is about to reach the crossing, or is on it."""
    for mover in present:
        halt_m = mover.route.halt_m
        if not mover.drives or halt_m is None or mover.resident:
            continue
        to_line_m = halt_m - mover.there_m
        passed = mover.back_m > mover.route.clear_m + 0.5
        arrives = to_line_m < 3.0 * mover.speed_mps + 0.5
        if arrives and not passed and (to_line_m < 0 or mover.speed_mps > 0.5):
            return True
    return False


def _walk(mover: Mover, *, may_cross: bool) -> None:
    """Walk on, but wait at the kerb until the road is free."""
    step_m = mover.top_mps * STEP_S
    halt_m = mover.route.halt_m
    at_kerb = halt_m is not None and mover.there_m <= halt_m < mover.there_m + step_m
    mover.advance(0.0 if at_kerb and not may_cross else step_m)


def _drive(mover: Mover, present: Sequence[Mover], *, closed: bool) -> None:
    """Keep behind those ahead, and stop at the line while the crossing is closed.

    Source: safe speed sqrt(2 a s) for the room s that is left.
    """
    ahead = [
        other.back_m - mover.front_m - _GAP_M
        for other in present
        if other.route.lane == mover.route.lane and other.there_m > mover.there_m
    ]
    room_m = max(min(ahead, default=200.0), 0.0)
    if closed and mover.route.halt_m is not None and mover.waited_s < _PATIENCE_S:
        to_line_m = mover.route.halt_m - mover.front_m
        if to_line_m > max(mover.speed_mps**2 / (2 * _BRAKE) - 0.6, -0.8):
            room_m = min(room_m, max(to_line_m, 0.0))
            mover.waited_s += STEP_S if mover.speed_mps < 0.3 else 0.0
    wanted_mps = min(mover.top_mps, (1.2 * _BRAKE * room_m) ** 0.5)
    least, most = -1.6 * _BRAKE * STEP_S, _ACCELERATE * STEP_S
    speed_mps = mover.speed_mps + min(max(wanted_mps - mover.speed_mps, least), most)
    mover.advance(min(max(speed_mps, 0.0) * STEP_S, room_m))
