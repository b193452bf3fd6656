"""Four cameras that record, and events all the time, on a disk of 64 megabytes."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.data.colours import BLUE, GREY, RED, lined, write_pictures
from tests.e2e.daemon import free_port
from tests.integration.mosquitto import first_of_each

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
_SETTLED_S = 20.0  # a segment of 5 s that did not change for so long is finished


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


@dataclass
class Watch:
    """What became of the files on the disk, by looking again and again."""

    disk: Path
    least_free_bytes: int = 1 << 62
    removed: Counter[str] = field(default_factory=Counter)
    disordered: list[str] = field(default_factory=list)
    _before: dict[Path, float] = field(default_factory=dict)  # when it was changed last

    def look(self) -> None:
        """Look once.

        A file that went while an older one, which ought to have gone first, was there before and
        still is, is disordered.
        """
        self.least_free_bytes = min(self.least_free_bytes, shutil.disk_usage(self.disk).free)
        now = self._files()
        stays = {p: at for p, at in self._before.items() if p in now and now[p] == at}
        wall_s = time.time()
        for path in self._before.keys() - now.keys():
            kind = kind_of(path)
            self.removed[kind] += 1
            sooner = [
                p for p, at in stays.items()
                if (RANK[kind_of(p)] < RANK[kind] and wall_s - at > _SETTLED_S)
                or (kind_of(p) == kind != "recordings" and moment(p) < moment(path))
            ]  # fmt: skip
            self.disordered += [f"{path.name} before {p}" for p in sooner]
        self._before = now

    def _files(self) -> dict[Path, float]:
        found = {}
        for path in (self.disk / "data").rglob("*Z*.*"):
            with contextlib.suppress(FileNotFoundError):
                if path.suffix in (".mp4", ".jpg", ".zip") and not path.name.startswith("."):
                    found[path] = path.stat().st_mtime
        return found

    def kept(self) -> Counter[str]:
        """Return how many files there are of each kind."""
        return Counter(kind_of(path) for path in self._before)


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
