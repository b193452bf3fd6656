"""TensorRT's runtime half on the processor: a plan is an ONNX file, and ONNX Runtime runs it.

NVIDIA's own runtime needs a GPU for anything; this has the members that running a plan names, and
their manners: what fails returns None or False and says so to the logger.  Addresses are those of
``host_cuda.c``.
"""

from __future__ import annotations

import ctypes
import enum
from typing import Any

import numpy as np
import onnxruntime

__version__ = "11.0.host"


class DataType(enum.Enum):
    FLOAT = "tensor(float)"
    UINT8 = "tensor(uint8)"
    INT32 = "tensor(int32)"
    INT64 = "tensor(int64)"


NUMPY = {DataType.FLOAT: np.float32, DataType.UINT8: np.uint8, DataType.INT32: np.int32}


class TensorIOMode(enum.Enum):
    INPUT = 1
    OUTPUT = 2


class ILogger:
    class Severity(enum.Enum):
        INTERNAL_ERROR = 0
        ERROR = 1

    def log(self, severity: Any, msg: str) -> None:
        raise NotImplementedError


LARGEST = 8
_CALL = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class IExecutionContext:
    def __init__(self, engine: ICudaEngine) -> None:
        self._engine = engine
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._at: dict[str, int] = {}
        self._keep: list[Any] = []  # what graphs may call

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        self._shapes[name] = shape
        return 1 <= shape[0] <= LARGEST

    def set_tensor_address(self, name: str, address: int) -> bool:
        self._at[name] = address
        return True

    def execute_async_v3(self, stream: int) -> bool:
        """Put a run into the stream, as a call of the host, which a captured graph repeats."""
        if self._engine.broken:
            return False
        shapes = dict(self._shapes)
        self._keep.append(_CALL(lambda _given: self._run(shapes)))
        driver = ctypes.CDLL("libcuda.so.1")
        return bool(driver.cuLaunchHostFunc(ctypes.c_void_p(stream), self._keep[-1], None) == 0)

    def _run(self, shapes: dict[str, tuple[int, ...]]) -> None:
        engine, feeds = self._engine, {}
        for name, shape in shapes.items():
            dtype = np.dtype(NUMPY[engine.get_tensor_dtype(name)])
            raw = ctypes.string_at(self._at[name], int(np.prod(shape)) * dtype.itemsize)
            feeds[name] = np.frombuffer(raw, dtype).reshape(shape)
        names = [output.name for output in engine.session.get_outputs()]
        for name, found in zip(names, engine.session.run(names, feeds)):
            ctypes.memmove(self._at[name], found.ctypes.data, found.nbytes)
        engine.batches.append(next(iter(shapes.values()))[0])


class ICudaEngine:
    def __init__(self, session: Any) -> None:
        self.session, self.broken = session, False
        self.batches: list[int] = []
        self._inputs = {value.name for value in session.get_inputs()}
        self._ports = [*session.get_inputs(), *session.get_outputs()]
        self.num_io_tensors = len(self._ports)

    def get_tensor_name(self, n: int) -> str:
        return str(self._ports[n].name)

    def get_tensor_mode(self, name: str) -> TensorIOMode:
        return TensorIOMode.INPUT if name in self._inputs else TensorIOMode.OUTPUT

    def get_tensor_dtype(self, name: str) -> DataType:
        return DataType(next(p.type for p in self._ports if p.name == name))

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        shape = next(p.shape for p in self._ports if p.name == name)
        return tuple(size if isinstance(size, int) else -1 for size in shape)

    def get_tensor_profile_shape(self, name: str, profile: int) -> list[tuple[int, ...]]:
        rest = self.get_tensor_shape(name)[1:]
        return [(1, *rest), (1, *rest), (LARGEST, *rest)]

    def create_execution_context(self) -> IExecutionContext:
        return IExecutionContext(self)


class Runtime:
    def __init__(self, logger: ILogger) -> None:
        self._logger = logger

    def deserialize_cuda_engine(self, plan: bytes) -> ICudaEngine | None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        try:
            session = onnxruntime.InferenceSession(
                plan, options, providers=["CPUExecutionProvider"]
            )
        except Exception as exc:  # noqa: BLE001  whatever it is, TensorRT says None
            self._logger.log(ILogger.Severity.ERROR, f"Serialization assertion failed: {exc}")
            return None
        opened.append(ICudaEngine(session))
        return opened[-1]


opened: list[ICudaEngine] = []
"""Every engine that was opened, so that a test can break it or count its batches."""
