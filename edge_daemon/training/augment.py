"""Other views of a labelled picture: crops, flips, light, weather, mosaics, pasted things.

Here a picture is only planned, and what is known of it follows the plan; ``drawing`` draws it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from edge_daemon.training.concepts import CONCEPT_INDEX, CONCEPTS, SCENE_INDEX, SCENES
from edge_daemon.training.labels import Labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_daemon.training.concepts import Bearing

Box = tuple[int, int, int, int]
"""Pixels: x1 y1 x2 y2, the ends not included."""

_SEEN_ENOUGH: Final = 0.45  # of a box inside the crop, for its classes to stay certain
_SEEN_AT_ALL: Final = 0.12
# Longer side at the model's size; smaller things are only possible.  Source: looking at 200 of
# them: from 6 pixels on one sees that something is there, from 9 on what kind of vehicle it is.
_SMALLEST_PX: Final = 6.0
_SMALLEST_TO_TELL_PX: Final = dict.fromkeys(
    ("truck", "bus", "rickshaw", "bicycle", "motorcycle", "cyclist", "motorcyclist"), 9.0
)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A picture at the model's size, uint8 RGB (H, W, 3), and what is known of it."""

    pixels: NDArray[np.uint8] = field(repr=False)
    labels: Labels = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Cutout:
    """A thing cut out of a picture: uint8 RGBA (H, W, 4), and what it bears on."""

    rgba: NDArray[np.uint8] = field(repr=False)
    bearing: Bearing


@dataclass(frozen=True, slots=True)
class Light:
    """Tone curve ((v ** power) - 0.5) * gain + 0.5 + lift of values v in [0, 1]; then blur, noise.

    blur_px and noise are standard deviations, in pixels of the view and in levels of 255; 0 is
    none.
    """

    power: float = 1.0
    gain: float = 1.0
    lift: float = 0.0
    blur_px: float = 0.0
    noise: float = 0.0


@dataclass(frozen=True, slots=True)
class Fog:
    """Grey level, and its share at the top and the bottom of the picture."""

    grey: float
    top: float
    bottom: float


@dataclass(frozen=True, slots=True, eq=False)
class Rain:
    """How much light is left, and a mask of streaks, uint8 (H, W)."""

    left: float
    streaks: NDArray[np.uint8] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Dusk:
    """Values v in [0, 1] become v ** power * left."""

    power: float
    left: float


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Part of a stored picture, mirrored or not, in some light and weather."""

    key: str
    window: Box
    mirrored: bool = False
    light: Light = Light()
    weather: Fog | Rain | Dusk | None = None


@dataclass(frozen=True, slots=True)
class Cover:
    """Pixels of one part of a picture, stretched over another."""

    over: Box
    taken: Box
    mirrored: bool


@dataclass(frozen=True, slots=True)
class Pasting:
    """A cut-out, by concept and number, put into a box; tone: how far it takes on its light."""

    name: str
    number: int
    over: Box
    mirrored: bool
    tone: float


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A picture to draw: one view, or four in a mosaic; then covers, then pastings.

    labels is what will be known of it.
    """

    views: tuple[View, ...]
    labels: Labels = field(repr=False)
    covers: tuple[Cover, ...] = ()
    pastings: tuple[Pasting, ...] = ()


def fit(picture: NDArray[np.uint8], labels: Labels, size: tuple[int, int]) -> Sample:
    """The whole picture stretched to size (width, height)."""
    smaller = picture.shape[1] > size[0]
    way = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    pixels = np.asarray(cv2.resize(picture, size, interpolation=way), np.uint8)
    height, width = picture.shape[:2]
    return Sample(pixels, cropped(labels, (0, 0, width, height), (width, height), size))


def whole(key: str, shape: tuple[int, int], labels: Labels, size: tuple[int, int]) -> Plan:
    """The whole of a stored picture of shape (width, height), as it is."""
    window = (0, 0, *shape)
    return Plan((View(key, window),), cropped(labels, window, shape, size))


def vary(
    key: str,
    shape: tuple[int, int],
    labels: Labels,
    size: tuple[int, int],
    rng: np.random.Generator,
    *,
    gentle: bool = False,
) -> Plan:
    """A random crop of a picture of shape (width, height), perhaps mirrored, in another light.

    gentle: hardly cropped.
    """
    window = _random_window(shape, rng, 0.85 if gentle else 0.5)
    view = View(key, window)
    labels = cropped(labels, window, shape, size)
    if rng.random() < 0.5:
        view, labels = replace(view, mirrored=True), mirrored(labels)
    view = replace(view, light=_random_light(rng))
    return _weathered(view, labels, size, rng)


