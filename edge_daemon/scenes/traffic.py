"""Who is where, when: a small simulation of a street, run once before the first frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from edge_daemon.scenes.shape import Pose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_daemon.scenes.cast import Character
    from edge_daemon.scenes.signal import Signal

STEP_S = 0.1
_ACCELERATE, _BRAKE = 2.2, 4.5  # m/s2
_KERB_M = 0.5  # how far from the kerb people wait
_PATIENCE_S = 9.0


@dataclass(slots=True)
class Route:
    """A line of places (x, z) and what stops those who follow it.

    lane: those in one lane keep behind each other (None: nobody minds).  halt_m: metres along
    the route of the stop line, or of the kerb at a crossing.  clear_m: where the crossing ends.
    """

    points: NDArray[np.float32]  # (N, 2)
    lane: str | None = None
    halt_m: float | None = None
    clear_m: float = 0.0
    along: NDArray[np.float32] = field(init=False)

    def __post_init__(self) -> None:
        steps = np.hypot(*np.diff(self.points, axis=0).T)
        self.along = np.concatenate([[0.0], np.cumsum(steps)]).astype(np.float32)

    @property
    def length_m(self) -> float:
        """From the first place to the last."""
        return float(self.along[-1])

    def at(self, metres: float) -> tuple[float, float]:
        """The place after so many metres."""
        x = np.interp(metres, self.along, self.points[:, 0])
        z = np.interp(metres, self.along, self.points[:, 1])
        return float(x), float(z)

    def heading(self, metres: float, reach: float = 0.45) -> float:
        """The direction there, corners rounded off over twice the reach."""
        (x1, z1), (x2, z2) = self.at(metres - reach), self.at(metres + reach)
        return float(np.arctan2(x2 - x1, z2 - z1))


@dataclass(slots=True, eq=False)
class Mover:
    """One character on its route, with everything it did, once each STEP_S."""

    character: Character
    route: Route
    top_mps: float
    start_step: int
    paces: bool = False  # turns round at the ends and stays for ever
    there_m: float = 0.0
    speed_mps: float = 0.0
    waited_s: float = 0.0
    gone: bool = False
    log: list[tuple[float, float, float]] = field(default_factory=list)  # place, total, speed
    total_m: float = 0.0
    sense: int = 1

    @property
    def vehicle(self) -> bool:
        """Whether it follows a lane of the road."""
        return self.route.lane is not None

    def pose_at(self, time_s: float) -> tuple[Pose, float, float] | None:
        """Pose, metres gone and speed at a time; None before it came or after it left."""
        at = time_s / STEP_S - self.start_step
        if at < 0 or at > len(self.log) - 1:
            return None
        first = min(int(at), max(len(self.log) - 2, 0))
        a, b = self.log[first], self.log[min(first + 1, len(self.log) - 1)]
        k = at - first
        there, total, speed = (p + (q - p) * k for p, q in zip(a, b))
        x, z = self.route.at(there)
        heading = self.route.heading(there)
        if self.paces and b[0] < a[0]:
            heading += np.pi
        return Pose(x, z, heading), total, speed


def simulate(movers: Sequence[Mover], arrivals: Arrivals, signal: Signal, steps: int) -> list[Mover]:
    """Everybody who was ever there, with their logs filled in."""
    active, past = list(movers), []
    for step in range(steps):
        active.extend(arrivals.due(step, active))
        red = signal.stops(step * STEP_S)
        crossing = [m for m in active if not m.vehicle and _on_crossing(m)]
        for mover in active:
            if mover.paces:
                _pace(mover)
            elif mover.vehicle:
                _drive(mover, active, blocked=bool(crossing) or red)
            else:
                free = signal.may_walk(step * STEP_S) and not _traffic_near(mover, active)
                _walk(mover, free=free)
            mover.log.append((mover.there_m, mover.total_m, mover.speed_mps))
            mover.gone = not mover.paces and mover.there_m >= mover.route.length_m
        past.extend(m for m in active if m.gone)
        active = [m for m in active if not m.gone]
    return past + active


class Arrivals:
    """Decides who comes next.  Busy stretches alternate with quiet ones, kind by kind."""

    def due(self, step: int, active: Sequence[Mover]) -> list[Mover]:
        """Those who enter at this step."""
        raise NotImplementedError


def _on_crossing(mover: Mover) -> bool:
    halt = mover.route.halt_m
    return halt is not None and halt + 0.05 < mover.there_m < mover.route.clear_m


def _traffic_near(mover: Mover, active: Sequence[Mover]) -> bool:
    """Whether a moving vehicle is about to reach the crossing, or stands on it."""
    if mover.route.halt_m is None:
        return False
    for other in active:
        halt = other.route.halt_m
        if not other.vehicle or halt is None:
            continue
        to_line = halt - other.there_m
        past = other.there_m - other.character.length_m / 2 - other.route.clear_m
        if to_line < 3.0 * other.speed_mps + 0.5 and past < 0.5 and (to_line < 0 or other.speed_mps > 0.5):
            return True
    return False


def _pace(mover: Mover) -> None:
    if mover.top_mps == 0:
        return
    mover.there_m += mover.sense * mover.top_mps * STEP_S
    if not 0 < mover.there_m < mover.route.length_m:
        mover.sense = -mover.sense
        mover.there_m = float(np.clip(mover.there_m, 0, mover.route.length_m))
    mover.total_m += mover.top_mps * STEP_S
    mover.speed_mps = mover.top_mps


def _walk(mover: Mover, *, free: bool) -> None:
    halt = mover.route.halt_m
    step = mover.top_mps * STEP_S
    waits = halt is not None and mover.there_m <= halt < mover.there_m + step and not free
    if waits:
        mover.waited_s += STEP_S
    mover.speed_mps = 0.0 if waits else mover.top_mps
    mover.there_m += mover.speed_mps * STEP_S
    mover.total_m += mover.speed_mps * STEP_S


def _drive(mover: Mover, active: Sequence[Mover], *, blocked: bool) -> None:
    """Keep behind those ahead, and stop at the line."""
    room = 200.0
    front = mover.there_m + mover.character.length_m / 2
    for other in active:
        if other is not mover and other.route.lane == mover.route.lane and other.there_m > mover.there_m:
            room = min(room, other.there_m - other.character.length_m / 2 - front - 1.2)
    halt = mover.route.halt_m
    if halt is not None and blocked and mover.waited_s < _PATIENCE_S:
        to_line = halt - front
        if to_line > mover.speed_mps**2 / (2 * _BRAKE) - 0.6 and to_line > -0.8:
            room = min(room, max(to_line, 0.0))
            mover.waited_s += STEP_S if mover.speed_mps < 0.3 else 0.0
    safe = (2 * 0.6 * _BRAKE * max(room, 0.0)) ** 0.5
    wanted = min(mover.top_mps, safe)
    change = np.clip(wanted - mover.speed_mps, -_BRAKE * STEP_S * 1.6, _ACCELERATE * STEP_S)
    mover.speed_mps = max(mover.speed_mps + float(change), 0.0)
    moved = min(mover.speed_mps * STEP_S, max(room, 0.0))
    mover.there_m += moved
    mover.total_m += moved
