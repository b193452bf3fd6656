"""edge-daemon engine: what can be done with a bundle itself."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Final

COMMANDS: Final = {
    "inspect": "what a bundle is: input, concepts, graphs, operators, largest tensors",
    "verify": "whether this machine gives the golden answers of a bundle",
    "quantize": "make a bundle with int8 graphs, calibrated on your frames",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub commands and their arguments."""
    commands = parser.add_subparsers(metavar="COMMAND", required=True, dest="engine_command")
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        import_module(f"edge_daemon.cli.engine_{name}").add_arguments(command)
        command.add_argument("--verbose", action="store_true", default=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Run the sub command."""
    return int(import_module(f"edge_daemon.cli.engine_{args.engine_command}").run(args))
