"""Values that travel between packages.  No I/O, no clock."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit, urlunsplit

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

CameraId = str
QuestionId = str
Polygon = tuple[tuple[float, float], ...]
"""Corners (x, y) as fractions of the picture's width and height, at least three."""


class Verdict(str, Enum):
    """What the daemon says about a question, after hysteresis."""

    YES = "YES"
    NO = "NO"
    UNKNOWN = "UNKNOWN"

    def __str__(self) -> str:
        return self.value


class Reason(str, Enum):
    """Why a verdict is UNKNOWN."""

    STARTING = "starting"  # no answer yet since the camera or the daemon started
    STALE = "stale"  # the last answer is older than unknown_after
    CAMERA_OFFLINE = "camera_offline"  # no frames: away, stalled, refused, ended
    CAMERA_BLIND = "camera_blind"  # frames arrive, but show nothing or never change
    LOW_MARGIN = "low_margin"  # too near the thresholds to say
    ENGINE_FAULT = "engine_fault"  # the model could not be run
    PAUSED = "paused"  # switched off by its owner
    UNSUPPORTED = "unsupported"  # the bundle never learned what is asked

    def __str__(self) -> str:
        return self.value


class Picture(Protocol):
    """The decoder's own picture, converted on demand.  Safe to hand to another thread."""

    @property
    def width(self) -> int:
        """Pixels."""
        ...

    @property
    def height(self) -> int:
        """Pixels."""
        ...

    def rgb(self) -> NDArray[np.uint8]:
        """Full size, uint8 RGB, shape (height, width, 3).  A new array each time."""
        ...

    def resized(self, width: int, height: int) -> NDArray[np.uint8]:
        """Stretched to the size given, area-averaged; uint8 RGB, shape (height, width, 3).

        A new array each time.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One decoded picture of a camera.

    index counts the decoded frames of this connection from 0.  pts_s counts seconds from the
    start of the stream.  mono_s is time.monotonic() at decode.  captured_at is aware UTC, for
    people: the camera's own clock where it sends one, else the time of decoding.  raw_s is the
    container's own time, which pts_s was made of, in seconds; None where it has none.  packet is
    the number of the Packet it was decoded from; None where nobody wants packets.
    """

    camera: CameraId
    index: int
    pts_s: float
    mono_s: float
    captured_at: datetime
    picture: Picture = field(repr=False)
    raw_s: float | None = None
    packet: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """The answer to one question on one frame.

    p_yes is the calibrated probability of YES in [0, 1], NaN when the question is unsupported.
    evidence is float32 (rows, columns) in [0, 1] over the model's token grid.
    """

    camera: CameraId
    question: QuestionId
    frame: Frame
    p_yes: float
    evidence: NDArray[np.float32] = field(repr=False)


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """Which model answered: part of every event."""

    bundle: str
    sha256: str
    backend: str
    precision: str


@dataclass(frozen=True, slots=True)
class Event:
    """A change of verdict.  Fields as in the public contract, schema edge-daemon/event/1."""

    id: str
    episode: str | None  # id of the YES that began it; None outside an episode
    seq: int
    device: str
    camera: CameraId
    question: QuestionId
    ask: str
    verdict: Verdict
    previous: Verdict
    reason: Reason | None
    p_yes: float | None
    yes_above: float
    no_below: float
    frame: int | None
    pts_s: float | None
    captured_at: datetime | None
    decided_at: datetime
    clock_synced: bool
    duration_s: float
    model: EngineInfo
    snapshot: str | None = None
    clip: str | None = None
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class QuestionState:
    """What is said of a question now: the retained state topic, the web page, the overlay."""

    verdict: Verdict
    reason: Reason | None
    p_yes: float | None
    since: datetime
    judged_at: datetime | None
    event_id: str | None


class Secret:
    """A string that only reveal() shows; str, repr and logs cannot."""

    __slots__ = ("_raw",)

    def __init__(self, raw: str) -> None:
        self._raw = raw

    def reveal(self) -> str:
        """Return the secret itself."""
        return self._raw

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._raw == self._raw

    def __hash__(self) -> int:
        return hash(self._raw)


class SourceKind(str, Enum):
    """Where frames come from, read off the address."""

    STREAM = "stream"  # rtsp, rtsps, http, https
    FILES = "files"  # a video file or a glob of them
    IMAGES = "images"  # a directory or a glob of pictures
    CAMERA = "camera"  # /dev/videoN
    SCENE = "scene"  # test:NAME?options


