"""A bundle on TensorRT: its main graph on the GPU, the rest on the processor.

The main graph is nearly all of the work: looking, or for kind single everything.  Questions and
answers of grounded bundles stay with ONNX Runtime: tokens are a hundred kilobytes that the pipeline
wants on the host anyway, and the answer graph is a hundred tiny operations whose launches alone
would cost what the processor takes for all of it.
"""

from __future__ import annotations

import logging
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from edge_daemon.engine.grounded import GroundedEngine
from edge_daemon.engine.ort import OnnxRuntime
from edge_daemon.engine.runtime import refuse_infinite
from edge_daemon.engine.single import SingleEngine
from edge_daemon.engine.tensorrt.execution import LoadedPlan
from edge_daemon.errors import EngineError, EngineRunError
from edge_daemon.types import EngineInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edge_daemon.engine.base import Answers, QuestionSet
    from edge_daemon.engine.bundle import Bundle
    from edge_daemon.engine.manifest import Precision
    from edge_daemon.engine.runtime import RunsGraph
    from edge_daemon.engine.tensorrt.place import Place
    from edge_daemon.engine.tensorrt.plans import Plan
    from edge_daemon.types import Polygon

log = logging.getLogger(__name__)

_PATIENCE: Final = 3  # faults in a row before the GPU is given up
_MEND: Final = "use precision fp32, or copy the bundle again"


class TensorRTEngine:
    """A bundle whose main graph is a plan, once there is one.  One thread at a time.

    Until ``take`` was called, and after the GPU failed three times in a row, ONNX Runtime answers;
    ``info`` says who does.  Raises BundleError.
    """

    def __init__(self, bundle: Bundle, precision: Precision, threads: int, place: Place) -> None:
        meanwhile = precision if precision in bundle.precisions else "auto"
        kind = GroundedEngine if bundle.manifest.kind == "grounded" else SingleEngine
        self._onnx: GroundedEngine | SingleEngine = kind(bundle, OnnxRuntime(), meanwhile, threads)
        self.input_size, self.grid = bundle.input_size, bundle.grid
        self.drift = self._onnx.drift
        self._place = place
        self._planned = EngineInfo(bundle.name, bundle.sha256, "tensorrt", precision)
        self._main = self._onnx.main = _Main(self._onnx.main, f"bundle {bundle.path}")
        self._on_close: Callable[[], None] = lambda: None

    @property
    def info(self) -> EngineInfo:
        """Who answers now."""
        return self._onnx.info if self._main.plan is None else self._planned

    @property
    def plan(self) -> LoadedPlan | None:
        """The plan that answers now."""
        return self._main.plan

    def before_close(self, stop: Callable[[], None]) -> None:
        """Call stop when the engine is closed: whoever still builds a plan for it."""
        self._on_close = stop

    def take(self, plan: Plan, where: str) -> None:
        """Run this plan from now on.  Any thread.  Raises PlanError, EngineRunError."""
        trt, driver, onnx = self._place.trt, self._place.driver, self._main.onnx
        loaded = LoadedPlan(
            trt, driver, plan.data, takes=onnx.takes, gives=onnx.gives, where=where
        )  # fmt: skip
        self._main.take(loaded)

    def prepare(self, texts: Sequence[str], zones: Sequence[Polygon | None]) -> QuestionSet:
        """Encode questions, on the processor.  Raises EngineRunError."""
        return self._onnx.prepare(texts, zones)

    def look(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Tokens (B, T, D) float32 of pictures (B, height, width, 3), uint8 RGB; or pixel_values.

        Raises EngineRunError.
        """
        return self._onnx.look(pictures)

    def answer(self, tokens: NDArray[np.float32], questions: QuestionSet) -> Answers:
        """Answer all the questions from what ``look`` gave.  Raises EngineRunError."""
        return self._onnx.answer(tokens, questions)

    def close(self) -> None:
        """Free GPU and runtime; end a build that still runs."""
        self._on_close()
        self._onnx.close()
        self._main.end()


class _Main:
    """The main graph in an engine of ONNX Runtime: by a plan, where there is one."""

    def __init__(self, onnx: RunsGraph, where: str) -> None:
        self.onnx, self._where = onnx, where
        self.takes, self.gives = onnx.takes, onnx.gives
        self.plan: LoadedPlan | None = None
        self._faults = 0
        self._is_over, self._taking = False, Lock()

    def take(self, plan: LoadedPlan) -> None:
        with self._taking:
            if self._is_over:  # it took too long, and nobody would free it
                plan.close()
            else:
                self.plan, self._faults = plan, 0

    def end(self) -> None:
        with self._taking:
            self._is_over = True
        self.close()

    def run(self, **feeds: NDArray[Any]) -> dict[str, NDArray[np.float32]]:
        """Outputs by name, all finite.  Raises EngineRunError."""
        plan = self.plan
        if plan is None:
            return self.onnx.run(**feeds)
        try:
            found = plan.run(feeds)
            refuse_infinite(found, where=self._where, hint=_MEND)
        except EngineRunError as exc:
            self._count(exc)
            raise
        self._faults = 0
        return found

    def close(self) -> None:
        plan, self.plan = self.plan, None
        if plan is not None:
            plan.close()

    def _count(self, fault: EngineRunError) -> None:
        """Give the GPU up after some faults in a row: a broken context does not mend."""
        self._faults += 1
        if self._faults < _PATIENCE:
            return
        log.error("%s: failed %d times in a row, ONNX Runtime answers from now on"
                  " -- see dmesg, and restart the daemon", fault.where, self._faults)  # fmt: skip
        try:
            self.close()
        except EngineError as exc:
            log.debug("the GPU cannot be freed: %s", exc)
