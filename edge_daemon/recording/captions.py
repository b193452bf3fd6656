"""Answers as captions: a WebVTT file that is valid at any moment while it grows, or a track."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from edge_daemon.recording.storage import StorageFile, storage_faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import StrPath

_HEADER: Final = "WEBVTT\n\n"
_PIECE_S: Final = 2.0
_LATE_S: Final = 2.0  # by which answers may come after their picture
_ESCAPED: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class CaptionFile:
    """Cues one after another without a gap.  Used by one thread.

    The last cue's end is written again and again in place, so that after a SIGKILL every cue is
    whole, and the last one ends when it was last looked at.  Source: W3C WebVTT, 3.
    Every method raises RecordingError.
    """

    def __init__(self, path: StrPath) -> None:
        self.path = path
        with storage_faults(path):
            self._file = StorageFile(path, "xb")
            self._file.write(_HEADER.encode())
        self._text = ""
        self._start_s = self._end_s = 0.0
        self._start_at = self._file.tell()  # bytes, of the last cue

    def say(self, text: str, at_s: float) -> None:
        """Show text from at_s on; before the last cue's start: in its place.  "" shows nothing."""
        if text == self._text:
            self.advance(at_s)
            return
        end_s = self._end_s
        if self._text and at_s >= self._start_s + 0.001:
            self._close_cue(at_s)
            self._start_at = self._size()
        else:
            at_s = self._start_s if self._text else max(at_s, self._start_s)
        self._text, self._start_s = text, at_s
        self._write_cue(max(end_s, at_s + 0.001))

    def advance(self, at_s: float) -> None:
        """Let the last cue last until at_s."""
        if self._text and at_s > self._end_s:
            self._close_cue(at_s)

    def end(self, at_s: float) -> None:
        """The video ends at at_s; what is said of its last pictures may still come."""
        if self._text and self._start_s >= at_s:  # said of no picture
            self._text = ""
            self._write_cue(at_s)
        self.advance(at_s)

    def close(self) -> None:
        """No more will come."""
        self._file.close()

    def _write_cue(self, end_s: float) -> None:
        """Write the last cue, in place of what stands there."""
        cue = ""
        if self._text:
            cue = f"{timestamp(self._start_s)} --> {timestamp(end_s)}\n{self._text}\n\n"
        self._end_s = end_s
        with storage_faults(self.path):
            self._file.truncate(self._start_at)
            self._file.seek(self._start_at)
            self._file.write(cue.encode())

    def _close_cue(self, end_s: float) -> None:
        self._end_s = end_s
        with storage_faults(self.path):
            self._file.seek(self._start_at + len("00:00:00.000 --> "))
            self._file.write(timestamp(end_s).encode())

    def _size(self) -> int:
        with storage_faults(self.path):
            return self._file.seek(0, 2)


def timestamp(seconds: float) -> str:
    """Return 00:00:00.000, of the same length below a hundred hours."""
    ms = max(0, round(seconds * 1000))
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"


def escaped(text: str) -> str:
    """Return text as it may stand in a cue: one line, no marks."""
    return " ".join(text.translate(_ESCAPED).split())


class CaptionTrack:
    """The same as a track of a file, where a caption is written once, when its end is known.

    A caption is written in pieces, some seconds after its time, so that answers may come late and
    a SIGKILL costs no more than that.
    """

    def __init__(self, write: Callable[[str, float, float], None]) -> None:
        """Tell write(text, start, end), in seconds, one after the other."""
        self._write = write
        self._text, self._told_s = "", 0.0
        self._changes: deque[tuple[float, str]] = deque()  # still to be told

    def say(self, text: str, at_s: float) -> None:
        """Show text from at_s on; what was told already stays as it is."""
        at_s = max(at_s, self._told_s)
        while self._changes and self._changes[-1][0] >= at_s:
            self._changes.pop()
        if text != (self._changes[-1][1] if self._changes else self._text):
            self._changes.append((at_s, text))

    def advance(self, at_s: float) -> None:
        """Tell what is old enough at at_s."""
        self._tell(at_s - _LATE_S, whole=True)

    def end(self, at_s: float) -> None:
        """Tell all up to the video's end; nothing can be told later."""
        self._tell(at_s, whole=False)

    def close(self) -> None:
        """No more will come."""

    def _tell(self, upto_s: float, *, whole: bool) -> None:
        """Tell pieces up to a time; whole: the last one only if it has its full length."""
        while self._told_s < upto_s:
            change_s = self._changes[0][0] if self._changes else float("inf")
            end_s = min(change_s, self._told_s + _PIECE_S)
            if end_s > upto_s:
                if whole:
                    return
                end_s = upto_s
            if self._text and end_s > self._told_s:
                self._write(self._text, self._told_s, end_s)
            self._told_s = end_s
            if change_s <= end_s:
                _, self._text = self._changes.popleft()
