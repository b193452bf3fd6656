"""Logging: set-up for journald, terminals and programs; repeated faults folded into one line."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from datetime import datetime, timezone
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_daemon.errors import EdgeError

_FOLD_S: Final = 60.0
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
    """Tells a fault when it first comes, then once a minute with a count, then that it is over."""

    def __init__(self, log: logging.Logger, clock: Callable[[], float] = time.monotonic) -> None:
        self._log, self._clock, self._lock = log, clock, Lock()
        self._told: dict[str, tuple[str, float, int]] = {}  # part: last text, when told, held back

    def tell(self, part: str, fault: EdgeError) -> None:
        """Log a fault of a part of the daemon, folding what repeats."""
        text, now_s = str(fault), self._clock()
        with self._lock:
            last, at_s, held = self._told.get(part, ("", 0.0, 0))
            if text == last and now_s - at_s < _FOLD_S:
                self._told[part] = (last, at_s, held + 1)
                return
            self._told[part] = (text, now_s, 0)
        again = f" (again, {held + 1} times in the last {now_s - at_s:.0f} s)"
        line = text if text.startswith(part) else f"{part}: {text}"
        self._log.warning("%s%s", line, again if text == last else "")

    def over(self, part: str, text: str) -> None:
        """Log that a part is well again, if it was not."""
        with self._lock:
            was_faulty = self._told.pop(part, None) is not None
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
