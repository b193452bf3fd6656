"""A bundle opened on the runtime that was asked for, or on the best one that is here."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from edge_daemon.engine.bundle import load_bundle
from edge_daemon.engine.grounded import GroundedEngine
from edge_daemon.errors import EngineMissingError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edge_daemon.config.models import EngineConfig
    from edge_daemon.engine.base import Engine
    from edge_daemon.engine.bundle import Bundle
    from edge_daemon.engine.runtime import Runtime

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Backend:
    """Where a runtime is implemented, and what installs it.

    missing names a function that says why it cannot be used here, or None: what "auto" asks.
    """

    runtime: str
    install: str
    missing: str | None = None


_ORT: Final = "edge_daemon.engine.ort"
_TORCH: Final = "edge_daemon.engine.pytorch.graph"
_VINO: Final = "edge_daemon.engine.openvino"

BACKENDS: Final[Mapping[str, Backend]] = {
    "onnxruntime-cuda": Backend(
        f"{_ORT}:OnnxRuntimeCuda", "onnxruntime-gpu", f"{_ORT}:cuda_missing"
    ),
    "openvino-gpu": Backend(
        f"{_VINO}:OpenVinoGpu", "edge-daemon[openvino]", f"{_VINO}:gpu_missing"
    ),
    "onnxruntime": Backend(f"{_ORT}:OnnxRuntime", "onnxruntime"),
    "openvino": Backend(f"{_VINO}:OpenVino", "edge-daemon[openvino]"),
    "torch-cuda": Backend(f"{_TORCH}:TorchCuda", "edge-daemon[torch]"),
    "torch": Backend(f"{_TORCH}:Torch", "edge-daemon[torch]"),
}
"""By name.  "auto" takes the first that can be used, in this order."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A backend, and why it was taken."""

    backend: str
    why: str


def open_engine(settings: EngineConfig, bundle: Bundle | None = None) -> Engine:
    """Open a bundle on exactly the runtime asked for, and run it once to warm it up.

    bundle is settings.bundle where it is loaded already.  There is no silent fallback: raises
    BundleError or EngineMissingError.
    """
    choice = choose_backend(settings.backend)
    runtime = _runtime(choice.backend)  # a missing one is told before the bundle is read
    bundle = bundle if bundle is not None else load_bundle(settings.bundle)
    threads = settings.threads or default_threads()
    engine = GroundedEngine(bundle, runtime, settings.precision, threads)
    info = engine.info
    log.info("engine: %s on %s, %s: %s", info.bundle, info.backend, info.precision, choice.why)
    return engine


def open_backend(backend: str, bundle: Bundle, precision: str, threads: int) -> Engine:
    """Open a loaded bundle.  Raises BundleError, EngineMissingError."""
    return GroundedEngine(bundle, _runtime(choose_backend(backend).backend), precision, threads)


def choose_backend(wanted: str = "auto") -> Choice:
    """The backend asked for, or for "auto" the first of BACKENDS that can be used here."""
    if wanted != "auto":
        return Choice(wanted, "as configured")
    passed: list[str] = []
    for name, backend in BACKENDS.items():
        if backend.missing is None:
            return Choice(name, f"auto; {'; '.join(passed)}" if passed else "auto")
        why = _why_not(backend.missing)
        if why is None:
            return Choice(name, "auto, the fastest here")
        passed.append(f"{name}: {why}")
    raise AssertionError("one backend needs nothing")  # the last of the table


def default_threads() -> int:
    """Cores this process may use but one, which is left to decoding; one to four."""
    cores = len(os.sched_getaffinity(0))
    return min(4, max(1, cores - 1))


def _why_not(probe: str) -> str | None:
    try:
        ask: Callable[[], str | None] = _named(probe)
    except ModuleNotFoundError as exc:
        if exc.name is None or exc.name.startswith("edge_daemon"):
            raise  # our own bug, not a missing package
        return f"{exc.name} is not installed"
    return ask()


def _runtime(backend: str) -> Runtime:
    known = BACKENDS[backend]
    try:
        make: Callable[[], Runtime] = _named(known.runtime)
    except ModuleNotFoundError as exc:
        if exc.name is None or exc.name.startswith("edge_daemon"):
            raise  # our own bug, not a missing package
        where, hint = f"engine backend {backend}", f"pip install '{known.install}'"
        raise EngineMissingError(f"needs {exc.name!r}", where=where, hint=hint) from exc
    return make()


def _named(place: str) -> Any:  # noqa: ANN401  whatever stands there
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
