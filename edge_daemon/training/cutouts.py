"""Animals, riders and two-wheelers cut out of close-ups, to stand small in other pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from edge_daemon.training.augment import Cutout
from edge_daemon.training.concepts import CONCEPT_INDEX, CONCEPTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from edge_daemon.training.labels import Row
    from edge_daemon.training.pictures import Pictures

SHARES: Final = {"dog": 0.5, "cat": 0.15, "cyclist": 0.12, "bicycle": 0.13, "person": 0.1}
"""How often each is pasted; the others keep a paste from meaning "dog"."""

_AT_MOST: Final = 300  # of each concept
_LONGER_SIDE_PX: Final = 112


def read_cutouts(cache: Path, rows: Sequence[Row], pictures: Pictures) -> dict[str, list[Cutout]]:
    """Cut-outs by concept, from the cache file when that is there."""
    if not cache.exists():
        items = list(_cut_all(rows, pictures))
        arrays: dict[str, Any] = {f"rgba{n}": rgba for n, (_, rgba) in enumerate(items)}
        np.savez(cache, names=np.array([name for name, _ in items]), **arrays)
    bank: dict[str, list[Cutout]] = {name: [] for name in SHARES}
    with np.load(cache) as stored:
        for n, name in enumerate(stored["names"]):
            bank[str(name)].append(Cutout(stored[f"rgba{n}"], _BEARINGS[str(name)]))
    return bank


_BEARINGS: Final = {
    "dog": (frozenset({"dog", "animal", "anything"}), frozenset[str]()),
    "cat": (frozenset({"cat", "animal", "anything"}), frozenset[str]()),
    "cyclist": (frozenset({"cyclist", "bicycle", "person", "anything"}), frozenset({"vehicle"})),
    "bicycle": (frozenset({"bicycle", "anything"}), frozenset({"vehicle", "cyclist", "person"})),
    "person": (frozenset({"person", "anything"}), frozenset[str]()),
}


def _cut_all(rows: Sequence[Row], pictures: Pictures) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    left = dict.fromkeys(SHARES, _AT_MOST)
    for row in rows:
        for i, box in enumerate(row.labels.boxes):
            shown = {CONCEPTS[c] for c in np.flatnonzero(row.labels.certain[i])}
            name = next((n for n in SHARES if n in shown), None)
            if name is None or left[name] == 0 or not _large_and_whole(box):
                continue
            if name == "person" and (_crowded(row, i) or not _standing(box)):
                continue
            rgba = _cut(pictures[row.key], box)
            if rgba is not None:
                left[name] -= 1
                yield name, rgba


def _large_and_whole(box: NDArray[np.float32]) -> bool:
    width, height = box[2] - box[0], box[3] - box[1]
    return bool(width * height > 0.08 and width < 0.97 and height < 0.97 and width < 2 * height)


def _standing(box: NDArray[np.float32]) -> bool:
    return bool(box[3] - box[1] > 1.6 * (box[2] - box[0]) and box[3] < 0.98 and box[1] > 0.02)


def _crowded(row: Row, i: int) -> bool:
    """Whether something else stands close to the person, such as a bicycle."""
    centres = (row.labels.boxes[:, :2] + row.labels.boxes[:, 2:]) / 2
    box = row.labels.boxes[i]
    return int(((centres > box[:2]) & (centres < box[2:])).all(axis=1).sum()) > 1 or bool(
        row.labels.certain[i, CONCEPT_INDEX["vehicle"]]
    )


def _cut(picture: NDArray[np.uint8], box: NDArray[np.float32]) -> NDArray[np.uint8] | None:
    """RGBA of the box, background transparent; None when there is no telling it apart.

    Source: GrabCut, Rother, Kolmogorov and Blake 2004 (OpenCV's).
    """
    height, width = picture.shape[:2]
    margin = 0.06
    x1, y1 = max(0, int((box[0] - margin) * width)), max(0, int((box[1] - margin) * height))
    x2, y2 = int(min(1, box[2] + margin) * width), int(min(1, box[3] + margin) * height)
    part = np.ascontiguousarray(picture[y1:y2, x1:x2])
    scale = _LONGER_SIDE_PX / max(part.shape[:2])
    part = np.asarray(cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    inner = (
        round((box[0] * width - x1) * scale), round((box[1] * height - y1) * scale),
        round((box[2] - box[0]) * width * scale), round((box[3] - box[1]) * height * scale),
    )  # fmt: skip
    mask = np.zeros(part.shape[:2], np.uint8)
    try:
        cv2.grabCut(
            part, mask, inner, np.zeros((1, 65)), np.zeros((1, 65)), 3, cv2.GC_INIT_WITH_RECT
        )
    except cv2.error:  # the box leaves no background to learn from
        return None
    front = np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8) * 255
    filled = float(front.mean()) / 255
    if not 0.25 < filled < 0.9:
        return None
    columns, rows = np.flatnonzero(front.any(axis=0)), np.flatnonzero(front.any(axis=1))
    soft = cv2.GaussianBlur(front, (3, 3), 0)
    rgba = np.dstack([part, soft])
    return np.asarray(rgba[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], np.uint8)
