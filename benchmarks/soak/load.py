"""Eight cameras at about ten times their usual load, for as long as wanted: what grows?

    python benchmarks/soak/load.py [--minutes 60] [--warm-up 10] [--no-pictures] [--json FILE]

Every camera is an RTSP camera, 10 frames a second, every frame asked four questions: 21 events a
second in all, where a busy street has one or two.
Every ten seconds memory, threads and descriptors of the daemon are noted, and the least memory of
the minute before, looked at every half second: once a minute the daemon gives back what it does not
use (edge_daemon/service/memory.py), and what is left then is what it needs.  A leak lifts that
floor as it lifts all; what is freed and not given back yet does not, and goes up and down by more
in a minute than may grow in an hour.  How both grow is told by a line through what comes after the
warm-up (least squares), and for memory as it was also by the means of the last and first ten
minutes.
Exit: 0 when no event was lost, threads stayed as they were, descriptors too but for a file that is
being written, and, of half an hour and more, memory grew by less than 1 MiB an hour in all three
ways; else 1.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections import Counter, deque
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
from stage import Stage, stage

from tests.data.colours import BLUE, GREEN, RED, write_colours
from tests.e2e.daemon import Daemon, write_config
from tests.faults.cameras import CameraProcess
from tests.faults.flood import NO_PICTURES, kept, metric
from tests.integration.mosquitto import Ear
from tests.processes import wait_until

if TYPE_CHECKING:
    from pathlib import Path

N_CAMERAS = 8
NOTE_EVERY_S = 10.0
LOOK_EVERY_S = 0.5
FLOOR_OF_S = 60.0  # at least once in it what nothing uses is given back
MEAN_OF_S = 600.0
MOST_MIB_PER_H = 1.0
MOST_OPEN_FOR_A_MOMENT = 3  # files of events, a page of metrics


class Counting(Ear):
    """An ear that keeps the last number of each question instead of every message."""

    def __init__(self, *args: Any, **more: Any) -> None:
        self.n_events, self.n_disordered = 0, 0
        self.last: Counter[str] = Counter()
        super().__init__(*args, **more)

    def _on_message(self, _client: Any, _data: Any, message: Any) -> None:
        event = json.loads(message.payload)
        key = f"{event['camera']}/{event['question']}"
        if event["seq"] <= self.last[key]:
            return  # again
        self.n_events += 1
        self.n_disordered += event["seq"] != self.last[key] + 1
        self.last[key] = event["seq"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="how long in all (60)")
    parser.add_argument("--warm-up", type=float, default=10.0, help="minutes not counted (10)")
    parser.add_argument(
        "--no-pictures",
        action="store_true",
        help="keep no pictures of events: on a machine without the time for them those that wait"
        " come and go by megabytes",
    )
    parser.add_argument("--json", help="write every note there")
    args = parser.parse_args()
    with stage(make_ear=Counting) as at, CameraProcess(write_clip(at.directory)) as camera:
        config = eight_cameras(
            at, camera.url, **({"record": NO_PICTURES} if args.no_pictures else {})
        )
        with Daemon(write_config(at.directory / "c.yaml", config)) as daemon:
            notes = watch(daemon, config, args.minutes * 60.0)
            judged = metric(config, "edge_judgements_total")
            daemon.send(signal.SIGTERM)
            code = daemon.ended()
        n_waiting, n_decided = waiting_and_decided(config)
        time.sleep(1.0)
        found = {
            "exit": code,
            "judgements": judged,
            "events": n_decided,
            "waiting": n_waiting,
            "heard": at.ear.n_events,
            # What waits for its acknowledgement may have been heard already.
            "lost": max(0, n_decided - n_waiting - at.ear.n_events),
            "disordered": at.ear.n_disordered,
            **growth([note for note in notes if note["at_s"] >= args.warm_up * 60.0]),
        }
    for name, value in found.items():
        print(f"{name:>26}  {value}")
    if args.json:
        with open(args.json, "w") as file:  # noqa: PTH123
            json.dump({"found": found, "notes": notes}, file, indent=1)
    return int(code != 0 or not is_well(found))


def is_well(found: dict[str, Any]) -> bool:
    """Whether nothing was lost and nothing grew."""
    (least, most), (fewest, greatest) = found["threads"], found["descriptors"]
    slopes = (found.get(f"{name}_mib_per_h", 0.0) for name in ("rss", "floor", "means"))
    whole = not (found["lost"] or found["disordered"])
    steady = least == most and greatest - fewest <= MOST_OPEN_FOR_A_MOMENT
    return whole and steady and max(slopes) < MOST_MIB_PER_H


def write_clip(directory: Path) -> Path:
    parts = [(RED, 0.5), (BLUE, 1.0), (GREEN, 0.5), (BLUE, 1.0)]
    return write_colours(directory / "clip.mp4", parts * 20)


def eight_cameras(at: Stage, source: str, **more: Any) -> dict[str, Any]:
    asked = [
        {"id": colour, "ask": f"Is it {colour}?", "hold": None, "unknown_after": "5s"}
        for colour in ("red", "green", "blue", "yellow")
    ]
    config = at.config(source, questions=asked, blind_after=None, **more)
    one = config["cameras"][0]
    config["cameras"] = [{**one, "id": f"camera{n}"} for n in range(N_CAMERAS)]
    return config


def watch(daemon: Daemon, config: dict[str, Any], seconds: float) -> list[dict[str, float]]:
    """Note the daemon's memory, threads and descriptors now and then, until the time is over."""
    wait_until(lambda: daemon.said("listening"), 60)
    process, begun_s, notes = psutil.Process(daemon.process.pid), time.monotonic(), []
    looks = deque[float](maxlen=round(FLOOR_OF_S / LOOK_EVERY_S))
    while (at_s := time.monotonic() - begun_s) < seconds:
        until_s = begun_s + min(at_s + NOTE_EVERY_S, seconds)
        while (left_s := until_s - time.monotonic()) > 0:
            time.sleep(min(LOOK_EVERY_S, left_s))
            looks.append(process.memory_info().rss / 2**20)
        note = {
            "at_s": time.monotonic() - begun_s,
            "rss_mib": looks[-1],
            "floor_mib": min(looks),
            "threads": process.num_threads(),
            "descriptors": process.num_fds(),
            "events": metric(config, "edge_events_total"),
            "outbox": metric(config, "edge_outbox_events"),
        }
        notes.append(note)
        print("  ".join(f"{k} {v:.1f}" for k, v in note.items()), file=sys.stderr, flush=True)
    return notes


