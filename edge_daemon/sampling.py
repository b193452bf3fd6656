"""Which frames are asked: each Nth, so many a second, or the key frames."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge_daemon.config.models import SampleConfig
    from edge_daemon.types import Frame


class Sampler:
    """Chooses frames of one connection by their index or their pts alone, so that it repeats.

    fps lays a grid over stream time, a point each 1/fps seconds, and takes for each point the
    frame nearest to it: the error never adds up, and no point gets two frames.  Where frames
    come more slowly than the grid, every frame is taken.
    """

    def __init__(self, settings: SampleConfig) -> None:
        self._every, self._fps = settings.every, settings.fps
        self._last_pts_s: float | None = None
        self._point = -1  # of the grid, the last that has its frame

    def wants(self, frame: Frame) -> bool:
        """Return whether to ask this frame; to be told every frame once, in order.

        For key frames the source already handed over nothing else.
        """
        if self._every is not None:
            return frame.index % self._every == 0
        return self._fps is None or self._nearest(frame.pts_s, self._fps)

    def _nearest(self, pts_s: float, fps: float) -> bool:
        """Whether a grid point lies nearer to this frame than to its neighbours.

        The next frame is not known yet; it is expected at the distance of the one before.
        """
        if self._last_pts_s is None or pts_s < self._last_pts_s:  # a stream begins
            self._last_pts_s, self._point = pts_s, -1
        reach_s = min(pts_s - self._last_pts_s, 1 / fps) / 2
        self._last_pts_s = pts_s
        point = floor((pts_s + reach_s) * fps)
        if point <= self._point:
            return False
        self._point = point
        return True
