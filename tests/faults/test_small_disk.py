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

SECONDS = 40.0


def test_small_disk_never_fills_and_events_go_on(
    tmp_path: Path, tiny_bundle: Path, broker: Mosquitto, base: str, new_ear: Callable[..., Ear]
) -> None:
    ear = new_ear(broker.port, f"{base}/box/+/+/event", qos=0)
    with mounted(tmp_path / "disk") as is_mounted:
        if not is_mounted:
            missing("may not mount a small disk", "REQUIRE_MOUNT")
        (tmp_path / "disk" / "ballast").write_bytes(bytes(44_000_000))  # 20 are left: soon full
        settings: dict[str, Any] = config(tmp_path, tiny_bundle, broker.url, base)
        watch = Watch(tmp_path / "disk")
        with Daemon(write_config(tmp_path / "c.yaml", settings)) as daemon:
            until_s = time.monotonic() + SECONDS
            while time.monotonic() < until_s or not watch.removed["recordings"]:
                watch.look()
                time.sleep(0.1)
                assert time.monotonic() < until_s + 60
            daemon.send(signal.SIGTERM)
            assert daemon.ended() == 0

    assert watch.least_free_bytes > 2_000_000
    assert watch.disordered == []
    assert len(seqs(ear)) == 8
    assert all(n == list(range(1, len(n) + 1)) and len(n) > 5 for n in seqs(ear).values())
    assert log_lines(daemon, "outbox") == []
    assert log_lines(daemon, "No space") == []
    assert log_lines(daemon, "ERROR") == []
