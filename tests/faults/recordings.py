"""A daemon that records soft, killed at random moments."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import av

from tests.data.make_data import number_in
from tests.e2e.daemon import Daemon, write_config
from tests.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HEADER_BYTES = 1024  # a smaller file holds no picture, and the next start removes it
IN_FLIGHT = 3  # pictures: of the last ones some that are shown earlier may be decoded later


@dataclass
class Toll:
    """What a run of kills came to."""

    n_kills: int = 0
    n_segments: int = 0  # finished before a kill
    n_pictures: int = 0
    n_empty: int = 0  # last files without a picture yet
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.n_kills} kills: {self.n_segments} finished segments, {self.n_pictures} pictures"
            f" in all, {self.n_empty} files without a picture yet, {len(self.faults)} faults"
        )


def survive(
    config: dict[str, Any],
    file: Path,
    root: Path,
    *,
    n: int,
    n_numbers: int,
    seed: int = 0,
    may_drop: bool = False,
    on_kill: Callable[[Toll], None] = lambda _toll: None,
) -> Toll:
    """Kill the daemon n times while it records numbered pictures below root, and look.

    The pictures count up to n_numbers and begin again.  In every life each finished segment must
    decode without a complaint and go on where the one before it ended; the last one, too, but for
    the pictures that were being written.  A later life leaves all that as it is, but for files
    without a picture, which it removes.  may_drop: pictures may be missing in between, as burned
    recordings of a live camera drop them where the machine is too slow.
    """
    toll, chance = Toll(), random.Random(seed)
    for _ in range(n):
        known = videos(root)
        sizes = {path: path.stat().st_size for path in known}
        with Daemon(write_config(file, config)) as daemon:
            wait_until(lambda known=known: videos(root) - known, 120)
            time.sleep(chance.uniform(0.0, 4.0))
            daemon.send(signal.SIGKILL)
            daemon.ended()
        life = sorted(videos(root) - known, key=lambda path: path.stat().st_mtime_ns)
        look(life, toll, n_numbers, may_drop=may_drop)
        toll.faults += changed(sizes)
        toll.n_kills += 1
        on_kill(toll)
    return toll


def videos(root: Path) -> set[Path]:
    return {path for path in root.rglob("*") if path.suffix in (".mp4", ".mov", ".mkv")}


def changed(sizes: dict[Path, int]) -> list[str]:
    """Say which files of earlier lives are not as they ought to be."""
    faults = []
    for path, size in sizes.items():
        now = path.stat().st_size if path.exists() else None
        if now != (None if size < HEADER_BYTES else size):
            faults.append(f"{path.name}: had {size} bytes, now {now}")
    return faults


def look(life: list[Path], toll: Toll, n_numbers: int, *, may_drop: bool) -> None:
    """Hold the segments of one life against what they must be."""
    expected: int | None = None
    for path in life:
        is_last = path is life[-1]
        if is_last and path.stat().st_size < HEADER_BYTES:
            toll.n_empty += 1
            continue
        toll.faults += [f"{path.name}: {said}" for said in complaints(path)]
        numbers = pictures(path)
        toll.n_pictures += len(numbers)
        toll.n_segments += not is_last
        if not numbers:
            toll.faults.append(f"{path.name}: no picture in {path.stat().st_size} bytes")
        for number in numbers[:-IN_FLIGHT] if is_last else numbers:
            ahead = 0 if expected is None else (number - expected) % n_numbers
            if ahead >= (n_numbers // 2 if may_drop else 1):
                toll.faults.append(f"{path.name}: picture {number}, not {expected}")
            expected = (number + 1) % n_numbers


def complaints(path: Path) -> list[str]:
    call = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "null", "-"]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    return done.stderr.splitlines() + ["cannot be read"] * bool(done.returncode)


def pictures(path: Path) -> list[int]:
    try:
        with av.open(str(path)) as file:
            return [number_in(f.to_ndarray(format="rgb24")) for f in file.decode(video=0)]
    except av.FFmpegError:
        return []
