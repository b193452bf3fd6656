"""Who comes when: busy stretches and quiet ones, so that answers change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_daemon.scenes.cast import Character, random_character
from edge_daemon.scenes.routes import (
    footways, lane_route, pacing_route, seen, walk_route,
)  # fmt: skip
from edge_daemon.scenes.traffic import STEP_S, Mover, Route

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator

    from edge_daemon.scenes.daylight import Air
    from edge_daemon.scenes.options import SceneOptions, Span
    from edge_daemon.scenes.place import Place

OPTION_OF = {
    "person": "people", "car": "cars", "bus": "bus", "truck": "trucks", "bicycle": "bicycles",
    "motorcycle": "motorcycles", "dog": "dogs",
}  # fmt: skip
_SPEED_MPS = {
    "person": 1.45, "car": 7.5, "bus": 6.0, "truck": 6.0, "bicycle": 4.0, "motorcycle": 8.0,
    "dog": 1.7,
}  # fmt: skip
_ROAD = ("car", "bus", "truck", "motorcycle", "bicycle")


@dataclass(slots=True)
class _Wave:
    """Where one kind stands: how many are wanted now, and until when."""

    most: int
    wanted: int
    until_step: int | None = None  # None: counting starts when the number is reached
    next_step: int = 0
    first: bool = True


class Waves:
    """Arrivals in waves: up to most of a kind at once, then none for a while."""

    def __init__(self, rng: Generator, place: Place, air: Air, options: SceneOptions) -> None:
        self._rng, self._place, self._air = rng, place, air
        self._waves = {}
        for kind, name in OPTION_OF.items():
            low, high = getattr(options, name)
            if high > low:
                wave = _Wave(high - low, 0)
                wave.until_step = int(rng.uniform(0.5, 5.0) / STEP_S)
                self._waves[kind] = wave

    def due(self, step: int, active: Sequence[Mover]) -> list[Mover]:
        """Those who enter at this step."""
        new = []
        for kind, wave in self._waves.items():
            here = sum(m.character.kind == kind and not m.paces for m in active)
            self._turn(wave, step, here)
            if here >= wave.wanted or step < wave.next_step:
                continue
            mover = self._enter(kind, step, [*active, *new])
            if mover is not None:
                new.append(mover)
                wave.next_step = step + int(self._rng.uniform(0.5, 2.5) / STEP_S)
        return new

    def _turn(self, wave: _Wave, step: int, here: int) -> None:
        """Begin the next stretch when this one has lasted."""
        rng = self._rng
        if wave.until_step is None:
            if here == wave.wanted:
                wave.until_step = step + int(rng.uniform(3.5, 7.0) / STEP_S)
            return
        if step < wave.until_step:
            return
        wave.until_step = None
        if wave.wanted:
            wave.wanted = 0
        else:
            wave.wanted = wave.most if wave.first else int(rng.integers(1, wave.most + 1))
            wave.first = False

    def _enter(self, kind: str, step: int, active: Sequence[Mover]) -> Mover | None:
        rng, place = self._rng, self._place
        character = random_character(rng, kind, self._air)
        route = _route(rng, place, character)
        if route is None or not _entrance_free(route, character, active):
            return None
        speed = _SPEED_MPS[kind] * float(rng.uniform(0.85, 1.15))
        mover = Mover(character, route, speed, step)
        mover.speed_mps = speed
        return mover


def residents(rng: Generator, place: Place, air: Air, options: SceneOptions) -> list[Mover]:
    """Those who are always there, so many as each span's lower end says."""
    movers = []
    taken: list[tuple[float, float, float]] = []
    for kind, name in OPTION_OF.items():
        span: Span = getattr(options, name)
        for _ in range(span[0]):
            character = random_character(rng, kind, air)
            for _ in range(30):
                route = _standing_route(rng, place, character)
                x, z = route.at(route.length_m / 2)
                long = max(character.length_m, route.length_m if kind == "person" else 0.0)
                if all(abs(x - ox) > 0.9 or abs(z - oz) > (long + ol) / 2 + 0.4 for ox, oz, ol in taken):
                    break
            taken.append((x, z, long))
            strolls = kind in ("person", "dog")
            mover = Mover(character, route, 0.9 if strolls else 0.0, 0, paces=True)
            mover.there_m = route.length_m * float(rng.uniform(0.1, 0.9))
            movers.append(mover)
    return movers


def _route(rng: Generator, place: Place, character: Character) -> Route | None:
    kind = character.kind
    if kind in _ROAD:
        sides = [1, -1] if rng.random() < 0.5 else [-1, 1]
        for side in sides:
            route = lane_route(place, kind, side, character.length_m / 2)
            if route is not None:
                return route
        return None
    return walk_route(rng, place, cross=kind == "person" and rng.random() < 0.6)


def _entrance_free(route: Route, character: Character, active: Sequence[Mover]) -> bool:
    if route.lane is None:
        return True
    return all(
        m.route.lane != route.lane or m.there_m > m.character.length_m / 2 + character.length_m + 3
        for m in active
    )


def _standing_route(rng: Generator, place: Place, character: Character) -> Route:
    """Somewhere to stay: a few steps on a pavement, or a place at the kerb."""
    kind = character.kind
    if kind in ("car", "bus", "truck"):
        return _parking(rng, place, character)
    route = pacing_route(rng, place)
    if route is None:
        middle = place.middle_z
        x = -np.sign(place.view.x_m) * (place.road_half_m + 0.5)
        route = Route(np.array([(x, middle - 1.5), (x, middle + 1.5)], np.float32))
    if kind in ("bicycle", "motorcycle"):
        x, z = route.at(route.length_m / 2)
        return Route(np.array([(x, z - 0.05), (x, z + 0.05)], np.float32))
    return route


def _parking(rng: Generator, place: Place, character: Character) -> Route:
    """A place at the kerb on the far side of the road, in the middle of the picture."""
    side = float(-np.sign(place.view.x_m) or 1.0)
    x = side * (place.road_half_m - character.width_m / 2 - 0.2)
    stretch = seen(place, x, 0.0, 1.5)
    low, high = (stretch.z1_m, stretch.z2_m) if stretch else (place.middle_z, place.middle_z + 1)
    high = min(high, low + 26.0)
    z = float(rng.uniform(low + 0.15 * (high - low), high - 0.15 * (high - low)))
    ahead = 0.05 * side * place.drives_right
    return Route(np.array([(x, z - ahead), (x, z + ahead)], np.float32))


__all__ = ["OPTION_OF", "Waves", "footways", "residents"]
