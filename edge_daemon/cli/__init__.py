"""The command line: one module per command.  Only here is anything printed or the process ended."""

from __future__ import annotations

import argparse
import errno
import os
import sys
import traceback
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Final, NoReturn

from edge_daemon import __version__
from edge_daemon.errors import ConfigError, EdgeError

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS: Final = {
    "run": "the daemon: watch the cameras of a configuration file",
    "check": "tell every fault of a configuration file; with none, the plan",
    "ask": "answer questions about still pictures",
    "video": "answer questions about recorded files: annotated MP4 and JSON Lines",
    "replay": "ask again what was answered when an event was decided: is it the same?",
    "evaluate": "how right a bundle is on labelled pictures",
    "engine": "what a bundle is, whether it answers as its maker's did, and int8",
    "bench": "how fast a bundle answers here",
    "demo": "see the main job on the shipped clip, or on a source of yours",
}
_EX_UNAVAILABLE: Final = 69
_EX_SOFTWARE: Final = 70
_EX_INTERRUPTED: Final = 130
_OUTPUT: Final = (errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What writing to standard output fails with."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} -- see {self.prog} --help\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code."""
    code = 0
    try:
        try:
            code = _ended(_parser().parse_args(argv))
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # whoever read our output has enough
        _let_go()
    except OSError as exc:
        _let_go()
        hint = "free some space, or send it elsewhere"
        print(f"standard output: {exc.strerror} -- {hint}", file=sys.stderr)
        return code or _EX_UNAVAILABLE
    return code


def _let_go() -> None:
    """Send what is left of our output nowhere: Python flushes it once more at the end."""
    with suppress(OSError):  # it is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _ended(args: argparse.Namespace) -> int:
    """Run a command and tell why it failed; return the exit code.

    Raises OSError where standard output takes no more.
    """
    try:
        return int(args.run(args))
    except ConfigError as exc:
        print("\n".join(exc.faults), file=sys.stderr)
        return exc.exit_code
    except EdgeError as exc:
        print(exc, file=sys.stderr)
        if args.verbose:
            traceback.print_exc()
        return exc.exit_code
    except KeyboardInterrupt:
        return _EX_INTERRUPTED
    except Exception as exc:  # the top of the main thread
        if isinstance(exc, OSError) and exc.filename is None and exc.errno in _OUTPUT:
            raise
        if args.verbose:
            traceback.print_exc()
        what = f"{type(exc).__name__}: {exc}".splitlines()[0]
        print(f"edge-daemon: a bug: {what} -- report it with --verbose's output", file=sys.stderr)
        return _EX_SOFTWARE


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="edge-daemon", description="Standing questions to cameras: YES, NO or UNKNOWN."
    )
    parser.add_argument("--version", action="version", version=f"edge-daemon {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        module = import_module(f"edge_daemon.cli.{name}")
        module.add_arguments(command)
        command.add_argument("--verbose", action="store_true", help="tracebacks, debug lines")
        command.set_defaults(run=module.run)
    return parser
