"""Soft recording in a thread of its own: packets from the ring, answers from the board."""

from __future__ import annotations

import logging
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Final

from edge_daemon.errors import RecordingError
from edge_daemon.pipeline.notes import note_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from edge_daemon.config.models import CameraConfig
    from edge_daemon.logs import FaultLog
    from edge_daemon.metrics import Metrics
    from edge_daemon.packets import Packet
    from edge_daemon.pipeline.recording import RecorderThread
    from edge_daemon.recording.beside import Note
    from edge_daemon.recording.ring import PacketRing
    from edge_daemon.recording.soft import SoftRecorder
    from edge_daemon.types import Frame, QuestionId, QuestionState

log = logging.getLogger(__name__)

_TURN_S: Final = 0.5  # answers are written down so often, packets at key frames too
_QUIET_S: Final = 10.0  # a camera that sends nothing for so long: its file is finished
_MOST_NOTES: Final = 1000
_SLOW_S: Final = 20.0  # a disk that takes nothing for so long is told of


class SoftThread:
    """Body of a soft recorder's thread, and what its camera and its board tell.

    A source without packets worth recording is told once and recorded burned instead.
    """

    def __init__(
        self,
        camera: CameraConfig,
        recorder: SoftRecorder,
        ring: PacketRing,
        burned: Callable[[], RecorderThread],
        *,
        metrics: Metrics,
        faults: FaultLog,
    ) -> None:
        self._camera, self._recorder, self._ring, self._burned = camera, recorder, ring, burned
        self._metrics, self._faults = metrics, faults
        self._dropped = metrics.recording_dropped.labels(camera.id)
        self._reader = ring.reader()
        self._notes: deque[Note] = deque(maxlen=_MOST_NOTES)
        self._instead: RecorderThread | None = None
        self._n_lost = self._n_missed = 0  # as far as they were counted
        self._heard_s = self._turned_s = time.monotonic()

    @property
    def wants_frames(self) -> bool:
        """Whether write() is to be called."""
        return self._instead is not None

    def write(self, frame: Frame, states: Mapping[QuestionId, QuestionState]) -> None:
        """Hand over a frame, where the source has no packets."""
        if self._instead is not None:
            self._instead.write(frame, states)

    def note(self, frame: Frame | None, states: Mapping[QuestionId, QuestionState]) -> None:
        """Take over what is said from a frame on, None: from now on.  Never waits."""
        if self._instead is not None:
            self._instead.note(frame, states)
        else:
            self._notes.append(note_of(self._camera, frame, states))
            if time.monotonic() - self._turned_s > _SLOW_S and not self._ring.is_closed:
                self._turned_s = time.monotonic()  # to be told again after as long
                what, hint = "its disk takes nothing", "see what else uses it, or replace it"
                self._tell(RecordingError(what, where=f"recording {self._camera.id}", hint=hint))

    def close(self) -> None:
        """Let the thread finish what waits, then its file."""
        self._ring.close()
        if self._instead is not None:
            self._instead.close()

    def run(self) -> None:
        """Record until close()."""
        while (packets := self._reader.read(_TURN_S)) or not self._ring.is_closed:
            self._turn(packets)
            if self._ring.unfit_codec is not None and self._instead is None:
                self._reader.close()
                self._end()
                self._record_burned(self._ring.unfit_codec)
                return
        self._turn([])
        self._end()

    def _turn(self, packets: list[Packet]) -> None:
        self._turned_s = time.monotonic()
        if packets:
            self._heard_s = self._turned_s
        is_well = self._tried(self._count_lost)
        for run in _runs(packets):
            is_well &= self._tried(partial(self._recorder.write, run))
            is_well &= self._tried(self._write_notes)  # before a key frame may finish their file
        if self._recorder.is_recording and time.monotonic() - self._heard_s > _QUIET_S:
            is_well &= self._tried(self._recorder.lose_track)
        if is_well and packets and self._recorder.is_recording:
            self._faults.over(f"recording {self._camera.id}", "records again")

    def _tried(self, step: Callable[[], None]) -> bool:
        """Whether a step was done; a fault is told, and what follows has its turn all the same."""
        try:
            step()
        except RecordingError as fault:
            self._tell(fault)
            return False
        return True

    def _count_lost(self) -> None:
        """Count what could not be recorded; behind a gap it goes on with a key frame."""
        n_missed = self._reader.n_missed
        n_lost = n_missed + self._recorder.n_dropped
        self._dropped.inc(n_lost - self._n_lost)
        self._n_lost = n_lost
        if n_missed > self._n_missed:
            self._n_missed = n_missed
            what = "its packets come faster than the disk takes them: some are missing"
            hint = "see whether the disk is slow or worn out"
            self._tell(RecordingError(what, where=f"recording {self._camera.id}", hint=hint))
            self._recorder.lose_track()

    def _write_notes(self) -> None:
        """Write down what can be; a fault costs its note.  Raises the last one."""
        fault = None
        while self._notes:
            try:
                if not self._recorder.note(self._notes[0]):
                    break
            except RecordingError as exc:
                fault = exc
            self._notes.popleft()
        if fault is not None:
            raise fault

    def _end(self) -> None:
        try:
            self._recorder.close()
        except RecordingError as fault:
            self._tell(fault)

    def _record_burned(self, codec: str) -> None:
        log.warning(
            "recording %s: the camera sends %s, of which soft recording can keep nothing, so it is"
            " recorded burned -- let it send H.264 or H.265, or set record.mode: burned",
            self._camera.id,
            codec,
        )
        self._instead = self._burned()
        if self._ring.is_closed:
            self._instead.close()
        self._instead.run()

    def _tell(self, fault: RecordingError) -> None:
        self._metrics.faults.labels("recording").inc()
        self._faults.tell(f"recording {self._camera.id}", fault)


def _runs(packets: list[Packet]) -> Iterator[list[Packet]]:
    """Yield packets from one key frame to the next; one empty run where there are none."""
    begin = 0
    for n, packet in enumerate(packets):
        if packet.is_keyframe and n > begin:
            yield packets[begin:n]
            begin = n
    yield packets[begin:]
