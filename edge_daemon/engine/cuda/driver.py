"""What is asked of a library that speaks to the CUDA driver."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Final, Protocol

from edge_daemon.engine.cuda.probe import no_gpu
from edge_daemon.engine.runtime import GraphTooLargeError
from edge_daemon.errors import EngineMissingError, EngineRunError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

LIBRARIES: Final = (
    ("cuda.bindings", "edge_daemon.engine.cuda.bindings:BindingsDriver"),
    ("pycuda", "edge_daemon.engine.cuda.pycudart:PycudaDriver"),
)
"""Python modules that speak to the CUDA driver, and what drives them; the first there is taken."""

OUT_OF_MEMORY: Final = 2
"""CUDA_ERROR_OUT_OF_MEMORY."""

_WHERE: Final = "GPU"


@dataclass(frozen=True, slots=True)
class Device:
    """The GPU.  capability is (major, minor), driver the CUDA release that the driver knows.

    integrated: it shares the processor's memory, as on a Jetson.
    """

    name: str
    capability: tuple[int, int]
    driver: str
    memory_bytes: int
    integrated: bool


@dataclass(frozen=True, slots=True)
class Pinned:
    """Page-locked host memory: where it lies for the processor, and for the GPU where mapped."""

    host: int
    device: int
    keep: object = None


class Captured(Protocol):
    """Work that a stream was given once, as a CUDA graph.  Used within ``Driver.current()``."""

    def launch(self) -> None:
        """Put all of it into the stream again."""
        ...

    def close(self) -> None:
        """Forget it."""
        ...


class Driver(Protocol):
    """The CUDA driver on the first GPU.

    Everything but ``device`` is called within ``current()``.  Addresses and handles are numbers.
    Every call raises EngineRunError, or GraphTooLargeError where memory is short.
    """

    device: Device

    def current(self) -> AbstractContextManager[None]:
        """Make the GPU's primary context, which all libraries share, current in this thread."""
        ...

    def pin(self, n_bytes: int) -> Pinned:
        """Page-locked host memory that the GPU sees too."""
        ...

    def unpin(self, pinned: Pinned) -> None:
        """Give it back."""
        ...

    def allocate(self, n_bytes: int) -> int:
        """Memory of the GPU."""
        ...

    def free(self, address: int) -> None:
        """Give it back."""
        ...

    def make_stream(self) -> int:
        """A stream of our own: the default one waits for all others."""
        ...

    def free_stream(self, stream: int) -> None:
        """End it."""
        ...

    def wait(self, stream: int) -> None:
        """Until all its work is done."""
        ...

    def copy_in(self, to: int, pinned: Pinned, n_bytes: int, stream: int) -> None:
        """From pinned host memory to the GPU's, in the stream."""
        ...

    def copy_out(self, pinned: Pinned, at: int, n_bytes: int, stream: int) -> None:
        """From the GPU's memory to pinned host memory, in the stream."""
        ...

    def capture(self, stream: int, work: Callable[[], None]) -> Captured | None:
        """What work puts into the stream; None where that cannot be captured."""
        ...


def open_driver() -> Driver:
    """The first library that is installed, on the first GPU.

    Raises EngineMissingError, and EngineRunError where the GPU fails.
    """
    why = no_gpu()
    if why is not None:
        raise EngineMissingError(why, where=_WHERE, hint="use backend onnxruntime")
    for library, place in LIBRARIES:
        module, _, name = place.partition(":")
        try:
            driver: Driver = getattr(import_module(module), name)()
        except ModuleNotFoundError as exc:
            if exc.name is None or exc.name.startswith("edge_daemon"):
                raise  # our own bug, not a missing package
            continue
        except ImportError as exc:
            what = f"{library} cannot be loaded: {' '.join(str(exc).split())[:160]}"
            hint = "install it again, for this driver"
            raise EngineMissingError(what, where=_WHERE, hint=hint) from exc
        return driver
    names = " nor ".join(library.partition(".")[0] for library, _ in LIBRARIES)
    hint = "pip install 'edge-daemon[tensorrt]'"
    raise EngineMissingError(f"neither {names} is installed", where=_WHERE, hint=hint)


def fault(call: str, code: int, name: str) -> EngineRunError:
    """The error that a failed call of the driver is."""
    if code == OUT_OF_MEMORY:
        hint = "free memory, or build with a smaller --largest-batch"
        return GraphTooLargeError(f"out of memory in {call}", where=_WHERE, hint=hint)
    hint = "see dmesg; if this stays, restart the daemon"
    return EngineRunError(f"{call} failed: {name}", where=_WHERE, hint=hint)
