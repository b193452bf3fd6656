"""What recording costs: python benchmarks/recording.py.

Renders a street (or takes --video) to H.264 of 1920x1080 and 640x360, 25 fps, and measures on each,
in turn and several times over, each in a process of its own on one core, CPU milliseconds a frame:

  off, soft, burned   edge-daemon as it runs, every: 5, one question, no MQTT
  off_keys, soft_keys the same with keyframes: true on the clip repeated, so that there is little
                      else to do: their difference is what soft costs
  copy                ffmpeg -c copy of that to MP4
  x264                ffmpeg -c:v libx264 -preset veryfast, decoding the same file

and of burned recording by itself, its steps:

  rgb      the decoder's picture converted to RGB
  draw     the overlay drawn: four questions, three zones, new answers on every fifth frame
  write    converted back, encoded and written
  mbit_s   what that makes on the disk, 25 frames a second
  rss_mib  what the process grew by meanwhile

"core" is the share of one core that 30 frames a second take.  Prints a table; --json FILE keeps
all numbers with the machine's description.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
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

import pipeline as base  # the benchmark beside this one

SIZES = ((1920, 1080), (640, 360))
ASKS = ("Is there a pedestrian?", "Is there a car?", "Is there a bus?", "Is the traffic light red?")
ZONES = {
    "crossing": ((0.1, 0.55), (0.55, 0.5), (0.6, 0.9), (0.05, 0.95)),
    "lane": ((0.65, 0.4), (0.9, 0.42), (0.95, 0.8), (0.7, 0.75)),
    "kerb": ((0.3, 0.2), (0.5, 0.2), (0.5, 0.4), (0.3, 0.35)),
}
FPS = 25


MODES = ("off", "soft", "burned", "off_keys", "soft_keys", "copy", "x264")
LIGHT = ("off_keys", "soft_keys", "copy")  # decode next to nothing
REPEATED = 20  # times, for those


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--video", type=Path, help="scale this clip instead of a rendered street")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of the clips (20)")
    parser.add_argument("--frames", type=int, default=250, help="pictures for the steps (250)")
    parser.add_argument("--rounds", type=int, default=3, help="measure so many times (3)")
    parser.add_argument("--json", type=Path, help="write all numbers there")
    parser.add_argument("--size", type=int, nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--mode", help=argparse.SUPPRESS)
    parser.add_argument("--clip", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.mode:
        print(json.dumps(cost(args.mode, args.clip)))
    elif args.size:
        print(json.dumps(measure(str(args.clip), args.frames, *args.size)))
    else:
        found = compare(args)
        if args.json:
            args.json.write_text(json.dumps(found, indent=1) + "\n")


def compare(args: argparse.Namespace) -> dict[str, Any]:
    rows, steps = [], []
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            clip = base.make_clip(Path(folder) / f"{size[1]}p.mp4", size, args)
            long = repeated(clip)
            takes: dict[str, list[dict[str, float]]] = {mode: [] for mode in MODES}
            for _ in range(args.rounds):
                for mode in MODES:  # side by side, so that a slow moment hits them all
                    of = long if mode in LIGHT else clip
                    takes[mode].append(own("--mode", mode, "--clip", str(of)))
            row = {"clip": clip.stem, **summary(takes), "takes": takes}
            rows.append(row)
            more = ["--frames", str(args.frames), "--clip", str(clip)]
            steps.append(own("--size", *map(str, size), *more))
            print_row(row, steps[-1])
    return {"machine": base.machine(), "rows": rows, "steps": steps}


def repeated(clip: Path) -> Path:
    to = clip.with_stem(f"{clip.stem}-long")
    again = ["-stream_loop", str(REPEATED - 1), "-i", str(clip)]
    subprocess.run([ffmpeg(), "-v", "error", *again, "-c", "copy", str(to)], check=True)
    return to


def ffmpeg() -> str:
    exe = shutil.which("ffmpeg")
    if exe is None:
        raise SystemExit("no ffmpeg: apt-get install ffmpeg")
    return exe


def own(*args: str) -> dict[str, Any]:
    """Measure in a process of its own, on one core."""
    done = subprocess.run(
        [sys.executable, __file__, *args],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-1:]),
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def summary(takes: dict[str, list[dict[str, float]]]) -> dict[str, float]:
    """Median CPU milliseconds a frame of each way, and of what recording adds to off."""
    found = {mode: statistics.median(t["cpu_ms"] for t in takes[mode]) for mode in MODES}
    for name, more, less in (("soft", "soft_keys", "off_keys"), ("burned", "burned", "off")):
        found[f"{name}_alone"] = statistics.median(
            a["cpu_ms"] - b["cpu_ms"] for a, b in zip(takes[more], takes[less])
        )
    return {name: round(value, 3) for name, value in found.items()}


def print_row(row: dict[str, Any], step: dict[str, Any]) -> None:
    for name in (*MODES, "soft_alone", "burned_alone"):
        print(f"{row['clip']:6} {name:13} {row[name]:7.3f} ms  {3 * row[name]:6.1f} % of a core")
    print(f"       steps of burned: {step}")


def cost(mode: str, clip: Path) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        if mode in ("copy", "x264"):
            return ffmpeg_cost(mode, clip, Path(folder) / "a.mp4")
        return daemon_cost(mode, clip, Path(folder))


def ffmpeg_cost(mode: str, clip: Path, to: Path) -> dict[str, float]:
    ways = {"copy": ["-c", "copy"], "x264": ["-c:v", "libx264", "-preset", "veryfast"]}
    spent_s = []
    for most in ([], ["-frames:v", "1"]):  # the second is what starting it takes
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [ffmpeg(), "-v", "error", "-y", "-i", str(clip), *ways[mode], *most]
        subprocess.run([*command, "-threads", "1", str(to)], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent_s.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    n = n_pictures(clip) - 1
    return {"cpu_ms": 1000 * (spent_s[0] - spent_s[1]) / n, "n": n}


def n_pictures(clip: Path) -> int:
    import av

    with av.open(str(clip)) as file:
        return sum(1 for packet in file.demux(video=0) if packet.size)


def daemon_cost(mode: str, clip: Path, folder: Path) -> dict[str, float]:
    """Run the daemon on a file; CPU from its first frame to its end."""
    from edge_daemon.config.load import parse_settings
    from edge_daemon.service.daemon import Daemon

    way, _, keys = mode.partition("_")
    camera = {
        "id": "bench",
        "source": str(clip),
        "sample": {"keyframes": True} if keys else {"every": 5},
        "questions": [{"id": "a", "ask": ASKS[0]}],
        "record": {"mode": way, "events": {"snapshots": False, "evidence": False}},
    }
    data = {"version": 1, "data_dir": str(folder), "http": None, "cameras": [camera]}
    settings, watch = parse_settings(data, where="bench"), base.Stopwatch()
    daemon = Daemon(settings, where="bench", reread=lambda: settings, listeners=[watch])
    code = daemon.run().code
    if code != 0:
        raise SystemExit(f"the daemon failed: {code}")
    cpu_s = time.process_time() - watch.begun[1]
    n = n_pictures(clip)
    return {"cpu_ms": 1000 * cpu_s / n, "n": n}


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