def mosaic(four: Sequence[Plan], size: tuple[int, int]) -> Plan:
    """Four plans of one view each in one picture, each at half size."""
    boxes: list[NDArray[np.float32]] = []
    for n, plan in enumerate(four):
        row, column = divmod(n, 2)
        corner = np.array([column, row, column, row], np.float32)
        boxes.append(np.asarray((plan.labels.boxes + corner) / 2, np.float32))
    labels = Labels(
        np.concatenate(boxes),
        np.concatenate([plan.labels.certain for plan in four]),
        np.concatenate([plan.labels.possible for plan in four]),
        np.any([plan.labels.unseen for plan in four], axis=0),
        np.full(len(SCENES), -1, np.int8),
    )
    return Plan(tuple(_halved(plan.views[0]) for plan in four), _with_doubts(labels, size))


def erase(plan: Plan, size: tuple[int, int], rng: np.random.Generator) -> Plan:
    """The same surroundings without the things: a wall behind a dog is no dog.

    Each box is covered with what lies beside it.  Plans too full for that come back as they are.
    """
    labels, (columns, rows) = plan.labels, size
    area = np.prod(labels.boxes[:, 2:] - labels.boxes[:, :2], axis=1)
    if not 0 < len(area) <= 4 or area.max() > 0.4:
        return plan
    covers: list[Cover] = []
    for box in labels.boxes:
        x1, y1, x2, y2 = (np.asarray(box) * [columns, rows, columns, rows]).astype(int).tolist()
        x1, y1, x2, y2 = max(0, x1 - 3), max(0, y1 - 3), min(columns, x2 + 4), min(rows, y2 + 4)
        taken = (x2, y1, columns, y2) if columns - x2 > x1 else (0, y1, x1, y2)
        if taken[2] - taken[0] < 8:
            return plan
        covers.append(Cover((x1, y1, x2, y2), taken, bool(rng.random() < 0.5)))
    gone = np.zeros(len(area), bool)
    nothing = Labels(
        labels.boxes[gone], labels.certain[gone], labels.possible[gone], labels.unseen, labels.scene
    )
    return replace(plan, covers=tuple(covers), labels=nothing)


def paste(
    plan: Plan,
    size: tuple[int, int],
    name: str,
    bank: Sequence[Cutout],
    rng: np.random.Generator,
) -> Plan:
    """The plan with a thing standing in it, smaller the higher it stands: one of bank."""
    columns, rows = size
    number = int(rng.integers(len(bank)))
    cutout = bank[number]
    foot = rng.uniform(0.45, 1.0)
    height = float(np.clip((foot - 0.25) * rng.uniform(0.25, 0.75), 0.08, 0.42)) * rows
    width = height * cutout.rgba.shape[1] / cutout.rgba.shape[0]
    wide, high = max(4, round(width)), max(4, round(height))
    if wide >= columns or high >= rows:
        return plan
    left = int(rng.integers(0, columns - wide))
    top = min(max(0, round(foot * rows) - high), rows - high)
    over = (left, top, left + wide, top + high)
    pasting = Pasting(name, number, over, bool(rng.random() < 0.5), rng.uniform(0.2, 0.9))
    box = np.divide(over, size * 2, dtype=np.float32)
    labels = _with_box(plan.labels, box, cutout.bearing)
    return replace(plan, labels=labels, pastings=(*plan.pastings, pasting))


def cropped(labels: Labels, window: Box, shape: tuple[int, int], size: tuple[int, int]) -> Labels:
    """What is known of a window of a picture of shape, drawn at size (width, height)."""
    x1, y1, x2, y2 = window
    span = np.array([x2 - x1, y2 - y1] * 2, np.float32)
    moved = (labels.boxes * np.array(shape * 2, np.float32) - [x1, y1, x1, y1]) / span
    clipped = np.clip(moved, 0, 1).astype(np.float32)
    area = np.maximum(np.prod(moved[:, 2:] - moved[:, :2], axis=1), 1e-9)
    seen = np.prod(clipped[:, 2:] - clipped[:, :2], axis=1) / area
    # A thing that fills the crop is plain to see, however much of it is cut off.
    filling = np.prod(clipped[:, 2:] - clipped[:, :2], axis=1) > 0.35
    kept = seen > _SEEN_AT_ALL
    cut = (seen < _SEEN_ENOUGH) & ~filling
    certain = labels.certain & ~cut[:, None]
    possible = labels.possible | (labels.certain & cut[:, None])
    moved_labels = Labels(clipped[kept], certain[kept], possible[kept], labels.unseen, labels.scene)
    return _with_doubts(moved_labels, size)


def mirrored(labels: Labels) -> Labels:
    """Left and right exchanged."""
    boxes = labels.boxes.copy()
    boxes[:, [0, 2]] = 1 - boxes[:, [2, 0]]
    return replace(labels, boxes=boxes)


def _random_window(shape: tuple[int, int], rng: np.random.Generator, least: float) -> Box:
    share = 1.0 if rng.random() < 0.25 else rng.uniform(least, 1.0)
    stretch = float(np.exp(rng.uniform(-0.25, 0.25))) if share < 1 else 1.0
    width, height = min(1.0, share * stretch), min(1.0, share / stretch)
    left, top = rng.uniform(0, 1 - width), rng.uniform(0, 1 - height)
    x1, y1 = int(left * shape[0]), int(top * shape[1])
    x2 = max(x1 + 8, round((left + width) * shape[0]))
    y2 = max(y1 + 8, round((top + height) * shape[1]))
    return x1, y1, min(x2, shape[0]), min(y2, shape[1])


