"""The CUDA driver through NVIDIA's cuda-bindings, 12.x and 13.x."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cuda.bindings import driver as cu

from edge_daemon.engine.cuda.driver import Device, Pinned, fault
from edge_daemon.errors import EngineRunError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MAPPED: Final = 0x02  # CU_MEMHOSTALLOC_DEVICEMAP
_NON_BLOCKING: Final = 0x01  # CU_STREAM_NON_BLOCKING


class BindingsDriver:
    """The first GPU.  Raises EngineRunError."""

    def __init__(self) -> None:
        _call(cu.cuInit, 0)
        self._number = _call(cu.cuDeviceGet, 0)
        self.device = self._described()
        self._context = _call(cu.cuDevicePrimaryCtxRetain, self._number)

    def _described(self) -> Device:
        def attribute(name: str) -> int:
            code = getattr(cu.CUdevice_attribute, f"CU_DEVICE_ATTRIBUTE_{name}")
            return int(_call(cu.cuDeviceGetAttribute, code, self._number))

        version = int(_call(cu.cuDriverGetVersion))
        return Device(
            name=bytes(_call(cu.cuDeviceGetName, 128, self._number)).split(b"\0")[0].decode(),
            capability=(
                attribute("COMPUTE_CAPABILITY_MAJOR"),
                attribute("COMPUTE_CAPABILITY_MINOR"),
            ),
            driver=f"{version // 1000}.{version % 1000 // 10}",
            memory_bytes=int(_call(cu.cuDeviceTotalMem, self._number)),
            integrated=bool(attribute("INTEGRATED")),
        )

    @contextmanager
    def current(self) -> Iterator[None]:
        """Make the primary context current here, and what was current again after."""
        before = _call(cu.cuCtxGetCurrent)
        _call(cu.cuCtxSetCurrent, self._context)
        try:
            yield
        finally:
            _call(cu.cuCtxSetCurrent, before)

    def pin(self, n_bytes: int) -> Pinned:
        """Page-locked, mapped host memory."""
        host = int(_call(cu.cuMemHostAlloc, n_bytes, _MAPPED))
        return Pinned(host, int(_call(cu.cuMemHostGetDevicePointer, host, 0)))

    def unpin(self, pinned: Pinned) -> None:
        """Give it back."""
        _call(cu.cuMemFreeHost, pinned.host)

    def allocate(self, n_bytes: int) -> int:
        """Memory of the GPU."""
        return int(_call(cu.cuMemAlloc, n_bytes))

    def free(self, address: int) -> None:
        """Give it back."""
        _call(cu.cuMemFree, address)

    def make_stream(self) -> int:
        """A stream that does not wait for the default one."""
        return int(_call(cu.cuStreamCreate, _NON_BLOCKING))

    def free_stream(self, stream: int) -> None:
        """End it."""
        _call(cu.cuStreamDestroy, stream)

    def wait(self, stream: int) -> None:
        """Until its work is done."""
        _call(cu.cuStreamSynchronize, stream)

    def copy_in(self, to: int, pinned: Pinned, n_bytes: int, stream: int) -> None:
        """To the GPU, in the stream."""
        _call(cu.cuMemcpyHtoDAsync, to, pinned.host, n_bytes, stream)

    def copy_out(self, pinned: Pinned, at: int, n_bytes: int, stream: int) -> None:
        """From the GPU, in the stream."""
        _call(cu.cuMemcpyDtoHAsync, pinned.host, at, n_bytes, stream)

    def capture(self, stream: int, work: Callable[[], None]) -> _Graph | None:
        """What work puts into the stream; None where that cannot be captured.

        Other threads go on: only this thread's unsafe calls end a capture.
        """
        mode = cu.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL
        graph = None
        try:
            _call(cu.cuStreamBeginCapture, stream, mode)
            try:
                work()
            finally:
                graph = _call(cu.cuStreamEndCapture, stream)  # also after a fault: it must end
            return _Graph(_call(cu.cuGraphInstantiate, graph, 0), stream)
        except EngineRunError:
            return None
        finally:
            if graph is not None and int(graph):
                _call(cu.cuGraphDestroy, graph)


@dataclass(frozen=True, slots=True, eq=False)
class _Graph:
    """A graph, for the stream it was captured in."""

    executable: Any
    stream: int

    def launch(self) -> None:
        """Put it into the stream."""
        _call(cu.cuGraphLaunch, self.executable, self.stream)

    def close(self) -> None:
        """Forget it."""
        _call(cu.cuGraphExecDestroy, self.executable)


def _call(function: Callable[..., tuple[Any, ...]], *given: object) -> Any:  # noqa: ANN401  untyped
    """What a function of the driver gives; its error raised."""
    code, *found = function(*given)
    if int(code):
        raise fault(function.__name__, int(code), getattr(code, "name", str(code)))
    return found[0] if found else None
