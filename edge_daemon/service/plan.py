"""What a configuration asks of this machine: cameras, questions, load."""

from __future__ import annotations

import os
import statistics
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_daemon.config.load import read_secret
from edge_daemon.config.secrecy import is_public, mend_hint
from edge_daemon.config.tls import https_context
from edge_daemon.engine.open import open_chosen
from edge_daemon.errors import ConfigError, RecordingError
from edge_daemon.recording.encoders import choose_encoder
from edge_daemon.scenes.options import parse_scene
from edge_daemon.types import SourceKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_daemon.config.models import CameraConfig, Settings
    from edge_daemon.engine.base import Engine, QuestionSet

_TYPICAL_FPS: Final = 25.0  # of a camera that has not been asked yet
_TYPICAL_KEYFRAMES_HZ: Final = 0.5  # cameras leave the factory with a key frame every 1 to 4 s
_RUNS: Final = 5


@dataclass(frozen=True, slots=True)
class QuestionPlan:
    """One question, and whether the bundle knows what it asks."""

    id: str
    ask: str
    zone: str | None
    supported: bool
    remark: str  # why not, or what in it changes no answer


@dataclass(frozen=True, slots=True)
class CameraPlan:
    """One camera, and how many pictures a second it sends to the model."""

    id: str
    source: str
    pictures_per_s: float | None  # None: as many as the machine can, a file read at full speed
    record: str
    encoder: str | None  # of burned recordings, and why it was chosen
    questions: tuple[QuestionPlan, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole: load is the share of the inference thread that live cameras will take."""

    where: str
    bundle: str
    backend: str
    why: str  # this backend
    precision: str
    picture_ms: float
    load: float
    cameras: tuple[CameraPlan, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the plan for programs."""
        return asdict(self)

    def as_text(self) -> str:
        """Return the plan for people."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{self.where}: no faults"
        yield f"engine: bundle {self.bundle}, {self.backend} {self.precision} ({self.why})"
        for camera in self.cameras:
            rate = camera.pictures_per_s
            pace = "as fast as it can be read" if rate is None else f"{rate:g} pictures/s"
            yield f"camera {camera.id}: {camera.source}, {pace}, recording {camera.record}"
            if camera.encoder:
                yield f"  H.264 by {camera.encoder}"
            for q in camera.questions:
                zone = f" in zone {q.zone}" if q.zone else ""
                yield f"  {q.id}: {q.ask}{zone}"
                if not q.supported:
                    yield f"    NOT SUPPORTED by this bundle, stays UNKNOWN: {q.remark}"
                elif q.remark:
                    yield f"    note: {q.remark}"
        yield (
            f"load: {self.picture_ms:.1f} ms a picture on this machine,"
            f" {self.load:.0%} of the inference thread for the live cameras"
            f" (at {_TYPICAL_FPS:g} fps where the rate is the camera's)"
        )
        if self.load > 0.8:
            yield "warning: too much for this machine -- sample less often, or use fewer cameras"


def make_plan(settings: Settings, *, where: str) -> Plan:
    """Open the engine, measure it, and work out the plan.

    Raises ConfigError listing what the file names but is not there, and EngineError.
    """
    check_files(settings, where=where)
    encoders = _encoders(settings, where=where)
    plans = settings.data_dir / "plans"
    engine, choice = open_chosen(settings.engine, plans=plans, without_plan="go on")
    cameras, sets = [], []
    for camera in settings.cameras:
        sets.append(
            engine.prepare(
                [q.ask for q in camera.questions],
                [camera.zones[q.zone] if q.zone else None for q in camera.questions],
            )
        )
        cameras.append(_camera_plan(camera, sets[-1], encoders[camera.id]))
    picture_s = _picture_s(engine, max(sets, key=lambda s: len(s.texts)))
    info = engine.info
    engine.close()
    return Plan(
        where=where,
        bundle=info.bundle,
        backend=info.backend,
        why=choice.why,
        precision=info.precision,
        picture_ms=round(1000 * picture_s, 2),
        load=round(picture_s * sum(c.pictures_per_s or 0.0 for c in cameras), 3),
        cameras=tuple(cameras),
    )


def check_files(settings: Settings, *, where: str) -> None:
    """Look at every file the configuration names.  Raises ConfigError with all that is wrong."""
    faults = []
    mqtt, http = settings.mqtt, settings.http
    secrets = {
        "mqtt.password_file": mqtt.password_file if mqtt else None,
        "http.token_file": http.token_file if http else None,
    }
    for key, path in secrets.items():
        if path is not None:
            try:
                read_secret(path, where=f"{where}: {key}")
            except ConfigError as exc:
                faults.append(str(exc))
    plain = {
        "mqtt.ca_file": mqtt.ca_file if mqtt else None,
        "mqtt.cert_file": mqtt.cert_file if mqtt else None,
        "mqtt.key_file": mqtt.key_file if mqtt else None,
        "http.tls_cert_file": http.tls_cert_file if http else None,
        "http.tls_key_file": http.tls_key_file if http else None,
    }
    unreadable = {
        key: path
        for key, path in plain.items()
        if path is not None and not os.access(path, os.R_OK)
    }
    faults += [
        f"{where}: {key}: {path} cannot be read -- check the path and its permissions"
        for key, path in unreadable.items()
    ]
    if http is not None and not any(key.startswith("http.") for key in unreadable):
        try:
            https_context(http)
        except ConfigError as exc:
            faults.append(f"{where}: {exc}")
    faults += [
        f"{where}: {key}: every user of this machine may read {path} -- {mend_hint(path)}"
        for key, path in plain.items()
        if path is not None and key.endswith("key_file") and is_public(path)
    ]
    for n, camera in enumerate(settings.cameras):
        if camera.source.kind is SourceKind.SCENE:
            try:
                parse_scene(camera.source.reveal())
            except ValueError as exc:
                faults.append(f"{where}: cameras.{n}.source: {exc}")
    if faults:
        raise ConfigError(f"{len(faults)} faults", where=where, faults=tuple(faults))


def _encoders(settings: Settings, *, where: str) -> dict[str, str | None]:
    """Try the encoder of each camera that is recorded burned.  Raises ConfigError."""
    found: dict[str, str | None] = {}
    faults = []
    for n, camera in enumerate(settings.cameras):
        found[camera.id] = None
        if camera.recorded == "burned":
            try:
                found[camera.id] = str(choose_encoder(camera.record.encoder))
            except RecordingError as exc:
                key = f"{where}: cameras.{n}.record.encoder"
                faults.append(f"{key}: {camera.record.encoder} {exc.what} -- {exc.hint}")
    if faults:
        raise ConfigError(f"{len(faults)} faults", where=where, faults=tuple(faults))
    return found


def _camera_plan(camera: CameraConfig, questions: QuestionSet, encoder: str | None) -> CameraPlan:
    return CameraPlan(
        id=camera.id,
        source=repr(camera.source),
        pictures_per_s=_pictures_per_s(camera),
        record=_record(camera),
        encoder=encoder,
        questions=tuple(
            QuestionPlan(q.id, q.ask, q.zone, bool(supported), remark)
            for q, supported, remark in zip(
                camera.questions, questions.supported, questions.remarks
            )
        ),
    )


def _record(camera: CameraConfig) -> str:
    if camera.recorded != camera.record.mode:
        return f"{camera.recorded}: {camera.record.mode} would show what its privacy masks hide"
    return camera.recorded


def _pictures_per_s(camera: CameraConfig) -> float | None:
    if not camera.source.live and camera.pace == "fast":
        return None
    if camera.sample.keyframes:
        return _TYPICAL_KEYFRAMES_HZ
    return camera.sample.fps or _TYPICAL_FPS / (camera.sample.every or 1)


def _picture_s(engine: Engine, questions: QuestionSet) -> float:
    """Median seconds to look at one picture and answer the questions."""
    width, height = engine.input_size
    picture = np.random.default_rng(0).integers(0, 255, (1, height, width, 3), np.uint8)
    took_s = []
    for _ in range(_RUNS):
        begun_s = time.perf_counter()
        engine.answer(engine.look(picture), questions)
        took_s.append(time.perf_counter() - begun_s)
    return statistics.median(took_s)
