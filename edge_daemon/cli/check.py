"""edge-daemon check: every fault of a configuration; with none, the plan."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--config", required=True, metavar="F", help="the YAML file")
    parser.add_argument("--json", action="store_true", help="the plan as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Check the file and what it names; print the plan."""
    from edge_daemon.config.load import load_settings  # noqa: PLC0415  keeps --help light
    from edge_daemon.service.plan import make_plan  # noqa: PLC0415

    plan = make_plan(load_settings(Path(args.config)), where=args.config)
    print(json.dumps(plan.as_json(), ensure_ascii=False) if args.json else plan.as_text())
    return 0
