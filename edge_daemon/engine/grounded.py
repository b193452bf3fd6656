"""Grounded bundles: one look, then all the questions.  On any runtime."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

import numpy as np

from edge_daemon.engine.answer import evidence_maps, p_yes, zone_masks
from edge_daemon.engine.base import Answers, QuestionSet
from edge_daemon.engine.runtime import CheckedGraph, Port, choose_precision, info_of, refuse
from edge_daemon.errors import BundleError, EngineError, EngineRunError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_daemon.engine.bundle import Bundle
    from edge_daemon.engine.runtime import RunsGraph, Runtime
    from edge_daemon.types import Polygon

log = logging.getLogger(__name__)

_KEPT_QUESTIONS: Final = 1024  # vectors of the questions used last
_STANDING_AFTER: Final = 16
"""Frames after which questions get an answer graph of their own, which takes 10 ms to open."""


@dataclass(slots=True)
class _Standing:
    """How often a set of questions was asked, and the answer graph with them folded in."""

    times: int = 0
    graph: CheckedGraph | None = None


class GroundedEngine:
    """A grounded bundle on a runtime.  One thread at a time.

    main is the graph that looks: nearly all of the work.

    Raises BundleError when the bundle lacks the precision, its graphs do not fit its manifest,
    or the first run fails.
    """

    def __init__(
        self, bundle: Bundle, runtime: Runtime, precision: str = "auto", threads: int = 1
    ) -> None:
        chosen = choose_precision(bundle, precision, runtime)
        self.info = info_of(bundle, runtime, chosen)
        self.input_size, self.grid = bundle.input_size, bundle.grid
        self.drift = bundle.drift()
        self._tokenizer = bundle.tokenizer
        self._temperature = bundle.manifest.temperature
        self._vectors: dict[str, NDArray[np.float32]] = {}
        self._standing: WeakKeyDictionary[QuestionSet, _Standing] = WeakKeyDictionary()
        width, height = bundle.input_size
        n_tokens, length = bundle.grid[0] * bundle.grid[1], bundle.tokenizer.max_length
        tokens = {"tokens": Port("float32", ("B", n_tokens, None))}
        vectors = {"vectors": Port("float32", ("Q", None, None))}
        graph = partial(CheckedGraph, runtime, bundle, chosen)
        self.main: RunsGraph = graph(
            "image",
            takes={"pixels": Port("uint8", ("B", height, width, 3))},
            gives=tokens,
            threads=threads,
        )
        self._question = graph(
            "question", takes={"ids": Port("int64", ("Q", length))}, gives=vectors, threads=1
        )
        self._answer = graph(
            "answer",
            takes={**tokens, **vectors, "mask": Port("float32", ("Q", n_tokens))},
            gives={
                "logits": Port("float32", ("B", "Q", 2)),
                "evidence": Port("float32", ("B", "Q", n_tokens)),
            },
            threads=threads,
        )
        try:
            self._warm_up(str(bundle.path))
        except EngineRunError as exc:  # it would fail for ever
            raise BundleError(exc.what, where=exc.where, hint=exc.hint) from exc

    def prepare(self, texts: Sequence[str], zones: Sequence[Polygon | None]) -> QuestionSet:
        """Encode questions; equal texts once, the last 1024 are kept.  Raises EngineRunError.

        Each text is encoded by itself, so that its vectors never depend on its neighbours.
        An unsupported one gets zeros, and is not run.
        """
        refusals = [self._tokenizer.refusal(text) for text in texts]
        supported = np.array([refusal is None for refusal in refusals], np.bool_)
        remarks = tuple(
            refusal or (zone is None and self._tokenizer.note(text)) or ""
            for refusal, zone, text in zip(refusals, zones, texts)
        )
        vectors = np.zeros((len(texts), *self._vector_shape), np.float32)
        for n, text in enumerate(texts):
            if supported[n]:
                vectors[n] = self._encoded(text)
        mask = zone_masks(zones, self.grid)
        return QuestionSet(tuple(texts), vectors, mask, supported, remarks)

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
        return self.main.run(pixels=pictures)["tokens"]

    def answer(self, tokens: NDArray[np.float32], questions: QuestionSet) -> Answers:
        """Answer all the questions from the tokens (B, T, D).  Raises EngineRunError."""
        size, supported = (len(tokens), len(questions.texts)), questions.supported
        if supported.all() and all(size):  # nearly always: nothing is copied
            said = self._asked(tokens, questions)
            maps = evidence_maps(said["evidence"], self.grid)
            return Answers(p_yes(said["logits"], self._temperature), maps)
        columns, rows = self.grid
        probabilities = np.full(size, np.nan, np.float32)
        maps = np.zeros((*size, rows, columns), np.float32)
        if len(tokens) and supported.any():
            vectors, mask = questions.vectors[supported], questions.mask[supported]
            said = self._answer.run(tokens=tokens, vectors=vectors, mask=mask)
            probabilities[:, supported] = p_yes(said["logits"], self._temperature)
            maps[:, supported] = evidence_maps(said["evidence"], self.grid)
        return Answers(probabilities, maps)

    def close(self) -> None:
        """Free the runtime.  The engine cannot be used afterwards."""
        self._standing.clear()
        del self.main, self._question, self._answer

    def _asked(
        self, tokens: NDArray[np.float32], questions: QuestionSet
    ) -> dict[str, NDArray[np.float32]]:
        """Run the answer graph; of questions asked again and again, one with them folded in.

        It answers to the bit as before (measured on ONNX Runtime), which a replay of recorded
        evidence counts on; not for a single question, which has nothing to gain either.
        """
        standing = self._standing.setdefault(questions, _Standing())
        standing.times += 1
        if standing.times == _STANDING_AFTER and len(questions.texts) > 1:
            try:
                standing.graph = self._answer.fixed(vectors=questions.vectors, mask=questions.mask)
            except EngineError as fault:  # no memory for it, say: it is only faster
                log.warning("%s; going on with the graph as it is", fault)
        if standing.graph is not None:
            return standing.graph.run(tokens=tokens)
        return self._answer.run(tokens=tokens, vectors=questions.vectors, mask=questions.mask)

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
        tokens = self.main.run(pixels=np.zeros((2, height, width, 3), np.uint8))["tokens"]
        vectors = self._question.run(ids=ids)["vectors"]
        mask = np.ones((3, n_tokens), np.float32)
        said = self._answer.run(tokens=tokens, vectors=vectors, mask=mask)
        shapes = (tokens.shape[:2], vectors.shape[:1], said["logits"].shape, said["evidence"].shape)
        if shapes != ((2, n_tokens), (3,), (2, 3, 2), (2, 3, n_tokens)):
            refuse(f"graphs give tokens, vectors, logits, evidence {shapes}", where)
        if self.drift is not None and self.drift.channels != tokens.shape[2]:
            refuse(f"drift is of {self.drift.channels} channels, not {tokens.shape[2]}", where)
        self._token_shape, self._vector_shape = tokens.shape[1:], vectors.shape[1:]