def waiting_and_decided(config: dict[str, Any]) -> tuple[int, int]:
    n_waiting, n_decided = 0, 0
    for camera in config["cameras"]:
        n_waiting, last = kept({**config, "cameras": [camera]})
        n_decided += sum(last.values())
    return n_waiting, n_decided


def growth(notes: list[dict[str, float]]) -> dict[str, Any]:
    """Return how memory grew, and between which numbers threads and descriptors were."""
    found: dict[str, Any] = {
        name: (min(note[name] for note in notes), max(note[name] for note in notes))
        for name in ("threads", "descriptors", "rss_mib", "floor_mib")
    }
    hours = np.array([note["at_s"] / 3600 for note in notes])
    rss_mib, floor_mib = (
        np.array([note[name] for note in notes]) for name in ("rss_mib", "floor_mib")
    )
    if len(notes) > 2:
        for name, mib in (("rss", rss_mib), ("floor", floor_mib)):
            found[f"{name}_mib_per_h"] = round(float(np.polyfit(hours, mib, 1)[0]), 2)
    first = hours < hours[0] + MEAN_OF_S / 3600
    last = hours > hours[-1] - MEAN_OF_S / 3600
    if not (first & last).any():
        apart_h = hours[last].mean() - hours[first].mean()
        means_mib = rss_mib[first].mean(), rss_mib[last].mean()
        found["means_mib"] = tuple(round(float(mean), 2) for mean in means_mib)
        found["means_mib_per_h"] = round(float((means_mib[1] - means_mib[0]) / apart_h), 2)
    return found


if __name__ == "__main__":
    sys.exit(main())
