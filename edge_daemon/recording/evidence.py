"""Evidence packs: what the model saw and said when an event was decided, to be asked again.

A pack is a zip file with evidence.json and input.png, the very pixels the engine was given.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from edge_daemon.errors import RecordingError
from edge_daemon.types import EngineInfo

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from edge_daemon.types import Polygon

SCHEMA: Final = "edge-daemon/evidence/1"
_FACTS, _INPUT = "evidence.json", "input.png"
_MOST_BYTES: Final = 1 << 26  # unpacked; more is no pack of ours
_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)  # the time is in evidence.json


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the engine was asked it; zone None: the whole picture."""

    ask: str
    zone: Polygon | None


@dataclass(frozen=True, slots=True, eq=False)
class Pack:
    """What is in a pack.

    event is the event as it was published.  asked are all the questions that were asked together,
    place is that of the event's own among them, p_yes its answer as a float32.  picture is uint8
    RGB (H, W, 3), evidence float32 (rows, columns) in [0, 1].  software holds names and versions.
    """

    event: dict[str, Any]
    asked: tuple[Asked, ...]
    place: int
    p_yes: float
    picture: NDArray[np.uint8] = field(repr=False)
    evidence: NDArray[np.float32] = field(repr=False)
    configuration_sha256: str
    software: dict[str, str]

    @property
    def engine(self) -> EngineInfo:
        """Which model answered."""
        return EngineInfo(**self.event["model"])

    def to_bytes(self) -> bytes:
        """Return the zip file."""
        height, width = self.picture.shape[:2]
        facts = {
            "schema": SCHEMA,
            "event": self.event,
            "p_yes": self.p_yes,
            "asked": [{"ask": a.ask, "zone": a.zone} for a in self.asked],
            "place": self.place,
            "input": {
                "file": _INPUT,
                "width": width,
                "height": height,
                "sha256": _sha256(self.picture),
            },
            "evidence": [[round(float(cell), 4) for cell in row] for row in self.evidence],
            "configuration_sha256": self.configuration_sha256,
            "software": self.software,
        }
        bgr = cv2.cvtColor(self.picture, cv2.COLOR_RGB2BGR)
        _done, png = cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, 4])
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as pack:
            pack.writestr(zipfile.ZipInfo(_FACTS, _LONG_AGO), json.dumps(facts, indent=1))
            pack.writestr(zipfile.ZipInfo(_INPUT, _LONG_AGO), png.tobytes())
        return out.getvalue()


def read_pack(path: Path) -> Pack:
    """Return a pack.  Raises RecordingError when it cannot be read, or is not what was written."""
    try:
        with zipfile.ZipFile(path) as pack:
            facts = json.loads(_member(pack, _FACTS))
            coded = np.frombuffer(_member(pack, _INPUT), np.uint8)
        return _pack_of(facts, coded)
    except FileNotFoundError as exc:
        hint = "look below data_dir/evidence; the oldest are removed to make room"
        raise RecordingError("no such file", where=str(path), hint=hint) from exc
    except OSError as exc:
        what, hint = exc.strerror or str(exc), "let the user that runs this read it"
        raise RecordingError(what, where=str(path), hint=hint) from exc
    except (
        zipfile.BadZipFile, RuntimeError, EOFError,
        ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError, cv2.error,
    ) as exc:  # fmt: skip
        what, hint = "is no evidence of ours, or was changed", "name a file from data_dir/evidence"
        raise RecordingError(what, where=str(path), hint=hint) from exc


def _pack_of(facts: dict[str, Any], coded: NDArray[np.uint8]) -> Pack:
    """Return what the parts of a pack say.  Raises ValueError, KeyError, TypeError..."""
    if facts["schema"] != SCHEMA:
        raise ValueError(f"schema {facts['schema']}")
    bgr = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    if bgr is None:
        raise ValueError("no picture")
    picture = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
    if _sha256(picture) != facts["input"]["sha256"]:
        raise ValueError("other pixels")
    asked = tuple(
        Asked(str(a["ask"]), None if a["zone"] is None else tuple((x, y) for x, y in a["zone"]))
        for a in facts["asked"]
    )
    pack = Pack(
        event=dict(facts["event"]),
        asked=asked,
        place=int(facts["place"]),
        p_yes=float(facts["p_yes"]),
        picture=picture,
        evidence=np.asarray(facts["evidence"], np.float32),
        configuration_sha256=str(facts["configuration_sha256"]),
        software=dict(facts["software"]),
    )
    if asked[pack.place].ask != pack.event["ask"] or not pack.engine.sha256:
        raise ValueError("another question")
    return pack


def _member(pack: zipfile.ZipFile, name: str) -> bytes:
    if pack.getinfo(name).file_size > _MOST_BYTES:
        raise ValueError(f"{name} is too large")
    return pack.read(name)


def _sha256(picture: NDArray[np.uint8]) -> str:
    return hashlib.sha256(np.ascontiguousarray(picture).tobytes()).hexdigest()
