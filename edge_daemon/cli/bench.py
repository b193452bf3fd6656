"""edge-daemon bench: how fast a bundle answers here."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Final

COMMANDS: Final = {
    "engine": "times of a bundle by batch and by questions, for each precision it has",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub commands and their arguments."""
    commands = parser.add_subparsers(metavar="COMMAND", required=True, dest="bench_command")
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        import_module(f"edge_daemon.cli.bench_{name}").add_arguments(command)
        command.add_argument("--verbose", action="store_true", default=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Run the sub command."""
    return int(import_module(f"edge_daemon.cli.bench_{args.bench_command}").run(args))
