"""Broker and daemon killed in turn while events pour."""

from __future__ import annotations

import contextlib
import signal
import time
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tests.e2e.daemon import Daemon, write_config
from tests.faults.flood import kept, metric, seqs, wait_for_more
from tests.integration.mosquitto import first_of_each
from tests.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.mosquitto import Ear, Gate, Mosquitto


@dataclass(frozen=True)
class Toll:
    """What a run of kills came to."""

    n_events: int  # decided by the daemon, over all its lives
    n_heard: int  # by the subscriber, each once
    n_again: int  # copies that came besides
    n_disordered: int
    n_a_second: float  # while a daemon was at work
    seconds: float

    def __str__(self) -> str:
        n_lost = self.n_events - self.n_heard
        return (
            f"{self.n_events} events in {self.seconds:.0f} s, {self.n_a_second:.0f} a second while"
            f" a daemon was at work, {n_lost} lost, {self.n_disordered} out of order,"
            f" {self.n_again} came again with the same id"
        )


def survive(
    config: dict[str, Any], file: Path, broker: Mosquitto, gate: Gate, ear: Ear,
    *, n: int, n_between: int = 40, on_turn: Callable[[int], None] = lambda _turn: None,
) -> Toll:  # fmt: skip
    """Kill broker and daemon n times each, n_between events apart; return what it came to.

    What mosquitto acknowledged it has written to its subscribers before, so the ear must be there
    before the daemon comes back through the gate, and listen with QoS 0: it then has nothing to
    write, and reads what a broker that died has left in its socket.

    The last life reads a file to its end, and so ends by itself once the broker has every event.
    """
    begun_s = time.monotonic()
    with contextlib.ExitStack() as stack:
        daemon = stack.enter_context(Daemon(file))
        for turn in range(n):
            wait_for_more(ear, n_between)
            n_subscribed = ear.n_subscribed
            gate.shut()
            broker.kill()
            wait_until(lambda: metric(config, "edge_outbox_events") > 20, 20)
            broker.start()
            wait_until(lambda n=n_subscribed: ear.n_subscribed > n)
            gate.open()
            wait_for_more(ear, n_between)
            daemon.send(signal.SIGKILL)
            daemon.ended()
            daemon = stack.enter_context(Daemon(file))
            on_turn(turn + 1)
        wait_for_more(ear, n_between)
        daemon.send(signal.SIGKILL)
        daemon.ended()
    n_a_second = rate_hz(first_of_each(ear.heard("/event")))
    config["cameras"][0] |= {"loop": False, "pace": "fast"}
    with Daemon(write_config(file, config)) as daemon:
        assert daemon.ended(60) == 0
    seconds = time.monotonic() - begun_s
    n_waiting, last = kept(config)
    assert not n_waiting
    wait_until(lambda: all(seqs(ear)[q][-1:] == [last[q]] for q in last))
    return toll(ear, last, n_a_second, seconds)


def toll(ear: Ear, last: dict[str, int], n_a_second: float, seconds: float) -> Toll:
    """Hold what was heard against what was decided."""
    heard = seqs(ear)
    n_heard = sum(len(numbers) for numbers in heard.values())
    return Toll(
        n_events=sum(last.values()),
        n_heard=n_heard,
        n_again=len(ear.heard("/event")) - n_heard,
        n_disordered=sum(
            a != b for numbers in heard.values() for a, b in zip(numbers, sorted(numbers))
        ),
        n_a_second=n_a_second,
        seconds=seconds,
    )


def rate_hz(events: list[dict[str, Any]]) -> float:
    """Return how many events a second were decided, not counting the gaps between two lives."""
    at = sorted(datetime.fromisoformat(e["decided_at"].replace("Z", "+00:00")) for e in events)
    gaps_s = [(b - a).total_seconds() for a, b in pairwise(at)]
    alive_s = [gap_s for gap_s in gaps_s if gap_s < 0.5]
    return len(alive_s) / sum(alive_s)
