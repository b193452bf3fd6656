"""``python -m edge_daemon.training``: train, evaluate, export."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from edge_daemon.errors import EdgeError
from edge_daemon.training.settings import Settings


def main(arguments: list[str] | None = None) -> int:
    """Run one step of making a bundle; returns the exit code."""
    parser = argparse.ArgumentParser(prog="train", description=main.__doc__)
    parser.add_argument("step", choices=("train",))
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        settings = Settings.read(chosen.settings)
        from edge_daemon.training.data import open_material  # noqa: PLC0415 - torch is slow to load
        from edge_daemon.training.loop import train  # noqa: PLC0415

        train(settings, open_material(settings), chosen.out)
    except EdgeError as exc:
        print(exc, file=sys.stderr)
        return exc.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
