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
    from edge_daemon.service.commands import Commands
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
    from edge_daemon.service.commands import Command, Commands  # noqa: PLC0415

    path, commands = Path(args.config), Commands()
    settings, previous = load_settings(path), None
    signal.signal(signal.SIGHUP, lambda *_: commands.put(Command.RELOAD))
    while True:
        _set_up_logging(settings, verbose=args.verbose)
        try:
            ending = _live(settings, path, commands, verbose=args.verbose)
        except EdgeError as exc:
            if previous is None:
                raise
            why = str(exc)
        else:
            if ending.restart is None:
                return _end_at_once_if_hung(ending.code)
            settings, previous = ending.restart, ending.before
            continue
        # Not above: exc holds on to all that the failed start had opened.
        settings, previous = previous, None
        log.error("reload: %s; starting again as before", why)


def _set_up_logging(settings: Settings, *, verbose: bool) -> None:
    from edge_daemon.logs import set_up_logging  # noqa: PLC0415  keeps --help light

    set_up_logging("debug" if verbose else settings.log.level, settings.log.format)


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


def _live(settings: Settings, path: Path, commands: Commands, *, verbose: bool) -> Ending:
    """Return how one life of the daemon ended."""
    from edge_daemon.config.load import load_settings  # noqa: PLC0415  keeps --help light
    from edge_daemon.service.commands import Command  # noqa: PLC0415
    from edge_daemon.service.daemon import Daemon, Ending  # noqa: PLC0415
    from edge_daemon.web.front import Front  # noqa: PLC0415

    # Until there is a daemon, a stop ends the process: nothing is lost, and an engine opens slowly.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    if commands.over_by is not None:  # it came between two lives
        return Ending(0)
    with Front(settings.http) as front:  # quick to fail

        def adapt(new: Settings) -> list[str]:
            beside = ["http"] if front.change(new.http) else []
            if new.log != daemon.settings.log:
                _set_up_logging(new, verbose=verbose)
                beside.append("log")
            return beside

        def stop(*_: object) -> None:
            commands.put(Command.STOP)
            front.leave()  # it may take as long as the rest, and does so meanwhile

        daemon = Daemon(settings, where=str(path), reread=lambda: load_settings(path),
                        commands=commands, adapt=adapt)  # fmt: skip
        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        front.open(daemon)
        return daemon.run()
