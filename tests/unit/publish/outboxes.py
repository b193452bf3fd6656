"""Outboxes for tests, and what they tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from edge_daemon.config.models import OutboxConfig
from edge_daemon.publish.outbox import Outbox


@dataclass
class Bench:
    """Makes outboxes on one directory and hears what they tell."""

    directory: Path
    limits: OutboxConfig | None = field(default_factory=OutboxConfig)
    faults: list[str] = field(default_factory=list)
    n_dropped: int = 0
    now_s: float = 1000.0
    made: list[Outbox] = field(default_factory=list)

    def open(self) -> Outbox:
        self.made.append(
            Outbox(
                self.directory,
                self.limits,
                on_fault=lambda fault: self.faults.append(str(fault)),
                on_dropped=self._drop,
                clock=lambda: self.now_s,
                open_timeout_s=0.0,
            )
        )
        return self.made[-1]

    def _drop(self, n: int) -> None:
        self.n_dropped += n

    def close(self) -> None:
        for outbox in self.made:
            outbox.close()


def ids(outbox: Outbox) -> list[str]:
    return [event.id for event in outbox.pending(0, 1_000_000)]
