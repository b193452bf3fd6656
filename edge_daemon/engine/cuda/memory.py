"""Arrays that both the processor and the GPU see."""

from __future__ import annotations

import ctypes
import math
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_daemon.engine.cuda.driver import Driver


class SharedArray:
    """A host array with its place on the GPU; of one size for life.

    On an integrated GPU both are the same memory and nothing is copied; else the host side is
    page-locked, and copies run in a stream.  Source: CUDA for Tegra, "Pinned Memory".  Made, used
    and closed with the driver's context current.  Raises EngineRunError, GraphTooLargeError.
    """

    def __init__(self, driver: Driver, shape: tuple[int, ...], dtype: str) -> None:
        self._driver = driver
        n_bytes = math.prod(shape) * np.dtype(dtype).itemsize
        self._pinned = driver.pin(n_bytes)
        self._own: int | None = None
        with ExitStack() as undo:
            undo.callback(driver.unpin, self._pinned)
            if not driver.device.integrated:
                self._own = driver.allocate(n_bytes)
            undo.pop_all()
        raw = (ctypes.c_ubyte * n_bytes).from_address(self._pinned.host)
        self.host: NDArray[Any] = np.frombuffer(memoryview(raw), dtype).reshape(shape)
        """Valid until closed."""

    @property
    def address(self) -> int:
        """Where the GPU finds it."""
        return self._pinned.device if self._own is None else self._own

    def upload(self, rows: int, stream: int) -> None:
        """Bring the first rows to the GPU."""
        if self._own is not None:
            self._driver.copy_in(self._own, self._pinned, self._bytes(rows), stream)

    def download(self, rows: int, stream: int) -> None:
        """Bring the first rows back."""
        if self._own is not None:
            self._driver.copy_out(self._pinned, self._own, self._bytes(rows), stream)

    def close(self) -> None:
        """Give the memory back; ``host`` must not be touched afterwards."""
        if self._own is not None:
            self._driver.free(self._own)
        self._driver.unpin(self._pinned)
        del self.host

    def _bytes(self, rows: int) -> int:
        return rows * int(self.host[0].nbytes)
