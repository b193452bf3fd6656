"""edge-daemon engine: what can be done with a bundle itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edge_daemon.cli.groups import add_commands, run_command

if TYPE_CHECKING:
    import argparse

COMMANDS: Final = {
    "inspect": "what a bundle is: input, concepts, graphs, operators, largest tensors",
    "verify": "whether this machine gives the golden answers of a bundle",
    "build": "make a TensorRT plan of a bundle for this GPU",
    "quantize": "make a bundle with int8 graphs, calibrated on your frames",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub commands and their arguments."""
    add_commands(parser, "engine", COMMANDS)


def run(args: argparse.Namespace) -> int:
    """Run the sub command."""
    return run_command(args, "engine")
