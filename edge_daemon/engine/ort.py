"""Bundles on ONNX Runtime, on the processor."""

from __future__ import annotations

import platform
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as _ort_state

from edge_daemon.engine.answer import evidence_maps, p_yes, zone_masks
from edge_daemon.engine.base import Answers, QuestionSet
from edge_daemon.engine.onnxfile import refuse_external_data
from edge_daemon.errors import BundleError, EngineRunError
from edge_daemon.types import EngineInfo

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edge_daemon.engine.bundle import Bundle
    from edge_daemon.engine.manifest import GraphName, Precision
    from edge_daemon.types import Polygon

# Every exception of the runtime derives from Exception alone; its Python part adds RuntimeError
# and ValueError, and a failed allocation in C++ arrives as MemoryError.
_FAULTS: Final[tuple[type[Exception], ...]] = (
    *(t for t in vars(_ort_state).values() if isinstance(t, type) and issubclass(t, Exception)),
    RuntimeError,
    ValueError,
    MemoryError,
)
_SILENT: Final = 4  # only fatal faults; every other one is raised, and said by us
_PREFIX: Final = re.compile(r"^.*\[ONNXRuntimeError\] : \d+ : \w+ : ", re.DOTALL)
_KEPT_QUESTIONS: Final = 1024  # vectors of the questions used last

_Size = int | str | None  # a number: this size; None: any size; a name: must stay open
_Spec = tuple[str, tuple[_Size, ...]]  # ONNX Runtime's name of a type, and a shape
_FLOAT: Final = "tensor(float)"


