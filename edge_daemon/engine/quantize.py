"""A bundle with int8 graphs beside its fp32 ones, if they agree on real frames."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any, Final

import yaml

from edge_daemon import __version__
from edge_daemon.engine.agreement import Limits, compare, replay
from edge_daemon.engine.bundle import MANIFEST, load_bundle
from edge_daemon.engine.goldens import verify_goldens
from edge_daemon.engine.open import open_backend
from edge_daemon.errors import BundleError, EngineMissingError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edge_daemon.engine.agreement import Agreement
    from edge_daemon.engine.bundle import Bundle
    from edge_daemon.types import Polygon

AGREEMENT: Final = "agreement.json"
SCHEMA: Final = "edge-daemon/agreement/1"
GRAPH: Final = "image.int8.onnx"
FLOAT_FIRST: Final = 3
"""Depth from the picture up to which convolutions stay float.

Source: measured on street 0.0.1, 497 frames, 2026-11-21: with three, verdicts differ in 0.6 %
instead of 0.8 %, and the graph is as fast.
"""
FLOAT_LAST: Final = 1
GOLDEN_TOLERANCE: Final = 0.1
"""How far another machine's int8 may be from this one's: kernels round the same graph otherwise.

Source: measured on street 0.0.2, ONNX Runtime 1.31.1, 2026-11-21: its fused integer kernels beside
the same graph run node by node, 64 frames, 19 questions: 0.002 on average, 0.082 at most.
"""

_MADE_WITH: Final = ("numpy", "onnx", "onnxruntime")


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """Real frames, uint8 RGB (N, height, width, 3) at the bundle's size: learnt from, and asked.

    No frame may be in both.
    """

    calibration: NDArray[np.uint8] = field(repr=False)
    replay: NDArray[np.uint8] = field(repr=False)


def standing_questions(bundle: Bundle) -> list[tuple[str, Polygon | None]]:
    """Questions to compare by: the golden ones with their zones, and one for each concept."""
    goldens = bundle.goldens()
    asked = [(row.question, row.zone) for row in goldens.rows] if goldens is not None else []
    for concept in bundle.concepts:
        noun = concept.replace("_", " ")
        asked.append((f"Is there {'an' if noun[0] in 'aeiou' else 'a'} {noun}?", None))
    known = [(text, zone) for text, zone in asked if bundle.tokenizer.supports(text)]
    return list(dict.fromkeys(known))


def quantize_bundle(
    bundle: Bundle,
    frames: Frames,
    out: Path,
    *,
    questions: Sequence[tuple[str, Polygon | None]],
    limits: Limits | None = None,
    float_first: int = FLOAT_FIRST,
    float_last: int = FLOAT_LAST,
) -> Agreement:
    """Write a copy of the bundle with an int8 image graph and the report of how it agrees.

    Question and answer graphs stay float: they take a hundredth of the time.  Nothing is left at
    out, which must not exist, when this fails.  Raises UsageError, EngineMissingError, and
    BundleError when the graph cannot be quantised or what it answers falls short of the limits.
    """
    limits = limits or Limits()
    if bundle.main_graph != "image":
        hint = "quantize its graph where it was made, and name it in manifest.yaml as int8"
        what = "is of kind single, only image graphs are quantised here"
        raise BundleError(what, where=f"bundle {bundle.path}", hint=hint)
    if out.exists():
        raise UsageError("exists already", where=str(out), hint="name a directory to be made")
    graph = _quantized(bundle, frames, float_first, float_last)
    part = out.with_name(f".{out.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        _copy(bundle, part, {GRAPH: graph})
        found = _compared(bundle, load_bundle(part), frames, questions)
        short = found.shortfalls(limits)
        if short:
            hint = "calibrate on more frames, like those of your cameras"
            raise BundleError("; ".join(short), where=f"{bundle.name} in int8", hint=hint)
        report = _report(found, limits, frames, questions)
        goldens = _goldens(bundle, load_bundle(part))
        _copy(bundle, part, {GRAPH: graph, AGREEMENT: report, **goldens})
        load_bundle(part)
        part.rename(out)
    except OSError as exc:
        hint = "name a place that can be written to"
        raise UsageError(f"cannot be written ({exc.strerror})", where=str(out), hint=hint) from exc
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return found


def _quantized(bundle: Bundle, frames: Frames, float_first: int, float_last: int) -> bytes:
    where = f"bundle {bundle.path}"
    try:
        recipe = import_module("edge_daemon.engine.int8.recipe")
    except ModuleNotFoundError as exc:
        if exc.name is None or exc.name.startswith("edge_daemon"):
            raise  # our own bug, not a missing package
        hint = "pip install 'edge-daemon[quantize]'"
        raise EngineMissingError(f"needs {exc.name!r}", where="engine quantize", hint=hint) from exc
    try:
        graph: bytes = recipe.quantize_graph(
            bundle.graph("fp32", "image"),
            frames.calibration,
            float_first=float_first,
            float_last=float_last,
        )
    except ValueError as exc:
        hint = "keep fewer layers float, or use the bundle as it is"
        raise BundleError(f"image graph: {exc}", where=where, hint=hint) from exc
    return graph


def _copy(bundle: Bundle, to: Path, added: dict[str, bytes]) -> None:
    """Copy the bundle, put files in, and write the manifest that pins them."""
    shutil.copytree(bundle.path, to, dirs_exist_ok=True)
    for name, raw in added.items():
        (to / name).write_bytes(raw)
    manifest: dict[str, Any] = yaml.safe_load((bundle.path / MANIFEST).read_bytes())
    manifest["graphs"]["int8"] = {**manifest["graphs"]["fp32"], "image": _pinned(to, GRAPH)}
    manifest.pop("agreement", None)
    if AGREEMENT in added:
        manifest["agreement"] = _pinned(to, AGREEMENT)
    if "goldens" in manifest:
        manifest["goldens"] = _pinned(to, manifest["goldens"]["file"])
    text = yaml.safe_dump(manifest, sort_keys=False, width=100, allow_unicode=True)
    (to / MANIFEST).write_text(text, encoding="utf-8")


def _compared(
    bundle: Bundle,
    made: Bundle,
    frames: Frames,
    questions: Sequence[tuple[str, Polygon | None]],
) -> Agreement:
    texts, zones = [text for text, _ in questions], [zone for _, zone in questions]
    answers = []
    for which, precision in ((bundle, "fp32"), (made, "int8")):
        engine = open_backend("onnxruntime", which, precision, 1)
        answers.append(replay(engine, frames.replay, texts, zones))
        engine.close()
    return compare(*answers)


def _goldens(bundle: Bundle, made: Bundle) -> dict[str, bytes]:
    """The golden answers with those in int8 beside them, by file name: what verify expects."""
    pinned = bundle.manifest.goldens
    if pinned is None:
        return {}
    engine = open_backend("onnxruntime", made, "int8", 1)
    results = verify_goldens(engine, made)
    engine.close()
    goldens = json.loads(bundle.read(pinned.file))
    goldens["tolerance_in"] = {"int8": GOLDEN_TOLERANCE}
    for row, result in zip(goldens["rows"], results):
        row["p_yes_in"] = {"int8": round(result.found, 5)}
    return {pinned.file: (json.dumps(goldens, indent=1) + "\n").encode()}


def _report(
    found: Agreement,
    limits: Limits,
    frames: Frames,
    questions: Sequence[tuple[str, Polygon | None]],
) -> bytes:
    report = {
        "schema": SCHEMA,
        "made_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "made_with": {
            "edge-daemon": __version__,
            **{name: metadata.version(name) for name in _MADE_WITH},
        },
        "figures": found.rounded(),
        "limits": asdict(limits),
        "calibration": _described(frames.calibration),
        "replay": _described(frames.replay),
        "questions": [{"question": text, "zone": zone} for text, zone in questions],
    }
    return (json.dumps(report, indent=1) + "\n").encode()


def _described(pictures: NDArray[np.uint8]) -> dict[str, object]:
    """How many frames, and a hash over their pixels at the bundle's size."""
    return {"frames": len(pictures), "sha256": hashlib.sha256(pictures.tobytes()).hexdigest()}


def _pinned(folder: Path, name: str) -> dict[str, str]:
    return {"file": name, "sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest()}
