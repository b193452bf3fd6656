"""ONNX Runtime: on the processor, and on NVIDIA's GPUs by its CUDA provider."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar, Final

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as _ort_state

from edge_daemon.engine.cuda.probe import no_gpu
from edge_daemon.engine.processor import sums_exactly
from edge_daemon.engine.runtime import GraphTooLargeError, Port
from edge_daemon.errors import BundleError, EngineMissingError, EngineRunError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edge_daemon.engine.manifest import GraphName, Precision
    from edge_daemon.engine.runtime import Graph

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
# How the arena of a device says that it cannot grow.  Source: onnxruntime, bfc_arena.cc and
# cuda_call.cc.
_TOO_LARGE: Final = re.compile(
    r"failed to allocate memory|available memory of \d+ is smaller|out of memory|bad_alloc", re.I
)
_DTYPES: Final = {
    "tensor(float)": "float32", "tensor(float16)": "float16", "tensor(double)": "float64",
    "tensor(uint8)": "uint8", "tensor(int8)": "int8", "tensor(int32)": "int32",
    "tensor(int64)": "int64", "tensor(bool)": "bool",
}  # fmt: skip


class OnnxRuntime:
    """ONNX Runtime's CPU provider."""

    backend: ClassVar[str] = "onnxruntime"
    provider: ClassVar[str] = "CPUExecutionProvider"
    weights_sha256: ClassVar[None] = None

    prefers: Sequence[Precision] = ("int8", "fp32")

    def gains(self, model: bytes) -> bool:
        """Whether the processor sums the graph's bytes the fast way and exactly."""
        return sums_exactly(model)

    def open(self, model: bytes, *, where: str, which: GraphName, threads: int) -> Graph:
        """Open a graph.  Raises BundleError."""
        try:
            # Each camera's questions have a session, and none shall have threads of its own.
            options = _options(1 if which == "answer" else threads, model)
            session = onnxruntime.InferenceSession(model, options, providers=self._providers())
        except _FAULTS as exc:
            hint = "export the bundle again, or upgrade onnxruntime"
            raise BundleError(f"cannot be opened: {_short(exc)}", where=where, hint=hint) from exc
        self._check_provider(session.get_providers()[0])
        session.disable_fallback()  # nor in a later run
        return _OrtGraph(session, where)

    def _providers(self) -> list[Any]:
        return [self.provider]

    def _check_provider(self, found: str) -> None:
        """Refuse the processor where something else was asked for: it falls back in silence."""
        if found != self.provider:
            hint = "see that onnxruntime-gpu, CUDA and cuDNN fit each other, or use another backend"
            what = f"{self.provider} could not be started, {found} answered instead"
            raise EngineMissingError(what, where=f"engine backend {self.backend}", hint=hint)


class OnnxRuntimeCuda(OnnxRuntime):
    """ONNX Runtime's CUDA provider.  Raises EngineMissingError where it cannot be used."""

    backend: ClassVar[str] = "onnxruntime-cuda"
    provider: ClassVar[str] = "CUDAExecutionProvider"

    prefers: Sequence[Precision] = ("fp16", "fp32")

    def __init__(self) -> None:
        why = cuda_missing()
        if why is not None:
            hint = "pip install onnxruntime-gpu instead of onnxruntime, or use another backend"
            raise EngineMissingError(why, where=f"engine backend {self.backend}", hint=hint)

    def _providers(self) -> list[Any]:
        # kSameAsRequested: the arena else doubles with each growth, and takes half a small GPU.
        options = {"arena_extend_strategy": "kSameAsRequested"}
        return [(self.provider, options), "CPUExecutionProvider"]


def cuda_missing() -> str | None:
    """Why the CUDA provider cannot be used; None where it may be."""
    if OnnxRuntimeCuda.provider in onnxruntime.get_available_providers():
        return no_gpu()  # it is compiled in, which says nothing of this machine
    return f"onnxruntime {onnxruntime.__version__} here is built without CUDA"


class _OrtGraph:
    """An open session."""

    def __init__(self, session: onnxruntime.InferenceSession, where: str) -> None:
        self._session, self._where = session, where
        self.inputs = _ports(session.get_inputs())
        self.outputs = _ports(session.get_outputs())
        self._names = list(self.outputs)

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
        """Outputs in order.  Raises EngineRunError, GraphTooLargeError."""
        try:
            return list(self._session.run(self._names, feeds))
        except _FAULTS as exc:
            said = _short(exc)
            large = isinstance(exc, MemoryError) or _TOO_LARGE.search(said)
            fault = GraphTooLargeError if large else EngineRunError
            hint = "free memory; if this stays, copy the bundle again"
            raise fault(said, where=self._where, hint=hint) from exc


def _ports(values: Sequence[Any]) -> dict[str, Port]:
    return {v.name: Port(_DTYPES.get(v.type, str(v.type)), tuple(v.shape)) for v in values}


def _options(threads: int, model: bytes) -> onnxruntime.SessionOptions:
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
    if not sums_exactly(model):  # the exact way, which takes 1.4 times as long (AVX2, Zen 3)
        options.add_session_config_entry("session.x64quantprecision", "1")
    # Only the format that refuse_external_data has read, whatever the bytes look like.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    return options


def _short(exc: Exception) -> str:
    """The runtime's own words, without its prefix, in 200 characters."""
    words = " ".join(_PREFIX.sub("", str(exc)).split())
    return words[:200] + "..." if len(words) > 200 else words or type(exc).__name__
