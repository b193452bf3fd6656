"""Whether TensorRT can be used here, and why not."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from edge_daemon.engine.cuda.driver import LIBRARIES
from edge_daemon.engine.cuda.probe import no_gpu
from edge_daemon.errors import EngineMissingError

MODULES: Final = ("tensorrt", "tensorrt_rtx", "tensorrt_rtx_bindings")
"""One interface under several names, the first that loads is taken: TensorRT, then that for RTX."""


_INSTALL: Final = (
    "on a Jetson make the environment with --system-site-packages, elsewhere "
    "pip install tensorrt-cu12 or tensorrt-cu13"
)


@cache
def unavailable() -> str | None:
    """Why TensorRT cannot be used here, in one clause; None where it can.

    Never raises, and loads TensorRT only where a driver sees a GPU.
    """
    reason = no_gpu()
    if reason is not None:
        return reason
    if not any(_installed(library) for library, _ in LIBRARIES):
        return "neither cuda-bindings nor pycuda is installed"
    if not _installed("onnx"):
        return "onnx is not installed"
    try:
        load_tensorrt()
    except EngineMissingError as exc:
        return exc.what
    return None


def load_tensorrt() -> Any:  # noqa: ANN401  one of several modules without types
    """Load the TensorRT module.  Does not touch the GPU.  Raises EngineMissingError."""
    where, told = "TensorRT", "is not installed"
    for name in MODULES:
        try:
            module = import_module(name)
        except ModuleNotFoundError:
            continue
        except (ImportError, OSError) as exc:  # the bindings are there, their libraries are not
            told = f"cannot be loaded: {' '.join(str(exc).split())[:160]}"
            continue
        if not hasattr(module.IExecutionContext, "execute_async_v3"):
            hint = "use JetPack 5.1 or later, or backend onnxruntime"
            what = f"{module.__version__} is too old, 8.5 is needed"
            raise EngineMissingError(what, where=where, hint=hint)
        return module
    raise EngineMissingError(told, where=where, hint=_INSTALL)


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # not even the package it would be in
        return False
