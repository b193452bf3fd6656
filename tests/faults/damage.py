"""Videos damaged in many ways, each told by its number, and a process that reads them all.

By hand: python -m tests.faults.damage FOLDER FIRST COUNT writes the good clips into FOLDER where
they are missing, and prints a line of JSON before it reads the video of a number, and one after.
"""

from __future__ import annotations

import faulthandler
import json
import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Flag
from typing import TYPE_CHECKING, Any

import av
import av.logging

from edge_daemon.errors import SourceError
from edge_daemon.sources.decoder import open_container
from edge_daemon.sources.files import FileSource
from edge_daemon.types import SourceAddress
from tests.conftest import REPO
from tests.data.make_data import write_clip

if TYPE_CHECKING:
    from collections.abc import Callable

N_FRAMES = 20
KINDS = {
    "h264.mp4": {"codec": "libx264"},
    "h265.mp4": {"codec": "libx265"},
    "h264.ts": {"codec": "libx264", "b_frames": 2},
    "h265.ts": {"codec": "libx265"},
}
_HANGS_AFTER_S = 30.0
_WARM = 40  # videos, before memory counts


def flip_bits(content: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 4, 16, 64, 256))):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)


def flip_head(content: bytearray, chance: random.Random) -> None:
    """Where the container says what is in it."""
    for _ in range(chance.choice((1, 4, 16))):
        content[chance.randrange(min(len(content), 1500))] ^= 1 << chance.randrange(8)


def flip_tail(content: bytearray, chance: random.Random) -> None:
    """Where an MP4 keeps its index."""
    for _ in range(chance.choice((1, 4, 16))):
        content[-1 - chance.randrange(min(len(content), 1500))] ^= 1 << chance.randrange(8)


def truncate(content: bytearray, chance: random.Random) -> None:
    del content[chance.randrange(len(content)) :]


def cut_out(content: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(content))
    del content[start : start + chance.choice((1, 7, 188, 1000, 5000))]


def blank(content: bytearray, chance: random.Random) -> None:
    start, n = chance.randrange(len(content)), chance.choice((4, 64, 1000))
    content[start : start + n] = bytes(len(content[start : start + n]))


def repeat(content: bytearray, chance: random.Random) -> None:
    start, n = chance.randrange(len(content)), chance.choice((7, 188, 2000))
    content[start:start] = content[start : start + n]


WAYS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    flip_bits, flip_bits, flip_head, flip_tail, truncate, cut_out, blank, repeat,
)  # fmt: skip


@dataclass
class Findings:
    """What became of the videos, and of the process that read them."""

    n: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    n_frames: int = 0
    n_counted: int = 0  # damages that were counted
    silent: list[int] = field(default_factory=list)  # pictures vanished in the decoder, uncounted
    concealed: list[int] = field(default_factory=list)  # the same, where it took two for one
    bugs: list[str] = field(default_factory=list)  # neither frames nor a SourceError
    crashed: list[tuple[int, int]] = field(default_factory=list)  # number and exit code
    grown_kib: int = 0
    slowest: tuple[float, int] = (0.0, -1)


def examine(
    folder: Path, count: int, on_progress: Callable[[int], None] = lambda n: None
) -> Findings:
    """Read so many damaged videos in a process of its own, a new one after a crash."""
    found, first = Findings(), 0
    while first < count:
        command = [sys.executable, "-m", "tests.faults.damage", str(folder), str(first),
                   str(count - first)]  # fmt: skip
        reading = first
        with subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, text=True) as reader:
            assert reader.stdout is not None
            for line in reader.stdout:
                told = json.loads(line)
                reading = told["number"]
                if "outcome" in told:
                    _add(found, told)
                    on_progress(reading)
        if reader.returncode == 0:
            break
        found.crashed.append((reading, reader.returncode))
        first = reading + 1
    return found


def _add(found: Findings, told: dict[str, Any]) -> None:
    number, outcome = told["number"], told["outcome"]
    found.n += 1
    found.outcomes[outcome.split(":")[0]] += 1
    found.n_frames += told["n_frames"]
    found.n_counted += told["n_counted"]
    found.slowest = max(found.slowest, (told["seconds"], number))
    found.grown_kib = max(found.grown_kib, told["grown_kib"])
    if outcome.startswith("bug"):
        found.bugs.append(f"{number}: {outcome}")
    if outcome == "frames" and told["n_frames"] + told["n_counted"] < told["n_packets"]:
        (found.silent if "h265" in told["kind"] else found.concealed).append(number)


def damaged_video(folder: Path, number: int) -> tuple[Path, str]:
    """Write the video of a number; return its path and in what way it is damaged."""
    chance = random.Random(number)
    kind = chance.choice(sorted(KINDS))
    content, way = bytearray((folder / kind).read_bytes()), chance.choice(WAYS)
    way(content, chance)
    path = folder / f"damaged-{kind}"
    path.write_bytes(content)
    return path, way.__name__


def good_videos(folder: Path) -> None:
    for name, how in KINDS.items():
        if not (folder / name).exists():
            write_clip(folder / name, n_frames=N_FRAMES, size=(160, 96), **how)  # type: ignore[arg-type]


def read_all(folder: Path, first: int, count: int) -> None:
    """Read videos and tell of each, with no word from FFmpeg."""
    av.logging.set_level(av.logging.PANIC)
    good_videos(folder)
    warm_kib = 0
    for number in range(first, first + count):
        path, way = damaged_video(folder, number)
        print(json.dumps({"number": number}), flush=True)
        faulthandler.dump_traceback_later(_HANGS_AFTER_S, exit=True)
        begun_s = time.monotonic()
        outcome, n_frames, n_counted = read(path)
        if number - first == min(_WARM, count // 2):
            warm_kib = resident_kib()
        told = {
            "number": number,
            "outcome": outcome,
            "n_frames": n_frames,
            "n_counted": n_counted,
            "seconds": time.monotonic() - begun_s,
            "grown_kib": resident_kib() - warm_kib if warm_kib else 0,
            "n_packets": pictures_in(path) if outcome == "frames" else 0,
            "kind": path.name,
            "way": way,
        }
        print(json.dumps(told), flush=True)
    faulthandler.cancel_dump_traceback_later()


def read(path: Path) -> tuple[str, int, int]:
    """Read a video as a camera's thread does: what came of it, frames, damages counted."""
    counted: list[None] = []
    n_frames = 0
    source = FileSource(
        camera="gate",
        address=SourceAddress(str(path)),
        stop=Flag(),
        on_corrupt=lambda: counted.append(None),
    )
    try:
        with source:
            for frame in source:
                n_frames += 1
                frame.picture.resized(320, 192)
                frame.picture.rgb()
    except SourceError as fault:
        return f"{type(fault).__name__}: {fault}", n_frames, len(counted)
    except Exception as bug:  # noqa: BLE001  this is what is looked for
        return f"bug {type(bug).__name__}: {bug}", n_frames, len(counted)
    return "frames", n_frames, len(counted)


def pictures_in(path: Path) -> int:
    """How many pictures the decoder is given, from the first key frame on."""
    n = 0
    try:
        with open_container(str(path)) as container:
            for packet in container.demux(container.streams.video[0]):
                n += bool(packet.size and (n or packet.is_keyframe))
    except (av.FFmpegError, IndexError):
        return n
    return n


def resident_kib(process: int | str = "self") -> int:
    status = Path(f"/proc/{process}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


if __name__ == "__main__":
    read_all(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
