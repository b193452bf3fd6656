"""The present value of every retained topic, and which of them the broker has not got yet."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_BIG_BYTES: Final = 65_536
_MOST_PICTURE_BYTES: Final = 32_000_000  # of all topics together, in memory
_MOST_TRIES: Final = 3


@dataclass(slots=True)
class _Value:
    payload: bytes
    is_picture: bool = False
    n_on_way: int = 0
    tries: int = 0  # sent without an acknowledgement


class RetainedTopics:
    """One value per topic: a newer one replaces what was not sent yet.  For any threads.

    A value waits while an older one of its topic is on its way, but for those taken out of turn;
    brokers keep and acknowledge them in order (MQTT 5, 4.6), so that the last one stays.
    Pictures are taken apart from the others, and the oldest are let go where they are too many.
    """

    def __init__(self, most_picture_bytes: int = _MOST_PICTURE_BYTES) -> None:
        self._lock = Lock()
        self._most_picture_bytes = most_picture_bytes
        self._values: dict[str, _Value] = {}
        self._to_send: dict[str, None] = {}  # an ordered set
        self._pictures_to_send: dict[str, None] = {}
        self._refused: set[str] = set()

    def put(self, topic: str, payload: bytes) -> None:
        """Give a topic a value; empty removes it from the broker."""
        with self._lock:
            self._put(topic, payload, is_picture=False)

    def put_picture(self, topic: str, payload: bytes) -> None:
        """Give a topic a picture, which is sent when nothing else is."""
        with self._lock:
            self._put(topic, payload, is_picture=True)
            self._values[topic] = self._values.pop(topic)  # the newest stands last
            self._let_pictures_go()

    def take(self) -> tuple[str, bytes] | None:
        """Return what is to be sent next, which is on its way then; None: nothing but pictures."""
        with self._lock:
            return self._next(self._to_send)

    def take_of(self, topics: Iterable[str]) -> tuple[str, bytes] | None:
        """Return what is to be sent of these topics, at once, as take() does in turn."""
        with self._lock:
            found = next((topic for topic in topics if topic in self._to_send), None)
            return None if found is None else self._taken(self._to_send, found)

    def take_picture(self) -> tuple[str, bytes] | None:
        """Return the picture to be sent next, which is on its way then; None: none."""
        with self._lock:
            return self._next(self._pictures_to_send)

    def acknowledge(self, topic: str) -> bool:
        """Note that the broker has what was taken; return whether the topic is empty now."""
        with self._lock:
            value = self._values[topic]
            value.n_on_way, value.tries = value.n_on_way - 1, 0
            is_empty = not (value.payload or value.n_on_way or topic in self._to_send)
            if is_empty:
                del self._values[topic]
            return is_empty

    def refuse(self, topic: str) -> None:
        """Note that the broker does not want what was taken: kept for retry().

        A topic that was to be emptied is let go: there is nothing of ours to keep up to date.
        """
        with self._lock:
            value = self._values[topic]
            value.n_on_way -= 1
            if value.n_on_way or topic in self._to_send or topic in self._pictures_to_send:
                return
            if value.payload:
                self._refused.add(topic)
            else:
                del self._values[topic]

    def retry(self) -> None:
        """Send what was refused once more."""
        with self._lock:
            self._queue(self._refused)
            self._refused.clear()

    def resend(self, topics: Iterable[str]) -> None:
        """Send the present value of these topics once more."""
        with self._lock:
            self._queue(topic for topic in topics if topic in self._values)

    def start_over(self, *, last: str) -> list[str]:
        """Prepare for a new connection: everything is to be sent, the topic last at the end.

        Pictures come later still.  Returns the topics given up: a big value that never arrived,
        however often it was sent, may be what ends the connection.
        """
        with self._lock:
            given_up = [topic for topic, value in self._values.items() if _is_hopeless(value)]
            for topic in given_up:
                del self._values[topic]
            for value in self._values.values():
                value.n_on_way = 0
            self._refused.clear()
            self._to_send, self._pictures_to_send = {}, {}
            self._queue(topic for topic in self._values if topic != last)
            self._queue(topic for topic in self._values if topic == last)
            return given_up

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be sent or to be acknowledged, pictures aside."""
        with self._lock:
            values = self._values.values()
            return not self._to_send and not any(v.n_on_way for v in values if not v.is_picture)

    @property
    def settled(self) -> bool:
        """Whether the broker has everything: nothing waits, and nothing was refused."""
        with self._lock:
            is_on_way = any(value.n_on_way for value in self._values.values())
            waiting = self._to_send or self._pictures_to_send or self._refused
            return not waiting and not is_on_way

    def __getitem__(self, topic: str) -> bytes:
        """Return the present value of a topic.  Raises KeyError."""
        with self._lock:
            return self._values[topic].payload

    def topics(self) -> frozenset[str]:
        """Return the topics that have a value."""
        with self._lock:
            return frozenset(self._values)

    def _put(self, topic: str, payload: bytes, *, is_picture: bool) -> None:
        value = self._values.get(topic)
        if value is None:
            self._values[topic] = _Value(payload, is_picture)
        elif value.payload == payload:
            return
        else:
            value.payload, value.is_picture, value.tries = payload, is_picture, 0
        self._refused.discard(topic)
        self._queue([topic])

    def _queue(self, topics: Iterable[str]) -> None:
        for topic in topics:
            if self._values[topic].is_picture:
                self._to_send.pop(topic, None)
                self._pictures_to_send[topic] = None
            else:
                self._pictures_to_send.pop(topic, None)
                self._to_send[topic] = None

    def _next(self, queue: dict[str, None]) -> tuple[str, bytes] | None:
        found = next((topic for topic in queue if not self._values[topic].n_on_way), None)
        return None if found is None else self._taken(queue, found)

    def _taken(self, queue: dict[str, None], topic: str) -> tuple[str, bytes]:
        del queue[topic]
        value = self._values[topic]
        value.n_on_way, value.tries = value.n_on_way + 1, value.tries + 1
        return topic, value.payload

    def _let_pictures_go(self) -> None:
        """Forget the oldest pictures that are too many; the broker keeps what it has of them."""
        pictures = [topic for topic, value in self._values.items() if value.is_picture]
        n_bytes = sum(len(self._values[topic].payload) for topic in pictures)
        for topic in pictures[:-1]:
            if n_bytes <= self._most_picture_bytes:
                return
            if not self._values[topic].n_on_way:
                n_bytes -= len(self._values.pop(topic).payload)
                self._pictures_to_send.pop(topic, None)
                self._refused.discard(topic)


def _is_hopeless(value: _Value) -> bool:
    return value.tries >= _MOST_TRIES and len(value.payload) > _BIG_BYTES
