"""The configuration, as frozen pydantic models: one class per section of the file.

Each field's description is the reference that docs/configuration.md is generated from.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    Field,
    PlainValidator,
    field_validator,
    model_validator,
)

from edge_daemon.config.paths import whole_path
from edge_daemon.config.record import RecordConfig
from edge_daemon.config.section import Fraction, Id, Section, WholePath
from edge_daemon.config.units import Duration  # noqa: TC001  read at run time
from edge_daemon.types import SourceAddress, SourceKind


def _address(raw: object) -> SourceAddress:
    if not isinstance(raw, str) or not raw:
        raise ValueError("write an address, a path or test:SCENE")
    address = SourceAddress(raw)
    whole_path(raw)  # of a URL, too: NUL ends a name in C
    return address


class DeviceConfig(Section):
    """Who this machine is."""

    id: Id = Field("edge", description="Second level of every MQTT topic.")
    name: str | None = Field(None, max_length=100, description="For people; null: the id.")


class EngineConfig(Section):
    """Which model answers, and on what."""

    bundle: str = Field("street", min_length=1, description="A shipped bundle's name, or a path.")
    backend: Literal[
        "auto",
        "tensorrt",
        "onnxruntime-cuda",
        "openvino-gpu",
        "onnxruntime",
        "openvino",
        "torch-cuda",
        "torch",
    ] = Field(
        "auto", description="Runtime that opens it; auto: the fastest of those that are here."
    )
    precision: Literal["auto", "fp32", "fp16", "int8"] = Field(
        "auto", description="auto: what the bundle has and the runtime gains most from."
    )
    threads: int | None = Field(
        None, ge=1, le=64, description="Cores for inference; null: all but one, four at most."
    )
    weights: WholePath | None = Field(
        None,
        description="Backends torch and torch-cuda: a state dict (safetensors, or as torch.save "
        "writes it) or a TorchScript file of the same model, instead of the bundle's weights.",
    )

    @field_validator("bundle")
    @classmethod
    def _could_be_a_path(cls, raw: str) -> str:
        whole_path(raw)
        return raw

    @model_validator(mode="after")
    def _weights_are_for_torch(self) -> EngineConfig:
        if self.weights is not None and not self.backend.startswith("torch"):
            raise ValueError("weights are for torch -- use backend torch or torch-cuda")
        return self


class OutboxConfig(Section):
    """How many events wait for a broker that is away."""

    max_events: int = Field(100_000, ge=1, description="Oldest dropped beyond this many.")
    max_age: Duration = Field(7 * 86400.0, description="Dropped when older.")


class MqttConfig(Section):
    """The broker."""

    url: str = Field(description="mqtt://host:1883 or mqtts://host:8883.")
    username: str | None = Field(None, description="null: anonymous.")
    password_file: WholePath | None = Field(None, description="File that holds the password.")
    ca_file: WholePath | None = Field(None, description="mqtts: the authority; null: the system's.")
    cert_file: WholePath | None = Field(None, description="mqtts: client certificate.")
    key_file: WholePath | None = Field(None, description="mqtts: its key.")
    base_topic: str = Field(
        "edge", pattern=r"^[^+#/\s$][^+#\s]*[^+#/\s]$|^[^+#/\s$]$", description="First topic level."
    )
    discovery_prefix: str | None = Field(
        "homeassistant", pattern=r"^[^+#\s]+$", description="null: no Home Assistant discovery."
    )
    outbox: OutboxConfig = Field(default_factory=OutboxConfig, description="Events that wait.")

    @field_validator("url")
    @classmethod
    def _plain_broker_address(cls, raw: str) -> str:
        wanted = "write mqtt://host:1883 or mqtts://host:8883"
        try:
            url = urlsplit(raw)
            host, _port = url.hostname, url.port
        except ValueError:
            raise ValueError(wanted) from None
        if url.scheme not in ("mqtt", "mqtts") or not host or url.path not in ("", "/"):
            raise ValueError(wanted)
        if url.username or url.password:
            raise ValueError("no user or password here -- use username and password_file")
        return raw

    @model_validator(mode="after")
    def _whole_credentials(self) -> MqttConfig:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file go together -- give both or neither")
        if self.password_file is not None and self.username is None:
            raise ValueError("password_file without username -- give the username too")
        if not self.tls and (self.ca_file or self.cert_file):
            raise ValueError("certificates need TLS -- write url: mqtts://...")
        return self

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return urlsplit(self.url).scheme == "mqtts"

    @property
    def host(self) -> str:
        """The broker's host."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The broker's port: 1883, or 8883 with TLS, where none is given."""
        return urlsplit(self.url).port or (8883 if self.tls else 1883)


class HttpConfig(Section):
    """Health and metrics: /healthz, /readyz, /metrics."""

    listen: str = Field(
        "127.0.0.1:8471",
        pattern=r"^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+):\d{1,5}$",
        description="host:port; without token_file loopback only.",
    )
    token_file: WholePath | None = Field(
        None, description="File with the token; all but /healthz want Authorization: Bearer TOKEN."
    )
    tls_cert_file: WholePath | None = Field(None, description="https: certificate chain.")
    tls_key_file: WholePath | None = Field(None, description="https: its key.")

    @field_validator("listen")
    @classmethod
    def _could_be_a_host(cls, raw: str) -> str:
        try:
            raw.rpartition(":")[0].encode("idna")  # as it will be looked up
        except UnicodeError:
            raise ValueError("not a name of a host -- write 127.0.0.1:8471 or the like") from None
        return raw

    @model_validator(mode="after")
    def _no_open_door(self) -> HttpConfig:
        if (self.tls_cert_file is None) != (self.tls_key_file is None):
            raise ValueError("tls_cert_file and tls_key_file go together -- give both or neither")
        if not 0 < self.port < 65536:
            raise ValueError("no such port -- use 1 to 65535")
        if self.token_file is None and self.host not in ("127.0.0.1", "::1", "localhost"):
            raise ValueError(
                "listens beyond this machine without a token"
                " -- give token_file, or listen on 127.0.0.1"
            )
        return self

    @property
    def host(self) -> str:
        """The address to listen on, without brackets."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port to listen on."""
        return int(self.listen.rpartition(":")[2])


