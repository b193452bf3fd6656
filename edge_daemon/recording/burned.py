"""Recording with the answers drawn in, cut into segments that make room for each other."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

from edge_daemon.errors import RecordingError
from edge_daemon.recording.retention import Limits
from edge_daemon.recording.segments import SegmentClock
from edge_daemon.recording.video import VideoWriter

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

    from edge_daemon.config.models import RecordConfig
    from edge_daemon.recording.retention import Archive
    from edge_daemon.types import CameraId, Frame, QuestionId, QuestionState

_RETRY_S: Final = 10.0
_JUDGE_S: Final = 1.0  # of stream time between two looks at the disk
_LEAST_WANTED_BYTES: Final = 500_000


class Painter(Protocol):
    """What draws the answers."""

    def draw(
        self,
        rgb: NDArray[np.uint8],
        states: Mapping[QuestionId, QuestionState],
        when: datetime | float,
    ) -> None:
        """Draw on rgb, uint8 (H, W, 3), in place."""
        ...


class BurnedRecorder:
    """Records one camera.  Used by one thread.

    After a fault the frames are refused with that fault for ten seconds, then it tries anew.
    """

    def __init__(
        self,
        camera: CameraId,
        archive: Archive,
        settings: RecordConfig,
        painter: Painter,
        *,
        live: bool,
    ) -> None:
        self._camera, self._archive, self._painter = camera, archive, painter
        self._limits = Limits(settings.keep, settings.max_size)
        self._live, self._clock = live, SegmentClock(settings.segment, live=live)
        self._encoder, self._smaller = settings.encoder, settings.burned
        self._next_s: float | None = None  # stream time, where the rate is reduced
        self._writer: VideoWriter | None = None
        self._size: tuple[int, int] | None = None  # (width, height) of the segment's pictures
        self._most_bytes = self._judged_bytes = 0
        self._wanted_bytes = _LEAST_WANTED_BYTES  # until the next look at the disk
        self._judged_s = 0.0  # stream time
        self._fault: RecordingError | None = None
        self._again_s = 0.0  # monotonic

    def write(self, frame: Frame, states: Mapping[QuestionId, QuestionState]) -> None:
        """Draw on the frame and record it.  Raises RecordingError: it is not recorded."""
        if self._fault is not None and frame.mono_s < self._again_s:
            fault = self._fault
            raise type(fault)(fault.what, where=fault.where, hint=fault.hint)
        try:
            self._record(frame, states)
        except RecordingError as exc:
            self._fault, self._again_s = exc, frame.mono_s + _RETRY_S
            self._leave()
            raise
        self._fault = None

    def close(self) -> None:
        """Finish the last segment.  Raises RecordingError."""
        try:
            if self._writer is not None:
                self._writer.close()
        finally:
            self._leave()

    def _record(self, frame: Frame, states: Mapping[QuestionId, QuestionState]) -> None:
        if not self._is_due(frame.pts_s):
            return
        whole = frame.picture.width, frame.picture.height
        size = _within(whole, self._smaller.height)
        cut = self._clock.starts_new(frame.pts_s, frame.captured_at) or size != self._size
        if self._writer is not None and (cut or self._grown_full(self._writer, frame.pts_s)):
            self.close()
        writer = self._writer or self._begin(frame, size)
        rgb = frame.picture.rgb() if size == whole else frame.picture.resized(*size)
        self._painter.draw(rgb, states, frame.captured_at if self._live else frame.pts_s)
        writer.write(rgb, frame.pts_s)

    def _is_due(self, pts_s: float) -> bool:
        """Whether this frame is one of those kept at the reduced rate; a little early counts."""
        if self._smaller.fps is None:
            return True
        step_s = 1 / self._smaller.fps
        if self._next_s is None or self._next_s - pts_s > 2 * step_s:  # a stream begins
            self._next_s = pts_s
        if pts_s < self._next_s - step_s / 8:
            return False
        self._next_s = max(self._next_s + step_s, pts_s)
        return True

    def _begin(self, frame: Frame, size: tuple[int, int]) -> VideoWriter:
        path, self._most_bytes = self._archive.begin(
            self._camera, frame.captured_at, self._limits, self._wanted_bytes
        )
        self._size = size
        self._judged_s, self._judged_bytes = frame.pts_s, 0
        self._writer = VideoWriter(path, replace=False, encoder=self._encoder)
        return self._writer

    def _grown_full(self, writer: VideoWriter, pts_s: float) -> bool:
        """Make room for the next second; return whether the segment is to be cut early."""
        if pts_s - self._judged_s < _JUDGE_S:
            return False
        size_bytes = writer.size_bytes
        grown_bytes = size_bytes - self._judged_bytes
        self._wanted_bytes = max(2 * grown_bytes, _LEAST_WANTED_BYTES)
        self._archive.make_room(writer.path, self._limits, self._wanted_bytes)
        self._judged_s, self._judged_bytes = pts_s, size_bytes
        return size_bytes >= self._most_bytes

    def _leave(self) -> None:
        """Let go of the segment, whatever state it is in."""
        writer, self._writer = self._writer, None
        if writer is not None:
            with suppress(RecordingError):  # the fault that led here has been told
                writer.close()
            self._archive.end(writer.path)


def _within(size: tuple[int, int], height: int | None) -> tuple[int, int]:
    """Return (width, height) scaled down to a height, both even; as it is where it is lower."""
    if height is None or size[1] <= height:
        return size
    return max(round(size[0] * height / size[1] / 2) * 2, 2), height & ~1
