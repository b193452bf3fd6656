"""A bundle opened on the runtime that was asked for, or on the best one that is here."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Literal

from edge_daemon.engine.bundle import load_bundle
from edge_daemon.engine.grounded import GroundedEngine
from edge_daemon.engine.runtime import choose_precision
from edge_daemon.engine.single import SingleEngine
from edge_daemon.errors import BundleError, EngineMissingError, EngineRunError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from edge_daemon.config.models import EngineConfig
    from edge_daemon.engine.base import Engine
    from edge_daemon.engine.bundle import Bundle
    from edge_daemon.engine.manifest import Precision
    from edge_daemon.engine.runtime import Runtime

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Backend:
    """Where a runtime is implemented, and what installs it.

    missing names a function that says why it cannot be used here, or None: what "auto" asks.
    whole: it opens bundles, not graphs.
    """

    runtime: str
    install: str
    missing: str | None = None
    whole: bool = False


_ORT: Final = "edge_daemon.engine.ort"
_TORCH: Final = "edge_daemon.engine.pytorch.graph"
_VINO: Final = "edge_daemon.engine.openvino"
_TRT: Final = "edge_daemon.engine.tensorrt"

BACKENDS: Final[Mapping[str, Backend]] = {
    "tensorrt": Backend(
        f"{_TRT}.open:open_tensorrt",
        "edge-daemon[tensorrt]",
        f"{_TRT}.available:unavailable",
        whole=True,
    ),
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

WithoutPlan = Literal["build", "go on", "refuse"]
_LAST: Final = next(name for name, backend in BACKENDS.items() if backend.missing is None)
_NONE: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True)
class Choice:
    """A backend, and why it was taken."""

    backend: str
    why: str


def open_engine(
    settings: EngineConfig,
    bundle: Bundle | None = None,
    plans: Path | None = None,
    *,
    without_plan: WithoutPlan | None = None,
) -> Engine:
    """Open a bundle on exactly the runtime asked for, and run it once to warm it up.

    bundle is settings.bundle where it is loaded already.  plans is where a daemon keeps plans for
    its GPU; without_plan: whether another runtime answers where there is none, meanwhile or for
    good; None: only with "auto".  There is no silent fallback: raises BundleError,
    EngineMissingError, EngineRunError, PlanError.  With "auto" the next runtime is opened, and said
    so, where one turns out to be of no use.
    """
    return open_chosen(settings, bundle, plans, without_plan=without_plan)[0]


def open_chosen(
    settings: EngineConfig,
    bundle: Bundle | None = None,
    plans: Path | None = None,
    *,
    without_plan: WithoutPlan | None = None,
) -> tuple[Engine, Choice]:
    """As open_engine; return why that runtime was taken, too."""
    is_free = settings.backend == "auto"
    if bundle is None and is_free:  # what is wrong with it is wrong on every runtime
        bundle = load_bundle(settings.bundle)
    how = {"plans": plans, "without_plan": without_plan or ("go on" if is_free else "refuse")}
    refused: dict[str, str] = {}
    while True:
        choice = choose_backend(settings.backend, refused)
        try:
            opened = _opener(choice.backend, settings.weights, **how)
            bundle = bundle if bundle is not None else load_bundle(settings.bundle)
            engine = opened(bundle, settings.precision, settings.threads or default_threads())
        except (EngineMissingError, EngineRunError, BundleError) as exc:
            if not is_free or choice.backend == _LAST:
                raise
            refused[choice.backend] = exc.what
            continue
        info = engine.info
        log.info("engine: %s on %s, %s: %s", info.bundle, info.backend, info.precision, choice.why)
        return engine, choice


def open_backend(backend: str, bundle: Bundle, precision: str, threads: int) -> Engine:
    """Open a loaded bundle.  Raises BundleError, EngineMissingError, PlanError."""
    opened = _opener(choose_backend(backend).backend, without_plan="refuse")
    return opened(bundle, precision, threads)


def choose_backend(wanted: str = "auto", refused: Mapping[str, str] = _NONE) -> Choice:
    """The backend asked for, or for "auto" the first of BACKENDS that can be used here.

    refused: why some of them turned out to be of no use.
    """
    if wanted != "auto":
        return Choice(wanted, "as configured")
    passed: list[str] = []
    for name, backend in BACKENDS.items():
        if name in refused:
            passed.append(f"{name}: {refused[name]}")
            continue
        if backend.missing is None:
            return Choice(name, f"auto; {'; '.join(passed)}" if passed else "auto")
        why = _why_not(backend.missing)
        if why is None:
            told = f"auto; {'; '.join(passed)}" if refused else "auto, the fastest here"
            return Choice(name, told)
        passed.append(f"{name}: {why}")
    raise AssertionError("one backend needs nothing")  # the last of the table


def auto_precision(bundle: Bundle, backend: str) -> Precision | None:
    """The precision that "auto" takes; None for backends that ask the device.

    Raises BundleError, EngineMissingError.
    """
    if BACKENDS[backend].whole:
        return None
    return choose_precision(bundle, "auto", _adapter(backend)())


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


def _opener(
    backend: str, weights: Path | None = None, **how: object
) -> Callable[[Bundle, str, int], Engine]:
    """What opens bundles; a missing runtime is told before a bundle is read.

    weights: for torch, in place of the bundle's.  how: for those that open bundles themselves.
    """
    known, make = BACKENDS[backend], _adapter(backend)
    if not known.whole:
        return partial(_opened, make() if weights is None else make(weights))
    why = _why_not(known.missing) if known.missing is not None else None
    if why is not None:
        hint = "use another backend; auto takes what is here"
        raise EngineMissingError(why, where=f"engine backend {backend}", hint=hint)
    return partial(make, **how)


def _opened(runtime: Runtime, bundle: Bundle, precision: str, threads: int) -> Engine:
    kind = GroundedEngine if bundle.manifest.kind == "grounded" else SingleEngine
    return kind(bundle, runtime, precision, threads)


def _adapter(backend: str) -> Callable[..., Any]:
    known = BACKENDS[backend]
    try:
        make: Callable[..., Any] = _named(known.runtime)
    except ModuleNotFoundError as exc:
        if exc.name is None or exc.name.startswith("edge_daemon"):
            raise  # our own bug, not a missing package
        where, hint = f"engine backend {backend}", f"pip install '{known.install}'"
        raise EngineMissingError(f"needs {exc.name!r}", where=where, hint=hint) from exc
    return make


def _named(place: str) -> Any:  # noqa: ANN401  whatever stands there
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
