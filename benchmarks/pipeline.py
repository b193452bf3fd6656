"""How much of decode + inference the whole daemon reaches: python benchmarks/pipeline.py.

Renders a street (or takes --video), at 1920x1080 and 640x360, and measures on it, in turn and
several times over, each part in a process of its own on the same cores:

  decode     every frame decoded, none converted
  sampling   the same, and every fifth frame scaled to the model's size
  inference  one picture through the model, four questions
  daemon     edge-daemon as it runs: every: 5, four questions, MQTT on, recording off

One core is given to all, so that wall time is cost, and then two.  "limit" is what decode and
inference cost together, as if nothing else had to be done; "share" is limit / daemon.
Prints a table; --json FILE keeps all numbers with the machine's description.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from threading import Event as Flag
from typing import Any

QUESTIONS = (
    "Is there a pedestrian?",
    "Is there a car?",
    "Is there a bus?",
    "Is the traffic light red?",
)
EVERY = 5
FPS = 25


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--video", type=Path, help="scale this clip instead of a rendered street")
    parser.add_argument("--seconds", type=float, default=40.0, help="length of the clips (40)")
    parser.add_argument("--rounds", type=int, default=3, help="measure so many times (3)")
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2], help="give it so many")
    parser.add_argument("--json", type=Path, help="write all numbers there")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--clip", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.part:
        print(json.dumps(PARTS[args.part](args.clip, args.port)))
        return
    found = measure(args)
    print_table(found)
    if args.json:
        args.json.write_text(json.dumps(found, indent=1) + "\n")


def measure(args: argparse.Namespace) -> dict[str, Any]:
    from edge_daemon.cli.embedded_broker import EmbeddedBroker

    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder, EmbeddedBroker() as broker:
        clips = {
            name: make_clip(Path(folder) / f"{name}.mp4", size, args)
            for name, size in (("1080p", (1920, 1080)), ("360p", (640, 360)))
        }
        for cores in args.cores:
            for name, clip in clips.items():
                takes: dict[str, list[dict[str, float]]] = {part: [] for part in PARTS}
                for _ in range(args.rounds):
                    for part in PARTS:  # side by side, so that a slow moment hits them all
                        takes[part].append(run_part(part, clip, broker.port, cores))
                rows.append({"clip": name, "cores": cores, **summarise(takes), "takes": takes})
    return {"machine": machine(), "rows": rows}


def run_part(part: str, clip: Path, port: int, cores: int) -> dict[str, float]:
    """Measure one part in a fresh process pinned to so many cores."""
    mine = sorted(os.sched_getaffinity(0))[:cores]
    command = [sys.executable, __file__, "--part", part, "--clip", str(clip), "--port", str(port)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, mine),
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def summarise(takes: dict[str, list[dict[str, float]]]) -> dict[str, float]:
    """Median milliseconds a frame of each part, and the daemon's share of its limit."""

    def median(part: str, key: str) -> float:
        return statistics.median(take[key] for take in takes[part])

    out = {f"{part}_fps": 1000 / median(part, "wall_ms") for part in ("decode", "sampling")}
    out["daemon_fps"] = 1000 / median("daemon", "wall_ms")
    out["inference_ms"] = median("inference", "wall_ms")
    shares = {
        key: statistics.median(
            (d[key] + i[key] / EVERY) / w[key]
            for d, i, w in zip(takes["decode"], takes["inference"], takes["daemon"])
        )
        for key in ("wall_ms", "cpu_ms")
    }
    limit_ms = median("decode", "wall_ms") + median("inference", "wall_ms") / EVERY
    return {
        **out,
        "limit_fps": 1000 / limit_ms,
        "share_wall": shares["wall_ms"],
        "share_cpu": shares["cpu_ms"],
        "daemon_cpu_ms": median("daemon", "cpu_ms"),
        "decode_cpu_ms": median("decode", "cpu_ms"),
        "sampling_cpu_ms": median("sampling", "cpu_ms"),
    }


def source_of(clip: Path) -> Any:
    from edge_daemon.sources.open import open_source

    return open_source(settings_of(clip, None).cameras[0], Flag())


def settings_of(clip: Path, port: int | None) -> Any:
    from edge_daemon.config.load import parse_settings

    questions = [{"id": f"q{n}", "ask": text} for n, text in enumerate(QUESTIONS)]
    camera = {"id": "bench", "source": str(clip), "sample": {"every": EVERY}}
    data = {
        "version": 1,
        "data_dir": str(clip.parent / f"data-{os.getpid()}"),
        "mqtt": {"url": f"mqtt://127.0.0.1:{port}"} if port else None,
        "http": None,
        "cameras": [{**camera, "questions": questions}],
    }
    return parse_settings(data, where="bench")


def per_frame(begun: tuple[float, float], n: int) -> dict[str, float]:
    wall_s, cpu_s = time.perf_counter() - begun[0], time.process_time() - begun[1]
    return {"wall_ms": 1000 * wall_s / n, "cpu_ms": 1000 * cpu_s / n, "n": n}