class LogConfig(Section):
    """What is written where."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level.")
    format: Literal["auto", "journald", "text", "json"] = Field(
        "auto",
        description="auto: journald where the journal reads it, text on a terminal, else json.",
    )


class QuestionConfig(Section):
    """One standing question."""

    id: Id
    ask: str = Field(min_length=3, max_length=200, description="The question, in plain English.")
    zone: str | None = Field(None, description="A zone of this camera; null: the whole picture.")
    yes_above: float = Field(0.6, gt=0, lt=1, description="p_yes from which the answer is YES.")
    no_below: float = Field(0.4, gt=0, lt=1, description="p_yes up to which the answer is NO.")
    hold: Duration | None = Field(1.0, description="An answer must last this long to be said.")
    unknown_after: Duration = Field(10.0, description="UNKNOWN when no answer is younger.")
    unsure_after: Duration | None = Field(
        None,
        description="UNKNOWN when p_yes lies between no_below and yes_above for so long;"
        " null: the last answer stands.",
    )
    schedule: None = Field(None, description="Reserved; null.")

    @model_validator(mode="after")
    def _thresholds_in_order(self) -> QuestionConfig:
        if self.no_below > self.yes_above:
            raise ValueError(
                f"no_below {self.no_below} is above yes_above {self.yes_above}"
                " -- exchange them, or make them equal"
            )
        return self

    @property
    def hold_s(self) -> float:
        """Seconds an answer must last; 0 when hold is null."""
        return self.hold or 0.0


class SampleConfig(Section):
    """Which frames are asked.  Exactly one of the three."""

    every: int | None = Field(None, ge=1, description="Each Nth frame.")
    fps: float | None = Field(None, gt=0, le=1000, description="So many a second.")
    keyframes: Literal[True] | None = Field(None, description="Key frames; the rest undecoded.")

    @model_validator(mode="after")
    def _exactly_one(self) -> SampleConfig:
        if sum(v is not None for v in (self.every, self.fps, self.keyframes)) != 1:
            raise ValueError("name exactly one way -- {every: 5}, {fps: 2} or {keyframes: true}")
        return self


class CameraConfig(Section):
    """One source with its questions."""

    id: Id
    source: Annotated[SourceAddress, PlainValidator(_address)] = Field(
        description="rtsp(s)://, http(s)://, /dev/videoN, file, glob, image directory, test:SCENE."
    )
    transport: Literal["tcp", "udp"] = Field(
        "tcp", description="rtsp only; rtsps is always TCP, its certificate is not checked."
    )
    stall_after: Duration = Field(10.0, description="No frame for so long: UNKNOWN, reconnect.")
    blind_after: Duration | None = Field(
        5.0, description="Black, covered or out of focus for so long: UNKNOWN; null: not watched."
    )
    frozen_after: Duration | None = Field(
        60.0, description="Live only: the same picture for so long: UNKNOWN; null: not watched."
    )
    loop: bool = Field(False, description="Files only: start again at the end.")  # noqa: FBT003
    pace: Literal["fast", "realtime"] = Field("fast", description="Files only.")
    sample: SampleConfig = Field(
        default_factory=lambda: SampleConfig(every=5), description="Which frames are asked."
    )
    zones: dict[Id, Annotated[tuple[tuple[Fraction, Fraction], ...], Field(min_length=3)]] = Field(
        default_factory=dict, description="Polygons: fractions of width and height."
    )
    privacy_masks: tuple[
        Annotated[tuple[tuple[Fraction, Fraction], ...], Field(min_length=3)], ...
    ] = Field((), description="Polygons blacked out before anything sees the frame.")
    questions: tuple[QuestionConfig, ...] = Field(min_length=1, max_length=256)
    record: RecordConfig = Field(default_factory=RecordConfig, description="Recording.")

    @model_validator(mode="after")
    def _packets_for_soft(self) -> CameraConfig:
        if self.record.mode == "soft" and not self._has_packets:
            raise ValueError(
                "record.mode soft keeps a camera's own H.264 or H.265, and this source has none"
                " -- use burned"
            )
        if self.has_drawn_clips and self.recorded != "burned":
            why = (
                "are cut from its burned recording, as its packets show what privacy_masks hide"
                if self.privacy_masks
                else "are cut from its burned recording, as this source has no H.264 or H.265"
            )
            raise ValueError(f"record.clips {why} -- set record.mode: burned, or leave them out")
        return self

    @property
    def recorded(self) -> Literal["off", "soft", "burned"]:
        """How it is recorded: soft would show what privacy masks hide."""
        return "burned" if self.record.mode == "soft" and self.privacy_masks else self.record.mode

    @property
    def has_drawn_clips(self) -> bool:
        """Whether clips are cut from the burned recording instead of the camera's own packets."""
        has_own = self._has_packets and not self.privacy_masks
        return self.record.clips is not None and not has_own

    @property
    def is_heard(self) -> bool:
        """Whether its sound goes into burned recordings; what is masked is not heard either."""
        return self.recorded == "burned" and self._has_packets and not self.privacy_masks

    @property
    def _has_packets(self) -> bool:
        return self.source.kind in (SourceKind.STREAM, SourceKind.FILES)

    @model_validator(mode="after")
    def _files_only(self) -> CameraConfig:
        finite = self.source.kind in (SourceKind.FILES, SourceKind.IMAGES, SourceKind.SCENE)
        if not finite and (self.loop or self.pace != "fast"):
            raise ValueError("loop and pace are for files -- leave them out for a live source")
        return self


