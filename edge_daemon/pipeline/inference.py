"""The batcher: one thread asks the model about the next frame of every camera that waits."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from itertools import compress
from threading import Lock
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_daemon.errors import EngineRunError, SourceError
from edge_daemon.pipeline.pace import Pace
from edge_daemon.types import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray
    from prometheus_client import Counter

    from edge_daemon.config.models import CameraConfig
    from edge_daemon.engine.base import Engine, QuestionSet
    from edge_daemon.logs import FaultLog
    from edge_daemon.metrics import Metrics
    from edge_daemon.pipeline.board import Board
    from edge_daemon.pipeline.mailbox import Mailboxes
    from edge_daemon.pipeline.pulse import Pulse
    from edge_daemon.types import CameraId, Frame, Polygon

log = logging.getLogger(__name__)

_PATIENCE_S: Final = 30.0  # no batch takes so long on any machine that is of use
_MOST_FAULTS: Final = 10  # in a row, and
_MOST_FAILING_S: Final = 60.0
_LAST_ANSWER_S: Final = 0.5  # of a stop


@dataclass(frozen=True, slots=True)
class OneAnswer:
    """p_yes of a question that was asked once, NaN where unsupported, and of which frame.

    is_blind: nothing is to be seen on it.
    """

    p_yes: float
    is_blind: bool
    mono_s: float
    captured_at: datetime


@dataclass(slots=True)
class _Seen:
    """A camera's last frame: what the model made of it, or the picture while all is paused."""

    mono_s: float
    captured_at: datetime
    is_blind: bool
    tokens: NDArray[np.float32] | None = field(default=None, repr=False)
    picture: NDArray[np.uint8] | None = field(default=None, repr=False)


@dataclass(slots=True)
class _Client:
    """A camera's questions, made ready."""

    board: Board
    questions: QuestionSet
    judged: list[Counter]  # in the order of the questions
    seen: _Seen | None = None


