"""From a checkpoint to a bundle directory: three ONNX graphs, tokenizer, goldens, manifest."""

from __future__ import annotations

import hashlib
import json
import shutil
import warnings
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
import onnx
import torch
import yaml
from torch import Tensor, nn

from edge_daemon.engine.answer import p_yes
from edge_daemon.scenes import random_scene
from edge_daemon.training.concepts import CONCEPTS, SCENES
from edge_daemon.training.loop import build_network
from edge_daemon.training.provenance import SOURCES, WEIGHTS
from edge_daemon.training.simplify import name_weights, simplify
from edge_daemon.types import polygon_mask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from edge_daemon.engine.tokenizer import Tokenizer
    from edge_daemon.training.network import AnswerHead, Network
    from edge_daemon.training.settings import Settings
    from edge_daemon.types import Polygon

OPSET: Final = 17
LICENCE: Final = "Apache-2.0"
PARITY: Final = 1e-4
GRAPHS: Final = ("image", "question", "answer")
# engine quantize and train drift made them
_OF_OTHER_WEIGHTS: Final = ("image.int8.onnx", "agreement.json", "drift.json")

_GOLDEN_QUESTIONS: Final = (
    "Is there a pedestrian?",
    "Is there a car on the left?",
    "Are there more than two people?",
    "Is the traffic light red?",
    "Is it night?",
    "Is there a dog but no person?",
)
_GOLDEN_ZONE: Final = ((0.1, 0.5), (0.9, 0.5), (0.9, 0.9), (0.1, 0.9))
_GOLDEN_PICTURES: Final = 3
_PNG: Final = (  # 7 % smaller than OpenCV's usual
    cv2.IMWRITE_PNG_COMPRESSION, 6, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_FILTERED
)  # fmt: skip


class ExportError(Exception):
    """The exported graphs do not answer as the network does."""


def load_network(settings: Settings, checkpoint: Path, tokenizer: Tokenizer) -> Network:
    """The averaged network of a checkpoint, ready to answer.  Raises OSError, RuntimeError."""
    network = build_network(settings, len(tokenizer.vocab), tokenizer.max_length)
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    network.load_state_dict(state["average"])
    return network.eval()


def trained_tokenizer(checkpoint: Path, now: Tokenizer) -> Tokenizer:
    """The grammar's tokenizer with the word pieces the checkpoint was trained with.

    Words the grammar gained since are unknown; those it lost are not understood any more.
    """
    vocab = list(torch.load(checkpoint, map_location="cpu", weights_only=True)["vocab"])
    known = [word for word in now.known_words if word in set(vocab)]
    return now.model_copy(update={"vocab": vocab, "known_words": known})


def export_bundle(
    network: Network, tokenizer: Tokenizer, out: Path, *, version: str, temperature: float
) -> None:
    """Write the bundle directory, replacing its graphs.  Raises ExportError."""
    out.mkdir(parents=True, exist_ok=True)
    for name in _OF_OTHER_WEIGHTS:
        (out / name).unlink(missing_ok=True)
    told = {"bundle": out.name, "version": version, "licence": LICENCE}
    for name, model in _onnx_graphs(network, tokenizer.max_length, out, told):
        _check_parity(network, name, model)
    _write_json(out / "tokenizer.json", tokenizer.model_dump())
    write_goldens(network, tokenizer, out, temperature)
    write_manifest(network, out, version=version, temperature=temperature)


def write_manifest(network: Network, out: Path, *, version: str, temperature: float) -> None:
    """manifest.yaml, which pins every other file of the bundle by its hash."""
    columns, rows = network.answer.columns, network.answer.rows
    data = [{"name": n, "licence": lic, "source": src} for n, (lic, src) in SOURCES.items()]
    manifest = {
        "schema": "edge-daemon/bundle/1",
        "name": out.name,
        "version": version,
        "kind": "grounded",
        "licence": LICENCE,
        "provenance": {"weights": WEIGHTS, "data": data},
        "input": {"width": columns * 16, "height": rows * 16, "fit": "stretch"},
        "grid": {"columns": columns, "rows": rows},
        "temperature": round(temperature, 4),
        "graphs": {"fp32": {name: _pinned(out, f"{name}.fp32.onnx") for name in GRAPHS}},
        "tokenizer": _pinned(out, "tokenizer.json"),
        "concepts": [*CONCEPTS, *SCENES],
        "goldens": _pinned(out, "goldens/goldens.json"),
    }
    text = yaml.safe_dump(manifest, sort_keys=False, width=100, allow_unicode=True)
    (out / "manifest.yaml").write_text(text, encoding="utf-8")


def write_goldens(network: Network, tokenizer: Tokenizer, out: Path, temperature: float) -> None:
    """Rendered pictures and what the torch network answers about them."""
    folder = out / "goldens"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    rng, head = np.random.default_rng(7), network.answer
    rows: list[dict[str, Any]] = []
    for n in range(_GOLDEN_PICTURES):
        pixels, _truth = random_scene(rng, head.columns * 16, head.rows * 16)
        name = f"goldens/street-{n}.png"
        cv2.imwrite(str(out / name), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), _PNG)
        for zone in (None, _GOLDEN_ZONE):
            asked = _GOLDEN_QUESTIONS if zone is None else _GOLDEN_QUESTIONS[:1]
            answers = p_yes(_logits(network, tokenizer, pixels, asked, zone), temperature)
            rows += [
                {"image": name, "question": q, "zone": zone, "p_yes": round(float(p), 5)}
                for q, p in zip(asked, answers)
            ]
    _write_json(folder / "goldens.json", {"tolerance": 0.01, "rows": rows})


