"""What a rendered picture really shows."""

from __future__ import annotations

from dataclasses import dataclass, fields

KINDS = ("person", "car", "bus", "truck", "bicycle", "motorcycle", "dog", "traffic_light")


@dataclass(frozen=True, slots=True)
class Box:
    """One thing: fractions of width and height, clipped to the picture.

    visible is the share of the whole thing that is seen: neither hidden by others nor outside.
    colour is a vehicle's paint, or a traffic light's lamp; empty where it has none.
    """

    kind: str
    x1: float
    y1: float
    x2: float
    y2: float
    visible: float
    colour: str = ""


@dataclass(frozen=True, slots=True)
class Truth:
    """Everything in one picture.  light is red, yellow, green, or None where no light is seen."""

    boxes: tuple[Box, ...]
    light: str | None
    time: str
    weather: str

    @staticmethod
    def of(boxes: tuple[Box, ...], time: str, weather: str) -> Truth:
        """The truth of a picture with these boxes; a light counts when half of it is seen."""
        lamps = [b.colour for b in boxes if b.kind == "traffic_light" and b.visible > 0.5]
        return Truth(boxes, lamps[0] if lamps else None, time, weather)

    def as_row(self) -> dict[str, object]:
        """The truth as plain values, for JSON."""
        boxes = [{f.name: getattr(box, f.name) for f in fields(Box)} for box in self.boxes]
        return {"light": self.light, "time": self.time, "weather": self.weather, "boxes": boxes}

    def count(self, kind: str, least_visible: float = 0.25) -> int:
        """How many of a kind are at least so visible."""
        return sum(b.kind == kind and b.visible >= least_visible for b in self.boxes)
