"""Logging: set-up for journald, terminals and programs; repeated faults folded into one line."""

from __future__ import annotations

import json
import logging
import math
import os
import sys
import time
from collections import Counter
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

    auto: journald under systemd (it sets JOURNAL_STREAM), text on a terminal, else json.
    """
    if form == "auto":
        under_systemd = "JOURNAL_STREAM" in os.environ
        form = "journald" if under_systemd else "text" if sys.stderr.isatty() else "json"
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_FORMATTERS[form]())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.captureWarnings(capture=True)


class FaultLog:
    """Tells a fault when it first comes, then once a minute with a count, then that it is over.

    Of different faults of one part it tells a few a minute and counts the rest: whoever sends us
    nonsense cannot fill the disk with our log.
    """

    def __init__(self, log: logging.Logger, clock: Callable[[], float] = time.monotonic) -> None:
        self._log, self._clock, self._lock = log, clock, Lock()
        self._told: dict[str, dict[str, tuple[float, int]]] = {}  # part, text: when, held back
        self._passed_over: Counter[str] = Counter()

    def tell(self, part: str, fault: EdgeError) -> None:
        """Log a fault of a part of the daemon, folding what repeats."""
        text, now_s = str(fault), self._clock()
        with self._lock:
            told = self._told.setdefault(part, {})
            at_s, held = told.get(text, (-math.inf, 0))
            if now_s - at_s < _FOLD_S:
                told[text] = (at_s, held + 1)
                return
            lately = {t: row for t, row in told.items() if now_s - row[0] < _FOLD_S}
            if len(lately) >= _MOST_A_MINUTE:
                self._passed_over[part] += 1
                return
            self._told[part] = {**lately, text: (now_s, 0)}
            n_others = self._passed_over.pop(part, 0)
        line = text if text.startswith(part.partition(" ")[0]) else f"{part}: {text}"
        again = f" (again, {held + 1} times in the last {now_s - at_s:.0f} s)"
        others = f" (and {n_others} others that were not told)" if n_others else ""
        self._log.warning("%s%s%s", line, again if math.isfinite(at_s) else "", others)

    def over(self, part: str, text: str) -> None:
        """Log that a part is well again, if it was not."""
        with self._lock:
            was_faulty = self._told.pop(part, None) is not None
            self._passed_over.pop(part, None)
        if was_faulty:
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
