"""Whether there is an NVIDIA driver with a GPU, asked of the driver itself.

TensorRT 8.6 and 11.4 crash without a driver instead of raising (measured), so this comes first.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Final

_LIBRARY: Final = "libcuda.so.1"
_NO_DEVICE: Final = 100  # CUDA_ERROR_NO_DEVICE
_TOO_OLD: Final = 35  # CUDA_ERROR_INSUFFICIENT_DRIVER


@cache
def no_gpu() -> str | None:
    """Why CUDA cannot be used here; None where it can.

    Source: CUDA driver API, cuInit, cuDeviceGetCount, cuGetErrorName.
    """
    try:
        driver = ctypes.CDLL(_LIBRARY)
    except OSError:
        return f"no NVIDIA driver ({_LIBRARY} is not there)"
    code = int(driver.cuInit(0))
    count = ctypes.c_int(0)
    if code == 0:
        code = int(driver.cuDeviceGetCount(ctypes.byref(count)))
    if code == _NO_DEVICE or (code == 0 and count.value < 1):
        return "the NVIDIA driver sees no GPU"
    if code == _TOO_OLD:
        return "the NVIDIA driver is too old"
    return f"the NVIDIA driver fails: {_name(driver, code)}" if code else None


def _name(driver: ctypes.CDLL, code: int) -> str:
    said = ctypes.c_char_p()
    if driver.cuGetErrorName(code, ctypes.byref(said)) == 0 and said.value is not None:
        return said.value.decode("ascii", "replace")
    return f"error {code}"
