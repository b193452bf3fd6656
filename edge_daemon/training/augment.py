"""Other views of a labelled picture: crops, flips, light, weather, mosaics, pasted things."""

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


def fit(picture: NDArray[np.uint8], labels: Labels, size: tuple[int, int]) -> Sample:
    """The whole picture stretched to size (width, height)."""
    return _crop(picture, labels, (0.0, 0.0, 1.0, 1.0), size)


def vary(
    picture: NDArray[np.uint8],
    labels: Labels,
    size: tuple[int, int],
    rng: np.random.Generator,
    *,
    gentle: bool = False,
) -> Sample:
    """A random crop, perhaps mirrored, in another light.  gentle: hardly cropped."""
    least = 0.85 if gentle else 0.5
    share = 1.0 if rng.random() < 0.25 else rng.uniform(least, 1.0)
    stretch = np.exp(rng.uniform(-0.25, 0.25)) if share < 1 else 1.0
    width, height = min(1.0, share * stretch), min(1.0, share / stretch)
    left, top = rng.uniform(0, 1 - width), rng.uniform(0, 1 - height)
    sample = _crop(picture, labels, (left, top, left + width, top + height), size)
    if rng.random() < 0.5:
        sample = mirror(sample)
    return weathered(relight(sample, rng), rng)


def mirror(sample: Sample) -> Sample:
    """Left and right exchanged, boxes too."""
    boxes = sample.labels.boxes.copy()
    boxes[:, [0, 2]] = 1 - boxes[:, [2, 0]]
    return Sample(np.ascontiguousarray(sample.pixels[:, ::-1]), replace(sample.labels, boxes=boxes))


def relight(sample: Sample, rng: np.random.Generator) -> Sample:
    """Brightness, contrast, noise and blur; hues stay, for lights have colours."""
    curve = np.arange(256) / 255.0
    curve = curve ** np.exp(rng.uniform(-0.4, 0.4))
    curve = (curve - 0.5) * rng.uniform(0.7, 1.25) + 0.5 + rng.uniform(-0.1, 0.1)
    table = np.clip(curve * 255, 0, 255).astype(np.uint8)
    pixels = np.asarray(table[sample.pixels], np.uint8)
    if rng.random() < 0.2:
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.4, 1.3)), np.uint8)
    if rng.random() < 0.25:
        noise = np.zeros(pixels.shape, np.int16)
        deviation = np.full(3, rng.uniform(2, 12))
        cv2.randn(noise, np.zeros(3), deviation)
        pixels = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    return Sample(pixels, sample.labels)


def weathered(sample: Sample, rng: np.random.Generator) -> Sample:
    """Now and then drawn fog, rain or dusk, with the scene's labels to match."""
    luck = rng.random()
    if luck < 0.05:
        return _fogged(sample, rng)
    if luck < 0.10:
        return _rained(sample, rng)
    if luck < 0.15:
        return _darkened(sample, rng)
    return sample


def mosaic(four: Sequence[Sample], size: tuple[int, int]) -> Sample:
    """Four samples in one picture, each at half size."""
    width, height = size[0] // 2, size[1] // 2
    canvas = np.empty((size[1], size[0], 3), np.uint8)
    boxes: list[NDArray[np.float32]] = []
    for n, sample in enumerate(four):
        row, column = divmod(n, 2)
        small = cv2.resize(sample.pixels, (width, height), interpolation=cv2.INTER_AREA)
        canvas[row * height : (row + 1) * height, column * width : (column + 1) * width] = small
        corner = np.array([column, row, column, row], np.float32)
        boxes.append(np.asarray((sample.labels.boxes + corner) / 2, np.float32))
    labels = Labels(
        np.concatenate(boxes),
        np.concatenate([s.labels.certain for s in four]),
        np.concatenate([s.labels.possible for s in four]),
        np.any([s.labels.unseen for s in four], axis=0),
        np.full(len(SCENES), -1, np.int8),
    )
    return Sample(canvas, _with_doubts(labels, size))


def erase(sample: Sample, rng: np.random.Generator) -> Sample:
    """The same surroundings without the things: a wall behind a dog is no dog.

    Each box is covered with what lies beside it.  Samples too full for that come back as they
    are.
    """
    labels = sample.labels
    rows, columns = sample.pixels.shape[:2]
    area = np.prod(labels.boxes[:, 2:] - labels.boxes[:, :2], axis=1)
    if not 0 < len(area) <= 4 or area.max() > 0.4:
        return sample
    pixels = sample.pixels.copy()
    for box in labels.boxes:
        x1, y1, x2, y2 = (np.asarray(box) * [columns, rows, columns, rows]).astype(int)
        x1, y1, x2, y2 = max(0, x1 - 3), max(0, y1 - 3), min(columns, x2 + 4), min(rows, y2 + 4)
        beside = pixels[y1:y2, x2:] if columns - x2 > x1 else pixels[y1:y2, :x1]
        if beside.shape[1] < 8:
            return sample
        cover = cv2.resize(beside, (x2 - x1, y2 - y1), interpolation=cv2.INTER_LINEAR)
        pixels[y1:y2, x1:x2] = cover[:, ::-1] if rng.random() < 0.5 else cover
    gone = np.zeros(len(area), bool)
    nothing = Labels(
        labels.boxes[gone], labels.certain[gone], labels.possible[gone], labels.unseen, labels.scene
    )
    return Sample(pixels, nothing)


