"""Clips around events: which events share one, and the thread that writes them.

A clip is cut from packets, never decoded or encoded again: the camera's own, or those of its burned
recording where the camera's show too much, or there are none.  It begins with the key frame at or
before its pre-roll and ends a little after its post-roll.
"""

from __future__ import annotations

import logging
import math
import time
from contextlib import suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING, Final

from edge_daemon.errors import RecordingError
from edge_daemon.recording.drawn import number_of
from edge_daemon.recording.limits import Limits
from edge_daemon.recording.mux import PacketWriter
from edge_daemon.recording.shelves import Kind, event_path

if TYPE_CHECKING:
    from edge_daemon.config.models import CameraConfig
    from edge_daemon.config.record import ClipsConfig
    from edge_daemon.logs import FaultLog
    from edge_daemon.metrics import Metrics
    from edge_daemon.packets import Packet
    from edge_daemon.recording.retention import Archive
    from edge_daemon.recording.ring import PacketRing, RingReader
    from edge_daemon.types import Event, Frame

log = logging.getLogger(__name__)

SLACK_S: Final = 1.0  # answers come after their frames: so much longer a clip stays open
_LONGEST_S: Final = 300.0  # then another begins, whose pre-roll overlaps
_MOST_WAITING: Final = 4  # each holds packets in memory
_READ_S: Final = 0.5
_PATIENCE_S: Final = 5.0  # for packets of a live camera that are late
_JUDGE_BYTES: Final = 1_000_000  # room is asked for that much, whenever half of it is written


@dataclass(slots=True, eq=False)
class _Clip:
    """A clip that is wanted, from its first event on.  Times are the board's."""

    event: Event
    path: str  # relative to data_dir
    number: int | None  # packet of the first event's frame
    epoch: int | None
    begun_s: float
    until_s: float
    packets: list[Packet] = field(repr=False)
    reader: RingReader = field(repr=False)
    mono_s: float = field(default_factory=time.monotonic)
    is_over: bool = False

    @property
    def length_s(self) -> float:
        """How long it goes on after the frame of its first event."""
        return self.until_s - self.begun_s + SLACK_S


