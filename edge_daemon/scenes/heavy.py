"""Buses and trucks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_daemon.scenes.shape import Colour, Shape, Vec, mix, times
from edge_daemon.scenes.vehicles import (
    GLASS, Vehicle, box, panel, random_paint, under, wheels,
)  # fmt: skip

if TYPE_CHECKING:
    from numpy.random import Generator

_LIVERIES: tuple[Colour, ...] = (
    (196, 28, 32), (230, 180, 30), (34, 96, 168), (236, 236, 232), (40, 130, 80), (226, 110, 30),
    (120, 30, 60), (90, 160, 200),
)  # fmt: skip


def random_bus(rng: Generator, *, night: bool = False) -> Vehicle:
    """Some city bus, now and then with two decks."""
    paint = _LIVERIES[int(rng.integers(len(_LIVERIES)))]
    stripe = _LIVERIES[int(rng.integers(len(_LIVERIES)))]
    decks = 2 if rng.random() < 0.15 else 1
    length, half = float(rng.uniform(9.5, 12.5)), 1.27
    height = 3.1 if decks == 1 else 4.35
    shape = Shape()
    front, rear = length / 2, -length / 2
    under(shape, half, front, rear)
    wheels(shape, (front - 2.6, rear + 3.0), half, 0.5, behind=True)
    box(shape, (-half, 0.32, rear), (half, height, front), paint)
    glass = mix(GLASS, (255, 226, 160), 0.75) if night else GLASS
    for deck in range(decks):
        _side_windows(shape, half, front, rear, (1.35, 2.65) if deck == 0 else (3.0, 3.95), glass)
    for side in (-1, 1):
        x, out = side * half * 1.003, (float(side), 0.0, 0.0)
        shape.face(_side(x, 0.34, 0.55, rear + 0.05, front - 0.05), times(paint, 0.45), out)
        shape.face(_side(x, 0.78, 1.0, rear + 0.05, front - 0.05), stripe, out)
        doors = (front - 1.5, front - 0.5), (-0.6, 0.9)
        for z1, z2 in doors if side > 0 else ():
            shape.face(_side(x * 1.002, 0.4, 2.5, z1, z2), (30, 32, 35), out)
            middle = (z1 + z2) / 2
            for a, b in ((z1 + 0.06, middle - 0.03), (middle + 0.03, z2 - 0.06)):
                shape.face(_side(x * 1.004, 0.6, 2.4, a, b), mix(glass, (140, 156, 168), 0.25), out)
    _bus_front(shape, half, front, height, glass, night=night)
    _bus_rear(shape, half, rear, height, paint, glass, night=night)
    wheels(shape, (front - 2.6, rear + 3.0), half, 0.5, behind=False)
    lamps = ((-0.95, 0.72, front), (0.95, 0.72, front))
    tails = ((-1.05, 0.9, rear), (1.05, 0.9, rear))
    return Vehicle("bus", "", shape, length, 2 * half, height, lamps, tails)


def _side_windows(
    shape: Shape, half: float, front: float, rear: float, span: tuple[float, float], glass: Colour
) -> None:
    low, high = span
    for side in (-1, 1):
        x, out = side * half * 1.002, (float(side), 0.0, 0.0)
        shape.face(_side(x, low - 0.05, high + 0.05, rear + 0.25, front - 0.12), (26, 28, 31), out)
        count = 7
        step = (front - rear - 0.5) / count
        for k in range(count):
            z1 = rear + 0.3 + k * step
            shape.face(_side(x * 1.001, low, high, z1, z1 + step - 0.09), glass, out)
            slant: list[Vec] = [
                (x * 1.002, low + 0.25, z1), (x * 1.002, high, z1 + step * 0.35),
                (x * 1.002, high, z1 + step * 0.8), (x * 1.002, low + 0.25, z1 + step * 0.45),
            ]  # fmt: skip
            shape.face(slant, mix(glass, (170, 186, 198), 0.28), out)


def _bus_front(
    shape: Shape, half: float, front: float, height: float, glass: Colour, *, night: bool
) -> None:
    z, out = front + 0.01, (0.0, 0.0, 1.0)
    shape.face(panel(-half * 0.94, half * 0.94, 1.1, 2.6, z), GLASS if not night else glass, out)
    shape.face(panel(-half * 0.8, half * 0.2, 1.7, 2.55, z + 0.005), mix(GLASS, (160, 178, 190), 0.4), out)
    shape.face(panel(-half * 0.94, half * 0.94, 2.62, 2.98, z), (16, 16, 18), out)
    shape.face(panel(-half * 0.6, half * 0.6, 2.68, 2.92, z + 0.005), (250, 176, 40), out)
    if height > 4:
        shape.face(panel(-half * 0.92, half * 0.92, 3.05, 4.0, z), glass, out)
    lamp = (255, 250, 230) if night else (220, 226, 230)
    for side in (-1, 1):
        shape.face(panel(side * 0.72, side * 1.14, 0.6, 0.84, z), lamp, out)
        box(shape, (side * half, 2.0, front - 0.05), (side * (half + 0.2), 2.45, front + 0.12), (22, 22, 24))
    shape.face(panel(-0.3, 0.3, 0.5, 0.64, z), (228, 228, 220), out)
    shape.face(panel(-half, half, 0.3, 0.46, z), (30, 31, 33), out)


def _bus_rear(
    shape: Shape, half: float, rear: float, height: float, paint: Colour, glass: Colour, *, night: bool
) -> None:
    z, out = rear - 0.01, (0.0, 0.0, -1.0)
    shape.face(panel(-half * 0.8, half * 0.8, 1.9, 2.7, z), glass, out)
    shape.face(panel(-half * 0.8, half * 0.8, 0.6, 1.6, z), times(paint, 0.7), out)
    if height > 4:
        shape.face(panel(-half * 0.8, half * 0.8, 3.1, 3.95, z), glass, out)
    tail = (255, 40, 30) if night else (170, 22, 24)
    for side in (-1, 1):
        shape.face(panel(side * 0.98, side * 1.2, 0.7, 1.25, z), tail, out)
    shape.face(panel(-half, half, 0.3, 0.5, z), (34, 35, 37), out)


def random_truck(rng: Generator, *, night: bool = False) -> Vehicle:
    """Some truck with a box, a tarpaulin or a tipper behind its cab."""
    name, paint = random_paint(rng)
    _, cargo = random_paint(rng)
    length = float(rng.uniform(6.2, 9.5))
    half, height = 1.22, float(rng.uniform(3.0, 3.7))
    front, rear = length / 2, -length / 2
    cab_h = float(rng.uniform(2.4, 2.9))
    cab_back = front - 1.9
    low = 1.0
    axles = (front - 1.1, rear + 1.2) if length < 8 else (front - 1.1, rear + 1.0, rear + 2.2)
    shape = Shape()
    under(shape, half, front, rear)
    wheels(shape, axles, half, 0.5, behind=True)
    box(shape, (-half * 0.8, 0.6, rear), (half * 0.8, low, cab_back), (40, 41, 44))
    load_top = height if rng.random() < 0.75 else 2.0
    shape.section((0.0, 1.5, (rear + cab_back) / 2))
    _cargo(shape, cargo, half, low, load_top, rear, cab_back - 0.15)
    shape.section((0.0, 1.5, (front + cab_back) / 2))
    _cab(shape, paint, half, cab_h, front, cab_back, night=night)
    shape.section(None)
    wheels(shape, axles, half, 0.5, behind=False)
    lamps = ((-0.9, 0.75, front), (0.9, 0.75, front))
    tails = ((-0.95, 0.85, rear), (0.95, 0.85, rear))
    return Vehicle("truck", name, shape, length, 2 * half, max(height, cab_h), lamps, tails)


def _cargo(
    shape: Shape, paint: Colour, half: float, low: float, high: float, rear: float, front: float
) -> None:
    box(shape, (-half, low, rear), (half, high, front), paint)
    for side in (-1, 1):
        x, out = side * half * 1.002, (float(side), 0.0, 0.0)
        shape.face(_side(x, low, low + 0.12, rear, front), (50, 50, 54), out)
        for k in range(1, 5):
            z = rear + (front - rear) * k / 5
            shape.face(_side(x, low + 0.12, high - 0.06, z, z + 0.05), times(paint, 0.8), out)
    z, out = rear - 0.01, (0.0, 0.0, -1.0)
    shape.face(panel(-0.03, 0.03, low + 0.1, high - 0.1, z), times(paint, 0.5), out)
    shape.face(panel(-half, half, low - 0.25, low, z), (44, 45, 48), out)
    for side in (-1, 1):
        shape.face(panel(side * 0.8, side * 1.1, low - 0.2, low - 0.06, z - 0.005), (190, 26, 26), out)


def _cab(
    shape: Shape, paint: Colour, half: float, high: float, front: float, back: float, *, night: bool
) -> None:
    box(shape, (-half * 0.97, 0.45, back), (half * 0.97, high, front), paint)
    ahead = (0.0, 0.0, 1.0)
    z = front + 0.01
    shape.face(panel(-half * 0.88, half * 0.88, 1.5, high - 0.3, z), GLASS, ahead)
    shape.face(panel(-half * 0.8, half * 0.1, 1.9, high - 0.35, z + 0.005), mix(GLASS, (160, 178, 190), 0.4), ahead)
    shape.face(panel(-half * 0.6, half * 0.6, 0.85, 1.32, z), (36, 37, 40), ahead)
    shape.face(panel(-half * 0.95, half * 0.95, 0.42, 0.62, z), (50, 51, 54), ahead)
    lamp = (255, 250, 230) if night else (216, 222, 228)
    for side in (-1, 1):
        shape.face(panel(side * 0.75, side * 1.1, 0.66, 0.84, z), lamp, ahead)
        x, out = side * half * 0.975, (float(side), 0.0, 0.0)
        shape.face(_side(x, 1.45, high - 0.35, front - 1.15, front - 0.15), GLASS, out)
        shape.face(_side(x, 0.6, 1.35, front - 1.22, front - 1.19), times(paint, 0.6), out)
        box(shape, (side * half, 1.6, front - 0.1), (side * (half + 0.2), 2.2, front + 0.05), (24, 24, 26))


def _side(x: float, y1: float, y2: float, z1: float, z2: float) -> list[Vec]:
    """A rectangle facing sideways."""
    return [(x, y1, z1), (x, y2, z1), (x, y2, z2), (x, y1, z2)]
