"""Cars, and the paints of everything on wheels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from edge_daemon.scenes.coachwork import (
    AHEAD,
    BEHIND,
    GLASS,
    SKY,
    Chassis,
    Rib,
    between,
    box,
    extrude,
    outward,
    panel,
    rounded,
    side_panel,
    underside,
    wheels,
)
from edge_daemon.scenes.shape import Colour, Shape, Vec, mix, times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator

PAINTS: dict[str, tuple[Colour, ...]] = {
    "white": ((236, 236, 234), (222, 224, 226)),
    "black": ((26, 27, 30), (40, 41, 46)),
    "grey": ((112, 116, 120), (84, 88, 94)),
    "silver": ((176, 180, 184), (192, 196, 198)),
    "red": ((176, 26, 30), (140, 20, 28), (206, 40, 34)),
    "blue": ((28, 58, 128), (40, 92, 168), (22, 40, 84)),
    "green": ((34, 84, 58), (88, 110, 70)),
    "yellow": ((236, 190, 40), (244, 208, 60)),
    "brown": ((110, 82, 58), (160, 136, 104)),
    "orange": ((218, 104, 34),),
}
_SHARES = {"white": 4, "black": 4, "grey": 3, "silver": 3, "red": 2, "blue": 2}
_PAINT_NAMES = [name for name in PAINTS for _ in range(_SHARES.get(name, 1))]


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A vehicle's body and what others need to know of it.

    lamps and tail_lamps are places (x, y, z) in its own metres; colour is a paint's name.
    """

    kind: str  # car | bus | truck
    colour: str
    shape: Shape
    length_m: float
    width_m: float
    height_m: float
    lamps: tuple[Vec, ...]
    tail_lamps: tuple[Vec, ...]


def random_paint(rng: Generator) -> tuple[str, Colour]:
    """A paint's name and a colour near it."""
    name = _PAINT_NAMES[int(rng.integers(len(_PAINT_NAMES)))]
    tones = PAINTS[name]
    r, g, b = tones[int(rng.integers(len(tones)))]
    shift = float(rng.normal(0, 4))
    return name, (r + shift, g + shift, b + shift)


class _Form(NamedTuple):
    """A car's measures in metres; the last four are the cabin's corners.

    They are shares of the length, counted from the rear: foot and top of the windscreen, top and
    foot of the rear window.
    """

    length: float
    width: float
    height: float
    belt: float
    bonnet: float
    boot: float
    screen_foot: float
    screen_top: float
    rear_top: float
    rear_foot: float

    @property
    def half(self) -> float:
        return self.width / 2

    @property
    def front(self) -> float:
        return self.length / 2

    @property
    def rear(self) -> float:
        return -self.length / 2

    def z(self, share: float) -> float:
        return self.length * (share - 0.5)

    @property
    def hull(self) -> list[Rib]:
        """The lower body's profile."""
        half, front, rear = self.half, self.front, self.rear
        return [
            (front - 0.16, 0.18, half * 0.80),
            (front + 0.02, 0.36, half * 0.72),
            (front, 0.58, half * 0.74),
            (front - 0.20, self.bonnet - 0.10, half * 0.86),
            (self.z(self.screen_foot) + 0.02, self.bonnet + 0.02, half * 0.97),
            (self.z(self.rear_top), self.belt, half),
            (self.z(self.rear_foot), self.boot, half * 0.96),
            (rear + 0.05, self.boot - 0.10, half * 0.84),
            (rear, 0.52, half * 0.82),
            (rear + 0.14, 0.20, half * 0.84),
        ]

    @property
    def cabin(self) -> list[Rib]:
        """The profile of what is above: windscreen's foot and top, roof, rear window."""
        half, top, back = self.half, self.z(self.screen_top), self.z(self.rear_top)
        return [
            (self.z(self.screen_foot) + 0.10, self.bonnet - 0.02, half * 0.90),
            (top, self.height - 0.03, half * 0.72),
            ((top + back) / 2, self.height, half * 0.73),
            (back, self.height - 0.04, half * 0.72),
            (self.z(self.rear_foot) + 0.05, self.boot - 0.04, half * 0.88),
        ]


