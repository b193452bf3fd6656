"""A camera whose driver hangs: its thread sits in a system call that nothing can interrupt."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timezone
from threading import Event as Flag
from typing import Any

from typing_extensions import Self

from edge_daemon.sources.picture import ArrayPicture
from edge_daemon.types import Frame
from tests.data.colours import RED, lined


def red_frames(camera: str, n: int = 1) -> list[Frame]:
    at, picture = datetime.now(timezone.utc), ArrayPicture(lined(RED))
    return [Frame(camera, k, k / 10, time.monotonic(), at, picture) for k in range(n)]


class StuckSource:
    """Gives some frames, then hangs until let_go(); then gives one more and ends.

    With hangs_in "open" or "close" it hangs there, too.
    """

    def __init__(
        self,
        camera: str,
        frames: Sequence[Frame] = (),
        *,
        stop: Flag | None = None,
        live: bool = True,
        hangs_in: str = "read",
    ) -> None:
        self.camera, self.live, self.stop = camera, live, stop or Flag()
        self._frames, self._hangs_in = frames, hangs_in
        self._read_end, self._write_end = os.pipe()
        self.is_stuck, self.is_closed = Flag(), Flag()

    def __enter__(self) -> Self:
        self._hang("open")
        return self

    def __exit__(self, *exc: object) -> None:
        self._hang("close")
        self.is_closed.set()

    def __iter__(self) -> Iterator[Frame]:
        yield from self._frames
        self._hang("read")
        yield from red_frames(self.camera)

    def let_go(self) -> None:
        os.write(self._write_end, b"go on")

    def _hang(self, where: str) -> None:
        if where == self._hangs_in:
            self.is_stuck.set()
            os.read(self._read_end, 1)


class Driver:
    """Opens sources one after another; how is called with the number of the opening."""

    def __init__(self, how: Callable[[int, str, Flag], Any]) -> None:
        self._how = how
        self.opened: list[Any] = []
        self.n_calls = 0

    def __call__(self, settings: Any, stop: Flag, **_counters: object) -> Any:
        self.n_calls += 1
        self.opened.append(self._how(self.n_calls - 1, settings.id, stop))
        return self.opened[-1]

    def let_all_go(self) -> None:
        for source in self.opened:
            if isinstance(source, StuckSource):
                source.let_go()
