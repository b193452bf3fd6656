"""What is sent on one connection, and what the broker acknowledged of it."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from edge_daemon.errors import BrokerRefusedError, PublishError
from edge_daemon.publish.broker import REFUSED_FROM, Outgoing
from edge_daemon.publish.payloads import as_replayed, is_topic
from edge_daemon.publish.retained import RetainedTopics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from edge_daemon.errors import EdgeError
    from edge_daemon.publish.broker import Connection
    from edge_daemon.publish.outbox import Outbox
    from edge_daemon.publish.payloads import Topics
    from edge_daemon.publish.pending import Pending
    from edge_daemon.types import CameraId, QuestionId

Outcome = Literal["acknowledged", "refused", "interrupted", "dropped"]

_MOST_PICTURES: Final = 2  # on their way at once: what is pressing never waits behind many
_MOST_ANSWERS: Final = 100  # that wait to be sent
_MOST_FRESH: Final = 1000  # an event that waits with so many others is late
_PAGE_EVENTS: Final = 500
_MOST_PAGES: Final = 10  # looked through in a turn: 60 ms
_TOO_BIG_HINT: Final = "raise the broker's limit on the size of a packet"


@dataclass(frozen=True, slots=True)
class Mail:
    """What waits to be sent, left here by any thread.

    on_published hears of an answer that is dropped, by the thread that leaves another one.
    """

    outbox: Outbox
    on_published: Callable[[Outcome], None]
    retained: RetainedTopics = field(default_factory=RetainedTopics)
    answers: deque[Outgoing] = field(default_factory=deque)
    fresh: set[str] = field(default_factory=set)  # ids of events that are not late

    def answer(self, answer: Outgoing) -> None:
        """Leave an answer, in place of the oldest where too many wait."""
        self.answers.append(answer)
        if len(self.answers) > _MOST_ANSWERS:
            with contextlib.suppress(IndexError):  # all sent meanwhile
                self.answers.popleft()
                self.on_published("dropped")

    def note_fresh(self, ids: Iterable[str]) -> None:
        """Note events that are not late; where too many wait, those before them are."""
        newest = list(ids)[-_MOST_FRESH:]
        if len(self.fresh) + len(newest) > _MOST_FRESH:
            self.fresh.clear()  # with those that left the outbox in another way than to the broker
        self.fresh.update(newest)

    @property
    def delivered(self) -> bool:
        """Whether the broker has all of it."""
        return self.retained.settled and not self.answers and not len(self.outbox)


@dataclass(frozen=True, slots=True)
class _Sent:
    """A message that the broker has not acknowledged."""

    topic: str
    retained: bool = False
    picture: bool = False
    event: Pending | None = None


class Delivery:
    """Sends mail on a connection, from its begin to its end.  For one thread.

    Events go in the order they were decided; one that is refused holds back its question's
    later ones until refused_s have passed, and has them go one by one from then on.
    """

    def __init__(
        self,
        connection: Connection,
        mail: Mail,
        topics: Topics,
        *,
        refused_s: float,
        on_fault: Callable[[EdgeError], None],
        on_published: Callable[[Outcome], None],
    ) -> None:
        self._connection, self._mail, self._topics = connection, mail, topics
        self._on_fault, self._on_published = on_fault, on_published
        self._refused_s, self._retry_at_s = refused_s, time.monotonic() + refused_s
        self._unacked: dict[int, _Sent] = {}
        self._sending: set[str] = set()  # ids of the events among them
        self._refused: set[tuple[CameraId, QuestionId]] = set()
        self._one_by_one: set[tuple[CameraId, QuestionId]] = set()  # had something refused
        self._held: set[tuple[CameraId, QuestionId]] = set()  # of either, for this turn
        self._is_refusal_told = self._is_their_turn = False
        self._n_openings = mail.outbox.n_openings
        self._cursor = 0  # n of the last event sent, by the numbers of that opening
        for topic in mail.retained.start_over(last=topics.status):
            self._tell_too_big(topic)
        mail.outbox.remember_topics(mail.retained.topics())

    def send(self) -> None:
        """Send what waits, as far as the window allows.

        Present values come first, then answers, events, pictures.  Where they are too many, half
        of the window is for events, and what is said by an event still comes before it.
        """
        if time.monotonic() >= self._retry_at_s:
            self._retry()
        on_way = {sent.event.key for sent in self._unacked.values() if sent.event}
        self._held = self._refused | self._one_by_one & on_way
        events = self._look_for_events()  # first: what is said by them is known by then
        self._send_messages(self._n_kept_for(events))
        for event in events:
            if self._may_go(event):
                self._send_said(event)
                if self._n_free <= 0:
                    break
                self._send_event(event)
            self._cursor = event.n
        self._send_messages(0)
        while self._n_free > 0 and (message := self._next_picture()):
            self._send_message(message, picture=True)

    def settle(self) -> None:
        """Take note of what the broker acknowledged or refused."""
        acks = [
            (self._unacked.pop(mid), code)
            for mid, code in self._connection.take_acks()
            if mid in self._unacked
        ]
        taken = [sent for sent, code in acks if code < REFUSED_FROM]
        refused = [sent for sent, code in acks if code >= REFUSED_FROM]
        self._sending.difference_update(sent.event.id for sent, _ in acks if sent.event)
        self._note_taken(taken)
        self._note_refused(refused)

    def end(self) -> None:
        """Count what was on its way as not sent, and answers as lost: the connection has ended."""
        for _ in self._unacked:
            self._on_published("interrupted")
        while self._mail.answers:
            self._mail.answers.popleft()
            self._on_published("dropped")

    @property
    def _n_free(self) -> int:
        return self._connection.window - len(self._unacked)

    def _look_for_events(self) -> list[Pending]:
        """Return a page of the next events, one at least that may go; [] where there is none.

        Pages of others are turned within reason: the next turn goes on from there.
        """
        if self._n_free <= 0 or len(self._mail.outbox) <= len(self._sending):
            return []
        n_events = self._n_free
        for _ in range(_MOST_PAGES):
            page = self._page(n_events)
            if not page or any(map(self._may_go, page)):
                return page
            self._cursor, n_events = page[-1].n, _PAGE_EVENTS
        return []

    def _page(self, n_events: int) -> list[Pending]:
        """Return the next events; the first ones again where the disk came with older ones."""
        outbox = self._mail.outbox
        page = outbox.pending(self._cursor, n_events)
        if self._n_openings != outbox.n_openings:
            self._n_openings, self._cursor = outbox.n_openings, 0
            page = outbox.pending(0, n_events)
        return page

    def _may_go(self, event: Pending) -> bool:
        """Whether an event is neither on its way nor held back."""
        return event.id not in self._sending and event.key not in self._held

    def _n_kept_for(self, events: list[Pending]) -> int:
        """Return how much of what is free is for events: a window of one goes to them by turns."""
        if events:
            self._is_their_turn = not self._is_their_turn
        share = (self._connection.window + self._is_their_turn) // 2
        return max(0, min(len(events), share - len(self._sending)))

    def _send_messages(self, n_kept: int) -> None:
        """Send values and answers while more than n_kept are free."""
        while self._n_free > n_kept and (message := self._next_message()):
            self._send_message(message)

    def _send_said(self, event: Pending) -> None:
        """Send what is said of an event's question now, out of turn."""
        topics = self._topics.verdict(*event.key), self._topics.state(*event.key)
        while self._n_free > 0 and (value := self._mail.retained.take_of(topics)):
            self._send_message(Outgoing(*value, retain=True))

    def _next_message(self) -> Outgoing | None:
        if (value := self._mail.retained.take()) is not None:
            return Outgoing(*value, retain=True)
        return self._mail.answers.popleft() if self._mail.answers else None

    def _next_picture(self) -> Outgoing | None:
        if sum(sent.picture for sent in self._unacked.values()) >= _MOST_PICTURES:
            return None
        value = self._mail.retained.take_picture()
        return Outgoing(*value, retain=True) if value is not None else None

    def _send_message(self, message: Outgoing, *, picture: bool = False) -> None:
        if not self._connection.fits(message):
            self._leave_out(message)
            return
        if message.retain:
            self._mail.outbox.remember_topics([message.topic])
        mid = self._connection.send(message)
        self._unacked[mid] = _Sent(message.topic, message.retain, picture)

    def _send_event(self, event: Pending) -> None:
        if (message := self._message_of(event)) is None:
            self._drop(event, "is damaged")
            return
        if not self._connection.fits(message):
            self._drop(event, "is too big to send", _TOO_BIG_HINT)
            return
        mid = self._connection.send(message)
        self._unacked[mid] = _Sent(message.topic, event=event)
        self._sending.add(event.id)
        self._held |= self._one_by_one & {event.key}

    def _message_of(self, event: Pending) -> Outgoing | None:
        """Return an event as it is sent; None where the disk gave back another than it got."""
        if not is_topic(f"{event.camera}/{event.question}"):
            return None
        is_fresh = event.id in self._mail.fresh
        try:
            payload = event.payload if is_fresh else as_replayed(event.payload)
        except (ValueError, TypeError):
            return None
        return Outgoing(self._topics.event(*event.key), payload)

    def _drop(self, event: Pending, why: str, hint: str = "") -> None:
        """Do without an event that would only keep back those behind it."""
        self._mail.outbox.remove([event])
        self._mail.fresh.discard(event.id)
        self._on_published("dropped")
        what = f"event {event.id} {why} and was dropped"
        self._on_fault(PublishError(what, where="outbox", hint=hint))

    def _note_taken(self, taken: list[_Sent]) -> None:
        events = [sent.event for sent in taken if sent.event]
        if events:
            self._mail.outbox.remove(events)
            waited_for = [event.n for event in events if event.key in self._one_by_one]
            self._cursor = min([self._cursor, *waited_for])
            self._mail.fresh.difference_update(event.id for event in events)
        for sent in taken:
            if sent.retained and self._mail.retained.acknowledge(sent.topic):
                self._mail.outbox.forget_topic(sent.topic)
            self._on_published("acknowledged")

    def _note_refused(self, refused: list[_Sent]) -> None:
        """Hold back what the broker refuses, and say so once a round."""
        for sent in refused:
            if sent.event is not None:
                self._refused.add(sent.event.key)
                self._one_by_one.add(sent.event.key)
                self._mail.fresh.discard(sent.event.id)
            elif sent.retained:
                self._mail.retained.refuse(sent.topic)
            self._on_published("refused")
        if refused and not self._is_refusal_told:
            self._is_refusal_told = True
            others = f" and {len(refused) - 1} more" if len(refused) > 1 else ""
            what = f"may not publish {refused[0].topic}{others}"
            hint = f"let this user write {self._topics.root}/#; events wait in the outbox"
            self._on_fault(BrokerRefusedError(what, where="mqtt", hint=hint))

    def _retry(self) -> None:
        self._retry_at_s = time.monotonic() + self._refused_s
        if self._refused:
            self._mail.fresh.clear()  # what was held back is late; a few others are called so, too
            self._refused.clear()
        self._is_refusal_told = False
        self._cursor = 0
        self._mail.retained.retry()

    def _leave_out(self, message: Outgoing) -> None:
        """Do without a message that the broker says is too big for it."""
        if message.retain:
            self._mail.retained.acknowledge(message.topic)
        self._tell_too_big(message.topic)

    def _tell_too_big(self, topic: str) -> None:
        self._on_published("dropped")
        what = f"{topic} is too big to send"
        self._on_fault(PublishError(what, where="mqtt", hint=_TOO_BIG_HINT))