class Clips:
    """The clips of one camera: link() on the board's thread, run() on one of its own."""

    def __init__(
        self,
        camera: CameraConfig,
        settings: ClipsConfig,
        ring: PacketRing,
        archive: Archive,
        *,
        metrics: Metrics,
        faults: FaultLog,
    ) -> None:
        self._camera, self._live, self._settings = camera.id, camera.source.live, settings
        self._limits = Limits(camera.record.events.keep, camera.record.events.max_size)
        self._is_drawn = camera.has_drawn_clips
        self._ring, self._archive = ring, archive
        self._metrics, self._faults = metrics, faults
        self._lock = Lock()
        self._wanted: SimpleQueue[_Clip | None] = SimpleQueue()
        self._open: _Clip | None = None
        self._n_waiting = 0
        self._is_ended = self._is_unfit_told = False

    def link(self, event: Event, at_s: float, frame: Frame | None) -> str | None:
        """Return the clip that shows an event, begun or prolonged for it; None: none does.

        at_s is the event's time by the board's clock, frame the one it is about; None: no
        frame, the newest.  Never waits.
        """
        number = None if frame is None else number_of(frame) if self._is_drawn else frame.packet
        if self._ring.unfit_codec is not None:
            self._tell_unfit(self._ring.unfit_codec)
            return None
        with self._lock:
            clip, is_wanted = self._open, event.verdict.value in self._settings.on
            epoch = self._ring.epoch_of(number)
            if clip is not None and self._still_open(clip, at_s, epoch):
                if not is_wanted or at_s - clip.begun_s <= _LONGEST_S:
                    if is_wanted:
                        clip.until_s = max(clip.until_s, at_s + self._settings.after)
                    return clip.path
                clip.until_s = at_s - 2 * SLACK_S  # what is read by now ends it
            return self._begin(event, at_s, number, epoch) if is_wanted else None

    def end(self) -> None:
        """No packet comes any more: finish what is open, then run()."""
        self._is_ended = True
        self._wanted.put(None)

    @property
    def _is_all(self) -> bool:
        """Whether no packet comes any more; burned ones come a little after the camera's end."""
        return self._is_ended and (self._ring.is_closed or not self._is_drawn)

    @property
    def is_busy(self) -> bool:
        """Whether a clip is still to be finished."""
        with self._lock:
            return self._n_waiting > 0

    def run(self) -> None:
        """Write clips until end()."""
        while (clip := self._wanted.get()) is not None:
            try:
                self._write(clip)
            except RecordingError as fault:
                self._metrics.recording_dropped.labels(self._camera).inc()
                self._metrics.faults.labels("recording").inc()
                part = f"clips of {self._camera}"  # not the file: each would be told anew
                self._faults.tell(part, type(fault)(fault.what, where=part, hint=fault.hint))
            else:
                self._faults.over(f"clips of {self._camera}", "written again")
            finally:
                clip.reader.close()
                clip.packets.clear()
                with self._lock:
                    clip.is_over = True
                    self._n_waiting -= 1

    def _still_open(self, clip: _Clip, at_s: float, epoch: int | None) -> bool:
        is_same = epoch == clip.epoch or None in (epoch, clip.epoch)
        return not clip.is_over and is_same and at_s <= clip.until_s + SLACK_S

    def _begin(
        self, event: Event, at_s: float, number: int | None, epoch: int | None
    ) -> str | None:
        if self._n_waiting >= _MOST_WAITING or self._is_ended:
            self._metrics.recording_dropped.labels(self._camera).inc()
            return None
        reader = self._ring.reader()  # before since(): what comes twice is told by its number
        before_s = math.inf if self._is_drawn else self._settings.before
        packets = self._ring.since(number, before_s)
        clip = self._open = _Clip(
            event=event,
            path=event_path(Kind.CLIP, event),
            number=number,
            epoch=epoch,
            begun_s=at_s,
            until_s=at_s + self._settings.after,
            packets=packets,
            reader=reader,
        )
        self._n_waiting += 1
        self._wanted.put(clip)
        return clip.path

    def _write(self, clip: _Clip) -> None:
        """Write a clip from its first key frame to its end.  Raises RecordingError."""
        path = self._archive.place(clip.path)
        packets = self._first(clip)
        if not packets:
            hint = "see why its camera sends no key frames"
            raise RecordingError("no key frame came", where=path, hint=hint)
        self._archive.begin_kept(Kind.CLIP, self._camera, path, self._limits, _JUDGE_BYTES)
        try:
            with PacketWriter(path, packets[0]) as writer:
                self._fill(writer, clip, packets)
        finally:
            with suppress(RecordingError):
                self._archive.end(path)

    def _first(self, clip: _Clip) -> list[Packet]:
        """Return the pre-roll; where there is none yet, what comes from the next key frame on."""
        packets, clip.packets = clip.packets, []
        while not self._is_enough(clip, packets) and not self._is_too_late(clip):
            new = clip.reader.read(_READ_S)
            if not new and self._is_all:
                break
            newest = packets[-1].number if packets else 0
            packets += [packet for packet in new if packet.number > newest]
            begin = next((n for n, packet in enumerate(packets) if packet.is_keyframe), None)
            packets = [] if begin is None else packets[begin:]
        return self._without_older(clip, packets) if self._is_drawn else packets

    def _is_enough(self, clip: _Clip, packets: list[Packet]) -> bool:
        """Whether there is the packet of its event; one that is drawn comes after its answer."""
        is_behind = self._is_drawn and clip.number is not None
        return bool(packets) and (not is_behind or packets[-1].number >= (clip.number or 0))

    def _without_older(self, clip: _Clip, packets: list[Packet]) -> list[Packet]:
        """Leave out what was before the pre-roll, up to its key frame."""
        upto = [p for p in packets if clip.number is None or p.number <= clip.number]
        if not upto:
            return packets
        wanted_s = upto[-1].time_s - self._settings.before
        keys = [n for n, p in enumerate(upto) if p.is_keyframe and p.epoch is upto[-1].epoch]
        begin = next(
            (n for n in reversed(keys) if upto[n].time_s <= wanted_s), min(keys, default=0)
        )
        return packets[begin:]

    def _fill(self, writer: PacketWriter, clip: _Clip, packets: list[Packet]) -> None:
        upto = [p for p in packets if clip.number is None or p.number <= clip.number]
        shown_s = [p.time_s for p in upto if p.is_video and p.epoch is writer.epoch]
        origin_s = shown_s[-1] if shown_s else packets[0].time_s
        last, judged_bytes, n_missed = 0, 0, clip.reader.n_missed
        while True:
            for packet in packets:
                if packet.number <= last:
                    continue
                last = packet.number
                is_late = packet.is_video and packet.time_s > origin_s + clip.length_s
                if is_late or packet.epoch is not writer.epoch:
                    return
                writer.write(packet)
                if writer.size_bytes - judged_bytes > _JUDGE_BYTES // 2:
                    judged_bytes = writer.size_bytes
                    self._archive.make_room(writer.path, self._limits, _JUDGE_BYTES)
            packets = clip.reader.read(_READ_S)
            if clip.reader.n_missed > n_missed:
                raise _too_slow(writer.path)
            if not packets and (self._is_all or self._is_too_late(clip)):
                return

    def _is_too_late(self, clip: _Clip) -> bool:
        """Whether a live camera's packets would have come by now."""
        waited_s = time.monotonic() - clip.mono_s
        return self._live and waited_s > clip.length_s + _PATIENCE_S

    def _tell_unfit(self, codec: str) -> None:
        if not self._is_unfit_told:
            self._is_unfit_told = True
            log.warning(
                "camera %s: sends %s, of which no clip can be cut -- set its stream to H.264 or"
                " H.265, or take record.clips away",
                self._camera,
                codec,
            )


def _too_slow(path: str) -> RecordingError:
    hint = "see why the disk is slow; the clip ends there"
    return RecordingError("packets came faster than they could be written", where=path,
                          hint=hint)  # fmt: skip
