"""Keeps what events were about, on a thread of its own: pictures with the answer, and evidence.

What has become too old goes there, too.
"""

from __future__ import annotations

import logging
import math
import os
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from platform import machine, python_version
from threading import Condition, get_native_id
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_daemon import __version__
from edge_daemon.errors import RecordingError
from edge_daemon.overlay import Overlay
from edge_daemon.pipeline.recording import shown_questions
from edge_daemon.publish.payloads import event_facts
from edge_daemon.recording.aging import Aging
from edge_daemon.recording.evidence import Asked, Pack
from edge_daemon.recording.jpeg import small_jpeg, whole_jpeg
from edge_daemon.recording.keeping import keep
from edge_daemon.recording.limits import Limits
from edge_daemon.recording.shelves import Kind, event_path
from edge_daemon.types import QuestionState

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from edge_daemon.config.models import CameraConfig
    from edge_daemon.logs import FaultLog
    from edge_daemon.metrics import Metrics
    from edge_daemon.pipeline.board import Seen
    from edge_daemon.pipeline.clips import Clips
    from edge_daemon.recording.retention import Archive
    from edge_daemon.types import Event, Frame

log = logging.getLogger(__name__)

_MOST_BYTES: Final = 40_000_000  # nine frames of 1080p: eight cameras, when the lamps go on
_BYTES_A_PIXEL: Final = 2  # of a decoder's picture: 4:2:2, as MJPEG has it; mostly it is 1.5
_BYTES_AN_EVENT: Final = 6_000  # besides its pictures.  measured: x86-64, 2026-11-21
_NICENESS: Final = 4  # above the process's own
_TURN_S: Final = 5.0  # between two looks at whether it is time to look for what is too old
_STEADY_S: Final = 3.0  # a disk that is full takes a file now and then; this long is well again


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """An event whose files are still to be written."""

    of: CameraWitness
    event: Event
    seen: Seen
    size_bytes: int  # without its frame, where that is the frame of the job before it