_STREAM_SCHEMES = ("rtsp", "rtsps", "http", "https")
_PICTURE_ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
_TELLING = 4  # characters; anything shorter stands in texts by chance
_KEYED_SECRET = re.compile(  # of a path or a query: user=admin&password=..., my_password=...
    r"((?:pass(?:word|wd|phrase)?|pwd?|psw|token|secret|auth|api_?key)(?:=|%3D))([^&\s]+)",
    re.IGNORECASE,
)


class SourceAddress:
    """A source as its owner wrote it.  Only reveal() shows the password.

    Raises ValueError, without quoting the address, when it cannot be understood.
    """

    __slots__ = ("_raw", "_shown", "kind")

    def __init__(self, raw: str) -> None:
        scheme = raw.partition(":")[0].lower()
        self._raw = self._shown = raw
        if scheme in _STREAM_SCHEMES and raw[len(scheme) :].startswith("://"):
            self.kind, self._shown = SourceKind.STREAM, _without_secrets(raw)
        elif scheme == "test":
            self.kind = SourceKind.SCENE
        elif scheme in ("picam", "gst"):
            raise ValueError(
                f"{scheme}: sources are not in this release -- use /dev/videoN, an rtsp:// address"
                " or a file"
            )
        elif "://" in raw:
            raise ValueError(
                "unknown kind of address"
                f" -- use {', '.join(s + '://' for s in _STREAM_SCHEMES)}, /dev/videoN, a path or"
                " test:SCENE"
            )
        elif raw.startswith("/dev/"):
            self.kind = SourceKind.CAMERA
        elif raw.endswith("/") or raw.lower().endswith(_PICTURE_ENDINGS):
            self.kind = SourceKind.IMAGES
        else:
            self.kind = SourceKind.FILES  # a directory is noticed when it is opened

    @property
    def live(self) -> bool:
        """Whether frames come at their own pace, so that late ones are dropped."""
        return self.kind in (SourceKind.STREAM, SourceKind.CAMERA)

    def reveal(self) -> str:
        """Return the address with its password."""
        return self._raw

    def redact(self, text: str) -> str:
        """Return text with every form of this address's secrets replaced."""
        text = text.replace(self._raw, self._shown)
        if self.kind is SourceKind.STREAM:
            url = urlsplit(self._raw)
            if url.username:
                text = text.replace(f"{url.netloc.rpartition('@')[0]}@", "")
            keyed = _KEYED_SECRET.findall(f"{url.path}&{url.query}")
            found = [url.password or "", *(value for _, value in keyed if len(value) >= _TELLING)]
            for secret in (url.query, *found, *map(unquote, found)):
                text = text.replace(secret, "***") if secret else text
            text = _KEYED_SECRET.sub(r"\1***", text)
        return text

    def __repr__(self) -> str:
        return self._shown

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SourceAddress) and other._raw == self._raw

    def __hash__(self) -> int:
        return hash(self._raw)


def _without_secrets(raw: str) -> str:
    """Return the URL without user, query and passwords; raise ValueError that quotes nothing."""
    authority, *rest = re.split(r"[/?#]", raw.partition("://")[2], maxsplit=1)
    if "@" in "".join(rest):
        raise ValueError("stray '@' -- percent-encode '/', '?', '#' and '@' in the password")
    try:
        url = urlsplit(raw)
        host, _port = url.hostname, url.port
    except ValueError:
        raise ValueError("not a URL -- write it as rtsp://user:password@host:port/path") from None
    if not host:
        raise ValueError("names no host -- write it as rtsp://user:password@host:port/path")
    path = _KEYED_SECRET.sub(r"\1***", url.path)
    return str(urlunsplit((url.scheme, authority.rpartition("@")[2], path, "", "")))


def polygon_mask(
    polygon: Sequence[tuple[float, float]], width: int, height: int
) -> NDArray[np.bool_]:
    """Cells of a width x height grid whose centre lies in the polygon, bool (height, width).

    A polygon that holds no centre gets the cell its own centre falls in, so that a small zone
    never becomes an empty one.  Source: even-odd rule.
    """
    xs = (np.arange(width) + 0.5) / width
    ys = ((np.arange(height) + 0.5) / height)[:, None]
    inside = np.zeros((height, width), bool)
    corners = list(polygon)
    for (x1, y1), (x2, y2) in zip(corners, corners[1:] + corners[:1]):
        crosses = (ys > min(y1, y2)) & (ys <= max(y1, y2))
        along, across = (ys - y1) * (x2 - x1), (xs - x1) * (y2 - y1)
        inside ^= crosses & (across < along if y2 > y1 else across > along)
    if not inside.any():
        x, y = np.mean(np.asarray(corners), axis=0)
        inside[min(int(y * height), height - 1), min(int(x * width), width - 1)] = True
    return inside
