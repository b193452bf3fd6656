"""Logging: set-up for journald, terminals and programs; repeated faults folded into one line."""

from __future__ import annotations

import json
import logging
import math
import os
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_daemon.errors import EdgeError

_FOLD_S: Final = 60.0
_MOST_A_MINUTE: Final = 8  # different faults of one part
_PRIORITY: Final = {  # sd-daemon(3): a prefix that journald reads as the line's priority
    logging.DEBUG: "<7>",
    logging.INFO: "<6>",
    logging.WARNING: "<4>",
    logging.ERROR: "<3>",
    logging.CRITICAL: "<2>",
}


def set_up_logging(level: str, form: str) -> None:
    """Send every log line to standard error: journald, text or json; auto chooses.

    auto: journald where the journal reads it, text on a terminal, else json.
    """
    if form == "auto":
        form = "journald" if _is_journal() else "text" if sys.stderr.isatty() else "json"
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_FORMATTERS[form]())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.captureWarnings(capture=True)


def _is_journal() -> bool:
    """Whether standard error is what systemd connected with the journal: systemd.exec(5).

    The variable alone says nothing, as it is inherited by all that runs below a service.
    """
    try:
        stream = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):  # closed, or no file
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{stream.st_dev}:{stream.st_ino}"


@dataclass(slots=True)
class _Part:
    """What was told of one part.  Times are the log's clock."""

    told: dict[str, tuple[float, int]] = field(default_factory=dict)  # text: when, held back since
    n_others: int = 0  # that were not told
    is_well: bool = True  # as far as was told
    well_s: float = -math.inf  # when that was told last


class FaultLog:
    """Tells a fault when it first comes, then once a minute with a count, then that it is over.

    Of different faults of one part it tells a few a minute and counts the rest: whoever sends us
    nonsense cannot fill the disk with our log.  Nor can a part that fails and is well again in
    turns: that it is well is told once a minute as well, and never but after a fault was.
    """

    def __init__(self, log: logging.Logger, clock: Callable[[], float] = time.monotonic) -> None:
        self._log, self._clock, self._lock = log, clock, Lock()
        self._parts: dict[str, _Part] = {}

    def tell(self, part: str, fault: EdgeError) -> None:
        """Log a fault of a part of the daemon, folding what repeats."""
        text, now_s = str(fault), self._clock()
        with self._lock:
            known = self._parts.setdefault(part, _Part())
            at_s, held = known.told.get(text, (-math.inf, 0))
            if now_s - at_s < _FOLD_S and not known.is_well:
                known.told[text] = (at_s, held + 1)
                return
            lately = {t: row for t, row in known.told.items() if now_s - row[0] < _FOLD_S}
            if len(lately) >= _MOST_A_MINUTE:
                known.n_others += 1
                return
            repeats = math.isfinite(at_s) and not (known.is_well and held == 0)
            known.told, known.is_well = {**lately, text: (now_s, 0)}, False
            n_others, known.n_others = known.n_others, 0
        line = text if text.startswith(part.partition(" ")[0]) else f"{part}: {text}"
        again = f" (again, {held + 1} times in the last {now_s - at_s:.0f} s)" if repeats else ""
        others = f" (and {n_others} others that were not told)" if n_others else ""
        self._log.warning("%s%s%s", line, again, others)

    def over(self, part: str, text: str) -> None:
        """Log that a part is well again, if that is news.

        Call it for as long as the part is well: of one that was faulty lately it is told later.
        """
        now_s = self._clock()
        with self._lock:
            known = self._parts.get(part)
            if known is None or known.is_well or now_s - known.well_s < _FOLD_S:
                return
            known.is_well, known.well_s = True, now_s
        self._log.info("%s: %s", part, text)


class _TextFormatter(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")


class _JournalFormatter(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(message)s")

    def format(self, record: logging.LogRecord) -> str:
        prefix = _PRIORITY.get(record.levelno, "<6>")
        return "\n".join(prefix + line for line in super().format(record).splitlines())


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, timezone.utc)
        row = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            row["traceback"] = self.formatException(record.exc_info)
        return json.dumps(row, ensure_ascii=False)


_FORMATTERS: Final[dict[str, Callable[[], logging.Formatter]]] = {
    "text": _TextFormatter,
    "journald": _JournalFormatter,
    "json": _JsonFormatter,
}