class Inference:
    """Body of the inference thread, and the only one who touches the engine."""

    def __init__(
        self,
        engine: Engine,
        mailboxes: Mailboxes,
        *,
        metrics: Metrics,
        faults: FaultLog,
        pulse: Pulse,
        most_at_once: int = 32,
    ) -> None:
        self.pulse = pulse
        self._engine, self._mailboxes = engine, mailboxes
        self._metrics, self._faults = metrics, faults
        self._pace = Pace(most_at_once)
        self._lock = Lock()  # the engine, and the table of clients
        self._clients: dict[CameraId, _Client] = {}
        self._n_faults = 0  # in a row
        self._failing_since_s = self._failed_for_s = 0.0

    def add(self, board: Board, camera: CameraConfig) -> None:
        """Answer a camera's questions from now on; what the model does not know is told."""
        asked = camera.questions
        with self._lock:
            questions = self._engine.prepare(
                [q.ask for q in asked], [camera.zones[q.zone] if q.zone else None for q in asked]
            )
            judged = [self._metrics.judgements.labels(camera.id, q.id) for q in asked]
            self._clients[camera.id] = _Client(board, questions, judged)
        for n in np.flatnonzero(~questions.supported):
            log.warning(
                "camera %s: '%s' stays UNKNOWN, this bundle cannot answer it: %s",
                camera.id,
                asked[n].ask,
                questions.remarks[n],
            )

    def remove(self, camera: CameraId) -> None:
        """Forget a camera."""
        with self._lock:
            self._clients.pop(camera, None)

    def ask(self, camera: CameraId, text: str, zone: Polygon | None) -> OneAnswer | None:
        """Return the answer to a question about the last frame that was looked at; None: no frame.

        Runs in the caller's thread, between two batches, and disturbs no standing question.
        Raises EngineRunError.
        """
        with self._lock:
            client = self._clients.get(camera)
            if client is None or (seen := client.seen) is None:
                return None
            if seen.tokens is None and seen.picture is not None:
                seen.tokens = self._engine.look(seen.picture)
            if seen.tokens is None:
                return None
            questions = self._engine.prepare([text], [zone])
            p_yes = float(self._engine.answer(seen.tokens, questions).p_yes[0, 0])
            return OneAnswer(p_yes, seen.is_blind, seen.mono_s, seen.captured_at)

    def is_broken(self) -> bool:
        """Whether nothing was answered for long: what breaks a GPU stays until the process ends."""
        if self._n_faults < _MOST_FAULTS or self._failed_for_s < _MOST_FAILING_S:
            return False
        log.error(
            "inference: has failed for %.0f s, the daemon ends"
            " -- a new start is all that is left to try",
            self._failed_for_s,
        )
        return True

    def close(self) -> None:
        """Close the engine, when run() has ended; who asks afterwards gets None.

        Left open where a question that is asked once hangs in it.
        """
        if not self._lock.acquire(timeout=_LAST_ANSWER_S):
            log.warning("inference: a question hangs, the engine is left open")
            return
        try:
            self._clients.clear()
            self._engine.close()
        finally:
            self._lock.release()

    def run(self) -> None:
        """Answer until the mailboxes are closed and empty."""
        while frames := self._mailboxes.take(self._pace.fitting()):
            self.pulse.expect(_PATIENCE_S)
            begun_s = time.monotonic()
            try:
                self._turn(frames)
            except EngineRunError as fault:
                self._fault(frames, fault)
            finally:
                self._mailboxes.done(frames)
            self._pace.learn((time.monotonic() - begun_s) / len(frames))
            self.pulse.rest()

    def _turn(self, frames: list[Frame]) -> None:
        width, height = self._engine.input_size
        with self._metrics.stage("prepare"):
            seen = [frame.picture.resized(width, height) for frame in frames]
            pictures = np.stack(seen)
            for frame, picture in zip(frames, seen):  # kept, and none keeps the whole batch
                self._look(frame, picture)
        asked = [n for n, frame in enumerate(frames) if not self._is_put_by(frame, seen[n])]
        if asked:
            self._answer([frames[n] for n in asked], pictures[asked])

    def _is_put_by(self, frame: Frame, picture: NDArray[np.uint8]) -> bool:
        """Keep the picture, uint8 (H, W, 3), of a camera whose every question is paused."""
        with self._lock:
            client = self._clients.get(frame.camera)
            if client is None or not client.board.is_paused:
                return False
            is_blind = client.board.sees_nothing  # on this frame: nobody looks meanwhile
            client.seen = _Seen(frame.mono_s, frame.captured_at, is_blind, picture=picture[None])
            return True

    def _answer(self, frames: list[Frame], pictures: NDArray[np.uint8]) -> None:
        with self._lock:
            with self._metrics.stage("infer"):
                tokens = self._pace.look(self._engine, pictures)
                answered = [
                    (frame, client, self._engine.answer(tokens[n : n + 1], client.questions))
                    for n, frame in enumerate(frames)
                    if (client := self._clients.get(frame.camera)) is not None
                ]
            for n, frame in enumerate(frames):
                if (client := self._clients.get(frame.camera)) is not None:
                    is_blind = client.board.sees_nothing
                    client.seen = _Seen(
                        frame.mono_s, frame.captured_at, is_blind, tokens[n : n + 1].copy()
                    )
            self._tell_drift(frames, tokens)
        self._metrics.batch_size.observe(len(frames))
        with self._metrics.stage("decide"):
            for frame, client, answers in answered:
                told = client.board.judged(frame, answers.p_yes[0], answers.evidence[0])
                for counter in compress(client.judged, told):
                    counter.inc()
        self._n_faults, self._failed_for_s = 0, 0.0
        self._faults.over("inference", "answers again")

    def _tell_drift(self, frames: list[Frame], tokens: NDArray[np.float32]) -> None:
        if self._engine.drift is None:
            return
        for frame, drift in zip(frames, self._engine.drift.of(tokens).tolist()):
            if frame.camera in self._clients:
                self._metrics.drift.labels(frame.camera).set(drift)

    def _look(self, frame: Frame, picture: NDArray[np.uint8]) -> None:
        """Watch over a camera's sight, and tell when it is lost and when it is back."""
        client = self._clients.get(frame.camera)
        if client is None:
            return
        before, part = client.board.blindness, f"sight of {frame.camera}"
        found = client.board.look(frame, picture)
        if found is None:
            self._faults.over(part, "is back")
        if found is None or found is before:
            return
        self._metrics.blinded.labels(frame.camera, found.value).inc()
        hint = "look at the camera; blind_after and frozen_after say when this is told"
        self._faults.tell(part, SourceError(found.explained, where=part, hint=hint))

    def _fault(self, frames: list[Frame], fault: EngineRunError) -> None:
        now_s = time.monotonic()
        if not self._n_faults:
            self._failing_since_s = now_s
        self._n_faults += 1
        self._failed_for_s = now_s - self._failing_since_s
        self._metrics.faults.labels("engine").inc()
        self._faults.tell("inference", fault)
        for frame in frames:
            client = self._clients.get(frame.camera)
            if client is not None:
                client.board.lose(Reason.ENGINE_FAULT)
