"""How much of the GPU's memory is in use."""

from __future__ import annotations

import ctypes

from edge_daemon.engine.cuda.probe import no_gpu


def used_bytes() -> int:
    """Memory of the first GPU in use, by everybody; 0 without one.

    Source: CUDA driver API, cuDevicePrimaryCtxRetain and cuMemGetInfo.
    """
    if no_gpu() is not None:
        return 0
    driver = ctypes.CDLL("libcuda.so.1")
    context, free, total = ctypes.c_void_p(), ctypes.c_size_t(), ctypes.c_size_t()
    driver.cuDevicePrimaryCtxRetain(ctypes.byref(context), 0)
    driver.cuCtxSetCurrent(context)
    driver.cuMemGetInfo_v2(ctypes.byref(free), ctypes.byref(total))
    driver.cuDevicePrimaryCtxRelease_v2(0)
    return total.value - free.value
