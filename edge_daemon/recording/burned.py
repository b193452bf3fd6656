"""Recording with the answers drawn in, cut into segments that make room for each other."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from edge_daemon.errors import RecordingError
from edge_daemon.recording.beside import Beside
from edge_daemon.recording.limits import Limits
from edge_daemon.recording.room import Room
from edge_daemon.recording.segments import SegmentClock
from edge_daemon.recording.sound import CameraSound, Unheard
from edge_daemon.recording.video import VideoWriter

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

    from edge_daemon.config.record import RecordConfig
    from edge_daemon.packets import Epoch
    from edge_daemon.recording.beside import Note
    from edge_daemon.recording.drawn import DrawnPackets
    from edge_daemon.recording.hearing import Hearing
    from edge_daemon.recording.retention import Archive
    from edge_daemon.types import CameraId, Frame, QuestionId, QuestionState

_RETRY_S: Final = 10.0
_LAST_HEARD_S: Final = 0.25  # that sound goes on after the last picture


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


@dataclass(slots=True, eq=False)
class _Segment:
    """A file with what lies beside it."""

    writer: VideoWriter
    beside: Beside
    size: tuple[int, int]  # (width, height) of its pictures
    begun_s: float  # stream time
    begun_mono_s: float
    ended_at: datetime
    heard: Epoch | None  # whose sound it has
    heard_s: float | None = None  # up to when, in that epoch


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
        hearing: Hearing | None = None,
        drawn: DrawnPackets | None = None,
    ) -> None:
        """Prepare.

        hearing is what the camera sends to be heard; None: record no sound.  drawn gets what is
        encoded, for clips.
        """
        self._painter, self._hearing, self._drawn = painter, hearing, drawn
        self._room = Room(camera, archive, Limits(settings.keep, settings.max_size), "burned")
        self._live, self._clock = live, SegmentClock(settings.segment, live=live)
        self._encoder, self._smaller = settings.encoder, settings.burned
        self._next_s: float | None = None  # stream time, where the rate is reduced
        self._segment: _Segment | None = None
        self._last: _Segment | None = None  # answers to its last frames may still come
        self._newest_s = float("-inf")  # monotonic, of a frame
        self._fault: RecordingError | None = None
        self._again_s = 0.0  # monotonic
        self._unheard = Unheard(camera)

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

    def note(self, note: Note) -> bool:
        """Write down an answer beside its frame; False: that has yet to come.

        Raises RecordingError.
        """
        frame = note.frame
        if frame is None:
            return True
        if frame.mono_s > self._newest_s:
            return False
        for segment in (self._segment, self._last):
            if segment is not None and frame.mono_s >= segment.begun_mono_s:
                segment.beside.note(note, max(0.0, frame.pts_s - segment.begun_s))
                break
        return True

    def close(self) -> None:
        """Finish the last segment.  Raises RecordingError."""
        try:
            self._finish()
        finally:
            self._forget_last()
            if self._drawn is not None:
                self._drawn.close()

    def _record(self, frame: Frame, states: Mapping[QuestionId, QuestionState]) -> None:
        self._newest_s = frame.mono_s
        if not self._is_due(frame.pts_s):
            return
        whole = frame.picture.width, frame.picture.height
        size = _within(whole, self._smaller.height)
        epoch, raw_s = self._heard_with(frame)
        segment = self._segment
        cut = self._clock.starts_new(frame.pts_s, frame.captured_at)
        if segment is not None:
            is_other = size != segment.size or (epoch is not None and epoch is not segment.heard)
            if cut or is_other or self._is_full(segment, frame):
                self._finish(raw_s if epoch is segment.heard else None)
        segment = self._segment or self._begin(frame, size, epoch)
        rgb = frame.picture.rgb() if size == whole else frame.picture.resized(*size)
        self._painter.draw(rgb, states, frame.captured_at if self._live else frame.pts_s)
        if self._drawn is not None:
            self._drawn.expect(frame)
        segment.writer.write(rgb, frame.pts_s, raw_s)
        segment.heard_s = raw_s
        segment.ended_at = frame.captured_at

    def _heard_with(self, frame: Frame) -> tuple[Epoch | None, float | None]:
        """Return the epoch whose sound is heard with a frame, and the frame's time in it."""
        place = None if self._hearing is None else self._hearing.place_of(frame.packet)
        return place if place is not None and len(place[0].tracks) > 1 else (None, None)

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

    def _begin(self, frame: Frame, size: tuple[int, int], heard: Epoch | None) -> _Segment:
        path = self._room.begin(frame.captured_at, frame.pts_s)
        sound = None
        if self._hearing is not None and heard is not None and self._unheard.notice(heard):
            sound = CameraSound(self._hearing, heard)
        on_packet = None
        if self._drawn is not None:
            self._drawn.begin(frame)
            on_packet = self._drawn.put
        self._segment = _Segment(
            VideoWriter(
                path, replace=False, encoder=self._encoder, sound=sound, on_packet=on_packet
            ),
            Beside(path, None),
            size,
            begun_s=frame.pts_s,
            begun_mono_s=frame.mono_s,
            ended_at=frame.captured_at,
            heard=heard,
        )
        return self._segment

    def _is_full(self, segment: _Segment, frame: Frame) -> bool:
        return self._room.is_full(
            frame.pts_s, segment.writer.size_bytes + segment.beside.size_bytes
        )

    def _finish(self, upto_s: float | None = None) -> None:
        """Finish the segment.  Raises RecordingError.

        upto_s is the time in its epoch at which the next one begins; None: nothing follows.
        """
        segment = self._segment
        try:
            if segment is not None:
                if segment.heard_s is not None:  # what is heard after its last picture
                    segment.writer.hear(upto_s or segment.heard_s + _LAST_HEARD_S)
                segment.writer.close()
        finally:
            self._leave()

    def _leave(self) -> None:
        """Let go of the segment, whatever state it is in."""
        segment, self._segment = self._segment, None
        if segment is not None:
            with suppress(RecordingError):  # the fault that led here has been told
                segment.writer.close()
            self._forget_last()
            self._last = segment
            self._room.end(segment.ended_at)

    def _forget_last(self) -> None:
        last, self._last = self._last, None
        if last is not None:
            last.beside.close()


def _within(size: tuple[int, int], height: int | None) -> tuple[int, int]:
    """Return (width, height) scaled down to a height, both even; as it is where it is lower."""
    if height is None or size[1] <= height:
        return size
    return max(round(size[0] * height / size[1] / 2) * 2, 2), height & ~1
