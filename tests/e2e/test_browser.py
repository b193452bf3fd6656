"""A real browser plays every kind of file we write."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_daemon.config.record import RecordConfig
from edge_daemon.overlay import Overlay, Shown
from edge_daemon.recording.burned import BurnedRecorder
from edge_daemon.recording.retention import Archive
from edge_daemon.sources.picture import ArrayPicture
from edge_daemon.types import Frame, QuestionState, Verdict
from tests.data.colours import BLUE, RED, write_colours
from tests.data.flashes import write_flashes
from tests.e2e.browser import Browser, Played, chromium
from tests.e2e.daemon import Daemon, edge_daemon, write_config
from tests.processes import wait_until

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


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> dict[str, Path]:
    """What a daemon keeps of a red and blue clip: softly, in Matroska, as clips of events."""
    root = tmp_path_factory.mktemp("kept")
    clip = write_colours(root / "a.mp4", [(RED, 4.0), (BLUE, 4.0)], fps=FPS, size=SIZE)
    record = {"mode": "soft", "clips": {"before": "1s", "after": "1s", "on": ["NO"]}}
    cameras = [
        asked("vtt", clip, record=record),
        asked("mkv", clip, record={"mode": "soft", "captions": "mkv"}),
    ]
    with Daemon(config_of(root, tiny_bundle, cameras)) as daemon:
        assert daemon.ended(120) == 0, daemon.log.read_text()
    data = root / "data"
    found = {
        "vtt": next((data / "recordings" / "vtt").rglob("*.mp4")),
        "mkv": next((data / "recordings" / "mkv").rglob("*.mkv")),
        "clip": next((data / "clips").rglob("*.mp4")),
    }
    return {**found, "captions": found["vtt"].with_suffix(".vtt")}


def asked(camera: str, source: Path, **more: object) -> dict[str, object]:
    question = {"id": "red", "ask": "Is it red?", "hold": "200ms"}
    sample = {"every": 1}
    return {"id": camera, "source": str(source), "sample": sample, "questions": [question], **more}


def config_of(root: Path, bundle: Path, cameras: list[dict[str, object]]) -> Path:
    data = {
        "version": 1,
        "data_dir": str(root / "data"),
        "engine": {"bundle": str(bundle), "threads": 1},
        "http": None,
        "log": {"format": "text"},
        "cameras": cameras,
    }
    return write_config(root / "c.yaml", data)


def test_browser_plays_a_soft_recording_with_captions_at_their_times(
    browser: Browser, kept: dict[str, Path]
) -> None:
    played = browser.play(kept["vtt"], kept["captions"])
    changes = [start for start, _end, text in played.cues if text.startswith("NO")]

    is_played(played, 8.0)
    assert looks(played.pixel, BLUE)
    assert any(text.startswith("YES") for _start, _end, text in played.cues)
    assert changes[0] == pytest.approx(4.2, abs=0.1)  # blue at 4 s, held for 200 ms
    heard = next(at for at, text in played.said if text.startswith("NO"))
    assert heard == pytest.approx(changes[0], abs=0.35)  # browsers look four times a second


def test_browser_plays_a_clip_of_an_event(browser: Browser, kept: dict[str, Path]) -> None:
    played = browser.play(kept["clip"])

    assert played.error is None
    assert played.ended
    assert played.duration == pytest.approx(3.0, abs=1.6)  # 1 s before and after, key frames, slack
    assert looks(played.pixel, BLUE)


def test_browser_plays_a_matroska_recording(browser: Browser, kept: dict[str, Path]) -> None:
    played = browser.play(kept["mkv"])

    is_played(played, 8.0)
    assert looks(played.pixel, BLUE)


def test_browser_plays_a_soft_recording_that_was_killed(
    browser: Browser, tmp_path: Path, tiny_bundle: Path
) -> None:
    clip = write_colours(tmp_path / "a.mp4", [(RED, 60.0)], fps=FPS, size=SIZE)
    camera = asked("gate", clip, pace="realtime", record={"mode": "soft"})
    data = tmp_path / "data"
    with Daemon(config_of(tmp_path, tiny_bundle, [camera])) as daemon:
        wait_until(lambda: any(p.stat().st_size > 2500 for p in data.rglob("*.mp4")), 90)
        daemon.send(signal.SIGKILL)
        daemon.ended()
    (path,) = data.rglob("*.mp4")
    played = browser.play(path, play_s=5)

    assert played.error is None
    assert max(played.at) > 0.3
    assert looks(played.pixel, RED)
