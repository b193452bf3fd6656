"""The daemon: starts the parts, watches them, reloads, and ends in order."""

from __future__ import annotations

import logging
import math
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Final

from edge_daemon.config.diff import compare
from edge_daemon.config.fingerprint import fingerprint
from edge_daemon.engine.open import open_engine
from edge_daemon.errors import (
    BrokerUnavailableError,
    ConfigError,
    EdgeError,
    EngineError,
    PublishError,
    RecordingError,
)
from edge_daemon.logs import FaultLog
from edge_daemon.metrics import Metrics
from edge_daemon.pipeline.board import Board, Listener, Origin
from edge_daemon.pipeline.camera import Camera
from edge_daemon.pipeline.inference import Inference
from edge_daemon.pipeline.mailbox import Mailboxes
from edge_daemon.pipeline.witness import Witness
from edge_daemon.publish.payloads import refusal_json
from edge_daemon.recording.ages import Ages
from edge_daemon.recording.retention import Archive
from edge_daemon.service.asking import answer_once
from edge_daemon.service.clock import clock_synced
from edge_daemon.service.commands import Command, Commands
from edge_daemon.service.delivery import Delivery
from edge_daemon.service.health import Readiness, Vitals, readiness
from edge_daemon.service.memory import SpareMemory
from edge_daemon.service.notify import Notifier
from edge_daemon.service.parts import Parts
from edge_daemon.service.plan import check_files
from edge_daemon.service.recorders import Recorders
from edge_daemon.service.rereading import read_again
from edge_daemon.service.supervisor import Supervisor, n_left_behind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from edge_daemon.config.diff import Changes
    from edge_daemon.config.models import CameraConfig, Settings
    from edge_daemon.publish.commands import AskRequest
    from edge_daemon.service.deadline import Deadline

log = logging.getLogger(__name__)

