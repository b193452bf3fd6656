"""A bundle opened on the runtime that was asked for."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Final

from edge_daemon.engine.bundle import load_bundle
from edge_daemon.errors import EngineMissingError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edge_daemon.config.models import EngineConfig
    from edge_daemon.engine.base import Engine
    from edge_daemon.engine.bundle import Bundle

BACKENDS: Final[Mapping[str, str]] = {
    "auto": "edge_daemon.engine.ort:OnnxEngine",
    "onnxruntime": "edge_daemon.engine.ort:OnnxEngine",
}


def open_engine(settings: EngineConfig, bundle: Bundle | None = None) -> Engine:
    """Open a bundle on exactly the runtime asked for, and run it once to warm it up.

    bundle is settings.bundle where it is loaded already.  There is no silent fallback: raises
    BundleError or EngineMissingError.
    """
    _adapter(settings.backend)  # a missing runtime is told before the bundle is read
    bundle = bundle if bundle is not None else load_bundle(settings.bundle)
    threads = settings.threads or default_threads()
    return open_backend(settings.backend, bundle, settings.precision, threads)


def open_backend(backend: str, bundle: Bundle, precision: str, threads: int) -> Engine:
    """Open a loaded bundle.  Raises BundleError, EngineMissingError."""
    return _adapter(backend)(bundle, precision, threads)


def default_threads() -> int:
    """Cores this process may use but one, which is left to decoding; one to four."""
    cores = len(os.sched_getaffinity(0))
    return min(4, max(1, cores - 1))


def _adapter(backend: str) -> Callable[[Bundle, str, int], Engine]:
    module, _, name = BACKENDS[backend].partition(":")
    try:
        adapter: Callable[[Bundle, str, int], Engine] = getattr(import_module(module), name)
    except ModuleNotFoundError as exc:
        if exc.name is None or exc.name.startswith("edge_daemon"):
            raise  # our own bug, not a missing package
        where, hint = f"engine backend {backend}", f"pip install {exc.name}"
        raise EngineMissingError(f"needs {exc.name!r}", where=where, hint=hint) from exc
    return adapter
