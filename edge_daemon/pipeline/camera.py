"""One camera: reads its source, for ever if it is live, and hands frames on."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from threading import Event as Flag
from typing import TYPE_CHECKING

from edge_daemon.errors import SourceError, SourceStalledError
from edge_daemon.pipeline.masked import PrivacyMasks
from edge_daemon.sampling import Sampler

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from edge_daemon.config.models import CameraConfig
    from edge_daemon.errors import EdgeError
    from edge_daemon.logs import FaultLog
    from edge_daemon.metrics import Metrics
    from edge_daemon.pipeline.board import Board
    from edge_daemon.pipeline.mailbox import Mailboxes
    from edge_daemon.pipeline.pulse import Pulse
    from edge_daemon.pipeline.recording import RecorderThread
    from edge_daemon.sources.base import Source
    from edge_daemon.sources.retry import Retry
    from edge_daemon.types import Frame

log = logging.getLogger(__name__)


class Camera:
    """Body of a camera's thread.  Its troubles stay its own."""

    def __init__(
        self,
        settings: CameraConfig,
        *,
        open_source: Callable[..., Source],
        retry: Retry,
        mailboxes: Mailboxes,
        board: Board,
        recorder: RecorderThread | None,
        metrics: Metrics,
        faults: FaultLog,
        pulse: Pulse,
    ) -> None:
        self.settings, self.board, self.pulse = settings, board, pulse
        self.failed: EdgeError | None = None  # why a finite source ended before its end
        self.finished = False
        self.up = False
        self.n_frames = self.n_connections = 0
        self.last_frame_at: datetime | None = None
        self._why_down = "not connected yet"
        self._open_source, self._retry, self._recorder = open_source, retry, recorder
        self._mailboxes, self._metrics, self._faults = mailboxes, metrics, faults
        self._stop = Flag()
        self._masks = PrivacyMasks(settings.privacy_masks)
        self._patience_s = 2 * settings.stall_after + 15.0  # a source itself gives up before

    @property
    def finite(self) -> bool:
        """Whether the source ends by itself."""
        return not (self.settings.source.live or self.settings.loop)

    def why_down(self) -> str:
        """Return why no frames arrive."""
        return self._why_down

    def stop(self) -> None:
        """Ask the thread to end; it does so within about a second."""
        self._stop.set()

    def run(self) -> None:
        """Read until the source ends or stop() is called; reconnect as often as it takes."""
        try:
            while not self._stop.is_set():
                if self.n_connections:
                    self._metrics.reconnects.labels(self.settings.id).inc()
                self.n_connections += 1
                try:
                    self._read()
                except SourceError as fault:
                    if self._gives_up(fault):
                        return
                else:
                    return
        finally:
            self._end()

    def _read(self) -> None:
        self.pulse.expect(self._patience_s)
        camera, sampler = self.settings.id, Sampler(self.settings.sample)
        decoded, sampled, corrupt = (
            self._metrics.frames.labels(camera, outcome)
            for outcome in ("decoded", "sampled", "corrupt")
        )
        with self._open_source(
            self.settings,
            self._stop,
            on_corrupt=corrupt.inc,
            on_decode_s=partial(self._metrics.observe, "decode"),
        ) as source:
            self.board.connected()
            for raw in source:
                frame = replace(raw, picture=self._masks.apply(raw.picture)) if self._masks else raw
                self.pulse.expect(self._patience_s)
                self._came_up()
                decoded.inc()
                self.n_frames += 1
                self.last_frame_at = frame.captured_at
                if sampler.wants(frame):
                    sampled.inc()
                    self._mailboxes.put(frame, wait=not source.live)
                if self._recorder is not None:
                    self._record(self._recorder, frame, exact=not source.live)
                if self._stop.is_set():
                    return

    def _record(self, recorder: RecorderThread, frame: Frame, *, exact: bool) -> None:
        if exact:  # a file waits for its answers, so that each picture carries its own
            self._mailboxes.join(self.settings.id)
        recorder.write(frame, self.board.states())

    def _came_up(self) -> None:
        if not self.up:
            self.up = True
            self._retry.reset()
            self._metrics.camera_up.labels(self.settings.id).set(1)
            self._faults.over(f"camera {self.settings.id}", "frames arrive again")
            self.board.tell_camera(up=True)

    def _went_down(self) -> None:
        self._mailboxes.join(self.settings.id)
        self.board.tell_camera(up=False)
        self._metrics.camera_up.labels(self.settings.id).set(0)
        self.up = False

    def _gives_up(self, fault: SourceError) -> bool:
        """Count and tell a fault; wait and return False where another try makes sense."""
        if isinstance(fault, SourceStalledError):
            self._metrics.stalls.labels(self.settings.id).inc()
        self._metrics.faults.labels("source").inc()
        self._faults.tell(f"camera {self.settings.id}", fault)
        self._why_down = str(fault)
        self._went_down()
        if self.finite:
            self.failed = fault
            return True
        self.pulse.rest()
        self._stop.wait(self._retry.after(fault))
        return False

    def _end(self) -> None:
        if self.up:
            self._why_down = "ended"
            self._went_down()
        if self._recorder is not None:
            self._recorder.close()
        self.pulse.rest()
        self.finished = True