class Defaults(Section):
    """Values for every question that does not give its own."""

    question: dict[str, Any] = Field(default_factory=dict, description="Keys of a question.")

    def as_question(self) -> QuestionConfig:
        """Return the defaults as a question of their own: for questions asked once."""
        return QuestionConfig.model_validate({"id": "ask", "ask": "asked once", **self.question})

    @field_validator("question")
    @classmethod
    def _shared_keys_only(cls, found: dict[str, Any]) -> dict[str, Any]:
        own = set(QuestionConfig.model_fields) - {"id", "ask", "zone"}
        for key in found:
            if key not in own:
                raise ValueError(f"'{key}' has no default -- use: {', '.join(sorted(own))}")
        QuestionConfig.model_validate({"id": "ask", "ask": "asked once", **found})
        return found


class Settings(Section):
    """The whole file."""

    version: Literal[1] = Field(description="Version of this format.")
    device: DeviceConfig = Field(default_factory=DeviceConfig, description="This machine.")
    data_dir: WholePath = Field(
        Path("/var/lib/edge-daemon"),
        description="Outbox, recordings; created when missing.",
    )
    engine: EngineConfig = Field(default_factory=EngineConfig, description="The model.")
    mqtt: MqttConfig | None = Field(None, description="null: no MQTT.")
    http: HttpConfig | None = Field(default_factory=HttpConfig, description="null: no HTTP.")
    log: LogConfig = Field(default_factory=LogConfig, description="Logging.")
    defaults: Defaults = Field(default_factory=Defaults, description="For every question.")
    cameras: tuple[CameraConfig, ...] = Field(min_length=1, max_length=256)

    @model_validator(mode="before")
    @classmethod
    def _spread_defaults(cls, data: Any) -> Any:  # noqa: ANN401  raw YAML
        return _with_defaults(data)


def _with_defaults(data: Any) -> Any:  # noqa: ANN401  raw YAML
    """Return data with defaults.question spread into each question; what is odd stays as it is."""
    defaults = data.get("defaults") if isinstance(data, dict) else None
    shared = defaults.get("question") if isinstance(defaults, dict) else None
    cameras = data.get("cameras") if isinstance(data, dict) else None
    if not isinstance(shared, dict) or not isinstance(cameras, list):
        return data

    def spread(camera: Any) -> Any:  # noqa: ANN401  raw YAML
        asked = camera.get("questions") if isinstance(camera, dict) else None
        if not isinstance(asked, list):
            return camera
        full = [{**shared, **q} if isinstance(q, dict) else q for q in asked]
        return {**camera, "questions": full}

    return {**data, "cameras": [spread(camera) for camera in cameras]}
