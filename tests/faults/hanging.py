"""Every kind of source that hangs, and a daemon that has them all."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.faults.cameras import CameraProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass
class HangingSources:
    """Addresses by the camera's name; "stopped" is well until freeze()."""

    addresses: dict[str, str]
    _stopped: CameraProcess

    def freeze(self) -> None:
        self._stopped.send(signal.SIGSTOP)

    def add_to(self, config: dict[str, Any]) -> None:
        """Add the cameras to a configuration of one, and ask them what that one is asked."""
        (well,) = config["cameras"]
        asked = {"sample": {"every": 1}, "questions": well["questions"], "stall_after": "2s"}
        config["cameras"] += [
            {**asked, "id": name, "source": source} for name, source in self.addresses.items()
        ]


@contextmanager
def hanging_sources(folder: Path, clip: Path) -> Iterator[HangingSources]:
    """Yield a pipe nobody writes to, ports that accept and are silent, and a camera to stop."""
    os.mkfifo(folder / "pipe.ts")
    (folder / "list.ffconcat").write_text("ffconcat version 1.0\nfile pipe.ts\n")
    with socket.create_server(("127.0.0.1", 0)) as mute, CameraProcess(clip) as stopped:
        address = f"127.0.0.1:{mute.getsockname()[1]}/1"
        sources = {
            "file": str(folder / "list.ffconcat"),
            "mute": f"rtsp://{address}",
            "web": f"http://{address}",
            "stopped": stopped.url,
        }
        try:
            yield HangingSources(sources, stopped)
        finally:
            stopped.send(signal.SIGCONT)
