"""Single bundles, the plain form: picture and question go through one graph together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_daemon.engine.answer import p_yes
from edge_daemon.engine.base import Answers, QuestionSet
from edge_daemon.engine.manifest import SingleManifest
from edge_daemon.engine.runtime import CheckedGraph, Port, choose_precision, info_of
from edge_daemon.errors import BundleError, EngineRunError
from edge_daemon.types import polygon_mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_daemon.engine.bundle import Bundle
    from edge_daemon.engine.drift import Drift
    from edge_daemon.engine.runtime import RunsGraph, Runtime
    from edge_daemon.types import Polygon

_AT_ONCE: Final = 16  # questions a run: each carries a copy of the picture


@dataclass(frozen=True, eq=False)
class _Asked(QuestionSet):
    """Questions as ids, int64 (Q, L), and pixels that count, bool (1, H, W), None: all."""

    ids: NDArray[np.int64] = field(repr=False)
    inside: tuple[NDArray[np.bool_] | None, ...] = field(repr=False)


class SingleEngine:
    """A single bundle on a runtime.  One thread at a time.

    main is its graph.  What is outside a zone is painted in the mean colour; there is no evidence.
    Raises BundleError as GroundedEngine does.
    """

    def __init__(
        self, bundle: Bundle, runtime: Runtime, precision: str = "auto", threads: int = 1
    ) -> None:
        if not isinstance(bundle.manifest, SingleManifest):
            raise TypeError(f"bundle {bundle.name} is not of kind single")
        chosen = choose_precision(bundle, precision, runtime)
        self.info = info_of(bundle, runtime, chosen)
        self.input_size, self.grid = bundle.input_size, bundle.grid
        self.drift: Drift | None = None  # it has no tokens
        self._tokenizer = bundle.tokenizer
        self._temperature = bundle.manifest.temperature
        mean, std = (np.asarray(n, np.float32) for n in _normalisation(bundle.manifest))
        self._scale, self._shift = 1 / (255 * std), -mean / std  # (3,) each
        (width, height), length = bundle.input_size, bundle.tokenizer.max_length
        self.main: RunsGraph = CheckedGraph(
            runtime,
            bundle,
            chosen,
            "model",
            takes={
                "pixel_values": Port("float32", ("B", 3, height, width)),
                "input_ids": Port("int64", ("B", length)),
                "attention_mask": Port("int64", ("B", length)),
            },
            gives={"logits": Port("float32", ("B", 2))},
            threads=threads,
        )
        try:
            ids = np.repeat(self._tokenizer.encode("")[None], 2, axis=0)
            logits = self._run(np.zeros((2, 3, height, width), np.float32), ids)
        except EngineRunError as exc:  # it would fail for ever
            raise BundleError(exc.what, where=exc.where, hint=exc.hint) from exc
        if logits.shape != (2, 2):
            what, hint = f"logits of two questions are {logits.shape}", "export the bundle again"
            raise BundleError(what, where=str(bundle.path), hint=hint)

    def prepare(self, texts: Sequence[str], zones: Sequence[Polygon | None]) -> QuestionSet:
        """Encode questions."""
        refusals = [self._tokenizer.refusal(text) for text in texts]
        supported = np.array([refusal is None for refusal in refusals], np.bool_)
        ids = np.zeros((len(texts), self._tokenizer.max_length), np.int64)
        for row, text in zip(ids, texts):
            row[:] = self._tokenizer.encode(text)
        inside = tuple(z if z is None else polygon_mask(z, *self.input_size)[None] for z in zones)
        nothing = np.zeros((len(texts), 0), np.float32)
        remarks = tuple(
            refusal or self._tokenizer.note(text) or "" for refusal, text in zip(refusals, texts)
        )
        return _Asked(tuple(texts), nothing[:, None], nothing, supported, remarks, ids, inside)

    def look(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Pictures (B, height, width, 3), uint8 RGB, as pixel_values float32 (B, 3, H, W)."""
        width, height = self.input_size
        if pictures.dtype != np.uint8 or pictures.shape[1:] != (height, width, 3):
            wanted = f"uint8 (B, {height}, {width}, 3)"
            raise ValueError(f"need {wanted}, got {pictures.dtype} {pictures.shape}")
        values = pictures * self._scale + self._shift
        return np.ascontiguousarray(values.transpose(0, 3, 1, 2), np.float32)

    def answer(self, tokens: NDArray[np.float32], questions: QuestionSet) -> Answers:
        """Answer all the questions from pixel_values, sixteen a run.  Raises EngineRunError."""
        if not isinstance(questions, _Asked):
            raise TypeError("questions were prepared by another engine")
        size, asked = (len(tokens), len(questions.texts)), np.flatnonzero(questions.supported)
        probabilities = np.full(size, np.nan, np.float32)
        for picture, found in zip(tokens, probabilities):
            for at in range(0, len(asked), _AT_ONCE):
                some = asked[at : at + _AT_ONCE]
                seen = np.stack([_within(picture, questions.inside[n]) for n in some])
                logits = self._run(seen, questions.ids[some])  # (q, 2)
                found[some] = p_yes(logits[None], self._temperature)[0]
        return Answers(probabilities, np.zeros((*size, 1, 1), np.float32))

    def close(self) -> None:
        """Free the runtime.  The engine cannot be used afterwards."""
        del self.main

    def _run(self, pixels: NDArray[np.float32], ids: NDArray[np.int64]) -> NDArray[np.float32]:
        attention = (ids != 0).astype(np.int64)
        return self.main.run(pixel_values=pixels, input_ids=ids, attention_mask=attention)["logits"]


def _normalisation(manifest: SingleManifest) -> tuple[Sequence[float], Sequence[float]]:
    return manifest.input.mean, manifest.input.std


def _within(picture: NDArray[np.float32], inside: NDArray[np.bool_] | None) -> NDArray[np.float32]:
    """The picture with what lies outside in the mean colour, which is 0."""
    return picture if inside is None else picture * inside