def _logits(
    network: Network,
    tokenizer: Tokenizer,
    pixels: NDArray[np.uint8],
    asked: Sequence[str],
    zone: Polygon | None,
) -> NDArray[np.float32]:
    """Logits (Q, 2)."""
    columns, rows = network.answer.columns, network.answer.rows
    mask = np.ones((rows, columns), bool) if zone is None else polygon_mask(zone, columns, rows)
    ids = torch.from_numpy(np.stack([tokenizer.encode(text) for text in asked]))
    masks = torch.from_numpy(np.repeat(mask.reshape(1, -1).astype(np.float32), len(asked), 0))
    with torch.no_grad():
        out = network(torch.from_numpy(pixels)[None], ids, masks)
    return np.asarray(out["logits"][0].numpy(), np.float32)


class _Answer(nn.Module):
    """The answer graph's two outputs."""

    def __init__(self, head: AnswerHead) -> None:
        super().__init__()
        self.head = head

    def forward(self, tokens: Tensor, vectors: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        out = self.head(tokens, vectors, mask)
        return out["logits"], out["evidence"]


def _inputs(
    network: Network, length: int, n_pictures: int, n_questions: int
) -> dict[str, tuple[Tensor, ...]]:
    draw = torch.Generator().manual_seed(3)
    height, width = network.answer.rows * 16, network.answer.columns * 16
    pixels = torch.randint(
        0, 256, (n_pictures, height, width, 3), generator=draw, dtype=torch.uint8
    )
    ids = torch.randint(1, 100, (n_questions, length), generator=draw)
    ids[:, length // 2 :] = 0
    mask = (torch.rand(n_questions, height // 16 * width // 16, generator=draw) > 0.3).float()
    with torch.no_grad():
        tokens, vectors = network.image(pixels), network.question(ids)
    return {"image": (pixels,), "question": (ids,), "answer": (tokens, vectors, mask)}


_NAMES: Final = {
    "image": (["pixels"], ["tokens"]),
    "question": (["ids"], ["vectors"]),
    "answer": (["tokens", "vectors", "mask"], ["logits", "evidence"]),
}
_AXES: Final = {
    "pixels": {0: "B"}, "tokens": {0: "B"}, "ids": {0: "Q"}, "vectors": {0: "Q"}, "mask": {0: "Q"},
    "logits": {0: "B", 1: "Q"}, "evidence": {0: "B", 1: "Q"},
}  # fmt: skip


def _modules(network: Network) -> dict[str, nn.Module]:
    return {"image": network.image, "question": network.question, "answer": _Answer(network.answer)}


def _onnx_graphs(
    network: Network, length: int, out: Path, told: Mapping[str, str]
) -> list[tuple[str, Path]]:
    """Write the graphs, simplified, with what is told of them as their metadata."""
    network.to(memory_format=torch.contiguous_format).eval()  # type: ignore[call-overload] # torch's stubs lack it
    examples = _inputs(network, length, 2, 3)
    written = []
    for name, module in _modules(network).items():
        path = out / f"{name}.fp32.onnx"
        inputs, outputs = _NAMES[name]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the tracer warns of shapes that we keep fixed
            torch.onnx.export(
                module,
                examples[name],
                path,
                input_names=inputs,
                output_names=outputs,
                dynamic_axes={axis: _AXES[axis] for axis in (*inputs, *outputs)},
                opset_version=OPSET,
                dynamo=False,
            )
        model = simplify(name_weights(onnx.load(path), module.state_dict()))
        onnx.helper.set_model_props(model, {"graph": name, **told})
        onnx.save(model, path)
        written.append((name, path))
    return written


def _check_parity(network: Network, name: str, path: Path) -> None:
    """Compare the graph with torch, at other batch sizes than it was traced with."""
    import onnxruntime  # noqa: PLC0415 - only here

    length = network.question.order.shape[0]
    examples = _inputs(network, length, 3, 5)[name]
    with torch.no_grad():
        expected = _modules(network)[name](*examples)
    expected = expected if isinstance(expected, tuple) else (expected,)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    feeds = {n: x.numpy() for n, x in zip(_NAMES[name][0], examples)}
    for wanted, got in zip(expected, session.run(_NAMES[name][1], feeds)):
        gap = float(np.abs(wanted.numpy() - got).max() / max(1.0, float(wanted.abs().max())))
        if gap > PARITY:
            raise ExportError(f"{path.name}: differs from torch by {gap:.2g}, more than {PARITY}")


def _pinned(out: Path, name: str) -> dict[str, str]:
    return {"file": name, "sha256": hashlib.sha256((out / name).read_bytes()).hexdigest()}


def _write_json(path: Path, data: object) -> None:
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
