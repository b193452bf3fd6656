"""Rendered streets as training pictures, with truth that needs no doubt."""

from __future__ import annotations

import json
from itertools import count, islice
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from edge_daemon.scenes import random_scene
from edge_daemon.scenes.options import SceneOptions
from edge_daemon.scenes.street import Street
from edge_daemon.training.concepts import CONCEPTS, HUMAN, SCENE_INDEX, SCENES
from edge_daemon.training.labels import Row, assemble
from edge_daemon.training.pictures import Pictures, write_cache

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from edge_daemon.scenes import Truth
    from edge_daemon.training.concepts import Bearing
    from edge_daemon.training.labels import Labels

RENDERED: Final = "rendered"

FIRST_SEED: Final = 10_000
"""Streets of lower seeds are never trained on: demos and tests use them."""

_FRAMES_PER_STREET: Final = 25

_PLAIN: Final = 0.35  # this much visible is certain ...
_HINTED: Final = 0.05  # ... and less than this is nothing to go by
_RIDDEN: Final[dict[str, Bearing]] = {  # the renderer parks no two-wheelers
    "bicycle": (frozenset({"bicycle", "cyclist", "anything"}), frozenset({"vehicle"})),
    "motorcycle": (
        frozenset({"motorcycle", "motorcyclist", "vehicle", "anything"}),
        frozenset(),
    ),
}


def labels_of_scene(truth: Truth, *, smallest_in_fog: float = 0.006) -> Labels:
    """What a rendered picture shows.  In fog, boxes under that area are only possible."""
    boxes: list[list[float]] = []
    bearings: list[Bearing] = []
    for box in truth.boxes:
        if box.visible < _HINTED:
            continue
        name = (
            f"{box.kind}:{box.colour}" if box.kind == "traffic_light" and box.colour else box.kind
        )
        certain, possible = _RIDDEN.get(box.kind) or HUMAN[name]
        area = (box.x2 - box.x1) * (box.y2 - box.y1)
        lost = truth.weather == "fog" and area < smallest_in_fog
        if box.visible < _PLAIN or lost:
            certain, possible = frozenset(), certain | possible
        if box.kind == "person":
            possible -= {"cyclist", "motorcyclist"}
        boxes.append([box.x1, box.y1, box.x2, box.y2])
        bearings.append((certain, possible))
    return assemble(boxes, bearings, np.zeros(len(CONCEPTS), bool), _scene(truth))


def open_rendered(cache: Path, n: int, seed: int) -> tuple[list[Row], Pictures]:
    """Rendered pictures as rows, one in ten of split val; rendered when not in the cache."""
    stored = cache.with_suffix(".labels.json")
    if not stored.exists():
        _render(cache, stored, n, seed)
    places = {
        k: (o, h, w) for k, (o, h, w) in json.loads(cache.with_suffix(".json").read_text()).items()
    }
    rows = []
    for i, (key, item) in enumerate(json.loads(stored.read_text()).items()):
        split = "val" if i % 10 == 9 else "train"
        bearings = [(frozenset(c), frozenset(p)) for c, p in item["bearings"]]
        scene = np.array(item["scene"], np.int8)
        labels = assemble(item["boxes"], bearings, np.zeros(len(CONCEPTS), bool), scene)
        everything = frozenset(CONCEPTS)
        rows.append(Row(key, RENDERED, "Apache-2.0", split, "", labels, everything))
    return rows, Pictures(np.memmap(cache, np.uint8, "c"), places)


def _render(cache: Path, stored: Path, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    notes: dict[str, object] = {}

    def pictures() -> Iterator[tuple[str, NDArray[np.uint8]]]:
        for i, (pixels, truth) in enumerate(islice(_streets(rng), n)):
            key = f"{RENDERED}/{i:05d}"
            notes[key] = _note(labels_of_scene(truth))
            yield key, pixels

    write_cache(cache, pictures())
    stored.write_text(json.dumps(notes))


def _streets(rng: np.random.Generator) -> Iterator[tuple[NDArray[np.uint8], Truth]]:
    """Single pictures and frames of living streets in turn, without end."""
    for seed in count(FIRST_SEED):
        for _ in range(_FRAMES_PER_STREET):
            yield random_scene(rng)
        options = _random_options(rng, seed)
        street = Street(options)
        for index in rng.integers(0, options.n_frames, _FRAMES_PER_STREET):
            pixels, truth = street.frame(int(index))
            yield np.asarray(cv2.resize(pixels, (320, 192), interpolation=cv2.INTER_AREA)), truth


def _random_options(rng: np.random.Generator, seed: int) -> SceneOptions:
    def span(most: int) -> tuple[int, int]:
        return 0, int(rng.integers(0, most + 1))

    return SceneOptions(
        time=str(rng.choice(["day", "day", "day", "dusk", "night"])),
        weather=str(rng.choice(["clear", "clear", "clear", "rain", "fog"])),
        seed=seed, size=(480, 270), fps=2.0, seconds=40.0,
        people=span(4), cars=span(3), bus=span(1), trucks=span(1), bicycles=span(2),
        motorcycles=span(1), dogs=span(1),
    )  # fmt: skip


def _note(labels: Labels) -> dict[str, object]:
    def names(flags: NDArray[np.bool_]) -> list[str]:
        return [CONCEPTS[c] for c in np.flatnonzero(flags)]

    bearings = [[names(c), names(p)] for c, p in zip(labels.certain, labels.possible)]
    boxes = [[round(float(v), 4) for v in box] for box in labels.boxes]
    return {"boxes": boxes, "bearings": bearings, "scene": labels.scene.tolist()}


def _scene(truth: Truth) -> NDArray[np.int8]:
    scene = np.zeros(len(SCENES), np.int8)
    scene[SCENE_INDEX["night"]] = {"night": 1, "day": 0}.get(truth.time, -1)
    scene[SCENE_INDEX["day"]] = {"night": 0, "day": 1}.get(truth.time, -1)
    scene[SCENE_INDEX["rain"]] = truth.weather == "rain"
    scene[SCENE_INDEX["fog"]] = truth.weather == "fog"
    return scene
