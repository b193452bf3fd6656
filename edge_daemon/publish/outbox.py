"""Events from their birth until the broker has them, and what was said last.

An event is on disk before anyone hears of it.  With a disk that fails, events wait in memory
and judging goes on; they are written as soon as the disk works again.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from dataclasses import dataclass, replace
from threading import RLock
from typing import TYPE_CHECKING, Final

from edge_daemon.errors import EdgeError, PublishError
from edge_daemon.publish.contents import SELECT_SAID, contents_of
from edge_daemon.publish.payloads import event_json
from edge_daemon.publish.pending import Pending, Waiting
from edge_daemon.publish.said import Said, by_question, row_of, said_by
from edge_daemon.publish.storage import DamagedError, EventsDroppedError, OutboxFile
from edge_daemon.types import Reason

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Iterable
    from pathlib import Path

    from edge_daemon.config.models import OutboxConfig
    from edge_daemon.types import CameraId, Event, QuestionId

FILE_NAME: Final = "outbox.sqlite"
MEMORY_EVENTS: Final = 10_000  # about 10 MB: waits in memory while the disk fails
_DISK_RETRY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Glance:
    """How an outbox is: events not yet acknowledged, the age of the oldest, whether it writes."""

    n_events: int
    oldest_s: float
    writes: bool


class Outbox:
    """Events in the order they were decided.  For any threads.

    on_fault hears of a disk that fails and of events dropped, on_dropped how many; both are
    called by the thread that found it and must be quick.  Never raises for a failing disk.

    The age of an event counts the seconds that the daemon has run since, so that a wall clock
    that jumps drops nothing.

    limits: None where there is no broker for events to wait for: only what was said is kept.
    """

    def __init__(
        self,
        data_dir: Path,
        limits: OutboxConfig | None,
        *,
        on_fault: Callable[[EdgeError], None],
        on_dropped: Callable[[int], None],
        clock: Callable[[], float] = time.monotonic,
        open_timeout_s: float = 5.0,  # the last process may still be going
    ) -> None:
        self._file = OutboxFile(data_dir / FILE_NAME, open_timeout_s)
        self._limits, self._clock = limits, clock
        self._on_fault, self._on_dropped = on_fault, on_dropped
        self._lock = RLock()
        self._waiting: deque[Waiting] = deque()
        self._delivered: dict[int, str] = {}  # n: id, still on a disk that fails
        self._said: dict[tuple[CameraId, QuestionId], Said] = {}
        self._said_unsaved: set[tuple[CameraId, QuestionId]] = set()
        self._noted: set[tuple[CameraId, QuestionId]] = set()  # in this life
        self._topics: frozenset[str] = frozenset()
        self._topics_unsaved: set[str] = set()
        self._next_n = 1
        self._n_on_disk = 0
        self.n_openings = 0  # each may bring older events, and topics, of an earlier life
        self._ran_s, self._opened_s = 0.0, clock()
        self._disk_retry_s = clock()
        self._save()
        if not self._file.is_open:
            with contextlib.suppress(ValueError, TypeError):
                self._said = by_question(self._file.read_frozen(SELECT_SAID))

    def append(self, *events: Event, kept: Callable[[], None] = lambda: None) -> None:
        """Keep events and what they say, on disk on return unless the disk fails.

        kept is called then, before anybody finds them pending.
        """
        with self._lock:
            for event in events:
                self._take(event)
            self._save()
            self._bound()
            kept()

    def pending(self, after: int, limit: int) -> list[Pending]:
        """Return the oldest events with n above after, in order."""
        with self._lock:
            self._save()
            on_disk: list[Pending] = []
            if self._n_on_disk:
                sql = (
                    "SELECT n, id, camera, question, payload FROM events"
                    " WHERE n > ? ORDER BY n LIMIT ?"
                )
                try:
                    rows = self._file.read(sql, after, limit + len(self._delivered))
                    on_disk = [Pending(*row) for row in rows if row[0] not in self._delivered]
                except EdgeError as fault:
                    self._cope(fault)
                    return []  # what waits in memory is younger and must not overtake
            in_memory = (w.pending for w in self._waiting if w.pending.n > after)
            return [*on_disk, *in_memory][:limit]

    def remove(self, delivered: Collection[Pending]) -> None:
        """Forget events that the broker has acknowledged.

        Not synced: after a power cut they may be sent once more, with the same id.
        """
        ids = {event.id for event in delivered}
        with self._lock:
            in_memory = {w.pending.id for w in self._waiting} & ids
            self._waiting = deque(w for w in self._waiting if w.pending.id not in in_memory)
            self._delivered.update((e.n, e.id) for e in delivered if e.id not in in_memory)
            rows = list(self._delivered.items())
            sql = "DELETE FROM events WHERE n = ? AND id = ?"
            if (n_gone := self._change(lambda db: db.executemany(sql, rows).rowcount)) is not None:
                self._delivered.clear()
                self._n_on_disk -= n_gone

    def note(self, camera: CameraId, question: QuestionId, reason: Reason) -> None:
        """Keep why a question is UNKNOWN now, where no event tells.

        PAUSED lasts over a restart, and until the next note: events that were decided before it
        may be appended later.
        """
        key = (camera, question)
        with self._lock:
            self._said[key] = replace(self._said.get(key, Said.nothing()), reason=reason)
            self._said_unsaved.add(key)
            self._noted.add(key)
            self._save()

    def last_said(self, camera: CameraId, question: QuestionId) -> Said | None:
        """Return what was said last of a question, before a restart too.  Waits for no disk."""
        return self._said.get((camera, question))

    def last_seq(self, camera: CameraId, question: QuestionId) -> int:
        """Return the number of a question's last event; 0 before the first."""
        said = self.last_said(camera, question)
        return said.seq if said else 0

    def __len__(self) -> int:
        """Events not yet acknowledged; for a moment some too many.  Waits for no disk."""
        n_waiting = len(self._waiting)  # read first: it is emptied after the disk's are counted
        return max(0, n_waiting + self._n_on_disk - len(self._delivered))

    @property
    def oldest_s(self) -> float:
        """Age of the oldest of them; 0 when there is none."""
        with self._lock:
            at_s = [w.at_s for w in list(self._waiting)[:1]]
            if self._n_on_disk:
                try:
                    rows = self._file.read("SELECT at_s FROM events ORDER BY n LIMIT 1")
                except EdgeError as fault:
                    self._cope(fault)
                    rows = []
                at_s += [row[0] for row in rows]
            return max(0.0, self._now_s() - min(at_s)) if at_s else 0.0

    @property
    def writes(self) -> bool:
        """Whether all there is to write is on disk."""
        with self._lock:
            return self._file.is_open and not self._is_unsaved and not self._delivered

    def glance(self, within_s: float) -> Glance | None:
        """Return how it is; None where it is at work on its disk for so long."""
        if not self._lock.acquire(timeout=within_s):
            return None
        try:
            return Glance(len(self), self.oldest_s, self.writes)
        finally:
            self._lock.release()

    def topics(self) -> frozenset[str]:
        """Return the retained topics ever published and not emptied since.  Waits for no disk."""
        return self._topics

    def remember_topics(self, topics: Iterable[str]) -> None:
        """Note that something retained is about to be published there."""
        with self._lock:
            if new := frozenset(topics) - self._topics:
                self._topics_unsaved |= new
                self._topics |= new
            self._save()

    def forget_topic(self, topic: str) -> None:
        """Note that nothing retained is left there."""
        with self._lock:
            self._topics -= {topic}
            self._topics_unsaved.discard(topic)
            sql = "DELETE FROM topics WHERE topic = ?"
            self._change(lambda db: db.execute(sql, (topic,)).rowcount)

    def tidy(self) -> None:
        """Drop what is too old and note the time that has passed; call it now and then."""
        with self._lock:
            self._save()
            is_clean = self._delete_delivered()
            if self._limits is None or not len(self):
                return
            oldest_s = self._now_s() - self._limits.max_age
            sql = (
                "DELETE FROM events WHERE n < IFNULL("
                "(SELECT n FROM events WHERE at_s >= ? ORDER BY n LIMIT 1), 1 << 62)"
            )
            n_old = self._delete_lost(sql, oldest_s) if is_clean else 0
            while self._waiting and self._waiting[0].at_s < oldest_s:
                self._waiting.popleft()
                n_old += 1
            self._tell_dropped(n_old, "older than mqtt.outbox.max_age")

    def close(self) -> None:
        """Write what can be written and close the file."""
        with self._lock:
            self.tidy()
            self._file.close()
            self._disk_retry_s = float("inf")

    def _take(self, event: Event) -> None:
        """Take an event over into memory."""
        key = (event.camera, event.question)
        if self._limits is not None:
            pending = Pending(self._next_n, event.id, *key, event_json(event))
            self._next_n += 1
            self._waiting.append(Waiting(pending, self._now_s()))
        earlier = self._said.get(key)
        said = said_by(event).after(earlier)
        if earlier is not None and earlier.reason is Reason.PAUSED:  # the event may be older
            said = replace(said, reason=Reason.PAUSED)
        self._said[key] = said
        self._said_unsaved.add(key)

    def _now_s(self) -> float:
        """Seconds that the daemon has run with this outbox, over all its starts."""
        return self._ran_s + self._clock() - self._opened_s

    def _save(self) -> None:
        """Write what waits in memory, unless the disk failed a moment ago."""
        if self._file.is_open and not self._is_unsaved:
            return
        if self._clock() < self._disk_retry_s:
            return
        try:
            if not self._file.is_open:
                self._open()
            if self._is_unsaved:
                self._write_unsaved()
        except EdgeError as fault:
            self._cope(fault)

    @property
    def _is_unsaved(self) -> bool:
        return bool(self._waiting or self._said_unsaved or self._topics_unsaved)

    def _write_unsaved(self) -> None:
        events = [event.row for event in self._waiting]
        said = [row_of(key, self._said[key]) for key in self._said_unsaved]
        with self._file.transaction(lasting=True) as db:
            db.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", events)
            db.executemany("INSERT OR REPLACE INTO said VALUES (?, ?, ?, ?, ?, ?, ?, ?)", said)
            db.executemany(
                "INSERT OR IGNORE INTO topics VALUES (?)", [(t,) for t in self._topics_unsaved]
            )
            self._write_clock(db)
        self._n_on_disk += len(events)
        self._waiting.clear()
        self._said_unsaved.clear()
        self._topics_unsaved.clear()

    def _open(self) -> None:
        """Open the file, a new one in place of a damaged one, and read what it knows."""
        try:
            self._load()
        except DamagedError as fault:
            self._set_aside(fault)
            self._load()

    def _load(self) -> None:
        self._file.open()
        try:
            found = contents_of(self._file)
        except EdgeError:
            self._file.close()  # not to be written to before it is known what is there
            raise
        self._n_on_disk = found.n_events
        for key in self._said_unsaved:
            earlier = found.said.get(key)
            said = self._said[key].after(earlier)
            if earlier and earlier.reason is Reason.PAUSED and key not in self._noted:
                said = replace(said, reason=Reason.PAUSED)  # that lasts
            found.said[key] = said
        self._said = found.said
        self._topics |= found.topics
        self._place_waiting(found.last_n + 1, found.ran_s)
        self.n_openings += 1

    def _place_waiting(self, first_n: int, ran_s: float) -> None:
        """Let what waits in memory follow what was found on disk."""
        self._ran_s += ran_s
        first_n = max(first_n, self._waiting[0].pending.n if self._waiting else self._next_n)
        self._waiting = deque(
            Waiting(replace(w.pending, n=n), w.at_s + ran_s)
            for n, w in enumerate(self._waiting, first_n)
        )
        self._next_n = first_n + len(self._waiting)

    def _change(self, statements: Callable[[sqlite3.Connection], int]) -> int | None:
        """Run statements that need not outlive a power cut; return the rows changed, None: fault.

        Not tried at all when the disk failed a moment ago.
        """
        if not self._file.is_open or self._clock() < self._disk_retry_s:
            return None
        try:
            with self._file.transaction(lasting=False) as db:
                n = statements(db)
                self._write_clock(db)
        except EdgeError as fault:
            self._cope(fault)
            return None
        return n

    def _write_clock(self, db: sqlite3.Connection) -> None:
        db.execute("INSERT OR REPLACE INTO clock VALUES (1, ?)", (self._now_s(),))

    def _bound(self) -> None:
        """Keep to max_events, and in memory to what fits there."""
        if self._limits is None:
            return
        n_over = len(self) - self._limits.max_events
        if n_over > 0 and self._n_on_disk and self._delete_delivered():
            sql = "DELETE FROM events WHERE n IN (SELECT n FROM events ORDER BY n LIMIT ?)"
            n_gone = self._delete_lost(sql, n_over)
            self._tell_dropped(n_gone, "more than mqtt.outbox.max_events")
        n_over = len(self._waiting) - min(MEMORY_EVENTS, self._limits.max_events)
        for _ in range(n_over):
            self._waiting.popleft()
        self._tell_dropped(max(0, n_over), "the disk fails and memory is full")

    def _delete_delivered(self) -> bool:
        """Return whether nothing is on the disk any more that was delivered while it failed."""
        if self._delivered:
            self.remove(())
        return not self._delivered

    def _delete_lost(self, sql: str, limit: float) -> int:
        """Delete events from the disk; return how many."""
        n_gone = self._change(lambda db: db.execute(sql, (limit,)).rowcount) or 0
        self._n_on_disk -= n_gone
        return n_gone

    def _tell_dropped(self, n: int, why: str) -> None:
        if n:
            self._on_dropped(n)
            hint = "see why the broker is away; a longer outage needs higher limits"
            plural = "s were" if n > 1 else " was"
            what = f"{n} oldest event{plural} dropped: {why}"
            self._on_fault(EventsDroppedError(what, where="outbox", hint=hint))

    def _cope(self, fault: EdgeError) -> None:
        """Tell a fault of the disk, and go on without it for a moment."""
        if isinstance(fault, DamagedError):
            try:
                self._set_aside(fault)
            except EdgeError as worse:
                fault = worse
            else:
                return
        self._on_fault(fault)
        self._disk_retry_s = self._clock() + _DISK_RETRY_S

    def _set_aside(self, fault: DamagedError) -> None:
        """Begin a new file; it is opened with the next write.  Raises PublishError."""
        aside = self._file.set_aside()
        self._delivered.clear()
        self._n_on_disk = 0
        self._said_unsaved.update(self._said)
        self._topics_unsaved.update(self._topics)
        lost = "events not yet delivered may be in it; delete it when you have no use for it"
        self._on_fault(PublishError(f"{fault.what}, kept as {aside}", where=fault.where, hint=lost))
