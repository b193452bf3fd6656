"""Everything that moves, as bodies for a picture."""

from __future__ import annotations

from dataclasses import dataclass
from math import tau
from typing import TYPE_CHECKING, Protocol

import numpy as np

from edge_daemon.scenes import cycles, dogs, heavy, people, vehicles
from edge_daemon.scenes.body import Body, Glow, random_grain
from edge_daemon.scenes.coachwork import AHEAD, BEHIND

if TYPE_CHECKING:
    from numpy.random import Generator

    from edge_daemon.scenes.daylight import Air
    from edge_daemon.scenes.shape import Colour, Pose

_WHITE: Colour = (250, 240, 214)
_RED: Colour = (225, 40, 26)


@dataclass(frozen=True, slots=True)
class Motion:
    """How far something has come, and how fast it is."""

    total_m: float
    speed_mps: float


class Character(Protocol):
    """Somebody or something that can be placed in the street."""

    @property
    def kind(self) -> str:
        """Its class in the truth."""
        ...

    @property
    def length_m(self) -> float:
        """From end to end, in the direction it heads."""
        ...

    @property
    def width_m(self) -> float:
        """From side to side."""
        ...

    def bodies(self, pose: Pose, motion: Motion) -> list[Body]:
        """What is seen of it."""
        ...


@dataclass(frozen=True, slots=True)
class Walker:
    """Somebody on foot."""

    look: people.Look
    seed: int
    kind: str = "person"
    length_m: float = 0.6
    width_m: float = 0.6

    def bodies(self, pose: Pose, motion: Motion) -> list[Body]:
        """One body, in mid-stride."""
        tall = self.look.height_m
        stride = tau * motion.total_m / (0.82 * tall)
        shape = people.walking(self.look, stride, min(motion.speed_mps / 1.35, 1.5))
        return [Body("person", shape, pose, (0.24, 0.24), tall, seed=self.seed)]


@dataclass(frozen=True, slots=True)
class Driven:
    """A car, a bus or a truck."""

    vehicle: vehicles.Vehicle
    seed: int

    @property
    def kind(self) -> str:
        """Its class in the truth."""
        return self.vehicle.kind

    @property
    def length_m(self) -> float:
        """From bumper to bumper."""
        return self.vehicle.length_m

    @property
    def width_m(self) -> float:
        """Without mirrors."""
        return self.vehicle.width_m

    def bodies(self, pose: Pose, motion: Motion) -> list[Body]:
        """One body with its lamps; the brake lamps are on when it is slow."""
        own = self.vehicle
        tail_m = 0.16 if motion.speed_mps < 1.0 else 0.11
        glows = [Glow(p, _WHITE, 0.22, AHEAD) for p in own.lamps]
        glows += [Glow(p, _RED, tail_m, BEHIND) for p in own.tail_lamps]
        foot = (own.width_m * 0.51, own.length_m * 0.495)
        body = Body(
            own.kind, own.shape, pose, foot, own.height_m, own.colour, tuple(glows), 0.03, self.seed
        )
        return [body]


@dataclass(frozen=True, slots=True)
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

    def bodies(self, pose: Pose, motion: Motion) -> list[Body]:
        """The machine and its rider, each a body."""
        if self.kind == "bicycle":
            pedal = -motion.total_m / 5.0 * tau
            machine = cycles.bicycle(self.paint, pedal)
            rider = cycles.cyclist(self.look, pedal, self.helmet)
            lamp_z, lamp_m = 0.45, 0.06
        else:
            machine = cycles.motorcycle(self.paint, scooter=self.scooter, night=self.night)
            rider = cycles.biker(self.look, self.helmet or (30, 30, 32))
            lamp_z, lamp_m = 0.6, 0.16
        ahead = Glow((0.0, 0.9, lamp_z), _WHITE, lamp_m, AHEAD)
        glows = (ahead, Glow((0, 0.75, -0.75), _RED, lamp_m / 2, BEHIND))
        return [
            Body(self.kind, machine, pose, (0.2, 0.85), 1.2, "", glows, 0.03, self.seed),
            Body("person", rider, pose, (0, 0), 1.6, seed=self.seed, nearer_m=0.02),
        ]


@dataclass(frozen=True, slots=True)
class Dog:
    """A dog by itself."""

    coat: Colour
    size: float
    long_hair: bool
    seed: int
    kind: str = "dog"
    length_m: float = 0.9
    width_m: float = 0.4

    def bodies(self, pose: Pose, motion: Motion) -> list[Body]:
        """One body, trotting."""
        stride = tau * motion.total_m / (0.75 * self.size)
        shape = dogs.dog(self.coat, self.size, stride, long_hair=self.long_hair)
        foot = (0.16 * self.size, 0.45 * self.size)
        return [Body("dog", shape, pose, foot, dogs.SHOULDER_M, grain=0.06, seed=self.seed)]


def random_character(rng: Generator, kind: str, air: Air) -> Character:
    """Some character of a kind, dressed and lit for the weather and the hour."""
    if kind == "person":
        look = people.random_look(rng, rain=air.weather == "rain", night=air.night)
        return Walker(look, random_grain(rng))
    if kind in ("bicycle", "motorcycle"):
        return _random_rider(rng, kind, night=air.lit)
    if kind == "dog":
        size = float(np.clip(rng.normal(1.0, 0.2), 0.55, 1.4))
        return Dog(dogs.random_coat(rng), size, bool(rng.random() < 0.5), random_grain(rng))
    make = {"car": vehicles.random_car, "bus": heavy.random_bus, "truck": heavy.random_truck}[kind]
    return Driven(make(rng, night=air.lit), random_grain(rng))


def _random_rider(rng: Generator, kind: str, *, night: bool) -> Rider:
    bare = kind == "bicycle" and rng.random() < 0.5
    return Rider(
        kind,
        people.random_look(rng),
        paint=vehicles.random_paint(rng)[1],
        helmet=None if bare else vehicles.random_paint(rng)[1],
        scooter=bool(rng.random() < 0.4),
        night=night,
        seed=random_grain(rng),
    )
