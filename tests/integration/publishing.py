"""A publisher with its outbox and its thread, as the daemon has them; also as a process to kill.

By hand: python -m tests.integration.publishing PORT DATA_DIR N [EVERY_S]
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections import Counter
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import TYPE_CHECKING, Any

from edge_daemon.config.models import MqttConfig, OutboxConfig
from edge_daemon.publish.mqtt import MqttPublisher, Patience
from edge_daemon.publish.outbox import Outbox
from tests.publish_samples import DEVICE, STATE, camera, nth

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edge_daemon.config.models import CameraConfig
    from edge_daemon.publish.commands import AskRequest
    from edge_daemon.types import Event, QuestionState

QUICK = Patience(
    first_wait_s=0.05, longest_wait_s=0.2, refused_wait_s=0.2, refused_s=0.3, keepalive_s=30
)


class Publishing:
    """A publisher at work, and what it told."""

    def __init__(
        self, data_dir: Path, *, cameras: Sequence[CameraConfig] = (), patience: Patience = QUICK,
        **config: Any,
    ) -> None:  # fmt: skip
        self.faults: list[str] = []
        self.outcomes: Counter[str] = Counter()
        self.n_dropped = 0
        self.set: list[tuple[str, str, bool]] = []
        self.asked: list[AskRequest] = []
        self.outbox = Outbox(
            data_dir, OutboxConfig(), on_fault=self._on_fault, on_dropped=self._on_dropped
        )
        self.publisher = MqttPublisher(
            MqttConfig(**config), DEVICE, self.outbox,
            on_fault=self._on_fault,
            on_published=lambda outcome: self.outcomes.update([outcome]),
            on_set=lambda *what: self.set.append(what),
            on_ask=self.asked.append,
            patience=patience,
        )  # fmt: skip
        if cameras:
            self.publisher.announce(cameras)
        self.thread = Thread(target=self.publisher.run, name="mqtt")

    def event(self, event: Event, state: QuestionState | None = None) -> None:
        """Say a change of verdict, and with a state what is said now."""

        def tell() -> None:
            if state is not None:
                self.publisher.publish_state(event.camera, event.question, state)

        self.publisher.publish_events([event], tell)

    def _on_fault(self, fault: Exception) -> None:
        if str(fault) not in self.faults[-1:]:  # as the log folds them
            self.faults.append(str(fault))

    def _on_dropped(self, n: int) -> None:
        self.n_dropped += n


@contextlib.contextmanager
def publishing(
    data_dir: Path, url: str, *, is_awaited: bool = True, **more: Any
) -> Iterator[Publishing]:
    """Run a publisher; is_awaited: until it is connected."""
    at_work = Publishing(data_dir, url=url, **more)
    at_work.thread.start()
    try:
        if is_awaited:
            assert at_work.publisher.wait_connected(30), at_work.faults
        yield at_work
    finally:
        at_work.publisher.close()
        at_work.thread.join(10)
        at_work.outbox.close()
        assert not at_work.thread.is_alive()


def main(port: str, data_dir: str, n: str, every_s: str = "0") -> None:
    """Publish n events on from the last one; print each number once its event is on disk."""
    at_work = Publishing(Path(data_dir), url=f"mqtt://127.0.0.1:{port}", cameras=[camera()])
    at_work.thread.daemon = True
    at_work.thread.start()
    begin = at_work.outbox.last_seq("gate", "pedestrian") + 1
    for seq in range(begin, begin + int(n)):
        at_work.event(nth(seq), STATE)
        print(seq, flush=True)
        time.sleep(float(every_s))
    print("done", flush=True)
    Flag().wait()  # to be killed


if __name__ == "__main__":
    main(*sys.argv[1:])
