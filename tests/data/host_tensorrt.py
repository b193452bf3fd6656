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


class IExecutionContext:
    def __init__(self, engine: ICudaEngine) -> None:
        self._engine = engine
        self._shape: tuple[int, ...] = ()
        self._at: dict[str, int] = {}

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        self._shape = shape
        return 1 <= shape[0] <= LARGEST

    def set_tensor_address(self, name: str, address: int) -> bool:
        self._at[name] = address
        return True

    def execute_async_v3(self, stream: int) -> bool:
        engine, n_bytes = self._engine, int(np.prod(self._shape))
        if engine.broken:
            return False
        raw = ctypes.string_at(self._at["pixels"], n_bytes)
        pixels = np.frombuffer(raw, np.uint8).reshape(self._shape)
        found = engine.session.run(["tokens"], {"pixels": pixels})[0]
        ctypes.memmove(self._at["tokens"], found.ctypes.data, found.nbytes)
        engine.batches.append(len(pixels))
        return True


class ICudaEngine:
    def __init__(self, session: Any) -> None:
        self.session, self.broken = session, False
        self.batches: list[int] = []
        self._ports = [*session.get_inputs(), *session.get_outputs()]
        self.num_io_tensors = len(self._ports)

    def get_tensor_name(self, n: int) -> str:
        return str(self._ports[n].name)

    def get_tensor_mode(self, name: str) -> TensorIOMode:
        return TensorIOMode.INPUT if name == self._ports[0].name else TensorIOMode.OUTPUT

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