def paste(sample: Sample, cutout: Cutout, rng: np.random.Generator) -> Sample:
    """The sample with a thing standing in it, smaller the higher it stands."""
    rows, columns = sample.pixels.shape[:2]
    foot = rng.uniform(0.45, 1.0)
    height = float(np.clip((foot - 0.25) * rng.uniform(0.25, 0.75), 0.08, 0.42)) * rows
    width = height * cutout.rgba.shape[1] / cutout.rgba.shape[0]
    wide, high = max(4, round(width)), max(4, round(height))
    if wide >= columns or high >= rows:
        return sample
    left = int(rng.integers(0, columns - wide))
    top = min(max(0, round(foot * rows) - high), rows - high)
    thing = cv2.resize(cutout.rgba, (wide, high), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.5:
        thing = thing[:, ::-1]
    pixels = sample.pixels.copy()
    below = pixels[top : top + high, left : left + wide]
    alpha = thing[:, :, 3:].astype(np.float32) / 255
    colour = _toned(thing[:, :, :3].astype(np.float32), below, rng)
    below[:] = (colour * alpha + below * (1 - alpha)).astype(np.uint8)
    ends = [left / columns, top / rows, (left + wide) / columns, (top + high) / rows]
    box = np.array(ends, np.float32)
    return Sample(pixels, _with_box(sample.labels, box, cutout.bearing))


def _toned(
    colour: NDArray[np.float32], below: NDArray[np.uint8], rng: np.random.Generator
) -> NDArray[np.float32]:
    """The thing about as bright as what it stands on."""
    ratio = (float(below.mean()) + 30) / (float(colour.mean()) + 30)
    return np.asarray(np.clip(colour * ratio ** rng.uniform(0.2, 0.9), 0, 255), np.float32)


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


def _crop(
    picture: NDArray[np.uint8],
    labels: Labels,
    window: tuple[float, float, float, float],
    size: tuple[int, int],
) -> Sample:
    height, width = picture.shape[:2]
    x1, y1 = int(window[0] * width), int(window[1] * height)
    x2, y2 = max(x1 + 8, round(window[2] * width)), max(y1 + 8, round(window[3] * height))
    part = picture[y1:y2, x1:x2]
    smaller = part.shape[1] > size[0]
    pixels = cv2.resize(part, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
    span = np.array([x2 - x1, y2 - y1, x2 - x1, y2 - y1], np.float32)
    whole = np.array([width, height, width, height], np.float32)
    moved = (labels.boxes * whole - [x1, y1, x1, y1]) / span
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
    return Sample(np.asarray(pixels, np.uint8), _with_doubts(moved_labels, size))


def _with_doubts(labels: Labels, size: tuple[int, int]) -> Labels:
    """Things too small to make out are possible, no longer certain."""
    sides = (labels.boxes[:, 2:] - labels.boxes[:, :2]) * np.array(size, np.float32)
    least = np.array([_SMALLEST_TO_TELL_PX.get(name, _SMALLEST_PX) for name in CONCEPTS])
    tiny = sides.max(axis=1, initial=0)[:, None] < least
    return replace(
        labels, certain=labels.certain & ~tiny, possible=labels.possible | (labels.certain & tiny)
    )


def _fogged(sample: Sample, rng: np.random.Generator) -> Sample:
    height = sample.pixels.shape[0]
    depth = np.linspace(1, rng.uniform(0.2, 0.7), height, dtype=np.float32)[:, None, None]
    share = rng.uniform(0.55, 0.85) * depth
    grey = np.float32(rng.uniform(130, 225))
    pixels = (sample.pixels * (1 - share) + grey * share).astype(np.uint8)
    return Sample(pixels, _scene(_doubted(sample.labels), fog=1, rain=-1))


def _rained(sample: Sample, rng: np.random.Generator) -> Sample:
    height, width = sample.pixels.shape[:2]
    streaks = np.zeros((height, width), np.uint8)
    lean, length = rng.uniform(-4, 4), rng.uniform(6, 18)
    for _ in range(int(rng.uniform(120, 400))):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        end = (round(x + lean), round(y + length * rng.uniform(0.6, 1.2)))
        cv2.line(streaks, (round(x), round(y)), end, int(rng.uniform(90, 220)), 1, cv2.LINE_AA)
    share = cv2.GaussianBlur(streaks, (3, 3), 0)[:, :, None].astype(np.float32) / 255 * 0.7
    dull = sample.pixels.astype(np.float32) * rng.uniform(0.6, 0.95)
    pixels = (dull * (1 - share) + 215 * share).astype(np.uint8)
    return Sample(pixels, _scene(sample.labels, rain=1, fog=-1))


def _darkened(sample: Sample, rng: np.random.Generator) -> Sample:
    dark = (sample.pixels / 255.0) ** rng.uniform(1.3, 2.2) * rng.uniform(0.35, 0.7)
    return Sample((dark * 255).astype(np.uint8), _scene(sample.labels, night=-1, day=-1))


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
