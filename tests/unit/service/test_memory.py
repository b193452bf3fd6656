from __future__ import annotations

import platform
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from edge_daemon.service.memory import SpareMemory


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


pytestmark = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="others give back by themselves"
)


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


def blocks(n: int) -> int:
    """Hold n blocks of 100 kB for a moment."""
    return len([b"x" * 100_000 for _ in range(n)])


def test_what_a_thread_held_for_a_moment_goes_back_with_its_next_block_in_that_second() -> None:
    now_s = 0.0
    spare = SpareMemory(clock=lambda: now_s)
    with ThreadPoolExecutor(1) as thread:

        def resident_mb_at(at_s: float, held: int) -> float:
            nonlocal now_s
            now_s = at_s
            spare.tick()
            thread.submit(blocks, held).result()
            return resident_bytes() / 1e6

        first = [resident_mb_at(at_s, 1) for at_s in (60.0, 62.0)][1]
        grown = [resident_mb_at(at_s, 400) - first for at_s in (63.0, 64.0)]
        spare_mb = [resident_mb_at(at_s, 1) - first for at_s in (119.0, 120.0)]
    assert min(grown) > 30
    assert spare_mb[0] > 30
    assert spare_mb[1] < 5
