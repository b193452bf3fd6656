"""Damaged H.264 and H.265 videos in MP4 and MPEG-TS, read one after another in one process.

    python benchmarks/soak/damaged_streams.py [--videos 20000]

Each is told by its number: bits flipped anywhere, at the head or in the index, cut off, cut out,
blanked, repeated.  Exit: 0 when nothing crashed, hung, leaked, raised what it should not, or lost a
picture without counting it, else 1.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.faults.damage import examine

MOST_GROWN_KIB = 16 * 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=20_000, help="so many (20000)")
    args = parser.parse_args()
    begun_s = time.monotonic()

    def tell(number: int) -> None:
        if number % 1000 == 0:
            print(f"{number} of {args.videos}", file=sys.stderr)

    with tempfile.TemporaryDirectory(prefix="edge-soak-") as folder:
        found = examine(Path(folder), args.videos, tell)
    print(
        f"{found.n} videos in {time.monotonic() - begun_s:.0f} s: {dict(found.outcomes)};"
        f" {found.n_frames} frames, {found.n_counted} damages counted, {len(found.silent)} lost"
        f" without being counted, {len(found.bugs)} bugs {found.bugs[:5]}, {len(found.crashed)}"
        f" crashes {found.crashed[:5]}; memory grew by {found.grown_kib} KiB at most; slowest"
        f" {found.slowest[0]:.2f} s (number {found.slowest[1]})"
    )
    well = not (found.bugs or found.crashed or found.silent) and found.grown_kib < MOST_GROWN_KIB
    return int(not well)


if __name__ == "__main__":
    sys.exit(main())