_FORMS = (
    _Form(4.6, 1.82, 1.45, 0.90, 0.84, 0.97, 0.72, 0.53, 0.27, 0.10),  # saloon
    _Form(4.1, 1.78, 1.48, 0.92, 0.86, 0.94, 0.74, 0.56, 0.20, 0.03),  # hatchback
    _Form(4.7, 1.84, 1.48, 0.92, 0.86, 0.94, 0.73, 0.54, 0.14, 0.03),  # estate
    _Form(4.5, 1.90, 1.66, 1.06, 1.00, 1.05, 0.74, 0.58, 0.17, 0.03),  # off-roader
    _Form(4.5, 1.86, 1.66, 1.00, 0.92, 0.98, 0.82, 0.58, 0.14, 0.02),  # people carrier
    _Form(4.4, 1.84, 1.34, 0.88, 0.80, 0.92, 0.68, 0.49, 0.32, 0.07),  # coupe
    _Form(3.6, 1.68, 1.50, 0.92, 0.88, 0.92, 0.78, 0.60, 0.20, 0.03),  # small car
)


def random_car(rng: Generator, *, night: bool = False) -> Vehicle:
    """Some car, now and then a taxi; night: with its lamps on."""
    form = _FORMS[int(rng.integers(len(_FORMS)))]
    name, paint = random_paint(rng)
    radius = 0.33 if form.height < 1.6 else 0.37
    overhang = 0.19 * form.length
    axles = (form.front - overhang, form.rear + overhang)
    chassis = Chassis(form.half, form.front, form.rear, axles, radius)
    shape = Shape()
    underside(shape, chassis)
    extrude(shape, rounded(form.hull), paint)
    extrude(shape, rounded(form.cabin), paint)
    _screens(shape, form)
    _side_windows(shape, form, paint)
    _front(shape, form, night=night)
    _rear(shape, form, paint, night=night)
    _sides(shape, form, paint)
    wheels(shape, chassis)
    if rng.random() < 0.04:
        box(shape, (-0.2, form.height, -0.1), (0.2, form.height + 0.14, 0.1), (244, 220, 120))
    w = form.half
    lamp_y, tail_y = form.bonnet - 0.20, form.boot - 0.22
    lamps = ((-w * 0.72, lamp_y, form.front - 0.04), (w * 0.72, lamp_y, form.front - 0.04))
    tails = ((-w * 0.80, tail_y, form.rear), (w * 0.80, tail_y, form.rear))
    return Vehicle("car", name, shape, form.length, form.width, form.height, lamps, tails)


def _screens(shape: Shape, form: _Form) -> None:
    """Windscreen and rear window, each with the sky in its upper part."""
    foot, top, _, rear_top, rear_foot = form.cabin
    for low, high, sense in ((foot, top, 1.0), (rear_foot, rear_top, -1.0)):
        out = (0.0, abs(low[0] - high[0]), sense * (high[1] - low[1]))
        z1, y1, w1 = between(low, high, 0.12)
        z2, y2, w2 = between(low, high, 0.86)
        upper = [(w2 * 0.92, y2, z2), (-w2 * 0.92, y2, z2)]
        shape.face([(-w1 * 0.93, y1, z1), (w1 * 0.93, y1, z1), *upper], GLASS, out)
        z3, y3, w3 = between((z1, y1, w1), (z2, y2, w2), 0.55)
        shine = [(-w3 * 0.9, y3, z3), (w3 * 0.5, y3, z3), (w2 * 0.7, y2, z2), (-w2 * 0.9, y2, z2)]
        shape.face(shine, mix(GLASS, SKY, 0.42), out)


