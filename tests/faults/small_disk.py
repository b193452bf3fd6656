"""Four cameras that record, and events all the time, on a disk of 64 megabytes."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.data.colours import BLUE, GREY, RED, lined, write_pictures
from tests.faults.inotify import Changes
from tests.integration.mosquitto import first_of_each
from tests.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.mosquitto import Ear

SIZE = "64m"
RANK = {"recordings": 0, "clips": 1, "snapshots": 1, "evidence": 2}
RECORDED: dict[str, dict[str, Any]] = {
    "soft": {"mode": "soft"},
    "burned": {"mode": "burned"},
    "clips": {"mode": "off", "clips": {"before": "1s", "after": "2s", "on": ["YES", "NO"]}},
    "both": {"mode": "soft", "clips": {"before": "1s", "after": "1s"}},
}
_SETTLED_S = 5.0  # what was finished so long ago is known as finished, however slow the machine


@contextlib.contextmanager
def mounted(at: Path, size: str = SIZE) -> Iterator[bool]:
    """Mount a small disk; False: not allowed here."""
    at.mkdir()
    mount = shutil.which("mount") or "mount"
    command = [mount, "-t", "tmpfs", "-o", f"size={size}", "none", str(at)]
    done = subprocess.run(command, capture_output=True, check=False)
    yield not done.returncode
    if not done.returncode:
        subprocess.run(["umount", str(at)], check=True)


def write_noisy(path: Path, seconds_each: float = 2.0) -> Path:
    """Write a clip that is red, blue, grey in turn, and costs much to encode: about 0.5 MB/s."""
    rng = np.random.default_rng(3)
    parts = []
    for colour in (RED, BLUE, GREY):
        for _ in range(round(seconds_each * 5)):
            picture = lined(colour, size=(640, 360)).astype(np.int16)
            noise = rng.integers(-90, 91, (360, 640, 1))
            noise[:, :420] = 0
            parts.append((np.clip(picture + noise, 0, 255).astype(np.uint8), 0.2))
    return write_pictures(path, parts)


def config(directory: Path, bundle: Path, broker_url: str, base: str) -> dict[str, Any]:
    """Return a configuration of the four cameras, its data on directory/disk."""
    clip = write_noisy(directory / "noisy.mp4")
    asked = [
        {"id": name, "ask": f"Is it {name}?", "hold": "200ms", "unknown_after": "5s"}
        for name in ("red", "blue")
    ]
    return {
        "version": 1,
        "device": {"id": "box"},
        "data_dir": str(directory / "disk" / "data"),
        "engine": {"bundle": str(bundle), "backend": "onnxruntime", "threads": 1},
        "mqtt": {"url": broker_url, "base_topic": base},
        "http": {"listen": f"127.0.0.1:{free_port()}"},
        "log": {"format": "text"},
        "cameras": [
            {
                "id": name,
                "source": str(clip),
                "loop": True,
                "pace": "realtime",
                "sample": {"every": 2},
                "questions": asked,
                "record": {"segment": "5s", **record},
            }
            for name, record in RECORDED.items()
        ],
    }


class Watch:
    """What became of the files on the disk, in the order in which it happened."""

    def __init__(self, disk: Path) -> None:
        self._disk, self._changes = disk, Changes(disk)
        self.least_free_bytes = 1 << 62
        self.removed: Counter[str] = Counter()
        self.disordered: list[str] = []
        self._finished: dict[Path, float] = {}  # when, monotonic

    def look(self) -> None:
        """Take over what happened since the last time.

        A file that went while one lay there that ought to have gone before it is disordered.
        """
        self.least_free_bytes = min(self.least_free_bytes, shutil.disk_usage(self._disk).free)
        for path, is_there in self._changes.read():
            if path.suffix not in (".mp4", ".jpg", ".zip") or path.name.startswith("."):
                continue
            if is_there:
                self._finished[path] = time.monotonic()
            elif path in self._finished:
                self._went(path, self._finished.pop(path))

    def _went(self, path: Path, finished_s: float) -> None:
        kind, now_s = kind_of(path), time.monotonic()
        self.removed[kind] += 1
        self.disordered += [
            f"{path.name} before {other}, finished {now_s - at_s:.1f} s ago"
            for other, at_s in self._finished.items()
            if now_s - at_s > _SETTLED_S and _goes_before((other, at_s), (path, finished_s))
        ]

    def kept(self) -> Counter[str]:
        """Return how many files there are of each kind."""
        return Counter(kind_of(path) for path in self._finished)


def _goes_before(one: tuple[Path, float], other: tuple[Path, float]) -> bool:
    """Whether one ought to go before the other: (path, when it was finished)."""
    ranks = RANK[kind_of(one[0])], RANK[kind_of(other[0])]
    if ranks[0] != ranks[1]:
        return ranks[0] < ranks[1]
    if ranks[0] == RANK["recordings"]:
        return one[1] < other[1] - 1.0  # when it is looked at is not quite when it was
    return moment(one[0]) < moment(other[0])


def seqs(ear: Ear) -> dict[str, list[int]]:
    """Return the numbers of each camera's and question's events, in the order they came."""
    found: dict[str, list[int]] = {}
    for event in first_of_each(ear.heard("/event")):
        found.setdefault(f"{event['camera']}/{event['question']}", []).append(event["seq"])
    return found


def moment(path: Path) -> tuple[str, str]:
    """Return day and time in the name of a file."""
    return path.parent.name, path.name[:9]


def kind_of(path: Path) -> str:
    """Return the directory below data_dir."""
    return path.parts[path.parts.index("data") + 1]
