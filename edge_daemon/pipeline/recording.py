"""A recorder in a thread of its own, so that a slow disk or encoder never delays an answer."""

from __future__ import annotations

from collections import deque
from queue import Full, Queue
from typing import TYPE_CHECKING, Final, Protocol

from edge_daemon.errors import RecordingError
from edge_daemon.overlay import Shown
from edge_daemon.pipeline.notes import note_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

    from edge_daemon.config.models import CameraConfig
    from edge_daemon.logs import FaultLog
    from edge_daemon.metrics import Metrics
    from edge_daemon.overlay import Overlay
    from edge_daemon.recording.beside import Note
    from edge_daemon.types import Frame, QuestionId, QuestionState

    Item = tuple[Frame, Mapping[QuestionId, QuestionState]]

_MOST_NOTES: Final = 1000
_WAITING: Final = 4  # frames; a 1080p one holds 3 MB
_FEW: Final = 25  # frames that a busy moment may cost without a word


class Recorder(Protocol):
    """Whoever keeps the video."""

    def write(self, frame: Frame, states: Mapping[QuestionId, QuestionState]) -> None:
        """Keep a frame with what is said at its time.  Raises RecordingError."""
        ...

    def note(self, note: Note) -> bool:
        """Write down a judgement; False: its frame has yet to come.  Raises RecordingError."""
        ...

    def close(self) -> None:
        """Finish the file.  Raises RecordingError."""
        ...


class RecorderThread:
    """Body of a recorder's thread, and what its camera writes to.

    For a live camera a frame that finds no room is dropped and counted; a file waits.
    """

    wants_frames = True

    def __init__(
        self, recorder: Recorder, settings: CameraConfig, *, metrics: Metrics, faults: FaultLog
    ) -> None:
        self._recorder, self._settings = recorder, settings
        self._camera, self._live = settings.id, settings.source.live
        self._metrics, self._faults = metrics, faults
        self._dropped = metrics.recording_dropped.labels(settings.id)
        self._n_missed = 0
        self._queue: Queue[Item | None] = Queue(_WAITING)
        self._notes: deque[Note] = deque(maxlen=_MOST_NOTES)

    def write(self, frame: Frame, states: Mapping[QuestionId, QuestionState]) -> None:
        """Hand over a frame with what is said at its time."""
        try:
            self._queue.put((frame, states), block=not self._live)
        except Full:
            self._dropped.inc()
            self._n_missed += 1
            if self._n_missed % _FEW == 0:
                self._tell_missed()

    def note(self, frame: Frame | None, states: Mapping[QuestionId, QuestionState]) -> None:
        """Take over what is said from a frame on; it is drawn on the next ones."""
        self._notes.append(note_of(self._settings, frame, states))

    def close(self) -> None:
        """Let the thread finish what waits, then its file."""
        self._queue.put(None)

    def run(self) -> None:
        """Record until close()."""
        while (item := self._queue.get()) is not None:
            try:
                with self._metrics.stage("encode"):
                    self._recorder.write(*item)
                self._write_notes()
            except RecordingError as fault:
                self._fault(fault)
            else:
                self._faults.over(f"recording {self._camera}", "records again")
        for end in (self._write_notes, self._recorder.close):
            try:
                end()
            except RecordingError as fault:
                self._fault(fault)

    def _write_notes(self) -> None:
        while self._notes and self._recorder.note(self._notes[0]):
            self._notes.popleft()

    def _tell_missed(self) -> None:
        what = "its pictures come faster than they are drawn, encoded and written: some are missing"
        hint = "record fewer or smaller ones (record.burned), or see whether the disk is slow"
        fault = RecordingError(what, where=f"recording {self._camera}", hint=hint)
        self._faults.tell(f"recording missed {self._camera}", fault)

    def _fault(self, fault: RecordingError) -> None:
        self._dropped.inc()
        self._metrics.faults.labels("recording").inc()
        self._faults.tell(f"recording {self._camera}", fault)


class TimedOverlay:
    """An overlay whose drawing is the stage draw.

    evidence returns what tints the picture at that time, float32 (rows, columns) or None.
    """

    def __init__(
        self,
        overlay: Overlay,
        metrics: Metrics,
        evidence: Callable[[], NDArray[np.float32] | None] = lambda: None,
    ) -> None:
        self._overlay, self._metrics, self._evidence = overlay, metrics, evidence

    def draw(
        self,
        rgb: NDArray[np.uint8],
        states: Mapping[QuestionId, QuestionState],
        when: datetime | float,
    ) -> None:
        """Draw on rgb, uint8 (H, W, 3), in place."""
        with self._metrics.stage("draw"):
            self._overlay.draw(rgb, states, when, self._evidence())


def shown_questions(camera: CameraConfig) -> list[Shown]:
    """Return the camera's questions as the overlay draws them."""
    return [Shown(q.id, q.ask, q.zone, q.yes_above, q.no_below) for q in camera.questions]
