"""What a burned recording costs: python benchmarks/recording.py.

Takes a few seconds of a rendered street (or of --video) to 1920x1080 and 640x360 and measures, in
a process of its own for each size, one thread, CPU milliseconds a frame:

  rgb      the decoder's picture converted to RGB
  draw     the overlay drawn: four questions, three zones, new answers on every fifth frame
  write    converted back, encoded and written
  mbit_s   what that makes on the disk, 25 frames a second
  rss_mib  what the process grew by meanwhile

Prints a line of JSON for each size; --json FILE keeps them with the machine's description.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone
from itertools import islice
from pathlib import Path
from random import Random
from threading import Event as Flag
from typing import Any

SIZES = ((1920, 1080), (640, 360))
ASKS = ("Is there a pedestrian?", "Is there a car?", "Is there a bus?", "Is the traffic light red?")
ZONES = {
    "crossing": ((0.1, 0.55), (0.55, 0.5), (0.6, 0.9), (0.05, 0.95)),
    "lane": ((0.65, 0.4), (0.9, 0.42), (0.95, 0.8), (0.7, 0.75)),
    "kerb": ((0.3, 0.2), (0.5, 0.2), (0.5, 0.4), (0.3, 0.35)),
}
FPS = 25


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--video", default="test:street?seed=7", help="clip or scene to draw on")
    parser.add_argument("--frames", type=int, default=250, help="how many of them (250)")
    parser.add_argument("--json", type=Path, help="write all numbers there")
    parser.add_argument("--size", type=int, nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.size:
        print(json.dumps(measure(args.video, args.frames, *args.size)))
        return
    rows = []
    for width, height in SIZES:
        call = [sys.executable, __file__, "--video", args.video, "--frames", str(args.frames)]
        size = ["--size", str(width), str(height)]
        done = subprocess.run([*call, *size], capture_output=True, text=True, check=True)
        rows.append(json.loads(done.stdout.splitlines()[-1]))
        print(json.dumps(rows[-1]))
    if args.json:
        machine = {"machine": platform.platform(), "cores": os.cpu_count()}
        args.json.write_text(json.dumps({**machine, "rows": rows}, indent=1) + "\n")


def measure(video: str, n_frames: int, width: int, height: int) -> dict[str, Any]:
    import av
    import cv2
    import psutil
    from av.video.reformatter import VideoReformatter

    from edge_daemon.overlay import Overlay, Shown
    from edge_daemon.recording.video import VideoWriter

    cv2.setNumThreads(1)
    frames = [
        av.VideoFrame.from_ndarray(cv2.resize(rgb, (width, height)), "rgb24").reformat(
            format="yuv420p"
        )
        for rgb in pictures(video, n_frames)
    ]
    overlay = Overlay(
        "bench", [Shown(str(n), ask, zone) for n, ask, zone in zip(range(4), ASKS, ZONES)], ZONES
    )
    to_rgb, rng = VideoReformatter(), Random(0)
    spent = {"rgb": 0.0, "draw": 0.0, "write": 0.0}
    memory = psutil.Process().memory_info
    before = memory().rss
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.mp4"
        with VideoWriter(path) as writer:
            for n, frame in enumerate(frames):
                if n % 5 == 0:
                    states = {str(k): answer(rng.random()) for k in range(4)}
                at = [time.process_time()]
                rgb = to_rgb.reformat(frame, format="rgb24").to_ndarray()
                at.append(time.process_time())
                overlay.draw(rgb, states, n / FPS)
                at.append(time.process_time())
                writer.write(rgb, n / FPS)
                at.append(time.process_time())
                for name, start, end in zip(spent, at, at[1:]):
                    spent[name] += end - start
            rss_mib = (memory().rss - before) / 2**20
        n_bytes = path.stat().st_size
    return {
        "size": f"{width}x{height}",
        "frames": len(frames),
        **{f"{name}_ms": round(1000 * s / len(frames), 2) for name, s in spent.items()},
        "mbit_s": round(8 * n_bytes * FPS / len(frames) / 1e6, 2),
        "rss_mib": round(rss_mib),
    }


def answer(p_yes: float) -> Any:
    from edge_daemon.types import QuestionState, Verdict

    verdict = Verdict.YES if p_yes > 0.5 else Verdict.NO
    return QuestionState(verdict, None, p_yes, datetime.now(timezone.utc), None, None)


def pictures(video: str, n_frames: int) -> Any:
    """Yield RGB pictures of a clip or a scene."""
    from edge_daemon.config.load import parse_settings
    from edge_daemon.sources.open import open_source

    camera = {"id": "bench", "source": video, "questions": [{"id": "a", "ask": "Is it day?"}]}
    settings = parse_settings({"version": 1, "cameras": [camera]}, where="bench")
    with open_source(settings.cameras[0], Flag()) as source:
        for frame in islice(source, n_frames):
            yield frame.picture.rgb()


if __name__ == "__main__":
    main()
