"""Commands that have commands of their own: one module each, GROUP_NAME."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def add_commands(parser: argparse.ArgumentParser, group: str, commands: Mapping[str, str]) -> None:
    """Declare a group's commands, name -> what it does, and their arguments."""
    choices = parser.add_subparsers(metavar="COMMAND", required=True, dest=f"{group}_command")
    for name, text in commands.items():
        command = choices.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        import_module(f"edge_daemon.cli.{group}_{name}").add_arguments(command)
        command.add_argument("--verbose", action="store_true", default=argparse.SUPPRESS)


def run_command(args: argparse.Namespace, group: str) -> int:
    """Run the one that was chosen."""
    name = getattr(args, f"{group}_command")
    return int(import_module(f"edge_daemon.cli.{group}_{name}").run(args))
