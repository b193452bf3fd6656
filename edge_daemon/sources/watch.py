"""Live sources: reading that may block for ever, on a thread that can be left behind."""

from __future__ import annotations

import queue
import time
from abc import ABC, abstractmethod
from contextlib import ExitStack, closing
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

from edge_daemon.errors import SourceStalledError, SourceUnavailableError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from typing_extensions import Self

    from edge_daemon.types import CameraId, Frame

CONNECT_WITHIN_S: Final = 10.0
ADDRESS_HINT: Final = "is the camera on, and are host and port of its source right?"
LOST_HINT: Final = "it is tried again; if it stays, look at the camera"
_PICTURELESS_HINT: Final = (
    "does it send key frames, of H.264, H.265 or MJPEG?  Try another of its streams"
)
_LOOK_EVERY_S: Final = 0.2  # for stop, while nothing arrives
_FAREWELL_S: Final = 0.3
_IN_HAND: Final = 2  # frames decoded ahead of their reader


class LiveSource(ABC):
    """A source that reads on a thread of its own, so that nothing there can hold up the caller.

    Native code that blocks, in a name look-up, a connect, a read or a decoder, cannot be
    interrupted.  So the caller only ever waits for what that thread hands over, and walks away
    from it at stop or when it says nothing in time; the thread ends itself when it wakes.
    """

    live = True

    def __init__(
        self,
        *,
        camera: CameraId,
        where: str,
        stop: Event,
        stall_after_s: float,
        picture_within_s: float | None = None,
        connect_within_s: float = CONNECT_WITHIN_S,
    ) -> None:
        """Give up what is silent for stall_after_s, or shows nothing for picture_within_s.

        picture_within_s: None: stall_after_s.
        """
        self.camera, self._where, self._stop = camera, where, stop
        self._stall_after_s, self._connect_within_s = stall_after_s, connect_within_s
        self._picture_within_s = picture_within_s or stall_after_s
        self._handed: queue.Queue[Frame | BaseException | None] = queue.Queue(_IN_HAND)
        self._left = Event()
        self._thread = Thread(target=self._work, name=f"source {camera}", daemon=True)

    @abstractmethod
    def _read(self) -> Generator[Frame | None, None, None]:
        """Connect, yield None, then frames; None again as a sign of life without a picture.

        Runs on the thread of its own.  Returns when the source has ended; raises SourceError.
        """

    def __enter__(self) -> Self:
        """Connect.  Raises SourceError; returns at once when stop is set."""
        with ExitStack() as undo:
            undo.callback(self._leave)
            self._thread.start()
            self._connect()
            undo.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        """Disconnect; a thread that hangs is left behind."""
        self._leave()

    def __iter__(self) -> Iterator[Frame]:
        """Yield frames until stop is set.  Raises SourceError when they cease to come."""
        while (frame := self._picture()) is not None:
            yield frame

    def _connect(self) -> None:
        """Wait for the first sign of life.  Raises SourceError."""
        try:
            self._arrival(self._connect_within_s)
        except queue.Empty:
            raise SourceUnavailableError(
                f"nothing came within {self._connect_within_s:g} s",
                where=self._where,
                hint=ADDRESS_HINT,
            ) from None

    def _picture(self) -> Frame | None:
        """Return the next frame, None when stop is set meanwhile.  Raises SourceError."""
        begun_s, heard_s = time.monotonic(), float("-inf")
        while not self._stop.is_set():
            left_s = begun_s + self._picture_within_s - time.monotonic()
            try:
                frame = self._arrival(min(self._stall_after_s, left_s))
            except queue.Empty:
                raise self._stalled(silent_s=time.monotonic() - heard_s) from None
            if frame is not None:
                return frame
            heard_s = time.monotonic()
        return None

    def _stalled(self, silent_s: float) -> SourceStalledError:
        """Return the fault of a camera that fell silent, or sends what makes no picture."""
        what, hint = f"connected, but no picture for {self._stall_after_s:g} s", LOST_HINT
        if silent_s < self._stall_after_s / 2:
            what = f"sends, but nothing that makes a picture, for {self._picture_within_s:g} s"
            hint = _PICTURELESS_HINT
        return SourceStalledError(what, where=self._where, hint=hint)

    def _arrival(self, within_s: float) -> Frame | None:
        """Return what the thread hands over next, None when stop is set meanwhile.

        Raises what the thread raised, and queue.Empty when nothing comes in time.
        """
        deadline_s = time.monotonic() + within_s
        while not self._stop.is_set():
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                raise queue.Empty
            try:
                arrived = self._handed.get(timeout=min(left_s, _LOOK_EVERY_S))
            except queue.Empty:
                continue
            if isinstance(arrived, BaseException):
                raise arrived
            return arrived
        return None

    def _leave(self) -> None:
        self._left.set()
        self._thread.join(_FAREWELL_S)

    def _work(self) -> None:
        """Body of the thread: hand over all that is read, at last why it ended."""
        try:
            with closing(self._read()) as arrivals:
                for arrival in arrivals:
                    if not self._hand_over(arrival):
                        return
            ended = SourceUnavailableError(
                "connection closed by the camera",
                where=self._where,
                hint=LOST_HINT,
            )
            self._hand_over(ended)
        except BaseException as exc:  # noqa: BLE001  raised again where the frames are wanted
            self._hand_over(exc)

    def _hand_over(self, arrival: Frame | BaseException | None) -> bool:
        """Wait until there is room; return False when nobody reads any more."""
        while not self._left.is_set():
            try:
                self._handed.put(arrival, timeout=_LOOK_EVERY_S)
            except queue.Full:
                continue
            return True
        return False
