"""What lies beside a segment: captions, and every judgement as a line of JSON."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from edge_daemon.recording.segments import sidecar
from edge_daemon.recording.storage import StorageFile, storage_faults

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_daemon.types import Frame


@dataclass(frozen=True, slots=True)
class Moment:
    """When a frame was, without its picture: thousands may wait for a disk."""

    mono_s: float
    pts_s: float
    packet: int | None

    @classmethod
    def of(cls, frame: Frame) -> Moment:
        """Return a frame's."""
        return cls(frame.mono_s, frame.pts_s, frame.packet)


@dataclass(frozen=True, slots=True)
class Note:
    """What is said from a frame on; None: without one.

    row is the judgement to be written down, None: there was none.
    """

    frame: Moment | None
    row: Mapping[str, Any] | None
    caption: str


class Captions(Protocol):
    """A file or a track of them."""

    def say(self, text: str, at_s: float) -> None: ...  # noqa: D102
    def advance(self, at_s: float) -> None: ...  # noqa: D102
    def end(self, at_s: float) -> None: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


class Beside:
    """The files beside one segment.  Used by one thread.  Every method raises RecordingError."""

    def __init__(self, segment: str, captions: Captions | None) -> None:
        """Lie beside the video at segment; captions None: they are drawn in."""
        self._path = sidecar(segment, ".jsonl")
        self._captions = captions
        self._rows: StorageFile | None = None  # made with the first row
        self._end_s: float | None = None  # of a segment that is finished

    @property
    def size_bytes(self) -> int:
        """Bytes of these files, the captions' left out: they are few."""
        return self._rows.size_bytes if self._rows else 0

    def note(self, note: Note, at_s: float) -> None:
        """Write down what is said from at_s on, seconds in the segment's file."""
        if note.row is not None:
            row = {"at_s": round(at_s, 3), **note.row}
            with storage_faults(self._path):
                self._rows = self._rows or StorageFile(self._path, "xb")
                _append(self._rows, json.dumps(row, ensure_ascii=False).encode() + b"\n")
        if self._captions is not None and (self._end_s is None or at_s < self._end_s):
            self._captions.say(note.caption, at_s)

    def advance(self, at_s: float) -> None:
        """The video has grown up to at_s."""
        if self._captions is not None:
            self._captions.advance(at_s)

    def end(self, at_s: float) -> None:
        """The video ends at at_s; answers about its last pictures may still come."""
        self._end_s = at_s
        if self._captions is not None:
            self._captions.end(at_s)

    def close(self) -> None:
        """No more will come."""
        with suppress(OSError):
            for file in (self._rows, self._captions):
                if file is not None:
                    file.close()


def _append(file: StorageFile, line: bytes) -> None:
    """Add a whole line, or nothing.  Raises OSError."""
    whole_bytes = file.tell()
    try:
        file.write(line)
    except OSError:
        with suppress(OSError):
            file.truncate(file.seek(whole_bytes))
        raise
