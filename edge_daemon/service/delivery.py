"""Brings what the boards tell to the metrics and to MQTT, and commands back."""

from __future__ import annotations

import logging
import math
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from edge_daemon.errors import (
    BrokerRefusedError,
    BrokerUnavailableError,
    ConfigError,
    EdgeError,
    PublishError,
)
from edge_daemon.publish.commit import GroupCommit
from edge_daemon.publish.mqtt import MqttPublisher
from edge_daemon.publish.outbox import Outbox
from edge_daemon.publish.payloads import refusal_json
from edge_daemon.publish.said import Said, said_by
from edge_daemon.publish.storage import EventsDroppedError
from edge_daemon.types import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge_daemon.config.models import CameraConfig, Settings
    from edge_daemon.logs import FaultLog
    from edge_daemon.metrics import Metrics
    from edge_daemon.publish.commands import AskRequest
    from edge_daemon.publish.delivery import Outcome
    from edge_daemon.publish.payloads import CameraHealth
    from edge_daemon.service.deadline import Deadline
    from edge_daemon.service.supervisor import Supervisor
    from edge_daemon.types import CameraId, Event, QuestionId, QuestionState

log = logging.getLogger(__name__)

_STATE_EVERY_S: Final = 5.0  # how often a state that only grew older is published again
_STEADY_S: Final = 3.0  # a disk that is full takes a write now and then; this long is well again
_DRAIN_S: Final = 1.5
_WRITE_S: Final = 1.0
_LAST_WRITE_S: Final = 3.0  # beyond the time of a stop, rather than lose events
_GLANCE_S: Final = 0.1
_FAREWELL_S: Final = 0.1  # for a thread that has said goodbye
_PATIENCE_S: Final = 120.0  # the publisher turns every second, and connects within 40; disks hang


