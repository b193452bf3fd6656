"""A disk too small for what is recorded: it never fills, and the right files make room."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import missing
from tests.e2e.daemon import Daemon, write_config
from tests.faults.flood import log_lines
from tests.faults.small_disk import Watch, config, mounted, seqs
from tests.integration.mosquitto import Ear, Mosquitto

LONGEST_S = 120.0
N_REMOVED = 20  # of recordings, clips and snapshots together, some of each


def test_small_disk_never_fills_and_events_go_on(
    tmp_path: Path, tiny_bundle: Path, broker: Mosquitto, base: str, new_ear: Callable[..., Ear]
) -> None:
    ear = new_ear(broker.port, f"{base}/box/+/+/event", qos=0)
    with mounted(tmp_path / "disk") as is_mounted:
        if not is_mounted:
            missing("may not mount a small disk", "REQUIRE_MOUNT")
        (tmp_path / "disk" / "ballast").write_bytes(bytes(50_000_000))  # 14 are left: soon full
        settings: dict[str, Any] = config(tmp_path, tiny_bundle, broker.url, base)
        watch = Watch(tmp_path / "disk")
        with Daemon(write_config(tmp_path / "c.yaml", settings)) as daemon:
            until_s = time.monotonic() + LONGEST_S
            while len(watch.removed) < 3 or watch.removed.total() < N_REMOVED or n_least(ear) < 6:
                watch.look()
                time.sleep(0.1)
                assert time.monotonic() < until_s, (watch.removed, n_least(ear))
            daemon.send(signal.SIGTERM)
            assert daemon.ended() == 0

    assert watch.least_free_bytes > 2_000_000
    assert watch.disordered == []
    assert len(seqs(ear)) == 8
    assert all(n == list(range(1, len(n) + 1)) for n in seqs(ear).values())
    assert log_lines(daemon, "outbox") == []
    assert log_lines(daemon, "No space") == []
    assert log_lines(daemon, "ERROR") == []


def n_least(ear: Ear) -> int:
    """Return how many events of a question came at least."""
    return min(map(len, seqs(ear).values()), default=0)
