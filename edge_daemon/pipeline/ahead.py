"""Work that overlaps: what is read ahead, and what is done behind, each on a thread of its own."""

from __future__ import annotations

from contextlib import contextmanager
from queue import Queue
from threading import Event as Flag
from threading import Thread
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from typing_extensions import Self

T = TypeVar("T")


class _End:
    """Follows the last item: why there are no more."""

    def __init__(self, fault: BaseException | None = None) -> None:
        self.fault = fault


@contextmanager
def ahead(items: Iterable[T], most: int) -> Iterator[Iterator[T]]:
    """Read items on another thread, at most so many ahead; yield them in order.

    What reading them raises is raised where they are taken.  On exit the reading has ended.
    """
    queue: Queue[T | _End] = Queue(most)
    stop = Flag()

    def read() -> None:
        end = _End()
        try:
            for item in items:
                queue.put(item)
                if stop.is_set():
                    break
        except BaseException as exc:  # noqa: BLE001  raised by taken(), in the other thread
            end = _End(exc)
        queue.put(end)

    def taken() -> Iterator[T]:
        while not isinstance(item := queue.get(), _End):
            yield item
        queue.put(item)  # for whoever asks again
        if item.fault is not None:
            raise item.fault

    thread = Thread(target=read, daemon=True)
    thread.start()
    try:
        yield taken()
    finally:
        stop.set()
        while not isinstance(queue.get(), _End):  # makes room for what is still put
            pass
        thread.join()


class Behind(Generic[T]):
    """Does the same with each item on another thread; at most so many wait.

    What it raises is raised by the next put(), or on exit; what waits then is passed over.  On
    exit all is done.
    """

    def __init__(self, work: Callable[[T], None], most: int) -> None:
        self._work = work
        self._queue: Queue[T | _End] = Queue(most)
        self._fault: BaseException | None = None
        self._thread = Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        self._queue.put(_End())
        self._thread.join()
        if kind is None and self._fault is not None:
            raise self._fault

    def put(self, item: T) -> None:
        """Hand an item over; waits while too many wait already."""
        if self._fault is not None:
            raise self._fault
        self._queue.put(item)

    def _run(self) -> None:
        while not isinstance(item := self._queue.get(), _End):
            if self._fault is None:
                try:
                    self._work(item)
                except BaseException as exc:  # noqa: BLE001  raised by put() or on exit
                    self._fault = exc
