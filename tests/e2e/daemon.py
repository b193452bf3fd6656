"""The daemon as a user starts it, and a subscriber as a user has one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Condition
from typing import Any

import paho.mqtt.client as mqtt
import yaml
from paho.mqtt.enums import CallbackAPIVersion
from typing_extensions import Self


def edge_daemon(*args: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    command = [sys.executable, "-m", "edge_daemon", *args]
    return subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=110, **options
    )


def write_config(path: Path, data: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(data))
    return path


class Daemon:
    """``edge-daemon run`` in a process of its own; killed at the end if it still lives."""

    def __init__(self, config: Path, *args: str, **environ: str) -> None:
        self.log = config.with_suffix(".log")
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "edge_daemon", "run", "--config", str(config), *args],
                stdout=log,
                stderr=log,
                env={**os.environ, **environ},
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self, timeout_s: float = 60.0) -> int:
        return self.process.wait(timeout_s)

    def said(self, text: str) -> bool:
        return text in self.log.read_text()


class Subscriber:
    """Keeps everything below one first topic level, in the order in which it came."""

    def __init__(self, port: int, base: str) -> None:
        self._changed, self.base = Condition(), base
        self.messages: list[tuple[str, bytes]] = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = lambda _c, _d, message: self._keep(message)
        self._client.connect("127.0.0.1", port)
        self._client.subscribe(f"{base}/#", qos=1)

    def __enter__(self) -> Self:
        self._client.loop_start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self._client.on_message = None  # no cycle: it closes its sockets at once

    def _keep(self, message: mqtt.MQTTMessage) -> None:
        with self._changed:
            self.messages.append((message.topic, message.payload))
            self._changed.notify_all()

    def publish(self, topic: str, payload: str) -> None:
        self._client.publish(f"{self.base}/{topic}", payload, qos=1).wait_for_publish(5)

    def wait(self, met: Callable[[Subscriber], Any], timeout_s: float = 30.0) -> Any:
        """Return what met(self) returns once it is true; fail when it does not become so."""
        with self._changed:
            found = self._changed.wait_for(lambda: met(self), timeout_s)
        assert found, f"not heard within {timeout_s} s, but {self._lately()}"
        return found

    def _lately(self) -> list[tuple[str, bytes]]:
        return [(topic, payload[:500]) for topic, payload in self.messages[-5:]]

    def last(self, topic: str) -> bytes | None:
        return next((p for t, p in reversed(self.messages) if t == f"{self.base}/{topic}"), None)

    def events(self, question: str | None = None) -> list[dict[str, Any]]:
        """Return the events of a question, each once: delivery is at least once, ids tell."""
        found = [json.loads(p) for t, p in list(self.messages) if t.endswith("/event")]
        by_id = {e["id"]: e for e in reversed(found) if question in (None, e["question"])}
        return list(reversed(by_id.values()))
