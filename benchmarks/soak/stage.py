"""What every soak stands on: a directory, a real mosquitto, the tiny bundle, a configuration."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.data.tiny_bundle import write_tiny_bundle
from tests.integration.mosquitto import Ear, Gate, Mosquitto
from tests.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BASE = "soak"


@dataclass(frozen=True)
class Stage:
    """A place to run a daemon in, and who hears it."""

    directory: Path
    broker: Mosquitto
    gate: Gate  # the daemon's way to the broker
    ear: Ear

    def config(self, source: str, **camera: Any) -> dict[str, Any]:
        """Return a configuration of one camera."""
        return {
            "version": 1,
            "device": {"id": "box"},
            "data_dir": str(self.directory / "data"),
            "engine": {"bundle": str(self.directory / "tiny"), "threads": 1},
            "mqtt": {"url": self.gate.url, "base_topic": BASE},
            "http": {"listen": f"127.0.0.1:{free_port()}"},
            "log": {"format": "text"},
            "cameras": [{"id": "gate", "source": source, "sample": {"every": 1}, **camera}],
        }


@contextlib.contextmanager
def stage(topics: str = "+/+/event", make_ear: Callable[..., Ear] = Ear) -> Iterator[Stage]:
    """Set up all but the daemon."""
    with tempfile.TemporaryDirectory(prefix="edge-soak-") as name:
        directory = Path(name)
        (directory / "broker").mkdir()
        write_tiny_bundle(directory / "tiny")
        broker = Mosquitto(directory / "broker").start()
        gate = Gate(broker.port)
        ear = make_ear(broker.port, f"{BASE}/box/{topics}", qos=0)
        try:
            yield Stage(directory, broker, gate, ear)
        finally:
            ear.close()
            gate.close()
            broker.stop()
