"""Events to disk, many in one go, and what tells of them only afterwards."""

from __future__ import annotations

import math
import time
from collections import deque
from contextlib import contextmanager
from threading import Condition
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from edge_daemon.types import Event

_MANY: Final = 1000  # events, 6 MB; whoever can wait does
_MOST: Final = 5000  # with a disk that hangs for minutes


class GroupCommit:
    """Body of a thread that writes events in groups: a disk syncs many as fast as one.

    A disk takes 5 to 50 ms for what is to outlive a power cut, and now and then seconds, so that
    nobody who judges may wait for it.  write gets events in the order in which they came, none
    where there is only something to tell, and what it has to call as soon as they are kept.
    on_dropped hears of each event that was given up.  Every method but run() may be called by any
    thread.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Event], Callable[[], None]], None],
        on_dropped: Callable[[int], None],
    ) -> None:
        self._write, self._on_dropped = write, on_dropped
        self._changed = Condition()
        self._events: deque[Event] = deque()
        self._news: dict[Hashable, Callable[[], None]] = {}
        self._n_come = self._n_done = 0  # turns of run() that were asked for, and made
        self._at_work: Sequence[Event] = ()
        self._since_s: float | None = None  # when the present turn began
        self._is_closed = False

    def keep(self, event: Event) -> None:
        """Have an event written soon.  Never waits: of too many the oldest is dropped."""
        with self._changed:
            self._events.append(event)
            self._ask_for_turn()
            if len(self._events) <= _MOST:
                return
            self._events.popleft()
        self._on_dropped(1)

    def wait_for_room(self) -> None:
        """Wait while many events do: for those who bring what can wait."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._events) < _MANY or self._is_closed)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Have events and news that are brought within this in one group: no turn between."""
        with self._changed:
            yield

    def then(self, about: Hashable, tell: Callable[[], None]) -> None:
        """Have tell called once every event that came before is kept.

        In place of what was to be told about the same and was not yet.
        """
        with self._changed:
            self._news.pop(about, None)
            self._news[about] = tell
            self._ask_for_turn()

    def flush(self, within_s: float) -> bool:
        """Wait until all that came before is kept and told; return whether it is."""
        with self._changed:
            n = self._n_come
            return self._changed.wait_for(lambda: self._n_done >= n, within_s)

    def __len__(self) -> int:
        """Events that are not kept yet."""
        with self._changed:
            return len(self._events) + len(self._at_work)

    @property
    def busy_s(self) -> float:
        """How long the present turn has taken; 0 between two."""
        since_s = self._since_s
        return 0.0 if since_s is None else time.monotonic() - since_s

    def close(self, within_s: float = math.inf) -> bool:
        """End run() when nothing waits any more; return whether it does so in time."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        return self.flush(min(within_s, 1e6))

    def run(self) -> None:
        """Write and tell until close()."""
        while self._turn():
            pass

    def _turn(self) -> bool:
        """Write and tell what is there; return False when nothing is and nothing more comes."""
        with self._changed:
            self._changed.wait_for(lambda: self._n_done < self._n_come or self._is_closed)
            if self._n_done >= self._n_come:
                return False
            n, events, news = self._n_come, tuple(self._events), self._news
            self._events, self._news, self._at_work = deque(), {}, events
            self._since_s = time.monotonic()
            self._changed.notify_all()

        def tell_all() -> None:
            for tell in news.values():
                tell()

        self._write(events, tell_all)
        with self._changed:
            self._n_done, self._at_work, self._since_s = n, (), None
            self._changed.notify_all()
        return True

    def _ask_for_turn(self) -> None:
        self._n_come += 1
        self._changed.notify_all()
