"""One camera: reads its source, for ever if it is live, and hands frames on."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Event as Flag
from threading import Thread
from typing import TYPE_CHECKING, Final

from edge_daemon.errors import SourceError, SourceStalledError
from edge_daemon.pipeline.masked import PrivacyMasks
from edge_daemon.pipeline.pulse import LeftBehindError, Pulse
from edge_daemon.sampling import Sampler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from edge_daemon.config.models import CameraConfig
    from edge_daemon.errors import EdgeError
    from edge_daemon.logs import FaultLog
    from edge_daemon.metrics import Metrics
    from edge_daemon.pipeline.board import Board
    from edge_daemon.pipeline.mailbox import Mailboxes
    from edge_daemon.pipeline.recording import RecorderThread
    from edge_daemon.pipeline.soft import SoftThread
    from edge_daemon.recording.ring import PacketSplit
    from edge_daemon.retry import Retry
    from edge_daemon.sources.base import Source
    from edge_daemon.types import Frame

log = logging.getLogger(__name__)

_LONGEST_PAUSE_S: Final = 3600.0  # sources/timeline.py takes a longer one for damage
_KEY_FRAME_WITHIN_S: Final = 30.0  # sources/stream.py gives up then
_STEADY_S: Final = 10.0  # up for so long: no camera that sends a few pictures and hangs up


@dataclass(frozen=True, slots=True)
class _Life:
    """One thread's time at the camera, from run() to its end, or until it is left behind."""

    pulse: Pulse
    stop: Flag = field(default_factory=Flag)
    after: SourceError | None = None  # what became of the thread before it