class OnnxEngine:
    """A grounded bundle on ONNX Runtime's CPU provider.  One thread at a time.

    Raises BundleError when the bundle lacks the precision, its graphs do not fit its manifest,
    or the first run fails.
    """

    def __init__(self, bundle: Bundle, precision: str = "auto", threads: int = 1) -> None:
        chosen = _choose(bundle, precision)
        self.info = EngineInfo(bundle.name, bundle.sha256, "onnxruntime", chosen)
        self.input_size, self.grid = bundle.input_size, bundle.grid
        self._tokenizer = bundle.tokenizer
        self._temperature = bundle.manifest.temperature
        self._vectors: dict[str, NDArray[np.float32]] = {}
        self._image = _Graph(bundle, chosen, "image", threads)
        self._question = _Graph(bundle, chosen, "question", 1)
        self._answer = _Graph(bundle, chosen, "answer", threads)
        try:
            self._warm_up(str(bundle.path))
        except EngineRunError as exc:  # it would fail for ever
            raise BundleError(exc.what, where=exc.where, hint=exc.hint) from exc

    def prepare(self, texts: Sequence[str], zones: Sequence[Polygon | None]) -> QuestionSet:
        """Encode questions; equal texts once, the last 1024 are kept.  Raises EngineRunError.

        Each text is encoded by itself, so that its vectors never depend on its neighbours.
        An unsupported one gets zeros, and is not run.
        """
        supported = np.array([self._tokenizer.supports(text) for text in texts], np.bool_)
        vectors = np.zeros((len(texts), *self._vector_shape), np.float32)
        for n, text in enumerate(texts):
            if supported[n]:
                vectors[n] = self._encoded(text)
        return QuestionSet(tuple(texts), vectors, zone_masks(zones, self.grid), supported)

    def look(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Tokens (B, T, D) float32 of pictures (B, height, width, 3), uint8 RGB.

        Raises EngineRunError.
        """
        width, height = self.input_size
        if pictures.dtype != np.uint8 or pictures.shape[1:] != (height, width, 3):
            wanted = f"uint8 (B, {height}, {width}, 3)"
            raise ValueError(f"need {wanted}, got {pictures.dtype} {pictures.shape}")
        if not len(pictures):
            return np.zeros((0, *self._token_shape), np.float32)
        return self._image.run(pixels=pictures)["tokens"]

    def answer(self, tokens: NDArray[np.float32], questions: QuestionSet) -> Answers:
        """Answer all the questions from the tokens (B, T, D).  Raises EngineRunError."""
        size, asked = (len(tokens), len(questions.texts)), np.flatnonzero(questions.supported)
        columns, rows = self.grid
        probabilities = np.full(size, np.nan, np.float32)
        maps = np.zeros((*size, rows, columns), np.float32)
        if len(tokens) and len(asked):
            vectors, mask = questions.vectors[asked], questions.mask[asked]
            said = self._answer.run(tokens=tokens, vectors=vectors, mask=mask)
            probabilities[:, asked] = p_yes(said["logits"], self._temperature)
            maps[:, asked] = evidence_maps(said["evidence"], self.grid)
        return Answers(probabilities, maps)

    def close(self) -> None:
        """Free the runtime.  The engine cannot be used afterwards."""
        del self._image, self._question, self._answer

    def _encoded(self, text: str) -> NDArray[np.float32]:
        """Vectors (K, D) of one question."""
        found = self._vectors.pop(text, None)
        if found is None:
            found = self._question.run(ids=self._tokenizer.encode(text)[None])["vectors"][0]
            if len(self._vectors) >= _KEPT_QUESTIONS:
                del self._vectors[next(iter(self._vectors))]
        self._vectors[text] = found  # the one used last stands last
        return found

    def _warm_up(self, where: str) -> None:
        """Run all three graphs once, at sizes that show whether B and Q are really open."""
        width, height = self.input_size
        n_tokens = self.grid[0] * self.grid[1]
        ids = np.repeat(self._tokenizer.encode("")[None], 3, axis=0)  # (3, L)
        tokens = self._image.run(pixels=np.zeros((2, height, width, 3), np.uint8))["tokens"]
        vectors = self._question.run(ids=ids)["vectors"]
        mask = np.ones((3, n_tokens), np.float32)
        said = self._answer.run(tokens=tokens, vectors=vectors, mask=mask)
        shapes = (tokens.shape[:2], vectors.shape[:1], said["logits"].shape, said["evidence"].shape)
        if shapes != ((2, n_tokens), (3,), (2, 3, 2), (2, 3, n_tokens)):
            _refuse(f"graphs give tokens, vectors, logits, evidence {shapes}", where)
        self._token_shape, self._vector_shape = tokens.shape[1:], vectors.shape[1:]


class _Graph:
    """One graph of a bundle, opened; it takes and gives what the bundle format says.

    Raises BundleError.
    """

    def __init__(
        self, bundle: Bundle, precision: Precision, which: GraphName, threads: int
    ) -> None:
        self._where = str(bundle.path / bundle.pinned_graph(precision, which).file)
        inputs, outputs = _agreed(bundle, which)
        self._names = list(outputs)
        model = bundle.graph(precision, which)
        refuse_external_data(model, where=self._where)
        try:
            self._session = onnxruntime.InferenceSession(
                model, _options(threads), providers=["CPUExecutionProvider"]
            )
        except _FAULTS as exc:
            hint = "export the bundle again, or upgrade onnxruntime"
            what = f"cannot be opened: {_short(exc)}"
            raise BundleError(what, where=self._where, hint=hint) from exc
        _check(self._session.get_inputs(), inputs, where=self._where, alone=True)
        _check(self._session.get_outputs(), outputs, where=self._where, alone=False)

    def run(self, **feeds: NDArray[Any]) -> dict[str, NDArray[np.float32]]:
        """Outputs by name, all finite: numbers from damaged weights are no answer.

        Raises EngineRunError.
        """
        try:
            outputs = self._session.run(self._names, feeds)
        except _FAULTS as exc:
            hint = "free memory; if this stays, copy the bundle again"
            raise EngineRunError(_short(exc), where=self._where, hint=hint) from exc
        for name, output in zip(self._names, outputs):
            if not np.isfinite(output).all():
                what = f"{name}: not finite numbers, weights or input are damaged"
                raise EngineRunError(what, where=self._where, hint="copy the bundle again")
        return dict(zip(self._names, outputs))


def _agreed(bundle: Bundle, which: GraphName) -> tuple[dict[str, _Spec], dict[str, _Spec]]:
    """Inputs and outputs of a graph, by name, as the bundle format has them."""
    width, height = bundle.input_size
    n_tokens = bundle.grid[0] * bundle.grid[1]
    length = bundle.tokenizer.max_length
    tokens: dict[str, _Spec] = {"tokens": (_FLOAT, ("B", n_tokens, None))}
    vectors: dict[str, _Spec] = {"vectors": (_FLOAT, ("Q", None, None))}
    if which == "image":
        return {"pixels": ("tensor(uint8)", ("B", height, width, 3))}, tokens
    if which == "question":
        return {"ids": ("tensor(int64)", ("Q", length))}, vectors
    mask: dict[str, _Spec] = {"mask": (_FLOAT, ("Q", n_tokens))}
    said: dict[str, _Spec] = {
        "logits": (_FLOAT, ("B", "Q", 2)),
        "evidence": (_FLOAT, ("B", "Q", n_tokens)),
    }
    return tokens | vectors | mask, said


def _choose(bundle: Bundle, precision: str) -> Precision:
    has = bundle.precisions
    if precision == "auto":
        return "int8" if "int8" in has and sums_bytes_exactly() else "fp32"
    for known in has:
        if known == precision:
            return known
    hint = f"use precision auto or one of: {', '.join(has)}"
    raise BundleError(f"has no {precision} graphs", where=f"bundle {bundle.path}", hint=hint)


@cache
def sums_bytes_exactly() -> bool:
    """Whether the processor sums products of bytes at full width, and so gains from int8.

    x86 without VNNI adds pairs of them in 16 bits, and saturates.
    Source: ONNX Runtime, onnxruntime_session_options_config_keys.h, session.x64quantprecision.
    """
    if platform.machine() not in ("x86_64", "AMD64"):
        return True
    try:
        return "vnni" in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def _options(threads: int) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = _SILENT
    # Idle threads sleep instead of spinning: at ten frames a second two spinning threads burnt
    # 46 % of a core, sleeping ones 7 %, for 1.6 ms more a frame.
    # Source: measured, ONNX Runtime 1.31.1 on an x86 server, 2026-11.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if not sums_bytes_exactly():  # the slower exact way; measured: it doubles the time with VNNI
        options.add_session_config_entry("session.x64quantprecision", "1")
    # Only the format that refuse_external_data has read, whatever the bytes look like.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    return options


def _check(values: Sequence[Any], agreed: Mapping[str, _Spec], *, where: str, alone: bool) -> None:
    """Raise BundleError where inputs or outputs are not the ones agreed."""
    found = {value.name: (value.type, value.shape) for value in values}
    if not agreed.keys() <= found.keys() or (alone and len(found) > len(agreed)):
        _refuse(f"has {', '.join(found)} instead of {', '.join(agreed)}", where)
    for name, (dtype, shape) in agreed.items():
        has_dtype, has_shape = found[name]
        if has_dtype != dtype:
            _refuse(f"{name} is {has_dtype} instead of {dtype}", where)
        if len(has_shape) != len(shape) or not all(map(_fits, has_shape, shape)):
            _refuse(f"{name} is {_shape(has_shape)} instead of {_shape(shape)}", where)


def _fits(has: _Size, agreed: _Size) -> bool:
    if isinstance(agreed, str):
        return not isinstance(has, int)
    return agreed is None or not isinstance(has, int) or has == agreed


def _shape(sizes: Sequence[_Size]) -> str:
    return f"({', '.join('any' if size is None else str(size) for size in sizes)})"


def _refuse(what: str, where: str) -> None:
    raise BundleError(what, where=where, hint="export the bundle again")


def _short(exc: Exception) -> str:
    """The runtime's own words, without its prefix, in 200 characters."""
    words = " ".join(_PREFIX.sub("", str(exc)).split())
    return words[:200] + "..." if len(words) > 200 else words or type(exc).__name__
