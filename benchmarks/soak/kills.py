"""Broker and daemon killed in turn, under about 200 events a second.

    python benchmarks/soak/kills.py [--kills 20]

The daemon is `edge-daemon run` as a process, the broker a real mosquitto.
Exit: 0 when nothing was lost and nothing came out of order, else 1.
"""

from __future__ import annotations

import argparse
import sys

from stage import stage

from tests.e2e.daemon import write_config
from tests.faults.flood import NO_PICTURES, flood
from tests.faults.kills import survive


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="of each of the two (20)")
    parser.add_argument("--events", type=int, default=200, help="between two kills (200)")
    args = parser.parse_args()
    with stage() as at:
        config = flood(at.directory, at.config, seconds=5, record=NO_PICTURES)
        file = write_config(at.directory / "c.yaml", config)
        found = survive(
            config, file, at.broker, at.gate, at.ear, n=args.kills, n_between=args.events,
            on_turn=lambda turn: print(f"{turn} of {args.kills}", file=sys.stderr),
        )  # fmt: skip
    print(f"{args.kills} + {args.kills} kills: {found}")
    return int(found.n_heard != found.n_events or found.n_disordered > 0)


if __name__ == "__main__":
    sys.exit(main())
