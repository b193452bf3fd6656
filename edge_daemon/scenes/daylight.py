"""Light and air: the sun, street lamps at night, and fog between things and the camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Points = NDArray[np.float32]

from edge_daemon.scenes.shape import Colour

LAMP_REACH_M = 9.0


@dataclass(frozen=True, slots=True)
class Air:
    """How a scene is lit.

    ambient and lamp_tint are factors per channel; sun points to the light; contrast is how much
    darker faces turned away are; shadow is the strength of cast shadows; fog_per_m is the
    extinction of the air; lamps are (x, z) of street lamps, metres.
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
        """Whether lamps are on."""
        return self.time != "day" or self.weather == "fog"

    @property
    def haze(self) -> Points:
        """What far things fade into, float32 (3,)."""
        return np.array(self.sky_low, np.float32)

    def light_at(self, x_m: Points, z_m: Points) -> Points:
        """Factor (..., 3) by which colours are multiplied at places on the ground."""
        total = np.zeros(np.shape(x_m), np.float32)
        if self.time != "day":
            for lamp_x, lamp_z in self.lamps:
                away = (x_m - lamp_x) ** 2 + (z_m - lamp_z) ** 2
                total += np.exp(away * np.float32(-1 / LAMP_REACH_M**2))
        light: Points = self.ambient + np.minimum(total, 1.4)[..., None] * self.lamp_tint
        return light


def random_air(rng: Generator, time: str, weather: str, lamps: Points) -> Air:
    """Some light of that time and weather."""
    angle = float(rng.uniform(0, 2 * np.pi))
    height = float(rng.uniform(0.5, 1.4))
    sun = np.array([np.cos(angle), height, np.sin(angle)], np.float32)
    sun /= np.linalg.norm(sun)
    overcast = weather != "clear" or rng.random() < 0.3
    gain = float(rng.uniform(0.82, 1.12))
    grey = float(rng.uniform(168, 226))
    if time == "day":
        ambient = np.array([1.0, 1.0, 1.02]) * gain * (0.85 if weather == "rain" else 1.0)
        warm = np.array([1.03, 1.0, 0.95]) if not overcast else np.array([0.97, 1.0, 1.04])
        ambient = ambient * warm
        blue = float(rng.uniform(0.0, 1.0))
        top = (grey, grey + 3, grey + 8) if overcast else (70 + 60 * blue, 130 + 40 * blue, 206.0)
        low = (grey + 14, grey + 16, grey + 18) if overcast else (190.0, 212.0, 230.0)
        lamp = np.zeros(3)
        grain = 2.5
    elif time == "dusk":
        tint = rng.uniform(0, 1)
        ambient = np.array([0.50 + 0.1 * tint, 0.48, 0.54]) * gain
        top, low = (52.0, 66.0, 112.0), (150 + 70 * tint, 128.0, 120 - 20 * tint)
        lamp = np.array([0.34, 0.27, 0.17])
        grain = 4.5
    else:
        ambient = np.array([0.21, 0.22, 0.265]) * gain * rng.uniform(0.9, 1.5)
        top, low = (10.0, 12.0, 20.0), (34.0, 33.0, 40.0)
        warm = rng.random() < 0.6
        lamp = np.array([0.78, 0.60, 0.34]) if warm else np.array([0.62, 0.66, 0.70])
        lamp = lamp * rng.uniform(0.7, 1.15)
        grain = 7.0
    clear_day = time == "day" and not overcast
    fog = float(rng.uniform(0.022, 0.06)) if weather == "fog" else 0.006 if weather == "rain" else 0.0012
    return Air(
        time, weather, ambient.astype(np.float32), lamp.astype(np.float32), sun,
        contrast=0.55 if clear_day else 0.30, shadow=0.5 if clear_day else 0.0,
        sky_top=top, sky_low=low, fog_per_m=fog, grain=grain * float(rng.uniform(0.5, 1.4)),
        lamps=lamps,
    )  # fmt: skip
