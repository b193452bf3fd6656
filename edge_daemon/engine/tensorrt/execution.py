"""A plan on the GPU: what a graph takes goes in, what it gives comes out."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_daemon.engine.cuda.memory import SharedArray
from edge_daemon.engine.runtime import GraphTooLargeError
from edge_daemon.engine.tensorrt.builder import build_log
from edge_daemon.errors import EngineRunError, PlanError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edge_daemon.engine.cuda.driver import Captured, Driver
    from edge_daemon.engine.runtime import Port, Size

log = logging.getLogger(__name__)

_HELD_AS: Final = {"int64": "int32"}
"""TensorRT before 10 has no int64; plans of all releases take word pieces as int32."""
_STEADY: Final = 3  # batches of one size before they are captured as a graph


class LoadedPlan:
    """A plan of a graph whose inputs and outputs all have B, and B alone, open; ready to run.

    takes and gives are the graph's.  One thread at a time, any thread.  Raises PlanError for a
    plan that TensorRT or the bundle does not take, EngineRunError where the GPU fails,
    GraphTooLargeError where not even a batch of one fits.
    """

    def __init__(
        self,
        trt: Any,  # noqa: ANN401  the module
        driver: Driver,
        plan: bytes,
        *,
        takes: Mapping[str, Port],
        gives: Mapping[str, Port],
        where: str,
        graphs: bool = True,
    ) -> None:
        self._trt, self._driver, self._where = trt, driver, where
        self._takes, self._gives = dict(takes), dict(gives)
        self._captures = graphs
        self._graph: Captured | None = None
        self._rows = self._steady = 0
        self._stream: int | None = None
        self._shared: dict[str, SharedArray] = {}
        with driver.current(), ExitStack() as undo:
            undo.callback(self._release)
            self._open(plan)
            undo.pop_all()

    @property
    def largest_batch(self) -> int:
        """What memory was found for; larger batches are cut."""
        return self._largest

    @property
    def captured(self) -> bool:
        """Whether the last batches ran as a CUDA graph."""
        return self._graph is not None

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """Outputs by name, arrays of the caller's.  Raises EngineRunError."""
        n = len(next(iter(feeds.values())))
        found = {
            name: np.empty((n, *self._shared[name].host.shape[1:]), np.float32)
            for name in self._gives
        }
        with self._driver.current():
            for at in range(0, n, self._largest):
                rows = min(self._largest, n - at)
                for name, given in feeds.items():
                    self._shared[name].host[:rows] = given[at : at + rows]
                self._run(rows)
                for name, array in found.items():
                    array[at : at + rows] = self._shared[name].host[:rows]
        return found

    def close(self) -> None:
        """Free the GPU's memory."""
        with self._driver.current():
            self._release()

    def _open(self, plan: bytes) -> None:
        trt = self._trt
        self._said = said = build_log(trt)  # TensorRT keeps a bare pointer to it
        self._runtime = runtime = trt.Runtime(said)
        self._engine = engine = runtime.deserialize_cuda_engine(plan)
        if engine is None:
            hint = "build it again: edge-daemon engine build"
            what = f"TensorRT {trt.__version__} does not take the plan: {said.first}"
            raise PlanError(what, where=self._where, hint=hint)
        names = [engine.get_tensor_name(n) for n in range(engine.num_io_tensors)]
        self._check(names, trt.TensorIOMode.INPUT, self._takes)
        self._check(names, trt.TensorIOMode.OUTPUT, self._gives)
        self._context = context = engine.create_execution_context()
        if context is None:
            hint = "free memory of the GPU, or build with a smaller --largest-batch"
            what = f"no memory to run the plan: {said.first}"
            raise GraphTooLargeError(what, where=self._where, hint=hint)
        self._stream = self._driver.make_stream()
        some = next(iter(self._takes))
        self._largest = int(engine.get_tensor_profile_shape(some, 0)[2][0])
        self._fit()

    def _check(self, names: list[str], mode: Any, agreed: Mapping[str, Port]) -> None:  # noqa: ANN401  theirs
        """Raise PlanError where the plan's inputs, or outputs, are not the ones agreed."""
        engine, kinds = self._engine, self._trt.DataType
        dtypes = {"float32": kinds.FLOAT, "uint8": kinds.UINT8, "int64": kinds.INT32}
        found = [name for name in names if engine.get_tensor_mode(name) == mode]
        if set(found) != set(agreed):
            self._refuse(f"has {', '.join(found)} instead of {', '.join(agreed)}")
        for name, port in agreed.items():
            dtype, shape = engine.get_tensor_dtype(name), tuple(engine.get_tensor_shape(name))
            if dtype != dtypes[port.dtype]:
                self._refuse(f"{name} is {dtype} instead of {dtypes[port.dtype]}")
            if len(shape) != len(port.shape) or not all(map(_fits, shape, port.shape)):
                self._refuse(f"{name} is {shape} instead of {port}")

    def _refuse(self, what: str) -> None:
        hint = "build it again: edge-daemon engine build"
        raise PlanError(what, where=self._where, hint=hint)

    def _fit(self) -> None:
        """Find the largest batch there is memory for, by halving and trying."""
        wanted = self._largest
        while True:
            try:
                self._try()
                break
            except GraphTooLargeError:
                self._unshare()
                if self._largest == 1:
                    raise
                self._largest = (self._largest + 1) // 2
        if self._largest < wanted:
            log.warning("%s: the GPU has memory for batches of %d, not %d",
                        self._where, self._largest, wanted)  # fmt: skip

    def _try(self) -> None:
        for name, port in (self._takes | self._gives).items():
            dtype = _HELD_AS.get(port.dtype, port.dtype)
            sizes = tuple(self._engine.get_tensor_shape(name))[1:]
            self._shared[name] = SharedArray(self._driver, (self._largest, *sizes), dtype)
            self._shared[name].host[:] = 0
        self._bind(self._largest)
        self._enqueue(self._largest)

    def _bind(self, rows: int) -> None:
        """Tell the context this batch size and where its arrays lie."""
        ok = True
        for name in self._takes:
            shape = (rows, *self._shared[name].host.shape[1:])
            ok = ok and self._context.set_input_shape(name, shape)
        for name, array in self._shared.items():
            ok = ok and self._context.set_tensor_address(name, array.address)
        if not ok:
            self._fail(f"does not take a batch of {rows}")
        self._rows, self._steady = rows, 0

    def _run(self, rows: int) -> None:
        if rows != self._rows:
            self._forget()
            self._bind(rows)
        if self._graph is None and self._captures and self._steady >= _STEADY:
            self._capture(rows)
        if self._graph is None:
            self._enqueue(rows)
        else:
            self._graph.launch()
            self._driver.wait(self._handle)
        self._steady += 1

    def _capture(self, rows: int) -> None:
        """Keep this batch size as a graph: its shapes and addresses are fixed by now.

        Source: TensorRT documentation, "CUDA Graphs": enqueue once before, capture on a stream of
        one's own, and again after each change of shape.
        """
        self._graph = self._driver.capture(self._handle, lambda: self._put(rows))
        if self._graph is None:
            self._captures = False
            log.info("%s: runs without CUDA graphs", self._where)

    def _enqueue(self, rows: int) -> None:
        self._put(rows)
        self._driver.wait(self._handle)

    def _put(self, rows: int) -> None:
        for name in self._takes:
            self._shared[name].upload(rows, self._handle)
        if not self._context.execute_async_v3(self._handle):
            self._fail("failed to run")
        for name in self._gives:
            self._shared[name].download(rows, self._handle)

    def _fail(self, what: str) -> None:
        hint = "see dmesg; if this stays, build the plan again: edge-daemon engine build"
        raise EngineRunError(f"TensorRT {what}", where=self._where, hint=hint)

    @property
    def _handle(self) -> int:
        assert self._stream is not None  # noqa: S101  not closed
        return self._stream

    def _forget(self) -> None:
        if self._graph is not None:
            self._graph.close()
        self._graph = None

    def _unshare(self) -> None:
        for array in self._shared.values():
            array.close()
        self._shared.clear()

    def _release(self) -> None:
        """Context before engine before runtime: TensorRT wants that order."""
        self._forget()
        self._unshare()
        self._context = None
        self._engine = None
        self._runtime = None
        if self._stream is not None:
            self._driver.free_stream(self._stream)
        self._stream = None


def _fits(size: int, agreed: Size) -> bool:
    """Whether a size of the plan, -1 where it is open, is the one agreed."""
    return size == (-1 if isinstance(agreed, str) else size if agreed is None else agreed)