class Camera:
    """Body of a camera's thread.  Its troubles stay its own.

    A thread that hangs in native code is left behind: renew() and run() in another one go on.  The
    thread owes a sign of life exactly while it is in its source, so that what it brings from there
    after it was left behind reaches nobody.
    """

    def __init__(
        self,
        settings: CameraConfig,
        *,
        open_source: Callable[..., Source],
        retry: Retry,
        mailboxes: Mailboxes,
        board: Board,
        recorder: RecorderThread | SoftThread | None,
        packets: PacketSplit | None = None,
        metrics: Metrics,
        faults: FaultLog,
        pulse: Pulse,
        patience_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings, self.board = settings, board
        self.failed: EdgeError | None = None  # why a finite source ended before its end
        self.finished = False
        self.up = False
        self.n_frames = self.n_connections = 0
        self.last_frame_at: datetime | None = None
        self._why_down = "not connected yet"
        self._clock, self._up_since_s = clock, clock()
        self._open_source, self._retry, self._recorder = open_source, retry, recorder
        self._packets = packets
        self._mailboxes, self._metrics, self._faults = mailboxes, metrics, faults
        self._life = _Life(pulse)
        self._masks = PrivacyMasks(settings.privacy_masks)
        self._patience_s = patience_s or _patience_s(settings)

    @property
    def finite(self) -> bool:
        """Whether the source ends by itself."""
        return not (self.settings.source.live or self.settings.loop)

    def why_down(self) -> str:
        """Return why no frames arrive."""
        return self._why_down

    def stop(self) -> None:
        """Ask the thread to end; it does so within about a second."""
        self._life.stop.set()

    def hangs(self) -> bool:
        """Whether the thread broke its promise; from then on it is left behind."""
        return self._life.pulse.give_up()

    def leave(self) -> None:
        """Leave the thread behind, whatever it does, and say for it that nothing is known."""
        self._life.pulse.give_up(at_once=True)
        if self.up:
            self._why_down = "hangs in native code, its thread is left behind"
            self._say_down()
        self.board.end()
        if self._recorder is not None:  # which may hang as well
            Thread(target=self._recorder.close, daemon=True).start()

    def renew(self, pulse: Pulse) -> None:
        """Prepare for run() in another thread, in place of one that is left behind."""
        self._life.stop.set()  # where it ever comes back
        what = "hangs in native code, its thread is left behind"
        hint = "it is tried again; if it stays, look at the camera, its driver and its cable"
        fault = SourceStalledError(what, where=f"camera {self.settings.id}", hint=hint)
        self._life = _Life(pulse, after=fault)

    def run(self) -> None:
        """Read until the source ends or stop() is called; reconnect as often as it takes."""
        life, is_left_behind = self._life, False
        try:
            self._live(life)
        except LeftBehindError:
            is_left_behind = True
            log.info("camera %s: a thread that was left behind has ended", self.settings.id)
        finally:
            if not is_left_behind:
                self._end()

    def _live(self, life: _Life) -> None:
        if life.after is not None and self._gives_up(life.after, life):
            return
        while not life.stop.is_set():
            if self.n_connections:
                self._metrics.reconnects.labels(self.settings.id).inc()
            self.n_connections += 1
            try:
                self._read(life)
            except SourceError as fault:
                if self._gives_up(fault, life):
                    return
            else:
                return

    def _read(self, life: _Life) -> None:
        camera, sampler = self.settings.id, Sampler(self.settings.sample)
        decoded, sampled, corrupt = (
            self._metrics.frames.labels(camera, outcome)
            for outcome in ("decoded", "sampled", "corrupt")
        )
        with self._opened(life, on_corrupt=corrupt.inc) as source:
            self.board.connected()
            for raw in self._frames(source, life.pulse):
                frame = replace(raw, picture=self._masks.apply(raw.picture)) if self._masks else raw
                self._came_up()
                decoded.inc()
                self.n_frames += 1
                self.last_frame_at = frame.captured_at
                if sampler.wants(frame):
                    sampled.inc()
                    if not source.live:
                        self.board.catch_up()
                    self._mailboxes.put(frame, wait=not source.live)
                    if self.settings.record.clips is not None and not source.live:
                        self._mailboxes.join(self.settings.id)  # while its packets are at hand
                if self._recorder is not None and self._recorder.wants_frames:
                    self._record(self._recorder, frame, exact=not source.live)
                if life.stop.is_set():
                    return

    @contextmanager
    def _opened(self, life: _Life, on_corrupt: Callable[[], None]) -> Iterator[Source]:
        """Open the source and close it, owing a sign of life in between."""
        life.pulse.expect(self._patience_s)
        with self._open_source(
            self.settings,
            life.stop,
            on_corrupt=on_corrupt,
            on_decode_s=partial(self._metrics.observe, "decode"),
            **({} if self._packets is None else {"sink": self._packets}),
        ) as source:
            life.pulse.rest()
            yield source
            life.pulse.expect(self._patience_s)
        life.pulse.rest()

    def _frames(self, source: Source, pulse: Pulse) -> Iterator[Frame]:
        """Yield the frames of a source, owing a sign of life while it is waited for them."""
        frames = iter(source)
        while True:
            pulse.expect(self._patience_s)
            frame = next(frames, None)
            pulse.rest()
            if frame is None:
                return
            yield frame

    def _record(self, recorder: RecorderThread | SoftThread, frame: Frame, *, exact: bool) -> None:
        if exact:  # a file waits for its answers, so that each picture carries its own
            self._mailboxes.join(self.settings.id)
        recorder.write(frame, self.board.states())

    def _came_up(self) -> None:
        if not self.up:
            self.up, self._up_since_s = True, self._clock()
            self._metrics.camera_up.labels(self.settings.id).set(1)
            self.board.tell_camera(up=True)
        self._faults.over(f"camera {self.settings.id}", "frames arrive again")

    def _went_down(self) -> None:
        if self.settings.source.live:  # its turn may be minutes away
            self._mailboxes.discard(self.settings.id)
        self._mailboxes.join(self.settings.id)
        self._say_down()

    def _say_down(self) -> None:
        self.board.tell_camera(up=False)
        self._metrics.camera_up.labels(self.settings.id).set(0)
        self.up = False

    def _gives_up(self, fault: SourceError, life: _Life) -> bool:
        """Count and tell a fault; wait and return False where another try makes sense."""
        life.pulse.rest()
        if isinstance(fault, SourceStalledError):
            self._metrics.stalls.labels(self.settings.id).inc()
        self._metrics.faults.labels("source").inc()
        self._faults.tell(f"camera {self.settings.id}", fault)
        self._why_down = str(fault)
        if self.up and self._clock() - self._up_since_s > _STEADY_S:
            self._retry.reset()
        self._went_down()
        if self.finite:
            self.failed = fault
            return True
        life.stop.wait(self._retry.after(fault))
        return False

    def _end(self) -> None:
        if self.up:
            self._why_down = "ended"
            self._went_down()
        if self._packets is not None:
            self._packets.close()
        self.board.end()
        if self._recorder is not None:
            self._recorder.close()
        self.finished = True


def _patience_s(settings: CameraConfig) -> float:
    """Return the seconds within which a source is heard of; a live one gives up before by itself.

    A file that is read at its own pace may pause for as long as its time stamps say.
    """
    is_paced = not settings.source.live and settings.pace == "realtime"
    longest_s = (
        _LONGEST_PAUSE_S if is_paced else _KEY_FRAME_WITHIN_S * bool(settings.sample.keyframes)
    )
    return 2 * settings.stall_after + 15.0 + longest_s
