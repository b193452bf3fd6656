"""What this machine's processor can do."""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path


@cache
def sums_bytes_exactly() -> bool:
    """Whether the processor sums products of bytes at full width, and so gains from int8.

    x86 without VNNI adds pairs of them in 16 bits, and saturates.
    Source: ONNX Runtime, onnxruntime_session_options_config_keys.h, session.x64quantprecision.
    """
    if platform.machine() not in ("x86_64", "AMD64"):
        return True
    try:
        return "vnni" in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
