"""Buses and trucks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_daemon.scenes.coachwork import (
    AHEAD,
    BEHIND,
    GLASS,
    SKY,
    Chassis,
    box,
    outward,
    panel,
    side_panel,
    underside,
    wheels,
)
from edge_daemon.scenes.shape import Colour, Shape, Vec, mix, times
from edge_daemon.scenes.vehicles import Vehicle, random_paint

if TYPE_CHECKING:
    from numpy.random import Generator

_LIVERIES: tuple[Colour, ...] = (
    (196, 28, 32),
    (230, 180, 30),
    (34, 96, 168),
    (236, 236, 232),
    (40, 130, 80),
    (226, 110, 30),
    (120, 30, 60),
    (90, 160, 200),
)
_PLATE: Colour = (228, 228, 220)
_LIGHT = {True: (255.0, 250.0, 230.0), False: (218.0, 225.0, 230.0)}  # by whether it burns
_TAIL_LIGHT = {True: (255.0, 40.0, 30.0), False: (170.0, 22.0, 24.0)}


@dataclass(frozen=True, slots=True)
class _Bus:
    """A bus while it is built."""

    shape: Shape
    half: float
    front: float
    rear: float
    height: float
    paint: Colour
    glass: Colour
    night: bool

    @property
    def decks(self) -> int:
        return 2 if self.height > 4 else 1


def random_bus(rng: Generator, *, night: bool = False) -> Vehicle:
    """Some city bus, now and then with two decks; night: with its lamps on."""
    paint, stripe = (_LIVERIES[int(n)] for n in rng.integers(len(_LIVERIES), size=2))
    height = 4.35 if rng.random() < 0.15 else 3.1
    length, half = float(rng.uniform(9.5, 12.5)), 1.27
    front, rear = length / 2, -length / 2
    chassis = Chassis(half, front, rear, (front - 2.6, rear + 3.0), 0.5)
    glass = mix(GLASS, (255, 226, 160), 0.75) if night else GLASS
    bus = _Bus(Shape(), half, front, rear, height, paint, glass, night)
    underside(bus.shape, chassis)
    box(bus.shape, (-half, 0.32, rear), (half, height, front), paint)
    _windows(bus, 1.35, 2.65)
    if bus.decks == 2:
        _windows(bus, 3.0, 3.95)
    _bus_sides(bus, stripe)
    _bus_front(bus)
    _bus_rear(bus)
    wheels(bus.shape, chassis)
    lamps = ((-0.95, 0.72, front), (0.95, 0.72, front))
    tails = ((-1.05, 0.9, rear), (1.05, 0.9, rear))
    return Vehicle("bus", "", bus.shape, length, 2 * half, height, lamps, tails)


def _windows(bus: _Bus, low: float, high: float) -> None:
    """A row of windows along both sides."""
    count = 7
    step = (bus.front - bus.rear - 0.5) / count
    for side in (-1, 1):
        x, out = side * bus.half * 1.002, outward(side)
        band = side_panel(x, low - 0.05, high + 0.05, bus.rear + 0.25, bus.front - 0.12)
        bus.shape.face(band, (26, 28, 31), out)
        for k in range(count):
            z = bus.rear + 0.3 + k * step
            bus.shape.face(side_panel(x * 1.001, low, high, z, z + step - 0.09), bus.glass, out)
            left = [(x * 1.002, low + 0.25, z), (x * 1.002, high, z + step * 0.35)]
            right = [(x * 1.002, high, z + step * 0.8), (x * 1.002, low + 0.25, z + step * 0.45)]
            bus.shape.face([*left, *right], mix(bus.glass, SKY, 0.28), out)


def _bus_sides(bus: _Bus, stripe: Colour) -> None:
    z1, z2 = bus.rear + 0.05, bus.front - 0.05
    for side in (-1, 1):
        x, out = side * bus.half * 1.003, outward(side)
        bus.shape.face(side_panel(x, 0.34, 0.55, z1, z2), times(bus.paint, 0.45), out)
        bus.shape.face(side_panel(x, 0.78, 1.0, z1, z2), stripe, out)
    x, out = bus.half * 1.003, outward(1)
    for a, b in ((bus.front - 1.5, bus.front - 0.5), (-0.6, 0.9)):  # doors, on the right
        bus.shape.face(side_panel(x * 1.002, 0.4, 2.5, a, b), (30, 32, 35), out)
        middle = (a + b) / 2
        for c, d in ((a + 0.06, middle - 0.03), (middle + 0.03, b - 0.06)):
            bus.shape.face(side_panel(x * 1.004, 0.6, 2.4, c, d), mix(bus.glass, SKY, 0.22), out)


def _bus_front(bus: _Bus) -> None:
    shape, half, z = bus.shape, bus.half, bus.front + 0.01
    shape.face(panel(-half * 0.94, half * 0.94, 1.1, 2.6, z), bus.glass, AHEAD)
    shine = panel(-half * 0.8, half * 0.2, 1.7, 2.55, z + 0.005)
    shape.face(shine, mix(GLASS, SKY, 0.4), AHEAD)
    shape.face(panel(-half * 0.94, half * 0.94, 2.62, 2.98, z), (16, 16, 18), AHEAD)
    shape.face(panel(-half * 0.6, half * 0.6, 2.68, 2.92, z + 0.005), (250, 176, 40), AHEAD)
    if bus.decks == 2:
        shape.face(panel(-half * 0.92, half * 0.92, 3.05, 4.0, z), bus.glass, AHEAD)
    for side in (-1, 1):
        shape.face(panel(side * 0.72, side * 1.14, 0.6, 0.84, z), _LIGHT[bus.night], AHEAD)
        _mirror(shape, side * half, (2.0, 2.45), bus.front)
    shape.face(panel(-0.3, 0.3, 0.5, 0.64, z), _PLATE, AHEAD)
    shape.face(panel(-half, half, 0.3, 0.46, z), (30, 31, 33), AHEAD)


def _bus_rear(bus: _Bus) -> None:
    shape, wide, z = bus.shape, bus.half * 0.8, bus.rear - 0.01
    shape.face(panel(-wide, wide, 1.9, 2.7, z), bus.glass, BEHIND)
    shape.face(panel(-wide, wide, 0.6, 1.6, z), times(bus.paint, 0.7), BEHIND)
    if bus.decks == 2:
        shape.face(panel(-wide, wide, 3.1, 3.95, z), bus.glass, BEHIND)
    for side in (-1, 1):
        shape.face(panel(side * 0.98, side * 1.2, 0.7, 1.25, z), _TAIL_LIGHT[bus.night], BEHIND)
    shape.face(panel(-bus.half, bus.half, 0.3, 0.5, z), (34, 35, 37), BEHIND)


def random_truck(rng: Generator, *, night: bool = False) -> Vehicle:
    """Some truck with a tall box or a low one behind its cab; night: with its lamps on."""
    name, paint = random_paint(rng)
    _, cargo = random_paint(rng)
    length, half = float(rng.uniform(6.2, 9.5)), 1.22
    cab_high, high = float(rng.uniform(2.4, 2.9)), float(rng.uniform(3.0, 3.7))
    high = high if rng.random() < 0.75 else 2.0
    front, rear = length / 2, -length / 2
    back = front - 1.9
    axles = (front - 1.1, rear + 1.2) if length < 8 else (front - 1.1, rear + 1.0, rear + 2.2)
    chassis = Chassis(half, front, rear, axles, 0.5)
    shape = Shape()
    underside(shape, chassis)
    box(shape, (-half * 0.8, 0.6, rear), (half * 0.8, 1.0, back), (40, 41, 44))
    shape.section((0.0, 1.5, (rear + back) / 2))
    _cargo(shape, cargo, (-half, 1.0, rear), (half, high, back - 0.15))
    shape.section((0.0, 1.5, (front + back) / 2))
    _cab(shape, paint, (-half * 0.97, 0.45, back), (half * 0.97, cab_high, front), night=night)
    shape.section(None)
    wheels(shape, chassis)
    lamps = ((-0.9, 0.75, front), (0.9, 0.75, front))
    tails = ((-0.95, 0.85, rear), (0.95, 0.85, rear))
    return Vehicle("truck", name, shape, length, 2 * half, max(high, cab_high), lamps, tails)


def _cargo(shape: Shape, paint: Colour, low: Vec, high: Vec) -> None:
    """The box between two corners, with its ribs, rear door and tail lamps."""
    box(shape, low, high, paint)
    (_, y1, rear), (half, y2, front) = low, high
    for side in (-1, 1):
        x, out = side * half * 1.002, outward(side)
        shape.face(side_panel(x, y1, y1 + 0.12, rear, front), (50, 50, 54), out)
        for k in range(1, 5):
            z = rear + (front - rear) * k / 5
            shape.face(side_panel(x, y1 + 0.12, y2 - 0.06, z, z + 0.05), times(paint, 0.8), out)
    z = rear - 0.01
    shape.face(panel(-0.03, 0.03, y1 + 0.1, y2 - 0.1, z), times(paint, 0.5), BEHIND)
    shape.face(panel(-half, half, y1 - 0.25, y1, z), (44, 45, 48), BEHIND)
    for side in (-1, 1):
        lamp = panel(side * 0.8, side * 1.1, y1 - 0.2, y1 - 0.06, z - 0.005)
        shape.face(lamp, (190, 26, 26), BEHIND)


def _cab(shape: Shape, paint: Colour, low: Vec, high: Vec, *, night: bool) -> None:
    """The cab between two corners, with its windows and lamps."""
    box(shape, low, high, paint)
    half, top, front = high
    z = front + 0.01
    shape.face(panel(-half * 0.9, half * 0.9, 1.5, top - 0.3, z), GLASS, AHEAD)
    shine = panel(-half * 0.8, half * 0.1, 1.9, top - 0.35, z + 0.005)
    shape.face(shine, mix(GLASS, SKY, 0.4), AHEAD)
    shape.face(panel(-half * 0.6, half * 0.6, 0.85, 1.32, z), (36, 37, 40), AHEAD)
    shape.face(panel(-half * 0.97, half * 0.97, 0.42, 0.62, z), (50, 51, 54), AHEAD)
    for side in (-1, 1):
        shape.face(panel(side * 0.75, side * 1.1, 0.66, 0.84, z), _LIGHT[night], AHEAD)
        x, out = side * half * 1.003, outward(side)
        shape.face(side_panel(x, 1.45, top - 0.35, front - 1.15, front - 0.15), GLASS, out)
        shape.face(side_panel(x, 0.6, 1.35, front - 1.22, front - 1.19), times(paint, 0.6), out)
        _mirror(shape, side * half, (1.6, 2.2), front - 0.05)


def _mirror(shape: Shape, x: float, heights: tuple[float, float], z: float) -> None:
    """The sides of an outside mirror that the body never hides: the front and the outer one."""
    side = 1 if x > 0 else -1
    low, high = heights
    shape.face(panel(x, x + side * 0.2, low, high, z + 0.1), (22, 22, 24), AHEAD)
    outer = side_panel(x + side * 0.2, low, high, z - 0.06, z + 0.1)
    shape.face(outer, (30, 30, 32), outward(side))