def _random_light(rng: np.random.Generator) -> Light:
    """Brightness, contrast, noise and blur; hues stay, for lights have colours."""
    return Light(
        power=float(np.exp(rng.uniform(-0.4, 0.4))),
        gain=rng.uniform(0.7, 1.25),
        lift=rng.uniform(-0.1, 0.1),
        blur_px=rng.uniform(0.4, 1.3) if rng.random() < 0.2 else 0.0,
        noise=rng.uniform(2, 12) if rng.random() < 0.25 else 0.0,
    )


def _weathered(view: View, labels: Labels, size: tuple[int, int], rng: np.random.Generator) -> Plan:
    """Now and then drawn fog, rain or dusk, with the scene's labels to match."""
    luck = rng.random()
    if luck < 0.05:
        bottom, thickest = rng.uniform(0.2, 0.7), rng.uniform(0.55, 0.85)
        fog = Fog(rng.uniform(130, 225), thickest, thickest * bottom)
        view, labels = replace(view, weather=fog), _scene(_doubted(labels), fog=1, rain=-1)
    elif luck < 0.10:
        rain = Rain(rng.uniform(0.6, 0.95), _streaks(size, rng))
        view, labels = replace(view, weather=rain), _scene(labels, rain=1, fog=-1)
    elif luck < 0.15:
        dusk = Dusk(rng.uniform(1.3, 2.2), rng.uniform(0.35, 0.7))
        view, labels = replace(view, weather=dusk), _scene(labels, night=-1, day=-1)
    return Plan((view,), labels)


def _streaks(size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.uint8]:
    width, height = size
    streaks = np.zeros((height, width), np.uint8)
    lean, length = rng.uniform(-4, 4), rng.uniform(6, 18)
    for _ in range(int(rng.uniform(120, 400))):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        end = (round(x + lean), round(y + length * rng.uniform(0.6, 1.2)))
        cv2.line(streaks, (round(x), round(y)), end, int(rng.uniform(90, 220)), 1, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(streaks, (3, 3), 0), np.uint8)


def _halved(view: View) -> View:
    """The same view in a quarter of the room: finer blur, noise averaged away by half."""
    light = replace(view.light, blur_px=view.light.blur_px / 2, noise=view.light.noise / 2)
    weather = view.weather
    if isinstance(weather, Rain):
        small = cv2.resize(weather.streaks, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        weather = Rain(weather.left, np.asarray(small, np.uint8))
    return replace(view, light=light, weather=weather)


def _with_box(labels: Labels, box: NDArray[np.float32], bearing: Bearing) -> Labels:
    certain, possible = labels.certain.copy(), labels.possible.copy()
    low = np.maximum(labels.boxes[:, :2], box[:2])
    size = np.clip(np.minimum(labels.boxes[:, 2:], box[2:]) - low, 0, None)
    area = np.prod(labels.boxes[:, 2:] - labels.boxes[:, :2], axis=1)
    hidden = np.prod(size, axis=1) > 0.4 * area
    possible[hidden] |= certain[hidden]
    certain[hidden] = False
    row = np.zeros((2, 1, len(CONCEPTS)), bool)
    for kind, names in zip(row, bearing):
        for name in names:
            kind[0, CONCEPT_INDEX[name]] = True
    return Labels(
        np.concatenate([labels.boxes, box[None]]),
        np.concatenate([certain, row[0]]),
        np.concatenate([possible, row[1]]),
        labels.unseen,
        labels.scene,
    )


def _with_doubts(labels: Labels, size: tuple[int, int]) -> Labels:
    """Things too small to make out are possible, no longer certain."""
    sides = (labels.boxes[:, 2:] - labels.boxes[:, :2]) * np.array(size, np.float32)
    least = np.array([_SMALLEST_TO_TELL_PX.get(name, _SMALLEST_PX) for name in CONCEPTS])
    tiny = sides.max(axis=1, initial=0)[:, None] < least
    return replace(
        labels, certain=labels.certain & ~tiny, possible=labels.possible | (labels.certain & tiny)
    )


def _doubted(labels: Labels) -> Labels:
    """Small things may be lost in the fog."""
    small = (np.prod(labels.boxes[:, 2:] - labels.boxes[:, :2], axis=1) < 0.01)[:, None]
    return replace(
        labels, certain=labels.certain & ~small, possible=labels.possible | (labels.certain & small)
    )


def _scene(labels: Labels, **changes: int) -> Labels:
    scene = labels.scene.copy()
    for name, value in changes.items():
        scene[SCENE_INDEX[name]] = value
    return replace(labels, scene=scene)
