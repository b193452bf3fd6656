"""Answers drawn on pictures: for annotated video, snapshots and the live view."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from edge_daemon.overlay.heat import heat_map, tint
from edge_daemon.overlay.look import Look, Shown
from edge_daemon.overlay.panel import Panel
from edge_daemon.overlay.zones import ZoneLayer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

    from edge_daemon.types import CameraId, Polygon, QuestionId, QuestionState, Verdict

__all__ = ["Overlay", "Shown", "heat_map"]


class Overlay:
    """Draws the answers of one camera on its pictures.  Used by one thread.

    What does not change from frame to frame is painted once; another size of picture starts anew.
    """

    def __init__(
        self, camera: CameraId, questions: Sequence[Shown], zones: Mapping[str, Polygon]
    ) -> None:
        self._camera, self._questions, self._zones = camera, tuple(questions), dict(zones)
        self._size: tuple[int, int] | None = None

    def draw(
        self,
        rgb: NDArray[np.uint8],
        states: Mapping[QuestionId, QuestionState],
        when: datetime | float,
        evidence: NDArray[np.float32] | None = None,
    ) -> None:
        """Draw on rgb, uint8 (H, W, 3), in place.

        A question without a state is shown as UNKNOWN, starting.  when is wall-clock time, shown
        in UTC, or seconds of stream time.  evidence, float32 (rows, columns) in [0, 1], tints the
        picture beneath.
        """
        height, width = rgb.shape[:2]
        if self._size != (width, height):
            self._size = (width, height)
            self._panel, self._layer = self._laid_out(width, height)
        answers: dict[str, list[Verdict]] = defaultdict(list)
        for question in self._questions:
            if question.zone is not None:
                answers[question.zone].append(Look.of(states.get(question.id)).verdict)
        if evidence is not None:
            tint(rgb, evidence)
        self._layer.draw(rgb, answers)
        self._panel.draw(rgb, states, when)

    def _laid_out(self, width: int, height: int) -> tuple[Panel, ZoneLayer]:
        asked_in: dict[str, int] = defaultdict(int)
        for question in self._questions:
            if question.zone is not None:
                asked_in[question.zone] += 1
        marked = list(self._zones.values())
        panel = Panel(self._camera, self._questions, marked, width, height)
        layer = ZoneLayer(self._zones, asked_in, (width, height), panel.text_size_px, panel.place)
        return panel, layer
