from __future__ import annotations

import threading
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_daemon.errors import SourceRefusedError, SourceStalledError, SourceUnavailableError
from edge_daemon.sources.picture import ArrayPicture
from edge_daemon.sources.watch import LiveSource
from edge_daemon.types import Frame

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from typing import TypeAlias

Arrivals: TypeAlias = "Generator[Frame | None, None, None]"
PICTURE = ArrayPicture(np.zeros((2, 2, 3), np.uint8))


def frame(index: int) -> Frame:
    return Frame("gate", index, index / 25, 0.0, datetime.now(timezone.utc), PICTURE)


class Scripted(LiveSource):
    """Reads what the test says."""

    def __init__(
        self,
        script: Callable[[], Arrivals],
        *,
        stall_after_s: float = 5.0,
        picture_s: float | None = None,
        connect_s: float = 5.0,
    ) -> None:
        self.stop, self.closed = threading.Event(), threading.Event()
        super().__init__(
            camera="gate",
            where="rtsp://camera/1",
            stop=self.stop,
            stall_after_s=stall_after_s,
            picture_within_s=picture_s,
            connect_within_s=connect_s,
        )
        self._script = script

    def _read(self) -> Arrivals:
        try:
            yield from self._script()
        finally:
            self.closed.set()


@pytest.fixture
def hang() -> Iterator[threading.Event]:
    """Something that blocks as native code does, until the test is over."""
    ends = threading.Event()
    yield ends
    ends.set()


def test_live_source_hands_over_every_frame_in_order() -> None:
    def script() -> Arrivals:
        yield None
        yield from map(frame, range(100))

    found = []
    with pytest.raises(SourceUnavailableError), Scripted(script) as source:
        found.extend(seen.index for seen in source)

    assert found == list(range(100))


def test_the_end_of_a_live_source_is_a_failure() -> None:
    def script() -> Arrivals:
        yield None

    with (
        Scripted(script) as source,
        pytest.raises(
            SourceUnavailableError, match=r"^rtsp://camera/1: connection closed by the camera -- "
        ),
    ):
        next(iter(source))


def test_a_failure_to_connect_is_raised_where_the_source_is_entered() -> None:
    def script() -> Arrivals:
        raise SourceRefusedError("wrong password", where="rtsp://camera/1")
        yield None

    with pytest.raises(SourceRefusedError), Scripted(script):
        pass


def test_a_bug_reaches_the_thread_that_reads() -> None:
    def script() -> Arrivals:
        yield None
        raise ZeroDivisionError

    with Scripted(script) as source, pytest.raises(ZeroDivisionError):
        next(iter(source))


def test_a_connect_that_hangs_is_given_up(hang: threading.Event) -> None:
    def script() -> Arrivals:
        hang.wait()
        yield None

    begun_s = time.monotonic()
    with (
        pytest.raises(SourceUnavailableError, match=r"nothing came within 0\.3 s"),
        Scripted(script, connect_s=0.3),
    ):
        pass

    assert time.monotonic() - begun_s < 1.3


def test_a_reader_that_hangs_is_a_stall(hang: threading.Event) -> None:
    def script() -> Arrivals:
        yield None
        yield frame(0)
        hang.wait()

    begun_s, found = time.monotonic(), []
    with (
        pytest.raises(SourceStalledError, match=r"connected, but no picture for 0\.3 s"),
        Scripted(script, stall_after_s=0.3) as source,
    ):
        found.extend(source)

    assert len(found) == 1
    assert time.monotonic() - begun_s < 1.3


def test_signs_of_life_are_no_frames_and_no_stall_where_pictures_are_rare(
    hang: threading.Event,
) -> None:
    def script() -> Arrivals:
        yield None
        for _ in range(8):
            hang.wait(0.05)
            yield None
        yield frame(7)

    with Scripted(script, stall_after_s=0.3, picture_s=5.0) as source:
        found = next(iter(source))

    assert found.index == 7


@pytest.mark.parametrize("picture_s", [None, 0.6])
def test_what_never_makes_a_picture_is_a_stall(
    hang: threading.Event, picture_s: float | None
) -> None:
    def script() -> Arrivals:
        yield None
        while not hang.wait(0.05):
            yield None

    within_s = picture_s or 0.3
    begun_s = time.monotonic()
    with (
        pytest.raises(SourceStalledError, match=f"nothing that makes a picture, for {within_s} s"),
        Scripted(script, stall_after_s=0.3, picture_s=picture_s) as source,
    ):
        next(iter(source))

    assert within_s <= time.monotonic() - begun_s < within_s + 1.0


def test_silence_after_a_sign_of_life_is_silence(hang: threading.Event) -> None:
    def script() -> Arrivals:
        yield None
        yield None
        hang.wait()

    with (
        pytest.raises(SourceStalledError, match=r"connected, but no picture for 0\.3 s"),
        Scripted(script, stall_after_s=0.3, picture_s=5.0) as source,
    ):
        next(iter(source))


def test_stop_is_noticed_while_nothing_comes(hang: threading.Event) -> None:
    def script() -> Arrivals:
        yield None
        hang.wait()

    source = Scripted(script)
    threading.Timer(0.1, source.stop.set).start()
    begun_s = time.monotonic()
    with source:
        found = list(source)

    assert found == []
    assert time.monotonic() - begun_s < 1.1


def test_stop_is_noticed_while_connecting(hang: threading.Event) -> None:
    def script() -> Arrivals:
        hang.wait()
        yield None

    source = Scripted(script)
    threading.Timer(0.1, source.stop.set).start()
    begun_s = time.monotonic()
    with source:
        found = list(source)

    assert found == []
    assert time.monotonic() - begun_s < 1.1


def test_leaving_closes_the_reader() -> None:
    def script() -> Arrivals:
        yield None
        yield from map(frame, range(1_000_000))

    source = Scripted(script)
    with source:
        next(iter(source))

    assert source.closed.wait(5.0)
