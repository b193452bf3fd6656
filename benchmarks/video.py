"""How fast ``edge-daemon video`` is against its parts: python benchmarks/video.py.

Renders a street (or takes --video) to H.264 at 1920x1080 and 640x360 and measures on it, in turn
and several times over, each part in a process of its own on the same cores:

  decode   every frame decoded, none converted
  encode   the same pictures, drawn beforehand, converted and encoded as the command does it
  video    edge-daemon video as it runs: --every 5, four questions, annotated MP4
  jobs     the same on four copies of the file, --jobs 1, 2, 4 threads, and two processes

"share" is video / the slower of decode and encode, each alone on one thread, as frames a second.
--drift instead makes an hour of flashes and beeps, annotates it, records it soft and burned, and
tells how far sound, captions and noted answers are from the flashes.
Prints a table; --json FILE keeps all numbers with the machine's description.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

import pipeline as base  # the benchmark beside this one

ROUNDS = 3
ALONE = ("decode", "encode", "video")
ENV = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--video", type=Path, help="scale this clip instead of a rendered street")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of the clips (20)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="measure so many times (3)")
    parser.add_argument("--cores", type=int, nargs="+", default=[2], help="give it so many")
    parser.add_argument(
        "--alone", action="store_true", help="decode, encode and video only, not several files"
    )
    parser.add_argument("--drift", action="store_true", help="an hour of sound, instead")
    parser.add_argument("--json", type=Path, help="write all numbers there")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--clip", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.part:
        print(json.dumps(PARTS[args.part](args.clip)))
        return
    found = drift() if args.drift else measure(args)
    if args.json:
        args.json.write_text(json.dumps(found, indent=1) + "\n")


def measure(args: argparse.Namespace) -> dict[str, Any]:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, size in (("1080p", (1920, 1080)), ("360p", (640, 360))):
            clip = base.make_clip(Path(folder) / f"{name}.mp4", size, args)
            for cores in args.cores:
                parts = [part for part in PARTS if part in ALONE or not args.alone]
                takes: dict[str, list[dict[str, float]]] = {part: [] for part in parts}
                for _ in range(args.rounds):
                    for part in parts:  # side by side, so that a slow moment hits them all
                        takes[part].append(run_part(part, clip, cores))
                rows.append({"clip": name, "cores": cores, **summary(takes), "takes": takes})
                print_row(rows[-1])
    return {"machine": base.machine(), "rows": rows}


def run_part(part: str, clip: Path, cores: int) -> dict[str, float]:
    mine = sorted(os.sched_getaffinity(0))[:cores]
    done = subprocess.run(
        [sys.executable, __file__, "--part", part, "--clip", str(clip)],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, mine),
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def summary(takes: dict[str, list[dict[str, float]]]) -> dict[str, float]:
    fps = {part: statistics.median(1000 / t["wall_ms"] for t in takes[part]) for part in takes}
    cpu = {part: statistics.median(t["cpu_ms"] for t in takes[part]) for part in takes}
    shares = [
        max(d["wall_ms"], e["wall_ms"]) / v["wall_ms"]
        for d, e, v in zip(takes["decode"], takes["encode"], takes["video"])
    ]
    return {
        **{f"{part}_fps": round(value, 1) for part, value in fps.items()},
        **{f"{part}_cpu_ms": round(value, 2) for part, value in cpu.items()},
        "share": round(statistics.median(shares), 2),
    }


def print_row(row: dict[str, Any]) -> None:
    print(f"{row['clip']}, {row['cores']} cores: video is {row['share']} of its slower part")
    for part in row["takes"]:
        print(f"  {part:10} {row[f'{part}_fps']:7.0f} fps {row[f'{part}_cpu_ms']:7.2f} ms CPU")


def decode(clip: Path) -> dict[str, float]:
    return base.decode(clip, 0)


def encode(clip: Path) -> dict[str, float]:
    """Write pictures as the command does, in one thread, made beforehand."""
    from edge_daemon.recording.video import VideoWriter

    with base.source_of(clip) as source:
        pictures = [frame.picture.rgb() for frame in islice(source, 50)]
    n = max(200, 8 * len(pictures))
    with tempfile.TemporaryDirectory() as folder, VideoWriter(Path(folder) / "a.mp4") as writer:
        writer.write(pictures[0], 0.0)
        begun = base.now()
        for k in range(1, n):
            at = k % (2 * len(pictures) - 2)  # forth and back, so that it is one movement
            writer.write(pictures[min(at, 2 * len(pictures) - 2 - at)], k / base.FPS)
        return base.per_frame(begun, n - 1)


def annotate(clips: list[Path], *more: str) -> dict[str, float]:
    """Run the command; start-up, measured by a run that finds all done, is taken off."""
    asked = [word for text in base.QUESTIONS for word in ("-q", text)]
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "edge_daemon", "video", *map(str, clips), *asked,
                   "--out", out, "--json", *more]  # fmt: skip
        whole = timed(command)
        start = timed(command)
    n = sum(json.loads(line)["frames"] for line in whole["out"].splitlines())
    return {
        "wall_ms": 1000 * (whole["wall_s"] - start["wall_s"]) / n,
        "cpu_ms": 1000 * (whole["cpu_s"] - start["cpu_s"]) / n,
        "n": n,
    }


def timed(*commands: list[str]) -> dict[str, Any]:
    """Run commands side by side; return what they took together, and what they print."""
    begun, before = time.perf_counter(), os.times()
    running = [subprocess.Popen(c, stdout=subprocess.PIPE, text=True, env=ENV) for c in commands]
    out = "".join(one.communicate()[0] for one in running)
    after = os.times()
    if any(one.returncode for one in running):
        raise SystemExit(f"failed: {commands}")
    cpu_s = after.children_user + after.children_system
    cpu_s -= before.children_user + before.children_system
    return {"wall_s": time.perf_counter() - begun, "cpu_s": cpu_s, "out": out}


def copies(clip: Path) -> list[Path]:
    found = [clip.with_name(f"{clip.stem}-{n}.mp4") for n in range(4)]
    for path in found:
        if not path.exists():
            shutil.copy(clip, path)
    return found


def processes(clip: Path) -> dict[str, float]:
    """Two commands at once, half of the copies each."""
    paths = copies(clip)
    asked = [word for text in base.QUESTIONS for word in ("-q", text)]
    with tempfile.TemporaryDirectory() as out:
        both = [
            [
                sys.executable,
                "-m",
                "edge_daemon",
                "video",
                *map(str, half),
                *asked,
                "--out",
                out,
                "--json",
                "--jobs",
                "1",
            ]
            for half in (paths[:2], paths[2:])
        ]
        whole, start = timed(*both), timed(*both)
    n = sum(json.loads(line)["frames"] for line in whole["out"].splitlines())
    return {
        "wall_ms": 1000 * (whole["wall_s"] - start["wall_s"]) / n,
        "cpu_ms": 1000 * (whole["cpu_s"] - start["cpu_s"]) / n,
        "n": n,
    }


def drift() -> dict[str, Any]:
    """Annotate and record an hour of flashes and beeps; print how far apart they are."""
    sys.path.insert(0, str(Path(__file__).parent.parent))
    from tests.data.flashes import write_flashes

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = folder / "hour.mp4"
        small: dict[str, Any] = {"seconds": 3600, "fps": 5, "size": (160, 90)}
        write_flashes(clip, **small, sound_rate=16_000)
        write_flashes(folder / "g711.mov", **small, sound="pcm_alaw", sound_rate=8_000)
        annotate_one = [sys.executable, "-m", "edge_daemon", "video", str(clip), "-q",
                        base.QUESTIONS[0], "--every", "50", "--out", name + "/out"]  # fmt: skip
        took_s = timed(annotate_one)["wall_s"]
        record_hours(folder)
        paths = {"before": clip, "video": folder / "out" / "hour.mp4"}
        for path in sorted((folder / "data" / "recordings").rglob("*.m[op][v4]")):
            paths[path.parent.parent.name] = path
        found = {}
        for what, path in paths.items():
            found[what] = apart(path)
            print(what, found[what], flush=True)
    return {"machine": base.machine(), "took_s": round(took_s, 1), **found}


def record_hours(folder: Path) -> None:
    """Record the clips by the daemon, each in one segment, and ask at every picture for flashes."""
    from tests.data.tiny_bundle import write_tiny_bundle

    asked = {"id": "flash", "ask": "Is it bright?", "hold": None}
    kinds = {"soft": ("hour.mp4", "soft"), "burned": ("hour.mp4", "burned"),
             "burned_g711": ("g711.mov", "burned")}  # fmt: skip
    cameras = [
        {
            "id": name,
            "source": str(folder / clip),
            "sample": {"every": 1},
            "questions": [asked],
            "record": {
                "mode": mode,
                "segment": "2h",
                "events": {"snapshots": False, "evidence": False},
            },
        }
        for name, (clip, mode) in kinds.items()
    ]
    config = {
        "version": 1,
        "data_dir": str(folder / "data"),
        "engine": {"bundle": str(write_tiny_bundle(folder / "tiny")), "threads": 1},
        "mqtt": None,
        "http": None,
        "cameras": cameras,
    }
    (folder / "c.yaml").write_text(json.dumps(config))
    timed([sys.executable, "-m", "edge_daemon", "run", "--config", str(folder / "c.yaml")])


def apart(path: Path) -> dict[str, Any]:
    """Return by how much beeps, captions and noted answers come after their flashes, ms."""
    import numpy as np

    from tests.data.flashes import beeps, flashes

    seen, found = np.array(flashes(path)), {}
    heard = {"sound": beeps(path)}
    if path.with_suffix(".vtt").exists():
        heard["captions"] = said_yes(path.with_suffix(".vtt").read_text())
    if "recordings" in path.parts:
        rows = map(json.loads, path.with_suffix(".jsonl").read_text().splitlines())
        heard["answers"] = [r["at_s"] for r in rows if r["answers"][0]["verdict"] == "YES"]
    for what, times in heard.items():
        late = 1000 * (np.array(times) - seen)
        found[what] = {
            "n": len(late),
            "first_ms": round(float(late[0]), 2),
            "last_ms": round(float(late[-1]), 2),
            "most_ms": round(float(np.abs(late).max()), 2),
        }
    return found


def said_yes(captions: str) -> list[float]:
    """Return when captions begin to say YES, seconds."""
    found = []
    for cue in captions.split("\n\n"):
        if "YES" in cue:
            hours, minutes, seconds = cue[:12].split(":")
            found.append(3600 * int(hours) + 60 * int(minutes) + float(seconds))
    return found


PARTS = {
    "decode": decode,
    "encode": encode,
    "video": lambda clip: annotate([clip], "--jobs", "1"),
    "jobs_1": lambda clip: annotate(copies(clip), "--jobs", "1"),
    "jobs_2": lambda clip: annotate(copies(clip), "--jobs", "2"),
    "jobs_4": lambda clip: annotate(copies(clip), "--jobs", "4"),
    "processes": processes,
}

if __name__ == "__main__":
    main()
