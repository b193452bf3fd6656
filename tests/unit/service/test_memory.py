from __future__ import annotations

import platform
from pathlib import Path

import pytest

from edge_daemon.service.memory import SpareMemory


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="others give back by themselves")
def test_memory_that_is_free_between_what_is_in_use_goes_back_once_a_minute() -> None:
    now_s = 0.0
    spare = SpareMemory(clock=lambda: now_s)
    held = [bytes(10_000) for _ in range(6_000)]
    held = held[::8]
    before = resident_bytes()
    spare.tick()
    too_early = resident_bytes()
    now_s = 60.0
    spare.tick()
    after = resident_bytes()

    assert len(held) == 750
    assert before - too_early < 5_000_000
    assert before - after > 30_000_000
