"""What tests of other processes need: a port for them, and to wait for what they do."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def free_port() -> int:
    """Return a TCP port of loopback that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(met: Callable[[], Any], timeout_s: float = 30.0) -> Any:
    """Return what met() returns once it is true; fail when it does not become so."""
    until_s = time.monotonic() + timeout_s
    while not (found := met()):
        if time.monotonic() > until_s:
            raise AssertionError(f"not met within {timeout_s} s: {met}")
        time.sleep(0.005)
    return found