class Witness:
    """Body of the witness's thread.  What waits for it is bounded, and nobody waits but files.

    on_snapshot gets each picture as a small JPEG, by this thread.
    """

    def __init__(
        self,
        archive: Archive,
        *,
        configuration_sha256: Callable[[], str],
        on_snapshot: Callable[[Event, bytes], None],
        metrics: Metrics,
        faults: FaultLog,
        most_bytes: int = _MOST_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.archive, self.metrics, self.faults = archive, metrics, faults
        self._configuration_sha256, self._on_snapshot = configuration_sha256, on_snapshot
        self._most_bytes = most_bytes
        self._aging = Aging(archive, faults, clock)
        self._changed = Condition()
        self._jobs: deque[_Job] = deque()
        self._waiting_bytes, self._is_working, self._is_closed = 0, False, False
        self._until_s = math.inf  # monotonic
        self._fault_s: dict[str, float] = {}  # when a kind of file could not be written last
        self._last_frame: Frame | None = None  # and its pixels, kept for the next of its events
        self._last_rgb: NDArray[np.uint8] | None = None

    def of(self, camera: CameraConfig, clips: Clips | None = None) -> CameraWitness:
        """Return what a camera's board tells its events to."""
        self._aging.of(camera.id, camera.record)
        return CameraWitness(self, camera, clips)

    def take(self, job: _Job, *, always: bool) -> bool:
        """Take a job; return False, without always, where too much waits already."""
        with self._changed:
            if self._is_closed or not (always or self._waiting_bytes < self._most_bytes):
                return False
            self._jobs.append(job)
            self._waiting_bytes += job.size_bytes
            self._changed.notify_all()
            return True

    def wait_for_room(self) -> None:
        """Wait until half the room is free: for files, which leave the rest to live cameras."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._is_closed or self._waiting_bytes <= self._most_bytes // 2
            )

    @property
    def is_busy(self) -> bool:
        """Whether something is still to be written."""
        with self._changed:
            return bool(self._jobs) or self._is_working

    def close(self, within_s: float = math.inf) -> None:
        """End run() when everything that waits is written, or so many seconds are over."""
        with self._changed:
            self._is_closed, self._until_s = True, time.monotonic() + within_s
            self._changed.notify_all()

    def run(self) -> None:
        """Write until close(); whatever else the machine has to do goes first."""
        with suppress(OSError, AttributeError):  # of this thread alone, as Linux counts
            usual = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, get_native_id(), usual + _NICENESS)
        while (job := self._next()) is not None:
            self._do(job)
            with self._changed:
                self._waiting_bytes -= job.size_bytes
                self._is_working = False
                if not self._jobs:
                    self._last_frame = self._last_rgb = None
                self._changed.notify_all()

    def _next(self) -> _Job | None:
        while not self._is_closed:
            self._aging.tick()
            with self._changed:
                if self._changed.wait_for(lambda: self._jobs or self._is_closed, _TURN_S):
                    break
        with self._changed:
            if self._jobs and time.monotonic() > self._until_s:
                n = len(self._jobs)
                self._jobs.clear()
                log.warning("files of %d events are not written: the daemon ends", n)
            if not self._jobs:
                return None
            self._is_working = True
            return self._jobs.popleft()

    def _do(self, job: _Job) -> None:
        kept, event = job.of.camera.record.events, job.event
        if kept.snapshots:
            with self.metrics.stage("draw"):
                rgb = self._pixels(job.seen.frame)
                job.of.draw(rgb, event, job.seen)
            self._on_snapshot(event, small_jpeg(rgb, event.id))
            self._write(job.of, Kind.SNAPSHOT, event, whole_jpeg(rgb, event.id))
        if kept.evidence:
            pack = job.of.pack(event, job.seen, self._configuration_sha256())
            self._write(job.of, Kind.EVIDENCE, event, pack.to_bytes())

    def _pixels(self, frame: Frame) -> NDArray[np.uint8]:
        """Return a frame's pixels to draw on, uint8 RGB (H, W, 3); converted once a frame."""
        if self._last_rgb is None or self._last_frame is not frame:
            self._last_frame, self._last_rgb = frame, frame.picture.rgb()
        rgb: NDArray[np.uint8] = self._last_rgb.copy()
        return rgb

    def _write(self, of: CameraWitness, kind: Kind, event: Event, content: bytes) -> None:
        part, now_s = kind.value, time.monotonic()
        try:
            keep(self.archive, kind, event, content, of.limits)
        except RecordingError as fault:
            self._fault_s[part] = now_s
            self.metrics.faults.labels("recording").inc()
            where = self.archive.place(part)  # the same for each file: told once
            self.faults.tell(part, type(fault)(fault.what, where=where, hint=fault.hint))
        else:
            if now_s - self._fault_s.get(part, 0.0) > _STEADY_S:
                self.faults.over(part, "written again")


class CameraWitness:
    """What the board of one camera tells its events to."""

    def __init__(self, witness: Witness, camera: CameraConfig, clips: Clips | None) -> None:
        self.camera, self._clips = camera, clips
        self.limits = Limits(camera.record.events.keep, camera.record.events.max_size)
        self._witness = witness
        self._shown = {shown.id: shown for shown in shown_questions(camera)}
        self._places = {q.id: n for n, q in enumerate(camera.questions)}
        self._asked = tuple(
            Asked(q.ask, camera.zones[q.zone] if q.zone else None) for q in camera.questions
        )
        self._last: tuple[float, NDArray[np.uint8]] | None = None  # when; our copy of its input

    def attest(self, event: Event, seen: Seen | None, at_s: float) -> Event:
        """Return the event with the names of its clip and its snapshot; never waits."""
        if self._clips is not None:
            frame = None if seen is None else seen.frame
            event = replace(event, clip=self._clips.link(event, at_s, frame))
        kept = self.camera.record.events
        if seen is None or not (kept.snapshots or kept.evidence):
            return event
        named = event
        if kept.snapshots:
            named = replace(event, snapshot=event_path(Kind.SNAPSHOT, event))
        frame, size_bytes = seen.frame, _BYTES_AN_EVENT + seen.evidence.nbytes
        if self._last is None or self._last[0] != frame.mono_s:
            self._last = frame.mono_s, seen.picture.copy()
            n_pixels = frame.picture.width * frame.picture.height
            size_bytes += _BYTES_A_PIXEL * n_pixels + seen.picture.nbytes
        job = _Job(self, named, replace(seen, picture=self._last[1]), size_bytes)
        if self._witness.take(job, always=not self.camera.source.live):
            return named
        self._last = None
        self._witness.metrics.recording_dropped.labels(event.camera).inc()
        what = "events come faster than their pictures can be written: some have none"
        hint = "see whether the disk is slow, or set record.events of the cameras that need less"
        self._witness.faults.tell(
            "events' pictures", RecordingError(what, where="events", hint=hint)
        )
        return event

    def wait_for_room(self) -> None:
        """Wait until the files of more events can be taken on."""
        self._witness.wait_for_room()

    def end(self) -> None:
        """Let the last clip be finished: no frame comes any more."""
        if self._clips is not None:
            self._clips.end()

    def draw(self, rgb: NDArray[np.uint8], event: Event, seen: Seen) -> None:
        """Draw the event's question, its zone and where the answer was seen, on rgb in place."""
        shown = self._shown[event.question]
        zones = {shown.zone: self.camera.zones[shown.zone]} if shown.zone else {}
        state = QuestionState(
            verdict=event.verdict,
            reason=event.reason,
            p_yes=seen.p_yes,
            since=event.decided_at,
            judged_at=seen.frame.captured_at,
            event_id=event.id,
        )
        when = seen.frame.captured_at if self.camera.source.live else seen.frame.pts_s
        overlay = Overlay(event.camera, [shown], zones)
        overlay.draw(rgb, {shown.id: state}, when, seen.evidence)

    def pack(self, event: Event, seen: Seen, configuration_sha256: str) -> Pack:
        """Return the evidence of an event."""
        return Pack(
            event=event_facts(event),
            asked=self._asked,
            place=self._places[event.question],
            p_yes=seen.p_yes,
            picture=seen.picture,
            evidence=seen.evidence,
            configuration_sha256=configuration_sha256,
            software=software(event.model.backend),
        )


def software(backend: str) -> dict[str, str]:
    """Return what may change an answer by a hair: versions, and the kind of processor."""
    try:
        runtime = _version(backend)
    except (PackageNotFoundError, OSError):  # built in; or no descriptor is left
        runtime = "unknown"
    return {
        "edge-daemon": __version__,
        backend: runtime,
        "numpy": np.__version__,
        "python": python_version(),
        "machine": machine(),
    }


@cache
def _version(package: str) -> str:
    """Return the version of a package.  Raises PackageNotFoundError, OSError."""
    return version(package)
