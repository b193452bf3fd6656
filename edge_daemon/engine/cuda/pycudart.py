"""The CUDA driver through pycuda, where cuda-bindings is not installed.  It has no graphs."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pycuda.driver as cu

from edge_daemon.engine.cuda.driver import OUT_OF_MEMORY, Device, Pinned, fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class PycudaDriver:
    """The first GPU.  Raises EngineRunError."""

    def __init__(self) -> None:
        with _faults("cuInit"):
            cu.init()
            found = cu.Device(0)
            version = cu.get_driver_version()
            self.device = Device(
                name=found.name(),
                capability=found.compute_capability(),
                driver=f"{version // 1000}.{version % 1000 // 10}",
                memory_bytes=found.total_memory(),
                integrated=bool(found.get_attribute(cu.device_attribute.INTEGRATED)),
            )
            self._context = found.retain_primary_context()
        self._streams: dict[int, Any] = {}
        self._memory: dict[int, Any] = {}

    @contextmanager
    def current(self) -> Iterator[None]:
        """Push the primary context, and take it off again."""
        with _faults("cuCtxPushCurrent"):
            self._context.push()
        try:
            yield
        finally:
            cu.Context.pop()

    def pin(self, n_bytes: int) -> Pinned:
        """Page-locked, mapped host memory."""
        with _faults("cuMemHostAlloc"):
            held = cu.pagelocked_empty(n_bytes, np.uint8, mem_flags=cu.host_alloc_flags.DEVICEMAP)
            return Pinned(int(held.ctypes.data), int(held.base.get_device_pointer()), held)

    def unpin(self, pinned: Pinned) -> None:
        """Give it back: pycuda does when the array goes."""
        base = getattr(pinned.keep, "base", None)
        if base is not None:
            with _faults("cuMemFreeHost"):
                base.free()

    def allocate(self, n_bytes: int) -> int:
        """Memory of the GPU."""
        with _faults("cuMemAlloc"):
            held = cu.mem_alloc(n_bytes)
        self._memory[int(held)] = held
        return int(held)

    def free(self, address: int) -> None:
        """Give it back."""
        with _faults("cuMemFree"):
            self._memory.pop(address).free()

    def make_stream(self) -> int:
        """A stream of our own."""
        with _faults("cuStreamCreate"):
            stream = cu.Stream()
        self._streams[int(stream.handle)] = stream
        return int(stream.handle)

    def free_stream(self, stream: int) -> None:
        """End it: pycuda does when nothing holds it."""
        self._streams.pop(stream)

    def wait(self, stream: int) -> None:
        """Until its work is done."""
        with _faults("cuStreamSynchronize"):
            self._streams[stream].synchronize()

    def copy_in(self, to: int, pinned: Pinned, n_bytes: int, stream: int) -> None:
        """To the GPU, in the stream."""
        with _faults("cuMemcpyHtoDAsync"):
            cu.memcpy_htod_async(to, _bytes(pinned)[:n_bytes], self._streams[stream])

    def copy_out(self, pinned: Pinned, at: int, n_bytes: int, stream: int) -> None:
        """From the GPU, in the stream."""
        with _faults("cuMemcpyDtoHAsync"):
            cu.memcpy_dtoh_async(_bytes(pinned)[:n_bytes], at, self._streams[stream])

    def capture(self, stream: int, work: Callable[[], None]) -> None:
        """Nothing: pycuda has no graphs."""


def _bytes(pinned: Pinned) -> Any:  # noqa: ANN401  the array it was pinned as
    return pinned.keep


@contextmanager
def _faults(call: str) -> Iterator[None]:
    """Raise what pycuda raises as ours."""
    try:
        yield
    except cu.MemoryError as exc:
        raise fault(call, OUT_OF_MEMORY, "out of memory") from exc
    except cu.Error as exc:
        raise fault(call, -1, " ".join(str(exc).split())[:120]) from exc
