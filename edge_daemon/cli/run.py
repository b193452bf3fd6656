"""edge-daemon run: the daemon."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from edge_daemon.config.models import Settings
    from edge_daemon.service.daemon import Ending

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--config", required=True, metavar="F", help="the YAML file")


def run(args: argparse.Namespace) -> int:
    """Run until a signal ends it, or until every source has ended.

    SIGTERM and SIGINT end it, SIGHUP reads the file again.
    """
    from edge_daemon.config.load import load_settings  # noqa: PLC0415  keeps --help light
    from edge_daemon.errors import EdgeError  # noqa: PLC0415
    from edge_daemon.logs import set_up_logging  # noqa: PLC0415

    path = Path(args.config)
    settings = load_settings(path)
    set_up_logging("debug" if args.verbose else settings.log.level, settings.log.format)
    ending = _live(settings, path)
    while ending.restart is not None:
        previous, settings = settings, ending.restart
        set_up_logging("debug" if args.verbose else settings.log.level, settings.log.format)
        try:
            ending = _live(settings, path)
        except EdgeError as exc:
            log.error("reload: %s; starting again as before", exc)
            settings = previous
            ending = _live(settings, path)
    return _end_at_once_if_hung(ending.code)


def _end_at_once_if_hung(code: int) -> int:
    """Return code; with threads left behind in native code, end the process with it at once.

    Python's own end takes the interpreter from under such a thread, and now and then the process
    died of SIGSEGV instead of ending with 0.  Everything is written and said by now.
    """
    if any(thread is not threading.main_thread() for thread in threading.enumerate()):
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


def _live(settings: Settings, path: Path) -> Ending:
    """Return how one life of the daemon ended."""
    from edge_daemon.config.load import load_settings  # noqa: PLC0415  keeps --help light
    from edge_daemon.service.daemon import Command, Daemon  # noqa: PLC0415
    from edge_daemon.web.server import WebServer, bind  # noqa: PLC0415

    http = settings.http
    port = bind(http) if http else None  # quick to fail; an engine is slow to open
    daemon = Daemon(settings, where=str(path), reread=lambda: load_settings(path))
    web = WebServer(http, daemon, port) if http and port else None

    def stop(*_: object) -> None:
        daemon.request(Command.STOP)
        if web is not None:  # it may take as long as the rest, and does so meanwhile
            web.leave()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGHUP, lambda *_: daemon.request(Command.RELOAD))
    if web is not None:
        web.start()
    try:
        return daemon.run()
    finally:
        if web is not None:
            web.stop()
