"""A bundle opened on the runtime that was asked for."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Final

from edge_daemon.engine.bundle import load_bundle
from edge_daemon.errors import EngineMissingError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from edge_daemon.engine.base import Engine
    from edge_daemon.engine.bundle import Bundle

BACKENDS: Final[Mapping[str, str]] = {"onnxruntime": "edge_daemon.engine.ort:OnnxEngine"}


def open_engine(
    bundle: str | Path | Bundle,
    *,
    backend: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
) -> Engine:
    """Open a bundle, by shipped name, path or already loaded, and run it once to warm it up.

    backend auto is onnxruntime.  precision auto is int8 where the bundle has it, else fp32.
    threads None is all cores but one, four at most.  The arguments are those of the engine
    section of the configuration.  There is no silent fallback: raises BundleError,
    EngineMissingError, EngineRunError or UsageError.
    """
    name = "onnxruntime" if backend == "auto" else backend
    if name not in BACKENDS:
        hint = f"use auto or one of: {', '.join(BACKENDS)}"
        raise UsageError("no such backend", where=f"backend {name}", hint=hint)
    make = _adapter(name)
    loaded = load_bundle(bundle) if isinstance(bundle, (str, os.PathLike)) else bundle
    return make(loaded, precision, threads if threads is not None else default_threads())


def default_threads() -> int:
    """Cores this process may use but one, which is left to decoding; one to four."""
    cores = len(os.sched_getaffinity(0))
    return min(4, max(1, cores - 1))


def _adapter(name: str) -> Callable[[Bundle, str, int], Engine]:
    module, _, adapter = BACKENDS[name].partition(":")
    try:
        return getattr(import_module(module), adapter)  # type: ignore[no-any-return]
    except ModuleNotFoundError as exc:
        if exc.name is None or exc.name.startswith("edge_daemon"):
            raise  # our own bug, not a missing package
        hint = f"pip install {exc.name}"
        raise EngineMissingError(f"needs {exc.name!r}", where=f"engine {name}", hint=hint) from exc
