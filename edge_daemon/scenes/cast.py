"""Everything that moves, as bodies for a picture: one function per kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import tau
from typing import TYPE_CHECKING, Protocol

import numpy as np

from edge_daemon.scenes import cycles, heavy, people, vehicles
from edge_daemon.scenes.compose import Body, Glow, mottled
from edge_daemon.scenes.shape import Colour, Pose, Shape

if TYPE_CHECKING:
    from numpy.random import Generator

    from edge_daemon.scenes.daylight import Air

_WHITE: Colour = (250, 240, 214)
_RED: Colour = (225, 40, 26)


class Character(Protocol):
    """Somebody or something that can be placed in the street."""

    kind: str
    length_m: float
    width_m: float

    def bodies(self, pose: Pose, travelled_m: float, speed_mps: float) -> list[Body]:
        """What is seen of it after so many metres, at this speed."""
        ...


@dataclass(slots=True)
class Walker:
    """Somebody on foot."""

    look: people.Look
    seed: int
    kind: str = "person"
    length_m: float = 0.6
    width_m: float = 0.6

    def bodies(self, pose: Pose, travelled_m: float, speed_mps: float) -> list[Body]:
        """One body, in mid-stride."""
        stride = tau * travelled_m / (0.82 * self.look.height_m)
        effort = min(speed_mps / 1.35, 1.5)
        shape = people.walking(self.look, stride, effort)
        return [Body("person", shape, pose, (0.24, 0.24), self.look.height_m, seed=self.seed)]


@dataclass(slots=True)
class Driven:
    """A car, a bus or a truck."""

    vehicle: vehicles.Vehicle
    seed: int
    kind: str = field(init=False)
    length_m: float = field(init=False)
    width_m: float = field(init=False)

    def __post_init__(self) -> None:
        self.kind = self.vehicle.kind
        self.length_m, self.width_m = self.vehicle.length_m, self.vehicle.width_m

    def bodies(self, pose: Pose, travelled_m: float, speed_mps: float) -> list[Body]:
        """One body with its lamps."""
        own = self.vehicle
        braking = 1.5 if speed_mps < 1.0 else 1.0
        glows = [Glow(p, _WHITE, 0.22, (0, 0, 1)) for p in own.lamps]
        glows += [Glow(p, _RED, 0.11 * braking, (0, 0, -1)) for p in own.tail_lamps]
        size = (own.width_m / 2 * 1.02, own.length_m / 2 * 0.99)
        return [Body(own.kind, own.shape, pose, size, own.height_m, own.colour, tuple(glows), 0.03, self.seed)]


@dataclass(slots=True)
class Rider:
    """Somebody on a bicycle or a motorcycle."""

    kind: str
    look: people.Look
    paint: Colour
    helmet: Colour | None
    scooter: bool
    night: bool
    seed: int
    length_m: float = 1.9
    width_m: float = 0.7

    def bodies(self, pose: Pose, travelled_m: float, speed_mps: float) -> list[Body]:
        """The machine and its rider, each a body."""
        if self.kind == "bicycle":
            pedal = -travelled_m / 5.0 * tau
            machine = cycles.bicycle(self.paint, pedal)
            rider = cycles.cyclist(self.look, pedal, self.helmet)
            lamp, strength = (0.0, 0.9, 0.45), 0.06
        else:
            machine = cycles.motorcycle(self.paint, scooter=self.scooter, night=self.night)
            rider = cycles.biker(self.look, self.helmet or (30, 30, 32))
            lamp, strength = (0.0, 0.9, 0.6), 0.16
        glows = (
            Glow(lamp, _WHITE, strength, (0, 0, 1)), Glow((0, 0.75, -0.75), _RED, strength / 2, (0, 0, -1)),
        )  # fmt: skip
        return [
            Body(self.kind, machine, pose, (0.2, 0.85), 1.2, "", glows, 0.03, self.seed),
            Body("person", rider, pose, (0, 0), 1.6, seed=self.seed, nearer_m=0.02),
        ]


@dataclass(slots=True)
class Dog:
    """A dog by itself."""

    coat: Colour
    size: float
    long: bool
    seed: int
    kind: str = "dog"
    length_m: float = 0.9
    width_m: float = 0.4

    def bodies(self, pose: Pose, travelled_m: float, speed_mps: float) -> list[Body]:
        """One body, trotting."""
        stride = tau * travelled_m / (0.75 * self.size)
        shape: Shape = cycles.dog(self.coat, self.size, stride, long=self.long)
        return [Body("dog", shape, pose, (0.16 * self.size, 0.45 * self.size), 0.6, grain=0.06, seed=self.seed)]


def random_character(rng: Generator, kind: str, air: Air) -> Character:
    """Some character of a kind."""
    lit = air.lit
    if kind == "person":
        look = people.random_look(rng, rain=air.weather == "rain", night=air.night)
        return Walker(look, mottled(rng))
    if kind in ("bicycle", "motorcycle"):
        look = people.random_look(rng)
        helmet = None if kind == "bicycle" and rng.random() < 0.5 else cycles.random_frame_paint(rng)
        scooter = bool(rng.random() < 0.4)
        return Rider(kind, look, cycles.random_frame_paint(rng), helmet, scooter, lit, mottled(rng))
    if kind == "dog":
        size = float(np.clip(rng.normal(1.0, 0.2), 0.55, 1.4))
        return Dog(cycles.random_coat(rng), size, bool(rng.random() < 0.5), mottled(rng))
    make = {"car": vehicles.random_car, "bus": heavy.random_bus, "truck": heavy.random_truck}[kind]
    return Driven(make(rng, night=lit), mottled(rng))
