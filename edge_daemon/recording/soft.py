"""Recording the camera's own packets, with the answers beside them."""

from __future__ import annotations

import logging
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from edge_daemon.errors import RecordingError
from edge_daemon.recording.beside import Beside, Note
from edge_daemon.recording.captions import CaptionFile, CaptionTrack
from edge_daemon.recording.limits import Limits
from edge_daemon.recording.mux import PacketWriter, ending_for
from edge_daemon.recording.room import Room
from edge_daemon.recording.segments import sidecar
from edge_daemon.recording.sound import Unheard

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from edge_daemon.config.record import RecordConfig
    from edge_daemon.packets import Packet
    from edge_daemon.recording.retention import Archive
    from edge_daemon.types import CameraId

log = logging.getLogger(__name__)

_RETRY_S: Final = 10.0
_MOST_PLACES: Final = 4096  # packets whose answers may still come


@dataclass(slots=True, eq=False)
class _Segment:
    """A file with what lies beside it."""

    writer: PacketWriter
    beside: Beside
    slot: int  # which multiple of the segment's length
    started_at: datetime
    is_full: bool = False


class SoftRecorder:
    """Records one camera.  Used by one thread.

    A segment begins with a key frame: where wall-clock time (of a file: stream time) passes a
    whole multiple of the segment's length, where an epoch begins, and after a fault, ten seconds
    later.
    """

    def __init__(
        self, camera: CameraId, archive: Archive, settings: RecordConfig, *, live: bool
    ) -> None:
        self._camera, self._settings, self._live = camera, settings, live
        self._room = Room(camera, archive, Limits(settings.keep, settings.max_size), "soft")
        self._segment: _Segment | None = None
        self._last: _Segment | None = None  # answers to its last pictures may still come
        self._places: OrderedDict[int, tuple[_Segment, float]] = OrderedDict()
        self._newest = 0  # number of a packet
        self._caption = ""
        self._again_s = float("-inf")  # monotonic
        self._unheard = Unheard(camera)
        self.n_dropped = 0  # pictures that were not recorded after a fault, in all

    def write(self, packets: Iterable[Packet]) -> None:
        """Record packets.  Raises RecordingError: some of them are not recorded."""
        fault = None
        for packet in packets:
            try:
                self._record(packet)
            except RecordingError as exc:
                fault, self._again_s = exc, packet.mono_s + _RETRY_S
                self._leave()
            self._newest = packet.number
        if fault is not None:
            raise fault
        if self._segment is not None:
            try:
                self._segment.beside.advance(self._segment.writer.end_s)
            except RecordingError:
                self._leave()  # a track of captions ends with its file
                raise

    def note(self, note: Note) -> bool:
        """Write down an answer; return False where its picture has yet to come.

        Raises RecordingError.
        """
        number = 0 if note.frame is None else note.frame.packet or 0
        if number > self._newest:
            return False
        place = self._now() if note.frame is None else self._places.get(number)
        self._caption = note.caption
        if place is not None:
            segment, at_s = place
            if segment is not self._segment and segment is not self._last:
                return True  # too late: its files are finished
            segment.beside.note(note, at_s)
            if segment is self._last and self._segment is not None:
                self._segment.beside.note(Note(None, None, note.caption), 0.0)
        return True

    def lose_track(self) -> None:
        """Finish the segment: packets are missing, and what follows needs a key frame.

        Raises RecordingError.
        """
        self._finish()

    def close(self) -> None:
        """Finish the last segment.  Raises RecordingError."""
        try:
            self._finish()
        finally:
            self._forget_last()

    @property
    def is_recording(self) -> bool:
        """Whether a segment is open."""
        return self._segment is not None

    def _now(self) -> tuple[_Segment, float] | None:
        return None if self._segment is None else (self._segment, self._segment.writer.end_s)

    def _record(self, packet: Packet) -> None:
        segment = self._segment
        if segment is not None and (
            packet.epoch is not segment.writer.epoch
            or (packet.is_keyframe and (segment.is_full or self._slot(packet) != segment.slot))
        ):
            self._finish()
        if self._segment is None and packet.is_keyframe and packet.mono_s >= self._again_s:
            self._begin(packet)
        segment = self._segment
        if segment is None:
            self.n_dropped += packet.is_video and self._again_s > float("-inf")
            return
        if packet.is_video:
            writer = segment.writer
            if self._room.is_full(packet.time_s, writer.size_bytes + segment.beside.size_bytes):
                segment.is_full = True
            self._places[packet.number] = segment, writer.at_s(packet)
            if len(self._places) > _MOST_PLACES:
                self._places.popitem(last=False)
        segment.writer.write(packet)

    def _begin(self, packet: Packet) -> None:
        inside = self._settings.captions == "mkv"
        ending = ".mkv" if inside else ending_for(packet.epoch)
        self._unheard.notice(packet.epoch)
        path = self._room.begin(
            packet.captured_at, packet.time_s, ending=ending, epoch=packet.epoch.id
        )
        try:
            writer = PacketWriter(path, packet, captions=inside)
            try:
                captions = (
                    CaptionTrack(writer.caption) if inside else CaptionFile(sidecar(path, ".vtt"))
                )
                beside = Beside(path, captions)
            except RecordingError:
                with suppress(RecordingError):
                    writer.close()
                raise
        except RecordingError:
            self._room.end()
            raise
        self._segment = _Segment(writer, beside, self._slot(packet), packet.captured_at)
        beside.note(Note(None, None, self._caption), 0.0)

    def _slot(self, packet: Packet) -> int:
        now_s = packet.captured_at.timestamp() if self._live else packet.time_s
        return int(now_s // self._settings.segment)

    def _finish(self) -> None:
        """Finish the segment.  Raises RecordingError."""
        segment = self._segment
        if segment is None:
            return
        try:
            segment.beside.end(segment.writer.end_s)
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
            self._room.end(segment.started_at + timedelta(seconds=segment.writer.end_s))

    def _forget_last(self) -> None:
        last, self._last = self._last, None
        if last is not None:
            last.beside.close()
