"""Light and air: the sun, street lamps at night, and fog between things and the camera."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from edge_daemon.scenes.shape import Colour

    Points = NDArray[np.float32]

_LAMP_REACH_M: Final = 9.0
_BRIGHTEST: Final = 0.85  # where several lamps meet


@dataclass(frozen=True, slots=True, eq=False)
class Air:
    """How a scene is lit.

    ambient and lamp_tint are factors per channel (3,); sun (3,) points to the light; contrast is
    how much darker faces turned away are; shadow is the strength of cast shadows; fog_per_m is
    the extinction of the air; grain is the sensor's noise, in steps of 255; lamps (N, 2) are the
    places of street lamps, metres.
    """

    time: str
    weather: str
    ambient: Points
    lamp_tint: Points
    sun: Points
    contrast: float
    shadow: float
    sky_top: Colour
    sky_low: Colour
    fog_per_m: float
    grain: float
    lamps: Points

    @property
    def night(self) -> bool:
        """Whether lamps burn at full strength."""
        return self.time == "night"

    @property
    def lit(self) -> bool:
        """Whether lamps of vehicles are on."""
        return self.time != "day" or self.weather == "fog"

    @property
    def haze(self) -> Points:
        """What far things fade into, (3,)."""
        return np.array(self.sky_low, np.float32)

    def clear_over(self, metres: float) -> float:
        """How much of a thing's own light passes the air, 0 to 1.

        Source: Bouguer-Lambert law.
        """
        return exp(-self.fog_per_m * metres)

    def light_at(self, x_m: Points, z_m: Points) -> Points:
        """Factor (..., 3) by which colours are multiplied at places on the ground."""
        total = np.zeros(np.shape(x_m), np.float32)
        if self.time != "day":
            for lamp_x, lamp_z in self.lamps:
                away = (x_m - lamp_x) ** 2 + (z_m - lamp_z) ** 2
                total += np.exp(away * np.float32(-1 / _LAMP_REACH_M**2))
        light: Points = np.minimum(total, np.float32(_BRIGHTEST))[..., None] * self.lamp_tint
        light += self.ambient
        return light

    def light_on(self, x_m: float, z_m: float) -> Points:
        """Factor (3,) at one place."""
        here = self.light_at(np.array([x_m], np.float32), np.array([z_m], np.float32))
        return here.reshape(3)


class _Hour(NamedTuple):
    """What the hour decides."""

    ambient: NDArray[np.float64]
    lamp_tint: NDArray[np.float64]
    sky_top: Colour
    sky_low: Colour
    grain: float


def random_air(rng: Generator, time: str, weather: str, lamps: Points) -> Air:
    """Some light of that time and weather."""
    angle, height = float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(0.5, 1.4))
    sun = np.array([np.cos(angle), height, np.sin(angle)])
    overcast = weather != "clear" or bool(rng.random() < 0.3)
    hour = {"day": _day, "dusk": _dusk, "night": _night}[time](rng, overcast=overcast)
    gain = float(rng.uniform(0.82, 1.12)) * (0.85 if weather == "rain" else 1.0)
    sunny = time == "day" and not overcast
    fog_per_m = float(rng.uniform(0.022, 0.06))
    return Air(
        time=time,
        weather=weather,
        ambient=(hour.ambient * gain).astype(np.float32),
        lamp_tint=hour.lamp_tint.astype(np.float32),
        sun=(sun / np.linalg.norm(sun)).astype(np.float32),
        contrast=0.55 if sunny else 0.30,
        shadow=0.5 if sunny else 0.0,
        sky_top=hour.sky_top,
        sky_low=hour.sky_low,
        fog_per_m={"fog": fog_per_m, "rain": 0.006, "clear": 0.0012}[weather],
        grain=hour.grain * float(rng.uniform(0.5, 1.4)),
        lamps=lamps,
    )


def _day(rng: Generator, *, overcast: bool) -> _Hour:
    grey, blue = float(rng.uniform(168, 226)), float(rng.uniform(0.0, 1.0))
    if overcast:
        top, low = (grey, grey + 3, grey + 8), (grey + 14, grey + 16, grey + 18)
        return _Hour(np.array([0.97, 1.0, 1.05]), np.zeros(3), top, low, 2.5)
    top, low = (70 + 60 * blue, 130 + 40 * blue, 206.0), (190.0, 212.0, 230.0)
    return _Hour(np.array([1.03, 1.0, 0.97]), np.zeros(3), top, low, 2.5)


def _dusk(rng: Generator, *, overcast: bool) -> _Hour:
    glow = float(rng.uniform(0, 0.4 if overcast else 1.0))
    ambient = np.array([0.50 + 0.1 * glow, 0.48, 0.54])
    low = (150 + 70 * glow, 128.0, 120 - 20 * glow)
    return _Hour(ambient, np.array([0.34, 0.27, 0.17]), (52.0, 66.0, 112.0), low, 4.5)


def _night(rng: Generator, *, overcast: bool) -> _Hour:
    ambient = np.array([0.25, 0.26, 0.305]) * rng.uniform(0.9, 1.5)
    warm = rng.random() < 0.6
    lamp = np.array([0.78, 0.60, 0.34]) if warm else np.array([0.62, 0.66, 0.70])
    low = (44.0, 42.0, 46.0) if overcast else (34.0, 33.0, 40.0)
    return _Hour(ambient, lamp * rng.uniform(0.7, 1.15), (10.0, 12.0, 20.0), low, 7.0)
