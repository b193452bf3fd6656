"""The outbox's file: SQLite, so that a power cut or a kill leaves it whole."""

from __future__ import annotations

import os
import sqlite3
import time
from collections import deque
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final

from edge_daemon.errors import EdgeError, PublishError, StorageFullError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SCHEMA_VERSION: Final = 1
_DAMAGE: Final = ("decode", "no such", "has no column", "constraint failed")
_SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS events (
        n INTEGER PRIMARY KEY, id TEXT NOT NULL, camera TEXT NOT NULL, question TEXT NOT NULL,
        at_s REAL NOT NULL, payload BLOB NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS said (
        camera TEXT NOT NULL, question TEXT NOT NULL, seq INTEGER NOT NULL,
        verdict TEXT NOT NULL, reason TEXT, episode TEXT, event_id TEXT NOT NULL,
        since TEXT NOT NULL, PRIMARY KEY (camera, question)) WITHOUT ROWID""",
    "CREATE TABLE IF NOT EXISTS topics (topic TEXT PRIMARY KEY) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS clock (one INTEGER PRIMARY KEY CHECK (one = 1), ran_s REAL)",
    f"PRAGMA user_version = {_SCHEMA_VERSION}",
)


class DamagedError(PublishError):
    """The file is no longer a database; set it aside and begin a new one."""


class EventsDroppedError(PublishError):
    """Events are lost: there were more than may wait, or they waited too long."""


class OutboxFile:
    """The database and its faults, mapped to EdgeErrors.  Not for two threads at once.

    open_timeout_s: for another process to leave it, once: from then on nobody is kept waiting.
    """

    def __init__(self, path: Path, open_timeout_s: float) -> None:
        self.path, self._open_timeout_s = path, open_timeout_s
        self._where = f"outbox {path}"
        self._db: sqlite3.Connection | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is a database to use."""
        return self._db is not None

    def open(self) -> None:
        """Open or create the file.  Raises DamagedError, StorageFullError or PublishError."""
        db: sqlite3.Connection | None = None
        timeout_s, self._open_timeout_s = self._open_timeout_s, 0.0
        try:
            with self._mapped():
                db = sqlite3.connect(
                    self.path,
                    timeout=timeout_s,
                    isolation_level=None,
                    check_same_thread=False,
                )
                # One process alone: no -shm file, no second daemon on the same events.
                db.execute("PRAGMA locking_mode = EXCLUSIVE")
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA journal_size_limit = 4194304")
                if self._version(db) < _SCHEMA_VERSION:
                    db.execute("BEGIN EXCLUSIVE")
                    for statement in _SCHEMA:
                        db.execute(statement)
                    db.execute("COMMIT")
                self._check(db)
                db.execute("PRAGMA busy_timeout = 0")
        except EdgeError:
            if db is not None:
                db.close()
            raise
        self._db = db

    def read(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401  SQL values
        """Return the rows of a SELECT.  Raises DamagedError or PublishError."""
        with self._mapped():
            return self._open_db().execute(sql, values).fetchall()

    def read_frozen(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a SELECT from a file that may not be written; [] when it fails.

        With what a kill left in the log.  A log that may be written is another process's: it is
        left alone, as SQLite would tidy it away.
        """
        log = self.path.with_name(f"{self.path.name}-wal")
        is_left = log.exists() and not os.access(log, os.W_OK)
        how = "vfs=unix-none" if is_left else "immutable=1"  # the latter knows no log
        try:
            uri = f"{self.path.absolute().as_uri()}?mode=ro&{how}"
            with closing(sqlite3.connect(uri, uri=True)) as db:
                db.execute("PRAGMA locking_mode = EXCLUSIVE")  # the log's index in memory, no file
                return db.execute(sql).fetchall()
        except sqlite3.Error:
            return []  # its fault was told when it could not be opened

    @contextmanager
    def transaction(self, *, lasting: bool) -> Iterator[sqlite3.Connection]:
        """Run statements as one; on a fault none of them happened.

        lasting: on return they survive a power cut (the log is synced); otherwise only a kill.
        Raises DamagedError, StorageFullError or PublishError.
        Source: sqlite.org, "PRAGMA synchronous", for WAL.
        """
        with self._mapped():
            db = self._open_db()
            db.execute(f"PRAGMA synchronous = {'FULL' if lasting else 'NORMAL'}")
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            finally:
                if db.in_transaction:  # not committed: something went wrong
                    db.execute("ROLLBACK")

    def set_aside(self) -> Path:
        """Close the file and rename it; return its new path.  Raises PublishError."""
        self.close()
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        aside = self.path.with_name(f"{self.path.name}.damaged-{stamp}")
        try:
            for suffix in ("-wal", "-shm", "-journal"):
                beside = self.path.with_name(self.path.name + suffix)
                if beside.exists():
                    beside.replace(aside.with_name(aside.name + suffix))
            self.path.replace(aside)
        except OSError as exc:
            what = f"is damaged and cannot be renamed: {exc.strerror}"
            raise PublishError(what, where=self._where, hint="rename or delete it") from exc
        return aside

    def close(self) -> None:
        """Close the file; what was committed stays."""
        db, self._db = self._db, None
        if db is not None:
            try:
                db.close()
            except sqlite3.Error:
                return  # only the tidying up failed; committed rows are in the log

    def _open_db(self) -> sqlite3.Connection:
        if self._db is None:
            raise PublishError("is not open", where=self._where)
        return self._db

    def _version(self, db: sqlite3.Connection) -> int:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version > _SCHEMA_VERSION:
            hint = "use that edge-daemon again, or move the file away"
            raise PublishError("was written by a newer edge-daemon", where=self._where, hint=hint)
        return int(version)

    def _check(self, db: sqlite3.Connection) -> None:
        """Raise DamagedError now rather than when there is more to lose than old events."""
        (found,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise self.damage(" ".join(found.split()))
        every_event = "SELECT n, id, camera, question, at_s, length(payload) FROM events"
        deque(db.execute(every_event), maxlen=0)  # text that is none is not found by SQLite

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        """Turn sqlite3's exceptions into ours."""
        try:
            yield
        except (sqlite3.OperationalError, sqlite3.IntegrityError) as exc:
            raise self._fault(exc) from exc
        except sqlite3.DatabaseError as exc:
            if type(exc) is not sqlite3.DatabaseError:
                raise  # ProgrammingError and the like: a bug
            raise self.damage(str(exc)) from exc  # CORRUPT and NOTADB
        except UnicodeDecodeError as exc:  # sqlite3 cannot read its own message about the schema
            raise self.damage("its schema is not text") from exc

    def damage(self, how: str) -> DamagedError:
        """Return the fault of a file whose content cannot be what was written."""
        return DamagedError(f"is damaged ({how})", where=self._where)

    def _fault(self, exc: sqlite3.Error) -> EdgeError:
        text = str(exc)
        if any(word in text for word in _DAMAGE):
            return self.damage(text)
        if "full" in text:
            hint = "make room; events are kept in memory meanwhile"
            return StorageFullError("no room left on the disk", where=self._where, hint=hint)
        if "locked" in text:
            hint = "give each daemon a data_dir of its own"
            return PublishError("is used by another process", where=self._where, hint=hint)
        hint = "see that the daemon may write there; events are kept in memory meanwhile"
        return PublishError(f"cannot be used: {text}", where=self._where, hint=hint)