class Delivery:
    """A listener of every board.  Without a broker it counts, and keeps what was said.

    What a board tells is let out when the events that came before are on disk.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        metrics: Metrics,
        faults: FaultLog,
        supervisor: Supervisor,
        on_set: Callable[[CameraId, QuestionId, bool], None],
        on_ask: Callable[[AskRequest], bytes],
    ) -> None:
        self.refused = False
        self._metrics, self._faults, self._supervisor = metrics, faults, supervisor
        self._on_set, self._on_ask = on_set, on_ask
        self._told: dict[tuple[CameraId, QuestionId], tuple[object, float]] = {}
        self._said: dict[tuple[CameraId, QuestionId], Said] = {}  # in this life, kept or not yet
        self._questions: set[tuple[CameraId, QuestionId]] = set()  # that there are now
        self._commanded: set[tuple[CameraId, QuestionId]] = set()  # in this life, ON or OFF
        self._disk_fault_s = -math.inf
        self._mqtt: MqttPublisher | None = None
        with suppress(OSError):  # the outbox tells it better
            settings.data_dir.mkdir(parents=True, exist_ok=True)
        self._outbox = Outbox(
            settings.data_dir,
            settings.mqtt.outbox if settings.mqtt else None,
            on_fault=self._outbox_fault,
            on_dropped=lambda n: metrics.publish.labels("dropped").inc(n),
        )
        self._n_openings = self._outbox.n_openings
        self._commit = GroupCommit(self._write, self._give_up)
        if settings.mqtt is None:
            return
        self._mqtt = MqttPublisher(
            settings.mqtt,
            settings.device,
            self._outbox,
            on_fault=self._mqtt_fault,
            on_published=self._published,
            on_set=on_set,
            on_ask=self._answer,
        )

    def start(self, cameras: Sequence[CameraConfig]) -> None:
        """Begin to write; connect, and keep trying."""
        self._announce(cameras)
        self._writes = self._supervisor.pulse("outbox")
        self._supervisor.start("outbox", self._commit.run)
        if self._mqtt is not None:
            self._pulse = self._supervisor.pulse("mqtt")
            self._supervisor.start("mqtt", self._mqtt.run)

    def announce(self, cameras: Sequence[CameraConfig]) -> None:
        """Tell which cameras there are now; what was retained of others is emptied.

        After all that came before: nothing of the others is told any more then.
        """
        self._commit.then("cameras", partial(self._announce, cameras))

    def _announce(self, cameras: Sequence[CameraConfig]) -> None:
        if self._mqtt is None:
            return
        self._questions = {(camera.id, q.id) for camera in cameras for q in camera.questions}
        self._mqtt.announce(cameras)
        for camera in cameras:
            for question in camera.questions:
                said = self.last_said(camera.id, question.id)
                enabled = said is None or said.reason is not Reason.PAUSED
                self._mqtt.publish_enabled(camera.id, question.id, enabled=enabled)

    def last_said(self, camera: CameraId, question: QuestionId) -> Said | None:
        """Return what was said last of a question, before a restart too."""
        kept, said = self._outbox.last_said(camera, question), self._said.get((camera, question))
        return kept if said is None else said.after(kept)

    def wait_for_room(self) -> None:
        """Wait for a disk that is far behind: for a file, which loses nothing."""
        self._commit.wait_for_room()

    def on_snapshot(self, event: Event, jpeg: bytes) -> None:
        """Publish the picture behind an event, unless its question was removed meanwhile."""
        if self._mqtt is not None:
            about = "snapshot", event.camera, event.question
            self._commit.then(about, partial(self._publish_snapshot, self._mqtt, event, jpeg))

    def on_said(
        self,
        camera: CameraId,
        question: QuestionId,
        state: QuestionState,
        events: Sequence[Event],
    ) -> None:
        """Have events put into the outbox, and what they say published then, before them."""
        with self._commit.together():
            for event in events:
                self._said[camera, question] = said_by(event)
                self._commit.keep(event)
                self._metrics.events.labels(camera, question, event.verdict.value).inc()
            self._show(camera, question, state)

    def _show(self, camera: CameraId, question: QuestionId, state: QuestionState) -> None:
        """Show a state; publish it when it says something new, else now and then."""
        self._metrics.said(camera, question, state.verdict)
        if state.p_yes is not None:
            self._metrics.p_yes.labels(camera, question).set(state.p_yes)
        says, now_s = (state.verdict, state.reason, state.event_id), time.monotonic()
        said, at_s = self._told.get((camera, question), (None, 0.0))
        if self._mqtt is not None and (says != said or now_s - at_s >= _STATE_EVERY_S):
            self._told[camera, question] = (says, now_s)
            publish = partial(self._mqtt.publish_state, camera, question, state)
            self._commit.then(("state", camera, question), publish)

    def on_camera(self, camera: CameraId, *, up: bool) -> None:
        """Publish whether frames arrive."""
        if self._mqtt is not None:
            publish = partial(self._mqtt.publish_camera_status, camera, online=up)
            self._commit.then(("camera", camera), publish)

    def on_health(self, camera: CameraId, health: CameraHealth) -> None:
        """Publish how a camera fares."""
        if self._mqtt is not None:
            publish = partial(self._mqtt.publish_health, camera, health)
            self._commit.then(("health", camera), publish)

    def on_paused(self, camera: CameraId, question: QuestionId, *, paused: bool) -> None:
        """Keep and publish whether a question is asked, after the event that says so."""
        self._commanded.add((camera, question))
        reason = Reason.PAUSED if paused else Reason.STARTING
        note = partial(self._note, camera, question, reason)
        with self._commit.together():  # an event may come meanwhile
            said = self.last_said(camera, question) or Said.nothing()
            self._said[camera, question] = replace(said, reason=reason)
            self._commit.then(("enabled", camera, question), note)

    def _note(self, camera: CameraId, question: QuestionId, reason: Reason) -> None:
        self._outbox.note(camera, question, reason)
        if self._mqtt is not None:
            enabled = reason is not Reason.PAUSED
            self._mqtt.publish_enabled(camera, question, enabled=enabled)

    def forget(self, camera: CameraConfig) -> None:
        """Publish the states of a camera that comes back whole."""
        for question in camera.questions:
            self._told.pop((camera.id, question.id), None)

    def tick(self) -> None:
        """Look at disk and publisher: do they turn, does the broker take what it gets?"""
        self._go_on_pausing()
        self._writes.expect(_PATIENCE_S - self._commit.busy_s)
        if self._mqtt is not None:
            self._pulse.expect(self._mqtt.last_turn_s + _PATIENCE_S - time.monotonic())
            if self._mqtt.connected:
                self.refused = False
                self._faults.over("mqtt", "connected")
        else:  # the publisher does it where there is one
            self._commit.then("tidy", self._outbox.tidy)
        if (seen := self._outbox.glance(_GLANCE_S)) is None:
            return
        if self._mqtt is not None:
            self._metrics.outbox_events.set(seen.n_events)
            self._metrics.outbox_oldest.set(seen.oldest_s)
        if seen.writes and time.monotonic() - self._disk_fault_s > _STEADY_S:
            self._faults.over("outbox", "writes again")

    def _go_on_pausing(self) -> None:
        """Pause what an earlier life had paused, where the disk came after the start."""
        if self._n_openings == self._outbox.n_openings:
            return
        self._n_openings = self._outbox.n_openings
        for camera, question in self._questions - self._commanded:
            said = self._outbox.last_said(camera, question)
            if said is not None and said.reason is Reason.PAUSED:
                with suppress(PublishError):  # a reload removed it
                    self._on_set(camera, question, False)  # noqa: FBT003  callback

    def waiting(self) -> int:
        """Return how many events the broker has not acknowledged; those being written twice."""
        return len(self._commit) + len(self._outbox) if self._mqtt is not None else 0

    def end(self, deadline: Deadline) -> None:
        """Write and deliver what can be by then, say offline, end."""
        is_written = self._commit.close(deadline.share_s(_WRITE_S))
        if self._mqtt is not None:
            if self._mqtt.connected and is_written:
                self._mqtt.drain(deadline.share_s(_DRAIN_S))
            self._mqtt.close(deadline.left_s)
            self._supervisor.join("mqtt", _FAREWELL_S)
        if self._commit.flush(_LAST_WRITE_S):
            self._supervisor.join("outbox", _FAREWELL_S)
            self._supervisor.start("outbox file", self._outbox.close)  # its disk may hang
            self._supervisor.join("outbox file", _LAST_WRITE_S)
        else:
            log.error(
                "outbox: %d events are lost: the disk takes nothing -- see what else uses it, or"
                " replace it", len(self._commit),
            )  # fmt: skip

    def _write(self, events: Sequence[Event], tell: Callable[[], None]) -> None:
        if not events:
            tell()
            return
        with self._metrics.stage("publish"):
            if self._mqtt is not None:
                self._mqtt.publish_events(events, tell)
            else:
                self._outbox.append(*events, kept=tell)

    def _give_up(self, n_events: int) -> None:
        self._metrics.publish.labels("dropped").inc(n_events)
        what, hint = "the oldest event was dropped", "see what else uses the disk, or replace it"
        fault = EventsDroppedError(f"{what}: the disk hangs", where="outbox", hint=hint)
        self._faults.tell("outbox drops", fault)

    def _publish_snapshot(self, mqtt: MqttPublisher, event: Event, jpeg: bytes) -> None:
        if (key := (event.camera, event.question)) in self._questions:
            mqtt.publish_snapshot(*key, jpeg)

    def _answer(self, request: AskRequest) -> None:
        assert self._mqtt is not None  # noqa: S101  only the publisher calls this
        try:
            answer = self._on_ask(request)
        except EdgeError as fault:
            answer = refusal_json(error=fault.what, where=fault.where, hint=fault.hint)
            self._mqtt.answer(request, answer)
            raise
        self._mqtt.answer(request, answer)

    def _published(self, outcome: Outcome) -> None:
        self._metrics.publish.labels(outcome).inc()

    def _mqtt_fault(self, fault: EdgeError) -> None:
        self.refused = isinstance(fault, BrokerRefusedError)
        self._metrics.faults.labels("mqtt").inc()
        of_connection = isinstance(fault, (BrokerUnavailableError, BrokerRefusedError, ConfigError))
        self._faults.tell("mqtt" if of_connection else "mqtt messages", fault)

    def _outbox_fault(self, fault: EdgeError) -> None:
        self._metrics.faults.labels("outbox").inc()
        if isinstance(fault, EventsDroppedError):
            self._faults.tell("outbox drops", fault)
            return
        self._disk_fault_s = time.monotonic()
        self._faults.tell("outbox", fault)
