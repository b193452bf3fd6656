"""Zones: outlined, lightly filled, with their name and what was answered there."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from edge_daemon.overlay.canvas import Box, Canvas, Patch, line_px, text_px
from edge_daemon.overlay.look import COLOURS, INK, PAPER, counted
from edge_daemon.types import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from edge_daemon.types import Polygon

_FILL: Final = 0.14
_SHIFT: Final = 4  # fixed-point bits of a corner, so that slanted edges are smooth
_RANK: Final = (Verdict.YES, Verdict.UNKNOWN, Verdict.NO)  # which of several answers is shown


@dataclass(frozen=True, slots=True, eq=False)
class _Outline:
    """A zone as fixed-point pixels of the drawn area, and the label's corner (x, y)."""

    corners: NDArray[np.int32]  # (N, 1, 2)
    dashes: list[NDArray[np.int32]]  # each (2, 1, 2)
    label_at: tuple[int, int]


class ZoneLayer:
    """The zones for one size of picture.

    asked_in counts the questions of each zone; panel is the place to keep clear of labels.
    """

    def __init__(
        self,
        zones: Mapping[str, Polygon],
        asked_in: Mapping[str, int],
        size: tuple[int, int],
        text_size_px: int,
        panel: Box,
    ) -> None:
        self._text_px = max(9, round(0.85 * text_size_px))
        self._line_px = max(1, round(text_size_px / 9))
        self._area = _around(zones, size, 3 * self._line_px)
        self._labels: dict[str, tuple[str, Patch]] = {}  # zone: (what it says, patch)
        self._outlines: dict[str, _Outline] = {}
        taken = [panel]
        for name, polygon in zones.items():
            points = np.asarray(polygon, np.float64) * size
            reserve = _label_text([Verdict.UNKNOWN, Verdict.YES][: asked_in.get(name, 0)])
            box = _label_box(points, self._label_size(name, reserve), size, taken)
            taken.append(box)
            inside = points - (self._area[1].start, self._area[0].start)
            dash = 0.8 * text_size_px
            self._outlines[name] = _Outline(
                _fixed(inside), [_fixed(d) for d in _dashes(inside, dash)], box[:2]
            )

    def draw(self, rgb: NDArray[np.uint8], answers: Mapping[str, Sequence[Verdict]]) -> None:
        """Draw on rgb, uint8 (H, W, 3), in place.  answers: to all the questions of a zone."""
        if not self._outlines:
            return
        under = rgb[self._area]
        tinted = under.copy()
        for name, outline in self._outlines.items():
            colour = _colour(answers.get(name, ()))
            cv2.fillPoly(tinted, [outline.corners], colour, cv2.LINE_AA, _SHIFT)
        cv2.addWeighted(under, 1 - _FILL, tinted, _FILL, 0, dst=under)
        for name, outline in self._outlines.items():
            self._stroke(under, outline, answers.get(name, ()))
        for name in self._outlines:
            self._label(name, answers.get(name, ())).blend(rgb)

    def _stroke(
        self, under: NDArray[np.uint8], outline: _Outline, verdicts: Sequence[Verdict]
    ) -> None:
        """Draw the edge: thick for YES, thin for NO, dashed for UNKNOWN, on a dark rim."""
        said, colour = _strongest(verdicts), _colour(verdicts)
        width = self._line_px * (2 if said is Verdict.YES else 1)
        closed, lines = said is not Verdict.UNKNOWN, [outline.corners]
        if not closed:
            lines = outline.dashes
        cv2.polylines(under, lines, closed, INK, width + 2, cv2.LINE_AA, _SHIFT)
        cv2.polylines(under, lines, closed, colour, width, cv2.LINE_AA, _SHIFT)

    def _label(self, name: str, verdicts: Sequence[Verdict]) -> Patch:
        said = _label_text(verdicts)
        known = self._labels.get(name)
        if known is None or known[0] != said:
            known = self._labels[name] = (said, self._painted(name, said, _colour(verdicts)))
        return known[1]

    def _painted(self, name: str, said: str, colour: tuple[int, int, int]) -> Patch:
        width, height = self._label_size(name, said)
        canvas, pad = Canvas(width, height), self._text_px // 2
        canvas.box(0, 0, width, height, INK, radius=pad / 2, opacity=0.78)
        canvas.text(pad, 0, name, self._text_px, PAPER)
        left = width - pad - text_px(said, self._text_px)
        canvas.text(left, 0, said, self._text_px, colour, bold=True)
        return canvas.patch(*self._outlines[name].label_at)

    def _label_size(self, name: str, said: str) -> tuple[int, int]:
        words = text_px(name, self._text_px) + text_px(said, self._text_px)
        gaps = 3 if said else 2
        return words + gaps * (self._text_px // 2), line_px(self._text_px) + 1


def _strongest(verdicts: Sequence[Verdict]) -> Verdict | None:
    return min(verdicts, key=_RANK.index, default=None)


def _colour(verdicts: Sequence[Verdict]) -> tuple[int, int, int]:
    said = _strongest(verdicts)
    return PAPER if said is None else COLOURS[said]


def _label_text(verdicts: Sequence[Verdict]) -> str:
    return verdicts[0].value if len(verdicts) == 1 else counted(verdicts)


def _fixed(points: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return (N, 2) pixels as (N, 1, 2) fixed-point numbers; pixel centres are whole numbers."""
    return np.rint((points - 0.5) * (1 << _SHIFT)).astype(np.int32)[:, None]


def _dashes(points: NDArray[np.float64], dash_px: float) -> Iterator[NDArray[np.float64]]:
    """Yield the dashes (2, 2) along the edges of a closed polygon (N, 2), pixels."""
    for start, end in zip(points, np.roll(points, -1, axis=0)):
        length = hypot(*(end - start))
        n = max(1, round(length / dash_px / 2))  # as many gaps as dashes
        for k in range(n):
            ends = np.array([[(k + 0.2) / n], [(k + 0.8) / n]])
            yield start + ends * (end - start)


def _around(
    zones: Mapping[str, Polygon], size: tuple[int, int], margin_px: int
) -> tuple[slice, slice]:
    """Return the rows and columns that hold every zone with its edge."""
    points = np.array([p for polygon in zones.values() for p in polygon] or [(0, 0)]) * size
    left, top = np.maximum(np.floor(points.min(axis=0)).astype(int) - margin_px, 0)
    right, bottom = np.ceil(points.max(axis=0)).astype(int) + margin_px
    return slice(int(top), int(bottom)), slice(int(left), int(right))


def _label_box(
    points: NDArray[np.float64], label: tuple[int, int], size: tuple[int, int], taken: list[Box]
) -> Box:
    """Return where a label goes: at a corner, upper ones first, in the picture, on nothing else."""
    (width, height), (across, down) = label, size
    boxes = [
        (round(left), round(top), width, height)
        for x, y in sorted(points.tolist(), key=lambda p: (round(p[1]), p[0]))
        for left in (x, x - width)
        for top in (y - height - 3, y + 3)
    ]
    for box in boxes:
        within = 0 <= box[0] <= across - width and 0 <= box[1] <= down - height
        if within and not any(_touch(box, other) for other in taken):
            return box
    x, y = boxes[0][:2]
    return (min(max(x, 0), max(across - width, 0)), min(max(y, 0), down - height), width, height)


def _touch(a: Box, b: Box) -> bool:
    return a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]
