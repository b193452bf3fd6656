"""Recordings on a real disk: killed while they grow, and with too little room."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from shutil import disk_usage
from typing import IO

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_daemon.config.record import RecordConfig
from edge_daemon.overlay import Overlay, Shown
from edge_daemon.recording.burned import BurnedRecorder
from edge_daemon.recording.retention import Archive
from edge_daemon.types import Frame, QuestionState, Verdict
from tests.conftest import REPO, missing

START = datetime(2026, 11, 20, 22, 54, 58, tzinfo=timezone.utc)
FPS = 25


class Noise:
    """Hardly compressible pictures."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        rng = np.random.default_rng(0)
        self._pictures = rng.integers(0, 256, (5, height, width, 3), np.uint8)
        self._n = 0

    def rgb(self) -> NDArray[np.uint8]:
        self._n += 1
        return self._pictures[self._n % 5].copy()

    def resized(self, width: int, height: int) -> NDArray[np.uint8]:
        raise AssertionError("a recording is of full size")


def frame(camera: str, n: int, picture: Noise) -> Frame:
    at = START + timedelta(seconds=n / FPS)
    return Frame(camera, n, n / FPS, n / FPS, at, picture)


def recorder(camera: str, archive: Archive, segment: str) -> BurnedRecorder:
    overlay = Overlay(camera, [Shown("car", "Is there a car?")], {})
    settings = RecordConfig.model_validate({"mode": "burned", "segment": segment})
    return BurnedRecorder(camera, archive, settings, overlay, live=True)


STATES = {"car": QuestionState(Verdict.YES, None, 0.9, START, START, None)}


def record_for_ever(root: Path, told: IO[str]) -> None:
    """Record segments of 2 s and tell the number of each frame once it is written."""
    recording, picture = recorder("gate", Archive(root), "2s"), Noise(320, 240)
    for n in range(100_000):
        recording.write(frame("gate", n, picture), STATES)
        print(n + 1, file=told, flush=True)


def n_frames(path: Path) -> int:
    with av.open(str(path)) as video:
        return sum(1 for _ in video.decode(video=0))


@pytest.mark.parametrize("killed_after", [57, 105, 131, 174])
def test_recording_survives_sigkill(tmp_path: Path, killed_after: int) -> None:
    call = [sys.executable, "-m", "tests.integration.test_recording", str(tmp_path)]
    with subprocess.Popen(call, cwd=REPO, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        n_written = next(n for n in map(int, process.stdout) if n >= killed_after)
        process.kill()
        n_written = max([n_written, *map(int, process.stdout)])
    *whole, last = [n_frames(p) for p in sorted(tmp_path.rglob("*.mp4"))]

    assert whole == [2 * FPS] * len(whole)
    assert last > 0
    assert sum(whole) + last >= n_written - FPS - 1  # the open fragment, and what x264 holds


@pytest.fixture
def small_disk(tmp_path: Path) -> Path:
    """A disk of 24 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24M", "tmpfs", str(place)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        missing(f"may not mount a disk: {done.stderr.strip()}", "REQUIRE_MOUNT")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_cameras_share_a_small_disk_without_filling_it(small_disk: Path) -> None:
    archive = Archive(small_disk / "recordings")
    cameras = [recorder(f"camera{n}", archive, "1h") for n in range(4)]
    picture, least_free = Noise(320, 240), disk_usage(small_disk).free
    n_bytes = 0
    for n in range(20 * FPS):
        for k, camera in enumerate(cameras):
            camera.write(frame(f"camera{k}", n, picture), STATES)
        least_free = min(least_free, disk_usage(small_disk).free)
    kept = {f"camera{k}": archive.size_bytes(f"camera{k}") for k in range(4)}
    for camera in cameras:
        camera.close()
    n_bytes = sum(kept.values())
    paths = sorted(small_disk.rglob("*.mp4"))

    assert least_free > 500_000
    assert n_bytes > 12_000_000  # the disk is used
    assert min(kept.values()) > n_bytes / 12  # by all of them
    assert all(n_frames(p) > 0 for p in paths)
    assert START.strftime("%H-%M-%SZ.mp4") not in {p.name for p in paths}  # the oldest went


if __name__ == "__main__":
    record_for_ever(Path(sys.argv[1]), sys.stdout)
