"""Room on the disk for one camera's segments, asked for before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

    from edge_daemon.recording.limits import Limits
    from edge_daemon.recording.retention import Archive
    from edge_daemon.types import CameraId

_JUDGE_S: Final = 1.0  # of stream time between two looks at the disk
_LEAST_WANTED_BYTES: Final = 500_000


class Room:
    """Where the next segment goes, and how large it may grow.  Used by one thread.

    Every method raises StorageFullError where there is no room, RecordingError.
    """

    def __init__(self, camera: CameraId, archive: Archive, limits: Limits, recorded: str) -> None:
        """Prepare.  recorded is soft or burned, for the index."""
        self._camera, self._archive, self._limits = camera, archive, limits
        self._recorded = recorded
        self._path: str | None = None
        self._most_bytes = self._judged_bytes = 0
        self._wanted_bytes = _LEAST_WANTED_BYTES  # until the next look at the disk
        self._judged_s = 0.0  # stream time

    def begin(
        self,
        started_at: datetime,
        time_s: float,
        *,
        ending: str = ".mp4",
        epoch: int | None = None,
    ) -> str:
        """Return the path of the next segment, which begins at the stream's time time_s."""
        self._path, self._most_bytes = self._archive.begin(
            self._camera,
            started_at,
            self._limits,
            self._wanted_bytes,
            ending=ending,
            recorded=self._recorded,
            epoch=epoch,
        )
        self._judged_s, self._judged_bytes = time_s, 0
        return self._path

    def is_full(self, time_s: float, size_bytes: int) -> bool:
        """Make room for the next second; return whether the segment is to be cut early.

        size_bytes is what it takes now, time_s the stream's time.
        """
        if self._path is None or abs(time_s - self._judged_s) < _JUDGE_S:
            return False
        grown_bytes = size_bytes - self._judged_bytes
        self._wanted_bytes = max(2 * grown_bytes, _LEAST_WANTED_BYTES)
        self._archive.make_room(self._path, self._limits, self._wanted_bytes)
        self._judged_s, self._judged_bytes = time_s, size_bytes
        return size_bytes >= self._most_bytes

    def end(self, ended_at: datetime | None = None) -> None:
        """The segment is finished: it may be removed from now on.

        ended_at is the time of its last picture, aware UTC; None: now.
        """
        path, self._path = self._path, None
        if path is not None:
            self._archive.end(path, ended_at)
