"""Progress over many files on standard error: bars on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.progress import Progress, TaskID

_LINE_EVERY_S: Final = 10.0


class FileProgress(Protocol):
    """What a command tells of its files; safe to call from several threads."""

    def tell(self, name: str, done_s: float) -> None:
        """So many seconds of a file are done."""
        ...

    def end(self, name: str) -> None:
        """A file is over, done or not."""
        ...


@contextmanager
def file_progress(lengths_s: Mapping[str, float | None]) -> Iterator[FileProgress]:
    """Show how far the files are, given the length of each where it is known."""
    from rich.console import Console  # noqa: PLC0415  keeps --help light

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines(lengths_s)
        return
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        yield _Bars(lengths_s, progress)


class _Done:
    """How much of all files is done.  A file of unknown length counts as one of middle length."""

    def __init__(self, lengths_s: Mapping[str, float | None]) -> None:
        known = sorted(s for s in lengths_s.values() if s)
        middle_s = known[len(known) // 2] if known else 1.0
        self.lengths_s = {name: s or middle_s for name, s in lengths_s.items()}
        self.whole_s = sum(self.lengths_s.values())
        self._done_s = dict.fromkeys(lengths_s, 0.0)
        self.n_ended = 0

    def tell(self, name: str, done_s: float) -> None:
        self._done_s[name] = min(done_s, self.lengths_s[name])

    def end(self, name: str) -> None:
        self._done_s[name] = self.lengths_s[name]
        self.n_ended += 1

    @property
    def done_s(self) -> float:
        return sum(self._done_s.values())

    @property
    def text(self) -> str:
        """The only file's name, or how many are over."""
        n = len(self.lengths_s)
        return f"{self.n_ended} of {n} files" if n > 1 else next(iter(self.lengths_s))


class _Bars:
    """A bar for all, and one for each file that is being worked on."""

    def __init__(self, lengths_s: Mapping[str, float | None], progress: Progress) -> None:
        self._done, self._progress, self._lock = _Done(lengths_s), progress, Lock()
        self._lengths_s = lengths_s
        self._bars: dict[str, TaskID] = {}
        self._all = progress.add_task(self._done.text, total=self._done.whole_s)

    def tell(self, name: str, done_s: float) -> None:
        with self._lock:
            if name not in self._bars and len(self._lengths_s) > 1:
                total_s = self._lengths_s[name]
                self._bars[name] = self._progress.add_task(f"  {name}", total=total_s)
            if name in self._bars:
                self._progress.update(self._bars[name], completed=done_s)
            self._done.tell(name, done_s)
            self._progress.update(self._all, completed=self._done.done_s)

    def end(self, name: str) -> None:
        with self._lock:
            if name in self._bars:
                self._progress.remove_task(self._bars.pop(name))
            self._done.end(name)
            text, done_s = self._done.text, self._done.done_s
            self._progress.update(self._all, description=text, completed=done_s)


class _Lines:
    """A line every ten seconds."""

    def __init__(self, lengths_s: Mapping[str, float | None]) -> None:
        self._done, self._lock = _Done(lengths_s), Lock()
        self._begun_s = self._told_s = time.monotonic()

    def tell(self, name: str, done_s: float) -> None:
        with self._lock:
            self._done.tell(name, done_s)
            now_s = time.monotonic()
            if now_s - self._told_s >= _LINE_EVERY_S:
                self._told_s = now_s
                share = self._done.done_s / self._done.whole_s
                rest_s = (now_s - self._begun_s) * (1 / share - 1) if share else 0.0
                text = f"{self._done.text}, {share:.0%}, about {rest_s:.0f} s left"
                print(text, file=sys.stderr, flush=True)

    def end(self, name: str) -> None:
        with self._lock:
            self._done.end(name)
