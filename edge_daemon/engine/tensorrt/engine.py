"""A bundle on TensorRT: looks on the GPU, answers on the processor.

Looking is nearly all of the work.  Questions and answers stay with ONNX Runtime: tokens are a
hundred kilobytes that the pipeline wants on the host anyway, and the answer graph is a hundred
tiny operations whose launches alone would cost what the processor takes for all of it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_daemon.engine.grounded import GroundedEngine
from edge_daemon.engine.ort import OnnxRuntime
from edge_daemon.engine.tensorrt.execution import LoadedPlan
from edge_daemon.errors import EngineError, EngineRunError
from edge_daemon.types import EngineInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from edge_daemon.engine.base import Answers, QuestionSet
    from edge_daemon.engine.bundle import Bundle
    from edge_daemon.engine.manifest import Precision
    from edge_daemon.engine.tensorrt.place import Place
    from edge_daemon.engine.tensorrt.plans import Plan
    from edge_daemon.types import Polygon

log = logging.getLogger(__name__)

_PATIENCE: Final = 3  # faults in a row before the GPU is given up


class TensorRTEngine:
    """A grounded bundle whose image graph is a plan, once there is one.  One thread at a time.

    Until ``take`` was called, and after the GPU failed three times in a row, ONNX Runtime answers;
    ``info`` says who does.  Raises BundleError.
    """

    def __init__(self, bundle: Bundle, precision: Precision, threads: int, place: Place) -> None:
        meanwhile = precision if precision in bundle.precisions else "auto"
        self._onnx = GroundedEngine(bundle, OnnxRuntime(), meanwhile, threads)
        self.input_size, self.grid = bundle.input_size, bundle.grid
        self.drift = self._onnx.drift
        self._bundle, self._place = bundle, place
        self._planned = EngineInfo(bundle.name, bundle.sha256, "tensorrt", precision)
        self._plan: LoadedPlan | None = None
        self._faults = 0
        self._on_close: Callable[[], None] = lambda: None

    @property
    def info(self) -> EngineInfo:
        """Who answers now."""
        return self._onnx.info if self._plan is None else self._planned

    def before_close(self, stop: Callable[[], None]) -> None:
        """Call stop when the engine is closed: whoever still builds a plan for it."""
        self._on_close = stop

    def take(self, plan: Plan, where: str) -> None:
        """Look by this plan from now on.  Any thread.  Raises PlanError, EngineRunError."""
        width, height = self.input_size
        self._plan = LoadedPlan(
            self._place.trt,
            self._place.driver,
            plan.data,
            shape=(height, width, 3),
            n_tokens=self.grid[0] * self.grid[1],
            where=where,
        )
        self._faults = 0

    def prepare(self, texts: Sequence[str], zones: Sequence[Polygon | None]) -> QuestionSet:
        """Encode questions, on the processor.  Raises EngineRunError."""
        return self._onnx.prepare(texts, zones)

    def look(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Tokens (B, T, D) float32 of pictures (B, height, width, 3), uint8 RGB.

        Raises EngineRunError.
        """
        plan, (width, height) = self._plan, self.input_size
        fits = pictures.dtype == np.uint8 and pictures.shape[1:] == (height, width, 3)
        if plan is None or not fits or not len(pictures):
            return self._onnx.look(pictures)
        try:
            tokens = self._finite(plan.run(pictures))
        except EngineRunError as exc:
            self._count(exc)
            raise
        self._faults = 0
        return tokens

    def answer(self, tokens: NDArray[np.float32], questions: QuestionSet) -> Answers:
        """Answer all the questions from the tokens, on the processor.  Raises EngineRunError."""
        return self._onnx.answer(tokens, questions)

    def close(self) -> None:
        """Free GPU and runtime; end a build that still runs."""
        self._on_close()
        self._onnx.close()
        plan, self._plan = self._plan, None
        if plan is not None:
            plan.close()

    def _finite(self, tokens: NDArray[np.float32]) -> NDArray[np.float32]:
        if np.isfinite(tokens).all():
            return tokens
        hint = "use precision fp32, or copy the bundle again"
        what = "tokens: not finite numbers, weights or input are damaged"
        raise EngineRunError(what, where=f"bundle {self._bundle.path}", hint=hint)

    def _count(self, fault: EngineRunError) -> None:
        """Give the GPU up after some faults in a row: a broken context does not mend."""
        self._faults += 1
        if self._faults < _PATIENCE:
            return
        log.error("%s: failed %d times in a row, ONNX Runtime answers from now on"
                  " -- see dmesg, and restart the daemon", fault.where, self._faults)  # fmt: skip
        plan, self._plan = self._plan, None
        try:
            if plan is not None:
                plan.close()
        except EngineError as exc:
            log.debug("the GPU cannot be freed: %s", exc)
