"""OpenVINO: Intel's processors and GPUs; it runs on AMD's processors too."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
import openvino

from edge_daemon.engine.processor import sums_exactly
from edge_daemon.engine.runtime import GraphTooLargeError, Port
from edge_daemon.errors import BundleError, EngineMissingError, EngineRunError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edge_daemon.engine.manifest import GraphName, Precision
    from edge_daemon.engine.runtime import Graph

# Its C++ exceptions arrive as RuntimeError, what Python hands over wrongly as the others.
_FAULTS: Final = (RuntimeError, ValueError, TypeError, MemoryError)
_TOO_LARGE: Final = ("bad_alloc", "out of memory", "OUT_OF_RESOURCES", "OUT_OF_DEVICE_MEMORY")
_DTYPES: Final = {"f32": "float32", "f16": "float16", "u8": "uint8", "i64": "int64"}


class OpenVino:
    """OpenVINO on the processor."""

    backend: ClassVar[str] = "openvino"
    device: ClassVar[str] = "CPU"
    weights_sha256: ClassVar[None] = None
    prefers: Sequence[Precision] = ("int8", "fp32")

    def __init__(self) -> None:
        self._core = _core_with_plugin(self.device)

    def gains(self, model: bytes) -> bool:
        """Whether the processor sums the graph's bytes exactly; there is no other way here."""
        return sums_exactly(model)

    def open(self, model: bytes, *, where: str, which: GraphName, threads: int) -> Graph:  # noqa: ARG002  all graphs alike
        """Compile a graph.  Raises BundleError."""
        try:
            read = self._core.read_model(model)
            compiled = self._core.compile_model(read, self.device, self._options(threads))
            return _VinoGraph(compiled, where)
        except _FAULTS as exc:
            hint = "export the bundle again, or upgrade openvino"
            raise BundleError(f"cannot be opened: {_short(exc)}", where=where, hint=hint) from exc

    def _options(self, threads: int) -> dict[str, Any]:
        # Without the hint it rounds to bfloat16 where the processor has it.
        return {
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": "1",
            "INFERENCE_NUM_THREADS": str(threads),
            "INFERENCE_PRECISION_HINT": "f32",
        }


class OpenVinoGpu(OpenVino):
    """OpenVINO on Intel's GPU.  Raises EngineMissingError where there is none."""

    backend: ClassVar[str] = "openvino-gpu"
    device: ClassVar[str] = "GPU"
    prefers: Sequence[Precision] = ("fp16", "int8", "fp32")

    def __init__(self) -> None:
        super().__init__()
        why = gpu_missing()
        if why is not None:
            hint = "install Intel's compute runtime (intel-opencl-icd), or use another backend"
            raise EngineMissingError(why, where=f"engine backend {self.backend}", hint=hint)

    def gains(self, model: bytes) -> bool:  # noqa: ARG002  every graph
        """Whether int8 pays: on GPUs it does."""
        return True

    def _options(self, threads: int) -> dict[str, Any]:  # noqa: ARG002  those of the GPU are its own
        return {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}


def gpu_missing() -> str | None:
    """Why Intel's GPU cannot be used; None where it can."""
    devices = _core_with_plugin("CPU").available_devices
    if any(device.partition(".")[0] == "GPU" for device in devices):
        return None
    return f"OpenVINO sees no Intel GPU, only {', '.join(devices)}"


def _core_with_plugin(device: str) -> openvino.Core:
    """A core whose plugin for the device was loaded by a thread that has ended.

    The processor's plugin gives the thread that loads it a stack for signals, and unmaps it when
    the core goes, in whatever thread that is: a main thread that had loaded it would then die of
    its next signal (openvino 2026.4).
    """
    core = openvino.Core()

    def load() -> None:
        with suppress(*_FAULTS):  # compiling tells
            core.get_versions(device)

    loader = threading.Thread(target=load, name="openvino-load")
    loader.start()
    loader.join()
    return core


class _VinoGraph:
    """A compiled graph with its one request."""

    def __init__(self, compiled: openvino.CompiledModel, where: str) -> None:
        self._where = where
        self._request = compiled.create_infer_request()
        self.inputs = _ports(compiled.inputs)
        self.outputs = _ports(compiled.outputs)

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
        """Outputs in order, copied: the request keeps its own.  Raises EngineRunError."""
        try:
            found = self._request.infer(dict(feeds), share_inputs=True)
        except _FAULTS as exc:
            said = _short(exc)
            large = isinstance(exc, MemoryError) or any(words in said for words in _TOO_LARGE)
            fault = GraphTooLargeError if large else EngineRunError
            hint = "free memory; if this stays, copy the bundle again"
            raise fault(said, where=self._where, hint=hint) from exc
        return [np.array(found[name], np.float32) for name in self.outputs]


def _ports(values: Sequence[Any]) -> dict[str, Port]:
    return {value.any_name: _port(value) for value in values}


def _port(value: Any) -> Port:  # noqa: ANN401  one of the library's own
    dtype = value.element_type.get_type_name()
    sizes = ["?" if size.is_dynamic else size.get_length() for size in value.get_partial_shape()]
    return Port(_DTYPES.get(dtype, dtype), tuple(sizes))


def _short(exc: Exception) -> str:
    """The runtime's own words without its source lines, in 200 characters."""
    lines = [line for line in str(exc).splitlines() if line.strip()]
    plain = [line for line in lines if not line.lstrip().startswith(("Exception from", "Check '"))]
    words = " ".join(" ".join(plain or lines).split())
    return words[:200] + "..." if len(words) > 200 else words or type(exc).__name__
