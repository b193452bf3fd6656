"""What a test: address asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from urllib.parse import parse_qsl

TIMES = ("day", "dusk", "night")
WEATHERS = ("clear", "rain", "fog")
LIGHTS = ("cycle", "red", "yellow", "green", "none")
VIEWS = ("any", "along", "across", "diagonal")

Span = tuple[int, int]
"""Least and most at one moment."""


@dataclass(frozen=True, slots=True)
class SceneOptions:
    """A scene, every option with its value.  Counts vary between their two ends over time."""

    time: str = "day"
    weather: str = "clear"
    seed: int = 0
    size: tuple[int, int] = (640, 360)
    fps: float = 10.0
    seconds: float = 60.0
    view: str = "any"
    light: str = "cycle"
    people: Span = (0, 3)
    cars: Span = (0, 2)
    bus: Span = (0, 1)
    trucks: Span = (0, 0)
    bicycles: Span = (0, 1)
    motorcycles: Span = (0, 0)
    dogs: Span = (0, 0)

    @property
    def counts(self) -> dict[str, Span]:
        """Least and most of each kind, by its name in the truth."""
        return {
            "person": self.people,
            "car": self.cars,
            "bus": self.bus,
            "truck": self.trucks,
            "bicycle": self.bicycles,
            "motorcycle": self.motorcycles,
            "dog": self.dogs,
        }

    @property
    def n_frames(self) -> int:
        """Frames in the whole scene, at least one."""
        return max(1, round(self.seconds * self.fps))


_CHOICES = {"time": TIMES, "weather": WEATHERS, "light": LIGHTS, "view": VIEWS}
_MOST = {"people": 12, "cars": 6, "bus": 2, "trucks": 3, "bicycles": 4, "motorcycles": 4, "dogs": 3}
_NUMBERS = {"fps": (0.5, 60.0), "seconds": (0.1, 3600.0)}


def parse_scene(address: str) -> SceneOptions:
    """Read ``test:street?time=night&people=0-4``.

    Raises ValueError, in one line with its remedy, for an unknown scene or option or a bad value.
    """
    name, _, query = address.partition(":")[2].partition("?")
    if address.partition(":")[0].lower() != "test" or name != "street":
        raise ValueError(f"unknown scene '{name[:40]}' -- write test:street")
    found: dict[str, object] = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        if key in found:
            raise ValueError(f"option '{key}' is given twice -- give it once")
        found[key] = _value(key, value)
    return SceneOptions(**found)  # type: ignore[arg-type]


def _value(key: str, value: str) -> object:
    if key in _CHOICES:
        if value not in _CHOICES[key]:
            raise ValueError(f"{key}={value[:40]} -- use one of: {', '.join(_CHOICES[key])}")
        return value
    if key in _MOST:
        return _span(key, value)
    if key in _NUMBERS:
        return _number(key, value)
    if key == "seed":
        if not re.fullmatch(r"\d{1,9}", value):
            raise ValueError(f"seed={value[:40]} -- use a whole number of up to nine digits")
        return int(value)
    if key == "size":
        return _size(value)
    known = ", ".join(f.name for f in fields(SceneOptions))
    raise ValueError(f"unknown option '{key[:40]}' -- known: {known}")


def _span(key: str, value: str) -> Span:
    most = _MOST[key]
    match = re.fullmatch(r"(\d{1,3})(?:-(\d{1,3}))?", value)
    low, high = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
    if not 0 <= low <= high <= most:
        raise ValueError(f"{key}={value[:40]} -- use a number or a range like 0-1, up to {most}")
    return low, high


def _number(key: str, value: str) -> float:
    low, high = _NUMBERS[key]
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not low <= number <= high:
        raise ValueError(f"{key}={value[:40]} -- use a number from {low:g} to {high:g}")
    return number


def _size(value: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{2,4})x(\d{2,4})", value)
    width, height = (int(match[1]), int(match[2])) if match else (0, 0)
    if not (64 <= width <= 1920 and 64 <= height <= 1080):
        raise ValueError(f"size={value[:40]} -- write it as 640x360, from 64x64 to 1920x1080")
    return width, height
