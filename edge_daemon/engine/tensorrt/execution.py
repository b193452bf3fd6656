"""A plan on the GPU: pictures in, tokens out."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_daemon.engine.cuda.memory import SharedArray
from edge_daemon.engine.runtime import GraphTooLargeError
from edge_daemon.engine.tensorrt.builder import build_log
from edge_daemon.errors import EngineRunError, PlanError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_daemon.engine.cuda.driver import Driver

log = logging.getLogger(__name__)

_DTYPES: Final = {"FLOAT": "float32", "UINT8": "uint8"}
_STEADY: Final = 3  # batches of one size before they are captured as a graph


class LoadedPlan:
    """An image plan, ready: pixels uint8 (B, H, W, 3) -> tokens float32 (B, T, D).

    One thread at a time, any thread.  Raises PlanError for a plan that TensorRT or the bundle
    does not take, EngineRunError where the GPU fails, GraphTooLargeError where not even one
    picture fits.
    """

    def __init__(
        self,
        trt: Any,  # noqa: ANN401  the module
        driver: Driver,
        plan: bytes,
        *,
        shape: tuple[int, int, int],
        n_tokens: int,
        where: str,
        graphs: bool = True,
    ) -> None:
        self._trt, self._driver, self._where = trt, driver, where
        self._captures = graphs
        self._graph: Any = None
        self._rows = self._steady = 0
        self._stream: int | None = None
        self._shared: tuple[SharedArray, SharedArray] | None = None
        with driver.current():
            try:
                self._open(plan, shape, n_tokens)
            except BaseException:
                self._release()
                raise

    @property
    def largest_batch(self) -> int:
        """What memory was found for; larger batches are cut."""
        return self._largest

    @property
    def captured(self) -> bool:
        """Whether the last batches ran as a CUDA graph."""
        return self._graph is not None

    def run(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Tokens of pictures, an array of the caller's.  Raises EngineRunError."""
        assert self._shared is not None  # noqa: S101  not closed
        found = np.empty((len(pictures), *self._shared[1].host.shape[1:]), np.float32)
        with self._driver.current():
            for at in range(0, len(pictures), self._largest):
                part = pictures[at : at + self._largest]
                self._shared[0].host[: len(part)] = part
                self._run(len(part))
                found[at : at + len(part)] = self._shared[1].host[: len(part)]
        return found

    def close(self) -> None:
        """Free the GPU's memory."""
        with self._driver.current():
            self._release()

    def _open(self, plan: bytes, shape: tuple[int, int, int], n_tokens: int) -> None:
        trt = self._trt
        self._said = said = build_log(trt)  # TensorRT keeps a bare pointer to it
        self._runtime = runtime = trt.Runtime(said)
        self._engine = engine = runtime.deserialize_cuda_engine(plan)
        if engine is None:
            hint = "build it again: edge-daemon engine build"
            what = f"TensorRT {trt.__version__} does not take the plan: {said.first}"
            raise PlanError(what, where=self._where, hint=hint)
        names = [engine.get_tensor_name(n) for n in range(engine.num_io_tensors)]
        self._takes, self._gives = (self._named(names, kind) for kind in ("INPUT", "OUTPUT"))
        tokens = tuple(engine.get_tensor_shape(self._gives))
        self._check(self._takes, "pixels", "UINT8", (-1, *shape))
        self._check(self._gives, "tokens", "FLOAT", (-1, n_tokens, tokens[-1]))
        self._context = context = engine.create_execution_context()
        if context is None:
            hint = "free memory of the GPU, or build with a smaller --largest-batch"
            what = f"no memory to run the plan: {said.first}"
            raise GraphTooLargeError(what, where=self._where, hint=hint)
        self._stream = self._driver.make_stream()
        self._largest = int(engine.get_tensor_profile_shape(self._takes, 0)[2][0])
        self._fit(shape, tokens[1:])

    def _named(self, names: list[str], kind: str) -> str:
        wanted = getattr(self._trt.TensorIOMode, kind)
        found = [name for name in names if self._engine.get_tensor_mode(name) == wanted]
        if len(found) != 1:
            self._refuse(f"has {len(found)} tensors of kind {kind.lower()}: {', '.join(found)}")
        return found[0]

    def _check(self, name: str, wanted: str, dtype: str, shape: tuple[int, ...]) -> None:
        engine = self._engine
        found = tuple(engine.get_tensor_shape(name))
        if name != wanted:
            self._refuse(f"has {name} instead of {wanted}")
        if engine.get_tensor_dtype(name) != getattr(self._trt.DataType, dtype):
            self._refuse(f"{name} is {engine.get_tensor_dtype(name)} instead of {dtype}")
        if found != shape:
            self._refuse(f"{name} is {found} instead of {shape}")

    def _refuse(self, what: str) -> None:
        hint = "build it again: edge-daemon engine build"
        raise PlanError(what, where=self._where, hint=hint)

    def _fit(self, shape: tuple[int, int, int], tokens: tuple[int, ...]) -> None:
        """Find the largest batch there is memory for, by halving and trying."""
        wanted = self._largest
        while True:
            try:
                self._try(shape, tokens)
                break
            except GraphTooLargeError:
                if self._largest == 1:
                    raise
                self._largest = (self._largest + 1) // 2
        if self._largest < wanted:
            log.warning("%s: the GPU has memory for batches of %d, not %d",
                        self._where, self._largest, wanted)  # fmt: skip

    def _try(self, shape: tuple[int, int, int], tokens: tuple[int, ...]) -> None:
        taken = SharedArray(self._driver, (self._largest, *shape), _DTYPES["UINT8"])
        try:
            given = SharedArray(self._driver, (self._largest, *tokens), _DTYPES["FLOAT"])
        except GraphTooLargeError:
            taken.close()
            raise
        self._shared = (taken, given)
        taken.host[:] = 0
        try:
            self._bind(self._largest)
            self._enqueue(self._largest)
        except GraphTooLargeError:
            self._unshare()
            raise

    def _bind(self, rows: int) -> None:
        """Tell the context this batch size and where its arrays lie."""
        assert self._shared is not None  # noqa: S101  made before
        shape = (rows, *self._shared[0].host.shape[1:])
        ok = self._context.set_input_shape(self._takes, shape)
        for name, array in zip((self._takes, self._gives), self._shared):
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
            self._driver.launch(self._graph, self._handle)
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
        assert self._shared is not None  # noqa: S101  made before
        self._shared[0].upload(rows, self._handle)
        if not self._context.execute_async_v3(self._handle):
            self._fail("failed to run")
        self._shared[1].download(rows, self._handle)

    def _fail(self, what: str) -> None:
        hint = "see dmesg; if this stays, build the plan again: edge-daemon engine build"
        raise EngineRunError(f"TensorRT {what}", where=self._where, hint=hint)

    @property
    def _handle(self) -> int:
        assert self._stream is not None  # noqa: S101  not closed
        return self._stream

    def _forget(self) -> None:
        if self._graph is not None:
            self._driver.free_graph(self._graph)
        self._graph = None

    def _unshare(self) -> None:
        for array in self._shared or ():
            array.close()
        self._shared = None

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
