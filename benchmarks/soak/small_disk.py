"""Four cameras on a disk of 64 MB: does it fill, do events go on, what makes room?

    python benchmarks/soak/small_disk.py [--minutes 10] [--json FILE]      (as root: it mounts)

Soft, burned, clips alone, clips beside soft; two questions each change every two seconds, each
change with a snapshot and evidence.  The directory is looked at ten times a second.
Exit: 0 when the disk never filled, files went in the right order, and no event was lost.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from pathlib import Path

from stage import BASE, stage

from tests.e2e.daemon import Daemon, write_config
from tests.faults.flood import log_lines
from tests.faults.small_disk import Watch, config, mounted, seqs


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (10)")
    parser.add_argument("--json", help="write the result there")
    args = parser.parse_args()
    with stage() as at, mounted(at.directory / "disk") as is_mounted:
        if not is_mounted:
            sys.exit("benchmarks/soak/small_disk.py: may not mount -- run it as root")
        settings = config(at.directory, at.directory / "tiny", at.broker.url, BASE)
        watch = Watch(at.directory / "disk")
        with Daemon(write_config(at.directory / "c.yaml", settings)) as daemon:
            until_s, told_s = time.monotonic() + 60 * args.minutes, 0.0
            while time.monotonic() < until_s and daemon.process.poll() is None:
                watch.look()
                if time.monotonic() - told_s > 30:
                    told_s = time.monotonic()
                    left = f"{(until_s - told_s) / 60:5.1f} min left"
                    files = f"kept {dict(watch.kept())}, removed {dict(watch.removed)}"
                    print(f"{left}: {files}, least free {watch.least_free_bytes}", flush=True)
                time.sleep(0.1)
            daemon.send(signal.SIGTERM)
            code = daemon.ended()
        numbers = seqs(at.ear)
        result = {
            "minutes": args.minutes,
            "exit": code,
            "least_free_mb": round(watch.least_free_bytes / 1e6, 1),
            "kept": dict(watch.kept()),
            "removed": dict(watch.removed),
            "disordered": watch.disordered[:20],
            "events": sum(map(len, numbers.values())),
            "gaps": sum(n != list(range(1, len(n) + 1)) for n in numbers.values()),
            "faults": log_lines(daemon, "WARNING")[:20] + log_lines(daemon, "ERROR")[:20],
        }
    print(json.dumps(result, indent=1))
    if args.json:
        Path(args.json).write_text(json.dumps(result, indent=1))
    good = not code and not result["disordered"] and not result["gaps"] and result["events"]
    return 0 if good and watch.least_free_bytes > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
