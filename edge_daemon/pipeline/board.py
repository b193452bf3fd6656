"""The standing questions of one camera: answers in, verdicts and events out."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from uuid6 import uuid7

from edge_daemon.pipeline.standing import Judged, Standing, resumed
from edge_daemon.types import Event, QuestionState, Reason, SourceKind
from edge_daemon.verdicts.sight import Sight

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edge_daemon.config.models import CameraConfig
    from edge_daemon.publish.said import Said
    from edge_daemon.types import CameraId, EngineInfo, Frame, QuestionId
    from edge_daemon.verdicts.hysteresis import Change
    from edge_daemon.verdicts.sight import Blindness


class Listener(Protocol):
    """Somebody who wants to know.  Called in order, one call at a time per camera."""

    def on_said(
        self,
        camera: CameraId,
        question: QuestionId,
        state: QuestionState,
        events: Sequence[Event],
    ) -> None:
        """What is said of a question now, and the changes of verdict that led there, if any."""
        ...

    def on_camera(self, camera: CameraId, *, up: bool) -> None:
        """Frames began to arrive, or ceased to."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What an answer was given about.

    picture is the engine's input, uint8 RGB (H, W, 3); evidence is float32 (rows, columns).
    """

    frame: Frame
    picture: NDArray[np.uint8] = field(repr=False)
    p_yes: float
    evidence: NDArray[np.float32] = field(repr=False)


class Witness(Protocol):
    """Who keeps what an event was about."""

    def attest(self, event: Event, seen: Seen | None, at_s: float) -> Event:
        """Return the event with the names of the files that will tell of it.  Never waits.

        seen: None where no picture is behind the event.  at_s is its time by the board's clock.
        """
        ...

    def end(self) -> None:
        """Be told that no frame comes any more."""
        ...

    def wait_for_room(self) -> None:
        """Wait until the files of more events can be taken on."""
        ...


class Scribe(Protocol):
    """Who writes down every judgement."""

    def note(self, frame: Frame | None, states: Mapping[QuestionId, QuestionState]) -> None:
        """Take over what is said from a frame on; None: from now on.  Never waits."""
        ...


@dataclass(frozen=True, slots=True)
class Origin:
    """What every event of a daemon says of where it comes from."""

    device: str
    model: EngineInfo
    clock_synced: Callable[[], bool]


class Board:
    """Takes answers to one camera's questions and tells the listeners what they change.

    Times are stream time for files, so that a run is repeatable, and monotonic time else.
    Safe to use from several threads.
    """

    def __init__(
        self,
        camera: CameraConfig,
        origin: Origin,
        listeners: Sequence[Listener],
        past: Callable[[QuestionId], Said | None] = lambda _: None,
        witness: Witness | None = None,
        *,
        wait_for_room: Callable[[], None] = lambda: None,
    ) -> None:
        self.camera = camera.id
        self._witness, self._wait_for_room = witness, wait_for_room
        self._scribe: Scribe | None = None
        self._picture: NDArray[np.uint8] | None = None  # that the engine saw last
        self._live = camera.source.live
        self._sight = _sight_of(camera)
        self._origin, self._listeners, self._lock = origin, listeners, Lock()
        self._stream_s = self._offset_s = 0.0
        self._is_retired = False
        self._standing = {q.id: resumed(q, past(q.id)) for q in camera.questions}

    def tell_scribe(self, scribe: Scribe) -> None:
        """Tell of every judgement from now on."""
        self._scribe = scribe

    def begin(self) -> None:
        """Say UNKNOWN of every question, whatever an earlier life said of it."""
        with self._lock:
            for standing in self._standing.values():
                reason = Reason.PAUSED if standing.paused else Reason.STARTING
                self._tell(standing, standing.machine.lose(reason, self._now_s()))
                standing.is_resumed = False
        for listener in self._listeners:
            listener.on_camera(self.camera, up=False)

    def connected(self) -> None:
        """Stream time of a new connection goes on where the last one ended, and so does sight."""
        with self._lock:
            self._offset_s = self._stream_s
            self._sight.resume(self._now_s())

    def tell_camera(self, *, up: bool) -> None:
        """Tell that frames began to arrive, or ceased to: then nothing is known any more."""
        if not up:
            self.lose(Reason.CAMERA_OFFLINE)
        for listener in self._listeners:
            listener.on_camera(self.camera, up=up)

    def look(self, frame: Frame, picture: NDArray[np.uint8]) -> Blindness | None:
        """Look at a frame's picture, uint8 RGB (H, W, 3): does the camera still see?

        Returns what is the matter.  While something is, judged() says UNKNOWN(camera_blind); an
        answer about a picture that shows nothing is never believed.
        """
        with self._lock:
            self._picture = picture
            return self._sight.look(picture, self._time_of(frame))

    def answered_by(self, model: EngineInfo) -> None:
        """Let events from now on say that this model answered."""
        with self._lock:
            self._origin = replace(self._origin, model=model)

    def catch_up(self) -> None:
        """Wait for earlier events and their files, if they are many: a file loses nothing."""
        self._wait_for_room()
        if self._witness is not None:
            self._witness.wait_for_room()

    def end(self) -> None:
        """Tell that no frame comes any more."""
        if self._witness is not None:
            self._witness.end()

    def retire(self) -> None:
        """Say nothing more: another board goes on where this one was."""
        with self._lock:
            self._is_retired = True

    @property
    def blindness(self) -> Blindness | None:
        """Why the camera sees nothing, though frames arrive; None: it sees."""
        return self._sight.blindness

    @property
    def sees_nothing(self) -> bool:
        """Whether no answer about the last picture is to be believed."""
        return self.blindness is not None or self._sight.is_empty

    def judged(
        self, frame: Frame, p_yes: NDArray[np.float32], evidence: NDArray[np.float32]
    ) -> list[bool]:
        """Take the answers of one frame, in the order of the questions; return which there are.

        p_yes is float32 (Q,), NaN where unsupported; evidence float32 (Q, rows, columns).  There is
        none of a question that is paused or unsupported.
        """
        answered = []
        with self._lock:
            at_s, judged = self._time_of(frame), Judged.of(frame)
            for standing, p, seen_at in zip(self._standing.values(), p_yes.tolist(), evidence):
                answered.append(not (standing.paused or math.isnan(p)))
                if standing.paused:
                    continue
                seen = None
                if self._is_late(frame, standing):
                    changes = standing.machine.expire(time.monotonic())
                elif math.isnan(p):
                    changes = standing.machine.lose(Reason.UNSUPPORTED, at_s)
                else:
                    standing.frame, standing.evidence = judged, seen_at
                    changes = self._judge(standing, p, frame.mono_s, at_s)
                    if self._picture is not None:
                        seen = Seen(frame, self._picture, p, seen_at)
                self._tell(standing, changes, seen)
            self._note(frame)
        return answered

    def lose(self, reason: Reason) -> None:
        """Say UNKNOWN for every question that is not paused, at once."""
        with self._lock:
            for standing in self._standing.values():
                if not standing.paused:
                    self._tell(standing, standing.machine.lose(reason, self._now_s()))
            self._note(None)

    def expire(self) -> None:
        """Say UNKNOWN where the last answer of a live source became too old.

        Those of a file expire by the stream time of the next answer, so that a run is repeatable.
        """
        if not self._live:
            return
        with self._lock:
            for standing in self._standing.values():
                if changes := standing.machine.expire(time.monotonic()):
                    self._tell(standing, changes)
                    self._note(None)

    def pause(self, question: QuestionId, *, paused: bool) -> None:
        """Stop or go on asking a question.  Raises KeyError for one that is not here."""
        with self._lock:
            standing = self._standing[question]
            if standing.paused == paused:
                return
            standing.paused = paused
            reason = Reason.PAUSED if paused else Reason.STARTING
            self._tell(standing, standing.machine.lose(reason, self._now_s()))
            self._note(None)

    def states(self) -> Mapping[QuestionId, QuestionState]:
        """Return what is said now."""
        with self._lock:
            return self._states()

    def evidence(self, question: QuestionId) -> NDArray[np.float32] | None:
        """Return where its last answer came from, float32 (rows, columns); None before it."""
        return self._standing[question].evidence

    def age_s(self, question: QuestionId) -> float:
        """Seconds since the frame of the last answer was decoded; NaN before the first."""
        judged_s = self._standing[question].judged_mono_s
        return math.nan if judged_s is None else time.monotonic() - judged_s

    @property
    def is_paused(self) -> bool:
        """Whether every question is."""
        with self._lock:
            return all(standing.paused for standing in self._standing.values())

    def overdue(self) -> Sequence[QuestionId]:
        """Return the questions without an answer in the last unknown_after.

        Not those that are paused, nor those that the model cannot answer.
        """
        with self._lock:
            return [
                name
                for name, standing in self._standing.items()
                if not standing.paused
                and standing.machine.reason is not Reason.UNSUPPORTED
                and not self.age_s(name) <= standing.settings.unknown_after  # NaN is overdue
            ]

    def _states(self) -> Mapping[QuestionId, QuestionState]:
        return {name: standing.state() for name, standing in self._standing.items()}

    def _note(self, frame: Frame | None) -> None:
        if self._scribe is not None:
            self._scribe.note(frame, self._states())

    def _judge(
        self, standing: Standing, p_yes: float, mono_s: float, at_s: float
    ) -> tuple[Change, ...]:
        if self.blindness is not None:
            return standing.machine.lose(Reason.CAMERA_BLIND, at_s)
        if self._sight.is_empty:
            return standing.machine.expire(at_s)
        standing.judged_mono_s = mono_s
        return standing.machine.judge(p_yes, at_s)

    def _is_late(self, frame: Frame, standing: Standing) -> bool:
        """Whether an answer comes when it is too old already: it was long in the making."""
        return self._live and time.monotonic() - frame.mono_s > standing.settings.unknown_after

    def _time_of(self, frame: Frame) -> float:
        if self._live:
            return frame.mono_s
        self._stream_s = max(self._stream_s, self._offset_s + frame.pts_s)
        return self._stream_s

    def _now_s(self) -> float:
        return time.monotonic() if self._live else self._stream_s

    def _tell(
        self, standing: Standing, changes: Sequence[Change], seen: Seen | None = None
    ) -> None:
        if self._is_retired:
            return
        events = []
        for change in changes:
            event = self._event(standing, change)
            if self._witness is not None:
                is_behind = change.reason in (None, Reason.CAMERA_BLIND)
                event = self._witness.attest(event, seen if is_behind else None, change.at_s)
            standing.event_id, standing.since = event.id, event.decided_at
            events.append(event)
        state = standing.state()
        for listener in self._listeners:
            listener.on_said(self.camera, standing.settings.id, state, events)

    def _event(self, standing: Standing, change: Change) -> Event:
        settings, frame, event_id = standing.settings, standing.frame, str(uuid7())
        now, duration_s = _now(), change.duration_s
        if standing.is_resumed:  # begun in an earlier life, of another clock
            duration_s = max(0.0, (now - standing.since).total_seconds())
        place = standing.episodes.add(event_id, change.verdict)
        return Event(
            id=event_id,
            episode=place.episode,
            seq=place.seq,
            device=self._origin.device,
            camera=self.camera,
            question=settings.id,
            ask=settings.ask,
            verdict=change.verdict,
            previous=change.previous,
            reason=change.reason,
            p_yes=change.p_yes,
            yes_above=settings.yes_above,
            no_below=settings.no_below,
            frame=frame.index if frame else None,
            pts_s=frame.pts_s if frame else None,
            captured_at=frame.captured_at if frame else None,
            decided_at=now,
            clock_synced=self._origin.clock_synced(),
            duration_s=round(duration_s, 3),
            model=self._origin.model,
        )


def _sight_of(camera: CameraConfig) -> Sight:
    """Return the watch over a camera's sight; what lies in files may well stand still."""
    return Sight(
        None if camera.source.kind is SourceKind.IMAGES else camera.blind_after,
        camera.frozen_after if camera.source.live else None,
    )


def _now() -> datetime:
    return datetime.now(timezone.utc)
