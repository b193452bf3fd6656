"""One question on a line: the verdict's word, the question, p_yes as a bar and as a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edge_daemon.overlay.canvas import line_px, shortened, text_px
from edge_daemon.overlay.look import COLOURS, INK, MUTED, PAPER
from edge_daemon.types import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge_daemon.overlay.canvas import Box, Canvas
    from edge_daemon.overlay.look import Look, Shown

_BAR_EM: Final = 4.0  # length of a bar beside the text


@dataclass(frozen=True, slots=True)
class RowStyle:
    """Sizes of a row, pixels."""

    text_px: int
    bar_below: bool  # else beside the text

    @property
    def word_px(self) -> int:
        """Size of the verdict's word."""
        return max(8, round(0.8 * self.text_px))

    @property
    def chip_px(self) -> int:
        """Width of the box around the verdict's word."""
        return max(text_px(v.value, self.word_px) for v in Verdict) + self.word_px

    @property
    def gap_px(self) -> int:
        """Space between two parts."""
        return round(0.6 * self.text_px)

    @property
    def bar_px(self) -> int:
        """Thickness of the bar."""
        return max(3, round(0.22 * self.text_px))

    @property
    def height_px(self) -> int:
        """Height of the row with the space after it."""
        below = self.bar_px + round(0.12 * self.text_px) if self.bar_below else 0
        return line_px(self.text_px) + below + max(2, round(0.4 * self.text_px))

    def width_px(self, asks: Iterable[str]) -> int:
        """Width at which none of the questions is shortened."""
        beside = 0 if self.bar_below else round(_BAR_EM * self.text_px) + self.gap_px
        value = text_px("low margin", self.text_px) + self.gap_px
        longest = max((text_px(ask, self.text_px) for ask in asks), default=0)
        return self.chip_px + self.gap_px + longest + beside + value


def paint_row(
    canvas: Canvas, place: tuple[int, int, int], style: RowStyle, question: Shown, look: Look
) -> None:
    """Paint a question at place = (x, y, width); a long text is shortened."""
    x, y, width = place
    size, gap = style.text_px, style.gap_px
    line = line_px(size)
    _paint_chip(canvas, (x, y), style, look.verdict)
    left, right = x + style.chip_px + gap, x + width
    unsure = look.verdict is Verdict.UNKNOWN
    value_px = text_px(look.value, size)
    value_colour = COLOURS[look.verdict] if unsure else PAPER
    canvas.text(right - value_px, y, look.value, size, value_colour)
    text_end = right - max(value_px, text_px("0.00", size)) - gap
    if style.bar_below:
        top = y + line + round(0.12 * size)
        _paint_bar(canvas, (left, top, right - left, style.bar_px), question, look)
    elif not unsure or look.reason is None:
        length = round(_BAR_EM * size)
        text_end -= length + gap
        top = y + (line - style.bar_px) // 2
        _paint_bar(canvas, (text_end + gap, top, length, style.bar_px), question, look)
    canvas.text(left, y, shortened(question.ask, size, text_end - left), size, PAPER)


def _paint_chip(canvas: Canvas, at: tuple[int, int], style: RowStyle, verdict: Verdict) -> None:
    """Paint the verdict's word in a box: full for YES and UNKNOWN, an outline for NO."""
    x, y = at
    word, size, colour = verdict.value, style.word_px, COLOURS[verdict]
    line, height = line_px(style.text_px), line_px(size)
    top = y + (line - height) / 2
    hollow = verdict is Verdict.NO
    radius = height / 2 if verdict is Verdict.UNKNOWN else height * 0.22
    edge = max(1.0, style.text_px / 12) if hollow else None
    canvas.box(x, top, style.chip_px, height, colour, radius=radius, line=edge)
    left = x + (style.chip_px - text_px(word, size)) / 2
    canvas.text(left, top, word, size, colour if hollow else INK, bold=True)


def _paint_bar(canvas: Canvas, place: Box, question: Shown, look: Look) -> None:
    """Paint p_yes from 0 to 1, with a tick at each threshold."""
    x, y, width, height = place
    canvas.box(x, y, width, height, MUTED, radius=height / 2, opacity=0.28)
    if look.percent:
        length = max(width * look.percent / 100, height)
        canvas.box(x, y, length, height, COLOURS[look.verdict], radius=height / 2)
    tick, over = max(1, round(height / 2)), max(2, height // 2)
    for threshold in (question.no_below, question.yes_above):
        at = x + round(width * threshold) - tick / 2
        canvas.box(at - 1, y - over, tick + 2, height + 2 * over, INK)
        canvas.box(at, y - over, tick, height + 2 * over, PAPER)
