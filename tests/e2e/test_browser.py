"""A real browser plays every kind of file we write."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_daemon.config.models import RecordConfig
from edge_daemon.overlay import Overlay, Shown
from edge_daemon.recording.burned import BurnedRecorder
from edge_daemon.recording.retention import Archive
from edge_daemon.sources.picture import ArrayPicture
from edge_daemon.types import Frame, QuestionState, Verdict
from tests.data.flashes import write_flashes
from tests.e2e.browser import Browser, Played, chromium
from tests.e2e.daemon import edge_daemon

START = datetime(2026, 11, 21, 12, 0, 0, tzinfo=timezone.utc)
FPS = 25
SIZE = (320, 180)
GREEN = (20, 200, 20)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("browser") / "profile") as found:
        yield found


def is_played(played: Played, seconds: float) -> None:
    """Assert that a file was played from its beginning to its end, at its own pace."""
    assert played.error is None
    assert played.ended
    assert played.duration == pytest.approx(seconds, abs=0.05)
    assert len(played.at) >= 3
    assert all(b >= a for a, b in pairwise(played.at))
    assert played.at[-1] == pytest.approx(seconds, abs=0.1)


def looks(pixel: tuple[int, ...], colour: tuple[int, int, int]) -> bool:
    return bool(np.abs(np.subtract(pixel, colour)).max() < 25)


def frames(seconds: float) -> Iterator[Frame]:
    rgb: NDArray[np.uint8] = np.full((SIZE[1], SIZE[0], 3), GREEN, np.uint8)
    picture = ArrayPicture(rgb)
    for n in range(round(seconds * FPS)):
        at = START + timedelta(seconds=n / FPS)
        yield Frame("gate", n, n / FPS, n / FPS, at, picture)


STATES: Mapping[str, QuestionState] = {
    "car": QuestionState(Verdict.YES, None, 0.9, START, START, None)
}


@pytest.fixture(scope="module")
def burned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A finished segment, and the bytes of the same one as a SIGKILL would have left them."""
    root = tmp_path_factory.mktemp("burned")
    overlay = Overlay("gate", [Shown("car", "Is there a car?")], {})
    settings = RecordConfig.model_validate({"mode": "burned"})
    recorder = BurnedRecorder("gate", Archive(root), settings, overlay, live=True)
    for frame in frames(3.5):
        recorder.write(frame, STATES)
    (path,) = root.rglob("*.mp4")
    killed = shutil.copy(path, root / "killed.mp4")
    recorder.close()
    return path, Path(killed)


def test_browser_plays_a_burned_segment(browser: Browser, burned: tuple[Path, Path]) -> None:
    played = browser.play(burned[0])

    is_played(played, 3.5)
    assert (played.width, played.height) == SIZE
    assert played.n_shown > 30
    assert looks(played.pixel, GREEN)


def test_browser_seeks_in_a_burned_segment(browser: Browser, burned: tuple[Path, Path]) -> None:
    played = browser.play(burned[0], from_s=2.5)

    assert played.error is None
    assert min(played.at) >= 2.5
    assert played.ended


def test_browser_plays_a_burned_segment_that_was_killed(
    browser: Browser, burned: tuple[Path, Path]
) -> None:
    played = browser.play(burned[1], play_s=8)

    assert played.error is None
    assert max(played.at) >= 1.9  # of 3.5 s: the open fragment is lost
    assert looks(played.pixel, GREEN)


def test_browser_plays_an_annotated_file_with_its_sound(
    browser: Browser, tmp_path: Path, tiny_bundle: Path
) -> None:
    clip = write_flashes(tmp_path / "a.mov", seconds=4.0, sound="pcm_s16le", sound_rate=8000)
    out = tmp_path / "out"
    done = edge_daemon(
        "video", str(clip), "-q", "Is it red?", "--out", str(out), "--bundle", str(tiny_bundle)
    )
    assert done.returncode == 0, done.stderr
    played = browser.play(out / "a.mp4")

    is_played(played, 4.0)
    assert played.heard_bytes > 0
