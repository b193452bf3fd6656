"""The panel in a corner: camera, time, and a row per question."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_daemon.overlay.canvas import Box, Canvas, line_px, shortened, text_px
from edge_daemon.overlay.look import INK, MUTED, PAPER, Look, counted
from edge_daemon.overlay.row import RowStyle, paint_row
from edge_daemon.types import polygon_mask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from edge_daemon.overlay.canvas import Patch
    from edge_daemon.overlay.look import Shown
    from edge_daemon.types import CameraId, Polygon, QuestionId, QuestionState

_OPACITY: Final = 0.78
_WIDEST_TIME: Final = "0000-00-00 00:00:00 UTC"
_GRID: Final = (64, 36)  # columns and rows in which hidden zones are counted


@dataclass(frozen=True, slots=True)
class Layout:
    """How many rows in how many columns, at which size; pixels."""

    style: RowStyle
    columns: int
    rows: int
    n_hidden: int  # questions there is no room for
    width: int
    pad: int

    @property
    def column_px(self) -> int:
        """Width of a column."""
        return (self.width - 2 * self.pad * self.columns) // self.columns

    @property
    def header_px(self) -> int:
        """Height of the first line with the space around it."""
        return line_px(self.style.text_px) + self.pad

    @property
    def height(self) -> int:
        """Height of the panel."""
        return self.header_px + self.rows * self.style.height_px + self.pad // 2


def lay_out(camera: CameraId, asks: Sequence[str], width: int, height: int) -> Layout:
    """Return the roomiest layout that leaves most of a width x height picture free."""
    size = max(10, round(5.5 + 0.02 * min(width, height)))
    pad = round(0.6 * size)
    choices = [(True, 1, 0.5), (False, 1, 0.55), (False, 2, 0.6)]
    for bar_below, columns, share in choices if width > height else choices[:2]:
        style = RowStyle(size, bar_below)
        room = int((share * height - line_px(size) - 2 * pad) // style.height_px)
        if ceil(len(asks) / columns) <= room:
            break
    rows = max(min(ceil(len(asks) / columns), room), 1)
    n_cells = rows * columns
    n_hidden = len(asks) - n_cells + 1 if len(asks) > n_cells else 0
    header = text_px(camera, size) + text_px(_WIDEST_TIME, size) + 4 * pad
    wanted = max(columns * (style.width_px(asks) + 2 * pad), header)
    within = width - 2 * margin_px(width, height)
    limit = within if columns > 1 else min(within, max(2 * width // 5, 30 * size))
    return Layout(style, columns, rows, n_hidden, max(min(wanted, limit), 6 * size), pad)


def margin_px(width: int, height: int) -> int:
    """Space between the panel and the edge of the picture."""
    return round(0.022 * min(width, height))


class Panel:
    """The panel for one size of picture.  Paints only the lines that changed."""

    def __init__(
        self,
        camera: CameraId,
        questions: Sequence[Shown],
        zones: Iterable[Polygon],
        width: int,
        height: int,
    ) -> None:
        self._camera = camera
        self._layout = layout = lay_out(camera, [q.ask for q in questions], width, height)
        n_shown = len(questions) - layout.n_hidden
        self._questions, self._hidden = tuple(questions[:n_shown]), tuple(questions[n_shown:])
        x, y = _free_corner(layout, zones, width, height)
        self.place: Box = (x, y, layout.width, layout.height)
        self._ground = Canvas(layout.width, layout.height)
        self._ground.box(
            0, 0, layout.width, layout.height, INK, radius=layout.pad, opacity=_OPACITY
        )
        self._lines: dict[int, tuple[object, Patch]] = {}  # top: (what it shows, patch)

    @property
    def text_size_px(self) -> int:
        """Size of its letters."""
        return self._layout.style.text_px

    def draw(
        self,
        rgb: NDArray[np.uint8],
        states: Mapping[QuestionId, QuestionState],
        when: datetime | float,
    ) -> None:
        """Draw on rgb, uint8 (H, W, 3), in place."""
        layout, row_px = self._layout, self._layout.style.height_px
        time = time_text(when)
        self._line(0, layout.header_px, time, lambda canvas: self._paint_header(canvas, time))
        looks = [Look.of(states.get(q.id)) for q in self._questions]
        rest = counted(Look.of(states.get(q.id)).verdict for q in self._hidden)
        for row in range(layout.rows):
            cells = range(row, layout.rows * layout.columns, layout.rows)
            key = [looks[n] if n < len(looks) else rest for n in cells]
            top = layout.header_px + row * row_px
            self._line(top, row_px, key, partial(self._paint_cells, cells, looks, rest))
        end = layout.header_px + layout.rows * row_px
        self._line(end, layout.height - end, None, lambda _: None)
        for _key, patch in self._lines.values():
            patch.blend(rgb)

    def _line(self, top: int, height: int, key: object, paint: Callable[[Canvas], None]) -> None:
        """Paint a line of the panel anew unless it shows the same already."""
        known = self._lines.get(top)
        if height > 0 and (known is None or known[0] != key):
            canvas = self._ground.cut(0, top, self._layout.width, height)
            paint(canvas)
            self._lines[top] = (key, canvas.patch(self.place[0], self.place[1] + top))

    def _paint_header(self, canvas: Canvas, time: str) -> None:
        size, pad = self._layout.style.text_px, self._layout.pad
        left = self._layout.width - pad - text_px(time, size)
        canvas.text(left, pad // 2, time, size, MUTED)
        camera = shortened(self._camera, size, left - 2 * pad)
        canvas.text(pad, pad // 2, camera, size, PAPER)

    def _paint_cells(
        self, cells: Iterable[int], looks: Sequence[Look], rest: str, canvas: Canvas
    ) -> None:
        layout = self._layout
        for column, n in enumerate(cells):
            x = layout.pad + column * (layout.column_px + 2 * layout.pad)
            if n < len(looks):
                paint_row(
                    canvas, (x, 0, layout.column_px), layout.style, self._questions[n], looks[n]
                )
            elif self._hidden and n == layout.rows * layout.columns - 1:
                more = f"+{len(self._hidden)} more: {rest}"
                size = layout.style.text_px
                canvas.text(x, 0, shortened(more, size, layout.column_px), size, MUTED)


def _free_corner(
    layout: Layout, zones: Iterable[Polygon], width: int, height: int
) -> tuple[int, int]:
    """Return the panel's corner (x, y): where it hides the zones least, top left preferred."""
    margin = margin_px(width, height)
    left, top = margin, margin
    right = max(width - layout.width - margin, margin)
    bottom = max(height - layout.height - margin, margin)
    across, down = _GRID
    asked = np.zeros((down, across), bool)
    for polygon in zones:
        asked |= polygon_mask(polygon, across, down)

    def hidden(corner: tuple[int, int]) -> int:
        x, y = corner
        columns = slice(x * across // width, ceil((x + layout.width) * across / width))
        rows = slice(y * down // height, ceil((y + layout.height) * down / height))
        return int(asked[rows, columns].sum())

    return min([(left, top), (right, top), (left, bottom), (right, bottom)], key=hidden)


def time_text(when: datetime | float) -> str:
    """Return wall-clock time in UTC, or stream time."""
    if isinstance(when, datetime):
        return f"{when.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S} UTC"
    minutes, seconds = divmod(max(when, 0.0), 60)
    return f"{int(minutes // 60)}:{int(minutes % 60):02d}:{int(seconds * 10) / 10:04.1f}"
