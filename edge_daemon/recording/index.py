"""Where which minute is: an index of the segments.  The files are the truth, it follows them."""

from __future__ import annotations

import logging
import re
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from edge_daemon.recording.segments import Segment
    from edge_daemon.types import CameraId

log = logging.getLogger(__name__)

_VERSION: Final = 1
_TABLE: Final = """
CREATE TABLE segments (
    path TEXT PRIMARY KEY,      -- below the directory of the recordings
    camera TEXT NOT NULL,
    kind TEXT NOT NULL,         -- soft, burned, or unknown: found, of an earlier life
    epoch INTEGER,              -- segments of one epoch continue each other; NULL where drawn
    started_at REAL NOT NULL,   -- seconds since 1970, UTC
    ended_at REAL,              -- NULL while it is written
    bytes INTEGER NOT NULL      -- of all its files
) WITHOUT ROWID;
CREATE INDEX segments_of_camera ON segments (camera, started_at);
"""
_START: Final = re.compile(r"(\d{4}-\d\d-\d\d)/(\d\d-\d\d-\d\d)Z")


@dataclass(frozen=True, slots=True)
class Indexed:
    """A segment as the index knows it.  Times are aware UTC; ended_at None: it still grows."""

    path: str  # below the directory of the recordings
    camera: CameraId
    kind: str
    epoch: int | None
    started_at: datetime
    ended_at: datetime | None
    size_bytes: int


class SegmentIndex:
    """An SQLite file beside the cameras' directories; any thread may use it.

    A damaged file is made anew, at the next start from the segments; where the disk refuses it,
    that is told once and recording goes on without.
    """

    def __init__(self, root: Path) -> None:
        self._root, self._path = root, root / "index.sqlite"
        self._is_told = False

    def follow(self, found: Iterable[tuple[CameraId, Segment]]) -> None:
        """Take over which segments there are: the first thing to be called."""
        rows = [self._row(camera, segment) for camera, segment in found]

        def take(database: sqlite3.Connection) -> None:
            known = {path for (path,) in database.execute("SELECT path FROM segments")}
            gone = known - {row[0] for row in rows}
            database.executemany("DELETE FROM segments WHERE path = ?", [(p,) for p in gone])
            database.executemany(
                "INSERT INTO segments VALUES (?, ?, 'unknown', NULL, ?, ?, ?)"
                " ON CONFLICT (path) DO UPDATE SET bytes = excluded.bytes,"
                " ended_at = coalesce(ended_at, excluded.ended_at)",
                rows,
            )

        self._do(take)

    def begin(
        self, path: str, camera: CameraId, kind: str, epoch: int | None, started_at: datetime
    ) -> None:
        """A segment begins."""
        row = (self._name(path), camera, kind, epoch, started_at.timestamp())
        sql = "INSERT OR REPLACE INTO segments VALUES (?, ?, ?, ?, ?, NULL, 0)"
        self._do(lambda database: database.execute(sql, row))

    def end(self, path: str, ended_at: datetime, size_bytes: int) -> None:
        """A segment is finished."""
        row = (ended_at.timestamp(), size_bytes, self._name(path))
        sql = "UPDATE segments SET ended_at = ?, bytes = ? WHERE path = ?"
        self._do(lambda database: database.execute(sql, row))

    def remove(self, paths: Iterable[str]) -> None:
        """Segments are gone."""
        rows = [(self._name(path),) for path in paths]
        sql = "DELETE FROM segments WHERE path = ?"
        self._do(lambda database: database.executemany(sql, rows))

    def find(self, camera: CameraId, since: datetime, until: datetime) -> list[Indexed]:
        """Return a camera's segments that reach into a span of time, the oldest first."""
        found: list[Indexed] = []
        sql = (
            "SELECT * FROM segments WHERE camera = ? AND started_at < ?"
            " AND (ended_at IS NULL OR ended_at > ?) ORDER BY started_at, path"
        )
        span = (camera, until.timestamp(), since.timestamp())
        self._do(lambda db: found.extend(_indexed(row) for row in db.execute(sql, span)))
        return found

    def _do(self, work: Callable[[sqlite3.Connection], object]) -> None:
        """Work on the file, opened for so long; a segment ends every few minutes."""
        for is_last in (False, True):
            try:
                with closing(self._opened()) as database:
                    work(database)
                    database.commit()
            except sqlite3.OperationalError as exc:  # of the disk, not of the file
                self._tell(exc)
            except sqlite3.DatabaseError as exc:
                if is_last:
                    self._tell(exc)
                self._discard()
            else:
                return

    def _opened(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path)
        try:
            database.execute("PRAGMA synchronous = OFF")  # it can be made anew
            (version,) = database.execute("PRAGMA user_version").fetchone()
            if version not in (0, _VERSION):
                raise sqlite3.DatabaseError(f"is of version {version}")
            if version == 0:
                database.executescript(f"BEGIN;{_TABLE}PRAGMA user_version = {_VERSION};COMMIT;")
        except sqlite3.Error:
            database.close()
            raise
        return database

    def _discard(self) -> None:
        """Remove a damaged file: the next start fills another from the segments."""
        for ending in ("", "-journal"):
            with suppress(OSError):
                self._path.with_name(self._path.name + ending).unlink(missing_ok=True)

    def _tell(self, exc: sqlite3.Error) -> None:
        if not self._is_told:
            self._is_told = True
            log.warning(
                "%s: %s -- recording goes on; at the next start the index is made anew",
                self._path,
                exc,
            )

    def _row(self, camera: CameraId, segment: Segment) -> tuple[str, str, float, float, int]:
        name, ended_s = self._name(segment.path), segment.ended_at.timestamp()
        match, started_s = _START.search(name), ended_s
        if match is not None:
            with suppress(ValueError):
                at = datetime.strptime(f"{match[1]} {match[2]} +0000", "%Y-%m-%d %H-%M-%S %z")
                started_s = at.timestamp()
        return name, camera, started_s, max(started_s, ended_s), segment.size_bytes

    def _name(self, path: str) -> str:
        return path.removeprefix(f"{self._root}/")


def _indexed(row: tuple[str, str, str, int | None, float, float | None, int]) -> Indexed:
    path, camera, kind, epoch, started_s, ended_s, size_bytes = row
    started_at = datetime.fromtimestamp(started_s, timezone.utc)
    ended_at = None if ended_s is None else datetime.fromtimestamp(ended_s, timezone.utc)
    return Indexed(path, camera, kind, epoch, started_at, ended_at, size_bytes)
