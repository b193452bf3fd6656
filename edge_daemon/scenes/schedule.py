"""Who comes when: busy stretches and quiet ones, so that answers change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edge_daemon.scenes.cast import Character, random_character
from edge_daemon.scenes.routes import (
    Route,
    crossing_route,
    lane_route,
    pacing_route,
    parking_route,
    standing_route,
    walk_route,
)
from edge_daemon.scenes.traffic import STEP_S, Mover

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator

    from edge_daemon.scenes.daylight import Air
    from edge_daemon.scenes.options import SceneOptions
    from edge_daemon.scenes.place import Place

_SPEED_MPS: Final = {
    "person": 1.45,
    "car": 7.5,
    "bus": 6.0,
    "truck": 6.0,
    "bicycle": 4.0,
    "motorcycle": 8.0,
    "dog": 1.7,
}
_STROLL_MPS: Final = 0.9
_ON_FOOT: Final = ("person", "dog")
_CROSSES: Final = 0.6  # share of people who go over the crossing


@dataclass(slots=True)
class _Wave:
    """Where one kind stands: how many are wanted now, and until when.

    until_step is None until the number is reached.
    """

    most: int
    wanted: int
    until_step: int | None
    next_step: int = 0
    busy_before: bool = False


class Waves:
    """Arrivals in waves: up to most of a kind at once, then none for a while."""

    def __init__(self, rng: Generator, place: Place, air: Air, options: SceneOptions) -> None:
        self._rng, self._place, self._air = rng, place, air
        self._waves = {}
        for kind, (least, most) in options.counts.items():
            if most > least:
                first_step = int(rng.uniform(0.5, 5.0) / STEP_S)
                self._waves[kind] = _Wave(most - least, 0, first_step)

    def due(self, step: int, present: Sequence[Mover]) -> list[Mover]:
        """Those who enter at this step."""
        new: list[Mover] = []
        for kind, wave in self._waves.items():
            here = sum(m.character.kind == kind and not m.resident for m in present)
            self._turn(wave, step, here)
            if here >= wave.wanted or step < wave.next_step:
                continue
            mover = self._enter(kind, step, [*present, *new])
            if mover is not None:
                new.append(mover)
                wave.next_step = step + int(self._rng.uniform(0.5, 2.5) / STEP_S)
        return new

    def _turn(self, wave: _Wave, step: int, here: int) -> None:
        """Begin the next stretch when this one has lasted."""
        rng = self._rng
        if wave.until_step is None:
            if here == wave.wanted:
                lasts_s = rng.uniform(1.0, 4.0) if wave.wanted else rng.uniform(3.5, 7.0)
                wave.until_step = step + int(lasts_s / STEP_S)
        elif step >= wave.until_step:
            wave.until_step = None
            if wave.wanted:
                wave.wanted = 0
            else:  # the first wave is a full one
                wave.wanted = int(rng.integers(1, wave.most + 1)) if wave.busy_before else wave.most
                wave.busy_before = True

    def _enter(self, kind: str, step: int, present: Sequence[Mover]) -> Mover | None:
        character = random_character(self._rng, kind, self._air)
        route = _route(self._rng, self._place, character)
        if route is None or not _entrance_free(route, character, present):
            return None
        speed_mps = _SPEED_MPS[kind] * float(self._rng.uniform(0.85, 1.15))
        return Mover(character, route, speed_mps, step, speed_mps=speed_mps)


def residents(rng: Generator, place: Place, air: Air, options: SceneOptions) -> list[Mover]:
    """Those who are always there, so many as each span's lower end says."""
    movers: list[Mover] = []
    taken: list[tuple[float, float, float]] = []  # x, z, length
    for kind, (least, _) in options.counts.items():
        for _ in range(least):
            character = random_character(rng, kind, air)
            for _ in range(30):
                route = _home(rng, place, character)
                x, z = route.at(route.length_m / 2)
                long = max(character.length_m, route.length_m)
                if all(abs(x - a) > 0.9 or abs(z - b) > (long + c) / 2 + 0.4 for a, b, c in taken):
                    break
            taken.append((x, z, long))
            speed_mps = _STROLL_MPS if kind in _ON_FOOT else 0.0
            mover = Mover(character, route, speed_mps, 0, resident=True)
            mover.there_m = route.length_m * float(rng.uniform(0.1, 0.9))
            movers.append(mover)
    return movers


def _route(rng: Generator, place: Place, character: Character) -> Route | None:
    """A way through the picture; None where none leads through it."""
    kind = character.kind
    if kind in _ON_FOOT:
        if kind == "person" and place.zebra_z is not None and rng.random() < _CROSSES:
            return crossing_route(rng, place, place.zebra_z)
        return walk_route(rng, place)
    for sense in (1, -1) if rng.random() < 0.5 else (-1, 1):
        route = lane_route(place, kind, sense, character.length_m / 2)
        if route is not None:
            return route
    return None


def _entrance_free(route: Route, character: Character, present: Sequence[Mover]) -> bool:
    if route.lane is None:
        return True
    room_m = character.length_m + 3
    return all(m.back_m > room_m for m in present if m.route.lane == route.lane)


def _home(rng: Generator, place: Place, character: Character) -> Route:
    """Somewhere to stay: a few steps on a pavement, or a place at the kerb."""
    if character.kind in ("car", "bus", "truck"):
        return parking_route(rng, place, character.width_m)
    route = pacing_route(rng, place)
    if character.kind in _ON_FOOT:
        return route
    return standing_route(place, *route.at(route.length_m / 2))
