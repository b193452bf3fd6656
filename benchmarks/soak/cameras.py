"""Cameras killed, stopped, silenced and cut off at once, again and again, beside one that is well.

    python benchmarks/soak/cameras.py [--away 60] [--times 3]

Prints, for each, the seconds from the fault to UNKNOWN, and from its end to the next answer.
Exit: 0 when all were in time and the other camera's answers never grew old, else 1.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from stage import BASE, stage

from tests.e2e.daemon import Subscriber
from tests.faults.cameras import STALL_AFTER_S, Story, tell

ASKED = [
    {"id": name, "ask": f"Is it {name}?", "hold": "500ms", "unknown_after": "5s"}
    for name in ("red", "blue")
]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--away", type=float, default=60.0, help="seconds (60)")
    parser.add_argument("--times", type=int, default=3, help="so many runs (3)")
    args = parser.parse_args()
    in_time = [run(args.away) for _ in range(args.times)]
    return int(not all(in_time))


def run(away_s: float) -> bool:
    with (
        stage() as at,
        Subscriber(at.broker.port, BASE) as heard,
        tempfile.TemporaryDirectory() as d,
    ):

        def config(source: str, **camera: Any) -> dict[str, Any]:
            return at.config(source, questions=ASKED, **camera)

        story = tell(Path(d), config, heard, away_s)
    print(
        f"away {away_s:g} s; UNKNOWN after {rounded(story.unknown_after_s)},"
        f" answers again after {rounded(story.answers_after_s)}; the other camera's answers became"
        f" {story.other_age_s:.2f} s old, its verdicts changed {len(story.other_events)} times",
        flush=True,
    )
    return is_in_time(story)


def rounded(seconds: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 2) for name, value in seconds.items()}


def is_in_time(story: Story) -> bool:
    late = max(story.unknown_after_s.values()) > STALL_AFTER_S + 1.0
    slow = max(story.answers_after_s.values()) > 5.0
    return not (late or slow or story.other_events or story.other_age_s > STALL_AFTER_S)


if __name__ == "__main__":
    sys.exit(main())