_TICK_S: Final = 0.25
_START_S: Final = 90.0  # TimeoutStartSec of systemd/edge-daemon.service
_CAMERA_STOP_S: Final = 1.8  # a source notices within 1 s
_WORK_STOP_S: Final = 1.0
_WITNESS_STOP_S: Final = 0.6  # then what it has begun
_MOST_LEFT_BEHIND: Final = 5  # threads of one camera
_PATIENCE_S: Final = 5.0  # a broker may be slow to greet; after that the wait is told


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended: the exit code, or the settings to start again with and those until now."""

    code: int
    restart: Settings | None = None
    before: Settings | None = None


class Daemon:
    """One life of the daemon, from its settings to its end.  Run it once.

    adapt is called at a reload with the new settings and fits what is beside the daemon to them:
    its log, its HTTP server.  It returns the names of what changed, and raises EdgeError.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        where: str,
        reread: Callable[[], Settings],
        commands: Commands | None = None,
        listeners: Sequence[Listener] = (),
        parts: Parts | None = None,
        adapt: Callable[[Settings], Sequence[str]] = lambda _: (),
    ) -> None:
        check_files(settings, where=where)
        self.settings, self.metrics = settings, Metrics()
        self._reread, self._more_listeners = reread, tuple(listeners)
        self._adapt = adapt
        self._parts = parts or Parts()
        self._commands = commands or Commands()
        self._notifier, self._faults = Notifier(), FaultLog(log)
        self._supervisor = Supervisor()
        self._mailboxes = Mailboxes(on_drop=self._count_drop)
        self._cameras: dict[str, Camera] = {}
        self._changing = Lock()  # while cameras are put in and out
        self._dropped: Counter[str] = Counter()
        self._engine = self._parts.engine or open_engine(
            settings.engine, plans=settings.data_dir / "plans", without_plan="build"
        )
        self._model = self._engine.info
        self.metrics.engine(self._model)
        self._delivery = Delivery(
            settings,
            metrics=self.metrics,
            faults=self._faults,
            supervisor=self._supervisor,
            on_set=self._pause,
            on_ask=self._ask,
        )
        self._vitals, self._spare_memory = Vitals(), SpareMemory()
        self._waits_since_s: float | None = None  # for the broker, with nothing else left to do
        self._archive = Archive(settings.data_dir / "recordings", ages=Ages(clock_synced))
        self.metrics.recording_bytes.set_function(self._recorded_bytes)
        self._fingerprint = fingerprint(settings)
        self._recorders = Recorders(
            self._archive, self._supervisor, metrics=self.metrics, faults=self._faults
        )
        self._witness = Witness(
            self._archive,
            configuration_sha256=lambda: self._fingerprint,
            on_snapshot=self._delivery.on_snapshot,
            metrics=self.metrics,
            faults=self._faults,
        )
        self._inference = Inference(
            self._engine,
            self._mailboxes,
            metrics=self.metrics,
            faults=self._faults,
            pulse=self._supervisor.pulse("inference"),
        )

    def request(self, command: Command) -> None:
        """Ask for something; safe from signal handlers and any thread."""
        self._commands.put(command)

    def hanging(self) -> list[str]:
        """Return the parts that hang."""
        return self._supervisor.hanging()

    def guarded(self, name: str, body: Callable[[], None]) -> Callable[[], None]:
        """Return the body of a thread beside ours: what it raises is a bug, and ends the daemon."""
        return self._supervisor.guarded(name, body)

    def readiness(self) -> Readiness:
        """Return whether every camera was answered lately."""
        return readiness([c.id for c in self.settings.cameras], dict(self._cameras))

    def run(self) -> Ending:
        """Work until asked to stop, or until every source has ended."""
        try:
            with self._changing:
                self._delivery.start(self.settings.cameras)
                self._supervisor.start("witness", self._witness.run)
                self._supervisor.start("inference", self._inference.run)
                for camera in self.settings.cameras:
                    self._add(camera)
            status = f"STATUS={len(self._cameras)} cameras"
            self._notifier.send("READY=1", status, *self._notifier.watched())
            ending = self._watch()
            # To systemd a new start is a reload that takes longer.
            is_over = ending.restart is None
            self._notifier.send(*(["STOPPING=1"] if is_over else self._notifier.watched(_START_S)))
            return ending
        finally:
            self._end()

    def _watch(self) -> Ending:
        while True:
            command = self._commands.next(_TICK_S)
            if self._supervisor.has_bug or self._inference.is_broken():
                return Ending(70)
            if command is Command.STOP:
                return Ending(0)
            before = self.settings
            if command is Command.RELOAD and (restart := self._reload()) is not None:
                return Ending(0, restart, before)
            self._follow_engine()
            for camera in list(self._cameras.values()):
                camera.board.expire()
                if not self._keeps_going(camera):
                    return Ending(70)
            self._tell_health()
            self._delivery.tick()
            self._spare_memory.tick()
            if not self._supervisor.hanging():
                self._notifier.send("WATCHDOG=1")
            if self._finished() and (code := self._last_words()) is not None:
                return Ending(code)

    def _tell_health(self) -> None:
        for name, health in self._vitals.due(self._cameras.values(), self._dropped):
            self._delivery.on_health(name, health)

    def _follow_engine(self) -> None:
        """Say who answers, where that changed: a plan is ready, or a GPU was given up."""
        if self._engine.info == self._model:
            return
        self._model = self._engine.info
        self.metrics.engine(self._model)
        for camera in self._cameras.values():
            camera.board.answered_by(self._model)

    def _keeps_going(self, camera: Camera) -> bool:
        """Replace a camera's thread that hangs; False when too many of them were left behind."""
        name = f"camera {camera.settings.id}"
        if camera.hangs():
            camera.renew(self._supervisor.pulse(name))
            self._supervisor.start(name, camera.run)
        if (n := n_left_behind(camera.settings.id)) < _MOST_LEFT_BEHIND:
            return True
        log.error("%s: %d of its threads hang in native code, the daemon ends"
                  " -- a new start is all that is left to try", name, n)  # fmt: skip
        return False

    def _last_words(self) -> int | None:
        """Return the exit code once the broker has every event; None: it is still to come."""
        if self._witness.is_busy or self._recorders.are_busy:
            return None
        waiting = self._delivery.waiting()
        if waiting and not self._delivery.refused:
            self._waits_since_s = self._waits_since_s or time.monotonic()
            if time.monotonic() - self._waits_since_s < _PATIENCE_S:
                return None
            hint = "it is waited for; SIGTERM ends now, and they are sent at the next start"
            self._faults.tell(
                "delivery",
                BrokerUnavailableError(f"{waiting} events to deliver", where="mqtt", hint=hint),
            )
            return None
        failed = any(camera.failed for camera in self._cameras.values())
        return 69 if failed or waiting else 0

    def _finished(self) -> bool:
        """Whether there are only files, and all were read to their end."""
        return all(camera.finite and camera.finished for camera in self._cameras.values())

    def _reload(self) -> Settings | None:
        """Take over the changed file; return the settings if that needs a new start."""
        if "inference" in self._supervisor.hanging():  # it would be waited for
            log.error("reload: inference hangs; the running configuration is kept")
            return None
        self._notifier.send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            new = read_again(self._reread)
            changes = compare(self.settings, new)
            if changes.shared:
                log.info("reload: %s changed, starting again", ", ".join(changes.shared))
                return new
            beside = self._adapt(new)
            self._take_over(new, changes)
            log.info("reload: %s", changes.summary(beside))
        except EngineError as exc:
            log.error("reload: %s; starting again", exc)
            return new
        except EdgeError as exc:
            for fault in exc.faults if isinstance(exc, ConfigError) else (exc,):
                log.error("reload: %s", fault)
            log.error("reload: the running configuration is kept")
        self._notifier.send("READY=1")
        return None

    def _take_over(self, new: Settings, changes: Changes) -> None:
        """Put cameras out and in.  Raises EngineRunError."""
        self.settings, self._fingerprint = new, fingerprint(new)
        with self._changing:
            self._remove([*changes.removed, *(camera.id for camera in changes.changed)])
            self._delivery.announce(new.cameras)
            for camera in (*changes.changed, *changes.added):
                self._add(camera)

    def _add(self, settings: CameraConfig) -> None:
        origin = Origin(self.settings.device.id, self._model, clock_synced)
        listeners = (self._delivery, *self._more_listeners)
        taps = self._recorders.tap(settings)
        witness = self._witness.of(settings, self._recorders.start_clips(settings, taps))
        board = Board(
            settings,
            origin,
            listeners,
            lambda q: self._delivery.last_said(settings.id, q),
            witness,
            wait_for_room=self._delivery.wait_for_room,
        )
        try:
            self._inference.add(board, settings)
        except EngineError:
            board.end()  # whoever was to write its clips waits for that
            raise
        limit_s = min(q.unknown_after for q in settings.questions)
        self._mailboxes.open(settings.id, limit_s)
        self.metrics.begin(settings.id, [q.id for q in settings.questions])
        for q in settings.questions:
            self.metrics.watch_age(settings.id, q.id, partial(board.age_s, q.id))
        recorder = self._recorders.start(settings, board, taps)
        if recorder is not None:
            board.tell_scribe(recorder)
        board.begin()
        camera = Camera(
            settings,
            open_source=self._parts.open_source,
            retry=self._parts.retry(),
            mailboxes=self._mailboxes,
            board=board,
            recorder=recorder,
            packets=taps.split,
            metrics=self.metrics,
            faults=self._faults,
            pulse=self._supervisor.pulse(f"camera {settings.id}"),
            patience_s=self._parts.patience_s,
        )
        self._cameras[settings.id] = camera
        self._supervisor.start(f"camera {settings.id}", camera.run)

    def _remove(self, names: Sequence[str]) -> None:
        """End cameras."""
        cameras = [self._cameras.pop(name) for name in names]
        deadline = self._commands.deadline()
        hanging = self._stop(cameras, deadline)
        for name in names:
            self._mailboxes.shut(name)
            self._inference.remove(name)
        for left in hanging:  # no answer comes any more
            left.leave()
        for camera in cameras:
            camera.board.retire()
        self._recorders.join(names, deadline.share_s(_WORK_STOP_S))
        for camera in cameras:
            self.metrics.forget(camera.settings.id, [q.id for q in camera.settings.questions])
            self._delivery.forget(camera.settings)
            self._vitals.forget(camera.settings.id)

    def _end(self) -> None:
        deadline = self._commands.deadline()
        hanging = self._stop(self._cameras.values(), deadline)
        self._mailboxes.close()
        if self._supervisor.join("inference", deadline.share_s(_WORK_STOP_S)):
            try:
                self._inference.close()
            except EngineError as fault:  # a GPU that is gone: the rest is said all the same
                log.warning("%s", fault)
        for camera in hanging:  # no answer comes any more
            camera.leave()
        self._witness.close(deadline.share_s(_WITNESS_STOP_S))
        self._recorders.join(self._cameras, deadline.share_s(_WORK_STOP_S))
        self._supervisor.join("witness", deadline.share_s(_WORK_STOP_S))
        self._tell_health()
        self._delivery.end(deadline)

    def _stop(self, cameras: Iterable[Camera], deadline: Deadline) -> list[Camera]:
        """End the threads of cameras; return those that hang."""
        by_thread = {f"camera {camera.settings.id}": camera for camera in cameras}
        for camera in by_thread.values():
            camera.stop()
        left = self._supervisor.join_all(by_thread, deadline.share_s(_CAMERA_STOP_S))
        return [by_thread[name] for name in left]

    def _pause(self, camera: str, question: str, enabled: bool) -> None:  # noqa: FBT001  callback
        """Take a command of the publisher.  Raises PublishError where its question has gone."""
        with self._changing:
            running = self._cameras.get(camera)
            if running is None or question not in running.board.states():
                what = f"a command for {camera}/{question}, which a reload removed"
                raise PublishError(what, where="mqtt", hint="use one that there is")
            running.board.pause(question, paused=not enabled)
            self._delivery.on_paused(camera, question, paused=not enabled)

    def _ask(self, request: AskRequest) -> bytes:
        """Answer a question about a camera's last frame, once.  Raises EdgeError."""
        camera = self._cameras.get(request.camera)
        if camera is None:
            hint = "ask again in a few seconds"
            return refusal_json(error="the camera is being started", where="mqtt", hint=hint)
        return answer_once(request, camera, self._inference, self.settings.defaults.as_question())

    def _recorded_bytes(self) -> float:
        """Return what all recordings take; NaN while the disk cannot be looked at."""
        try:
            return float(sum(self._archive.size_bytes(name) for name in list(self._cameras)))
        except RecordingError:
            return math.nan

    def _count_drop(self, camera: str) -> None:
        self._dropped[camera] += 1
        self.metrics.frames.labels(camera, "dropped").inc()
