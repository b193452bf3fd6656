"""edge-daemon bench: how fast a bundle answers here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edge_daemon.cli.groups import add_commands, run_command

if TYPE_CHECKING:
    import argparse

COMMANDS: Final = {
    "engine": "times of a bundle by batch and by questions, for each precision it has",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub commands and their arguments."""
    add_commands(parser, "bench", COMMANDS)


def run(args: argparse.Namespace) -> int:
    """Run the sub command."""
    return run_command(args, "bench")