def now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def decode(clip: Path, _port: int) -> dict[str, float]:
    with source_of(clip) as source:
        begun = now()
        n = sum(1 for _ in source)
        return per_frame(begun, n)


def sampling(clip: Path, _port: int) -> dict[str, float]:
    with source_of(clip) as source:
        begun, n = now(), 0
        for frame in source:
            n += 1
            if frame.index % EVERY == 0:
                frame.picture.resized(320, 192)
        return per_frame(begun, n)


def inference(clip: Path, _port: int) -> dict[str, float]:
    from edge_daemon.engine.open import open_engine

    engine = open_engine(settings_of(clip, None).engine)
    questions = engine.prepare(QUESTIONS, [None] * len(QUESTIONS))
    with source_of(clip) as source:
        picture = next(iter(source)).picture.resized(*engine.input_size)[None]
    for _ in range(10):
        engine.answer(engine.look(picture), questions)
    begun, n = now(), 200
    for _ in range(n):
        engine.answer(engine.look(picture), questions)
    return per_frame(begun, n)


class Stopwatch:
    """A listener that counts from the first frame of the camera to its end."""

    def __init__(self) -> None:
        self.result: dict[str, float] = {}

    def on_said(self, camera: str, question: str, state: Any, events: Any) -> None:
        pass

    def on_camera(self, camera: str, *, up: bool) -> None:
        if up:
            self.begun = now()
        else:
            self.ended = now()


def daemon(clip: Path, port: int) -> dict[str, float]:
    from edge_daemon.service.daemon import Daemon

    settings, watch = settings_of(clip, port), Stopwatch()
    whole = Daemon(settings, where="bench", reread=lambda: settings, listeners=[watch])
    if whole.run().code != 0:
        raise SystemExit("the daemon failed")
    n = int(whole.metrics.registry.get_sample_value(
        "edge_frames_total", {"camera": "bench", "outcome": "decoded"}) or 0)  # fmt: skip
    wall_s, cpu_s = (end - begin for begin, end in zip(watch.begun, watch.ended))
    return {"wall_ms": 1000 * wall_s / n, "cpu_ms": 1000 * cpu_s / n, "n": n, **stages(whole, n)}


def stages(whole: Any, n: int) -> dict[str, float]:
    """Milliseconds a frame that each stage of the daemon took."""
    value = whole.metrics.registry.get_sample_value
    names = ("decode", "prepare", "infer", "decide", "publish")
    return {
        f"{name}_ms": 1000 * (value("edge_stage_seconds_sum", {"stage": name}) or 0.0) / n
        for name in names
    }


def make_clip(path: Path, size: tuple[int, int], args: argparse.Namespace) -> Path:
    """Write an H.264 clip as a camera sends it: 25 fps, a key frame every two seconds."""
    import av
    import cv2

    width, height = size
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.gop_size = 2 * FPS
        stream.bit_rate = 4_000_000 if width > 1000 else 800_000
        for n, rgb in enumerate(pictures(args)):
            frame = av.VideoFrame.from_ndarray(cv2.resize(rgb, size), format="rgb24")
            frame.pts, frame.time_base = n, Fraction(1, FPS)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def pictures(args: argparse.Namespace) -> Any:
    """Yield RGB pictures: of the clip given, again and again, or of a rendered street."""
    from edge_daemon.sources.open import open_source

    most = round(args.seconds * FPS)
    address = str(args.video) if args.video else f"test:street?seed=3&fps={FPS}&seconds=20"
    settings = settings_of(Path(address), None).cameras[0]
    settings = settings.model_copy(update={"loop": True})
    with open_source(settings, Flag()) as source:
        for n, frame in enumerate(source):
            if n == most:
                return
            yield frame.picture.rgb()


def machine() -> dict[str, Any]:
    from edge_daemon import __version__

    cpu = next(
        (line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
         if line.startswith(("model name", "Model"))),
        platform.machine(),
    )  # fmt: skip
    git = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip()
    return {
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "version": __version__,
        "commit": commit or None,
    }


def print_table(found: dict[str, Any]) -> None:
    print(f"{found['machine']['cpu']}, Python {found['machine']['python']}")
    print("clip   cores  decode  +sampling  limit  daemon  share of limit (wall, CPU)")
    for row in found["rows"]:
        print(
            f"{row['clip']:6} {row['cores']:5} {row['decode_fps']:7.0f} {row['sampling_fps']:10.0f}"
            f" {row['limit_fps']:6.0f} {row['daemon_fps']:7.0f}"
            f"  {row['share_wall']:.2f}, {row['share_cpu']:.2f}"
        )
        stage = row["takes"]["daemon"][0]
        parts = ", ".join(f"{k[:-3]} {v:.2f}" for k, v in stage.items() if k.endswith("_ms"))
        print(f"       inference {row['inference_ms']:.2f} ms a picture; ms a frame: {parts}")


PARTS = {"decode": decode, "sampling": sampling, "inference": inference, "daemon": daemon}

if __name__ == "__main__":
    main()
