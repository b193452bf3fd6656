"""Every metric, in one registry of its own.  Labels come from configured ids and enums only."""

from __future__ import annotations

import math
from contextlib import contextmanager, suppress
from time import perf_counter
from typing import TYPE_CHECKING, Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from edge_daemon.types import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edge_daemon.types import CameraId, EngineInfo, QuestionId

_VALUES: Final = {Verdict.YES: 1.0, Verdict.NO: 0.0, Verdict.UNKNOWN: math.nan}
_STAGES: Final = ("decode", "prepare", "infer", "decide", "draw", "encode", "publish")
_FRAME_OUTCOMES: Final = ("decoded", "sampled", "dropped", "corrupt")
_SECONDS: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)


class Metrics:
    """The daemon's metrics.  Names and labels as in the public contract."""

    def __init__(self) -> None:
        # a second series for each counter, which nobody reads
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry = CollectorRegistry()
        camera, question = ["camera"], ["camera", "question"]

        def counter(name: str, text: str, labels: list[str]) -> Counter:
            return Counter(name, text, labels, registry=registry)

        def gauge(name: str, text: str, labels: list[str]) -> Gauge:
            return Gauge(name, text, labels, registry=registry)

        self.frames = counter(
            "edge_frames", "Frames: decoded, sampled, dropped, corrupt.", [*camera, "outcome"]
        )
        self.judgements = counter("edge_judgements", "Answers.", question)
        self.verdict = gauge("edge_verdict", "1 YES, 0 NO, NaN UNKNOWN.", question)
        self.p_yes = gauge("edge_p_yes", "Last p_yes.", question)
        self.answer_age = gauge("edge_answer_age_seconds", "Age of the last answer.", question)
        stage = Histogram(
            "edge_stage_seconds", "Time a stage takes; encode includes draw.", ["stage"],
            registry=registry, buckets=_SECONDS,
        )  # fmt: skip
        self.batch_size = Histogram(
            "edge_inference_batch_size", "Pictures a turn.", registry=registry,
            buckets=(1, 2, 4, 8, 16, 32),
        )  # fmt: skip
        self.camera_up = gauge("edge_camera_up", "1 while frames arrive.", camera)
        self.reconnects = counter("edge_reconnects", "Connections after the first.", camera)
        self.stalls = counter("edge_stalls", "Connected, but silent.", camera)
        self.blinded = counter(
            "edge_blinded", "Frames arrive, but show nothing or never change.", [*camera, "why"]
        )
        self.drift = gauge(
            "edge_drift", "How unlike training's pictures the last one was; 1: one in a hundred.",
            camera,
        )  # fmt: skip
        self.events = counter("edge_events", "Changes of verdict.", [*question, "verdict"])
        self.outbox_events = Gauge(
            "edge_outbox_events", "Events not yet acknowledged.", registry=registry
        )
        self.outbox_oldest = Gauge(
            "edge_outbox_oldest_seconds", "Age of the oldest of them.", registry=registry
        )
        self.publish = counter("edge_publish", "Publications.", ["outcome"])
        for outcome in ("acknowledged", "refused", "interrupted", "dropped"):
            self.publish.labels(outcome)
        self.recording_bytes = Gauge(
            "edge_recording_bytes", "Recordings on disk.", registry=registry
        )
        self.recording_dropped = counter(
            "edge_recording_dropped", "Frames that could not be recorded.", camera
        )
        self.faults = counter("edge_faults", "Faults coped with.", ["part"])
        self._engine = gauge("edge_engine_info", "1.", ["bundle", "backend", "precision"])
        self._stages = {name: stage.labels(name) for name in _STAGES}

    def page(self) -> bytes:
        """Return all metrics in the Prometheus text format."""
        return generate_latest(self.registry)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage of a frame's way."""
        begun_s = perf_counter()
        yield
        self.observe(name, perf_counter() - begun_s)

    def observe(self, stage: str, seconds: float) -> None:
        """Add a time that a stage took."""
        self._stages[stage].observe(seconds)

    def engine(self, info: EngineInfo) -> None:
        """Tell which engine answers."""
        self._engine.clear()
        self._engine.labels(info.bundle, info.backend, info.precision).set(1)

    def begin(self, camera: CameraId, questions: list[QuestionId]) -> None:
        """Show 0 of what has not happened to a camera yet, so that its first time is a rise."""
        for outcome in _FRAME_OUTCOMES:
            self.frames.labels(camera, outcome)
        self.camera_up.labels(camera).set(0)
        for counter in (self.reconnects, self.stalls, self.recording_dropped):
            counter.labels(camera)
        for question in questions:
            for verdict in Verdict:
                self.events.labels(camera, question, verdict.value)

    def said(self, camera: CameraId, question: QuestionId, verdict: Verdict) -> None:
        """Show a verdict."""
        self.verdict.labels(camera, question).set(_VALUES[verdict])

    def watch_age(self, camera: CameraId, question: QuestionId, age_s: Callable[[], float]) -> None:
        """Read the age of a question's last answer whenever somebody looks; NaN: no answer yet."""
        self.answer_age.labels(camera, question).set_function(age_s)

    def forget(self, camera: CameraId, questions: list[QuestionId]) -> None:
        """Show nothing more of a camera that was removed."""
        for one in (self.camera_up, self.drift):
            with suppress(KeyError):  # older prometheus-client: there is none
                one.remove(camera)
        for question in questions:
            for two in (self.verdict, self.p_yes, self.answer_age):
                with suppress(KeyError):
                    two.remove(camera, question)
