"""The present value of every retained topic, and which of them the broker has not got yet."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_BIG_BYTES: Final = 65_536
_MOST_TRIES: Final = 3


@dataclass(slots=True)
class _Value:
    payload: bytes
    on_its_way: bool = False
    tries: int = 0  # sent without an acknowledgement


class RetainedTopics:
    """One value per topic: a newer one replaces what was not sent yet.  For any threads.

    At most one value of a topic is on its way at any time, so that the last one stays.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._values: dict[str, _Value] = {}
        self._to_send: dict[str, None] = {}  # an ordered set
        self._refused: set[str] = set()

    def put(self, topic: str, payload: bytes) -> None:
        """Give a topic a value; empty removes it from the broker."""
        with self._lock:
            value = self._values.get(topic)
            if value is None:
                self._values[topic] = _Value(payload)
            elif value.payload == payload:
                return
            else:
                value.payload, value.tries = payload, 0
            self._refused.discard(topic)
            self._to_send[topic] = None

    def take(self) -> tuple[str, bytes] | None:
        """Return what is to be sent next, which is on its way then; None: nothing."""
        with self._lock:
            for topic in self._to_send:
                value = self._values[topic]
                if not value.on_its_way:
                    del self._to_send[topic]
                    value.on_its_way, value.tries = True, value.tries + 1
                    return topic, value.payload
            return None

    def acknowledge(self, topic: str) -> bool:
        """Note that the broker has what was taken; return whether the topic is empty now."""
        with self._lock:
            value = self._values[topic]
            value.on_its_way, value.tries = False, 0
            is_empty = not value.payload and topic not in self._to_send
            if is_empty:
                del self._values[topic]
            return is_empty

    def refuse(self, topic: str) -> None:
        """Note that the broker does not want what was taken: kept for retry().

        A topic that was to be emptied is let go: there is nothing of ours to keep up to date.
        """
        with self._lock:
            value = self._values[topic]
            value.on_its_way = False
            if topic in self._to_send:
                return
            if value.payload:
                self._refused.add(topic)
            else:
                del self._values[topic]

    def retry(self) -> None:
        """Send what was refused once more."""
        with self._lock:
            self._to_send.update(dict.fromkeys(self._refused))
            self._refused.clear()

    def resend(self, topics: Iterable[str]) -> None:
        """Send the present value of these topics once more."""
        with self._lock:
            self._to_send.update(dict.fromkeys(topic for topic in topics if topic in self._values))

    def start_over(self, *, last: str) -> list[str]:
        """Prepare for a new connection: everything is to be sent, the topic last at the end.

        Returns the topics given up: a big value that never arrived, however often it was sent,
        may be what ends the connection.
        """
        with self._lock:
            given_up = [topic for topic, value in self._values.items() if _is_hopeless(value)]
            for topic in given_up:
                del self._values[topic]
            for value in self._values.values():
                value.on_its_way = False
            self._refused.clear()
            others = [topic for topic in self._values if topic != last]
            self._to_send = dict.fromkeys([*others, last] if last in self._values else others)
            return given_up

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be sent or to be acknowledged."""
        with self._lock:
            return not self._to_send and not any(v.on_its_way for v in self._values.values())

    @property
    def settled(self) -> bool:
        """Whether the broker has everything: idle, and nothing was refused."""
        return self.idle and not self._refused

    def __getitem__(self, topic: str) -> bytes:
        """Return the present value of a topic.  Raises KeyError."""
        with self._lock:
            return self._values[topic].payload

    def topics(self) -> frozenset[str]:
        """Return the topics that have a value."""
        with self._lock:
            return frozenset(self._values)


def _is_hopeless(value: _Value) -> bool:
    return value.tries >= _MOST_TRIES and len(value.payload) > _BIG_BYTES