def _side_windows(shape: Shape, form: _Form, paint: Colour) -> None:
    foot, top, _, rear_top, rear_foot = form.cabin
    low, high = form.belt + 0.03, form.height - 0.10
    z1, z2 = _edge(foot, top, low) - 0.14, _edge(foot, top, high) - 0.10
    z4, z3 = _edge(rear_foot, rear_top, low) + 0.14, _edge(rear_foot, rear_top, high) + 0.10
    for side in (-1, 1):
        out = outward(side, 0.25)

        def on_glass(corners: Sequence[tuple[float, float]], side: int = side) -> list[Vec]:
            lean = (top[2] - foot[2]) / max(top[1] - foot[1], 0.1)
            return [(side * (foot[2] + lean * (y - foot[1])) * 1.004, y, z) for z, y in corners]

        shape.face(on_glass([(z1, low), (z2, high), (z3, high), (z4, low)]), GLASS, out)
        sill = high - 0.12
        shine = [((z1 + z2) / 2 - 0.1, sill), (z2, high), (z3, high), ((z3 + z4) / 2, sill)]
        shape.face(on_glass(shine), mix(GLASS, SKY, 0.32), out)
        for share, half, tone in ((0.40, 0.035, (18.0, 18.0, 20.0)), (0.80, 0.05, paint)):
            z = z1 + (z4 - z1) * share
            pillar = [(z - half, low), (z + half, low), (z + half, high), (z - half, high)]
            shape.face(on_glass(pillar), tone, out)


def _edge(lower: Rib, upper: Rib, y: float) -> float:
    """Where the line between two ribs passes a height, z."""
    return lower[0] + (upper[0] - lower[0]) * (y - lower[1]) / (upper[1] - lower[1])


def _front(shape: Shape, form: _Form, *, night: bool) -> None:
    z, top, half = form.front + 0.012, form.bonnet - 0.14, form.half
    ahead = (0.0, 0.2, 1.0)
    lamp = (255.0, 250.0, 230.0) if night else (214.0, 222.0, 228.0)
    shape.face(panel(-half * 0.42, half * 0.42, 0.50, top, z - 0.03), (24, 25, 27), ahead)
    shape.face(panel(-half * 0.62, half * 0.62, 0.22, 0.36, z - 0.03), (28, 29, 31), AHEAD)
    shape.face(panel(-0.26, 0.26, 0.42, 0.53, z), (228, 228, 220), AHEAD)
    for side in (-1, 1):
        inner, outer = side * half * 0.44, side * half * 0.80
        lower = [(inner, top - 0.14, z - 0.02), (outer, top - 0.12, z - 0.08)]
        upper = [(outer, top + 0.02, z - 0.14), (inner, top - 0.02, z - 0.08)]
        shape.face([*lower, *upper], lamp, ahead)


def _rear(shape: Shape, form: _Form, paint: Colour, *, night: bool) -> None:
    z, half = form.rear - 0.012, form.half
    tail = (255.0, 40.0, 30.0) if night else (170.0, 24.0, 26.0)
    shape.face(panel(-half * 0.76, half * 0.76, 0.26, 0.40, z), times(paint, 0.55), BEHIND)
    shape.face(panel(-0.26, 0.26, 0.58, 0.70, z), (228, 226, 206), BEHIND)
    for side in (-1, 1):
        lamp = panel(side * half * 0.50, side * half * 0.82, form.boot - 0.32, form.boot - 0.13, z)
        shape.face(lamp, tail, BEHIND)


def _sides(shape: Shape, form: _Form, paint: Colour) -> None:
    """Shade, sill, shine, door joints and mirrors."""
    front, rear, belt = form.front, form.rear, form.belt
    a, d = form.z(form.screen_foot), form.z(form.rear_foot)
    for side in (-1, 1):
        x, out = side * form.half * 1.004, outward(side, 0.1)
        nose = [(x, 0.26, front - 0.12), (x, 0.42, front - 0.06), (x, 0.60, front - 0.12)]
        tail = [(x, 0.62, rear + 0.1), (x, 0.5, rear + 0.06), (x, 0.28, rear + 0.14)]
        shape.face([*nose, *tail], times(paint, 0.86), outward(side, -0.25))
        shape.face(side_panel(x, 0.24, 0.36, rear + 1.28, front - 1.28), times(paint, 0.55), out)
        shine = mix(paint, (255, 255, 255), 0.16)
        shape.face(side_panel(x, belt - 0.14, belt - 0.06, d + 0.2, a), shine, out)
        for z in (a - 0.12, (a + d) / 2 - 0.05, d + 0.65):
            joint = side_panel(x, 0.38, belt - 0.02, z - 0.02, z)
            shape.face(joint, times(paint, 0.5), out)
        low = (x + side * 0.02, belt - 0.02, a - 0.32)
        box(shape, low, (x + side * 0.2, belt + 0.12, a - 0.18), times(paint, 0.8))
