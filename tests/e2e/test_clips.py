"""Clips around events, as a player sees them."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from tests.data.colours import BLUE, GREY, RED, lined, write_colours
from tests.e2e.conftest import MakeConfig
from tests.e2e.daemon import Daemon, Subscriber, write_config
from tests.faults.cameras import CameraProcess
from tests.processes import wait_until

PARTS = [(GREY, 3.5), (RED, 2.0), (GREY, 8.0), (RED, 1.5), (GREY, 1.0), (RED, 3.0), (GREY, 6.0)]
Events = list[dict[str, Any]]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_colours(tmp_path / "clip.mp4", PARTS)


def run(tmp_path: Path, config: dict[str, Any]) -> Daemon:
    with Daemon(write_config(tmp_path / "config.yaml", config)) as daemon:
        assert daemon.ended() == 0, daemon.log.read_text()
    return daemon


def of_red(subscriber: Subscriber) -> Events:
    subscriber.wait(lambda s: s.last("box/status") == b"offline")
    return subscriber.events("red")


def shown(path: Path) -> str:
    """Return what a clip shows, a letter a picture; anything FFmpeg complains about is a fault."""
    call = ["ffmpeg", "-v", "warning", "-xerror", "-i", str(path), "-f", "null", "-"]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    with av.open(str(path)) as file:
        first = next(file.demux(video=0))
        assert first.is_keyframe
        file.seek(0)
        means = [f.to_ndarray(format="rgb24").mean((0, 1)) for f in file.decode(video=0)]
    colours = np.array([RED, BLUE, GREY])
    return "".join("rbg"[np.abs(colours - mean).sum(1).argmin()] for mean in means)


def below(path: Path) -> str:
    """The same of the lower half alone, where no panel is drawn."""
    with av.open(str(path)) as file:
        pictures = [f.to_ndarray(format="rgb24") for f in file.decode(video=0)]
    means = [p[round(len(p) * 0.7) :].mean((0, 1)) for p in pictures]
    colours = np.array([RED, BLUE, GREY])
    return "".join("rbg"[np.abs(colours - mean).sum(1).argmin()] for mean in means)


def boxes(path: Path) -> list[bytes]:
    """Return the kinds of an MP4's top-level boxes: finished ones end with the index."""
    content, found, at = path.read_bytes(), [], 0
    while at + 8 <= len(content):
        found.append(content[at + 4 : at + 8])
        at += max(int.from_bytes(content[at : at + 4], "big"), 8)
    return found


def letters(*parts: tuple[str, float]) -> str:
    return "".join(letter * round(seconds * 10) for letter, seconds in parts)


@pytest.mark.parametrize("mode", ["off", "soft", "burned"])
def test_clip_shows_what_came_before_an_event_and_after_it(
    tmp_path: Path, clip: Path, make_config: MakeConfig, subscriber: Subscriber, mode: str
) -> None:
    record = {"mode": mode, "clips": {"before": "2s", "after": "3s"}}
    run(tmp_path, make_config(str(clip), record=record))
    yes, no, again, gone, last, end, _lost = of_red(subscriber)[1:]
    paths = [tmp_path / "data" / path for path in dict.fromkeys(
        e["clip"] for e in (yes, no, again, gone, last, end) if e["clip"])]  # fmt: skip

    assert (yes["pts_s"], again["pts_s"], last["pts_s"]) == (4.0, 14.0, 16.5)
    assert no["clip"] == yes["clip"]
    assert again["clip"] == gone["clip"] == last["clip"] == end["clip"] != yes["clip"]
    assert sorted((tmp_path / "data" / "clips").rglob("*.mp4")) == sorted(paths)
    assert shown(paths[0]) == letters(("g", 1.5), ("r", 2.0), ("g", 2.6))
    assert shown(paths[1]) == letters(("g", 2.0), ("r", 1.5), ("g", 1.0), ("r", 3.0), ("g", 1.6))


def test_clip_has_the_sound_that_most_cameras_send(
    tmp_path: Path, clip: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    heard = tmp_path / "heard.mov"
    call = ["ffmpeg", "-v", "error", "-i", str(clip), "-f", "lavfi", "-i", "sine=r=8000:d=25",
            "-c:v", "copy", "-c:a", "pcm_alaw", "-shortest", str(heard)]  # fmt: skip
    subprocess.run(call, check=True)
    run(tmp_path, make_config(str(heard), record={"clips": {"before": "2s", "after": "3s"}}))
    found = sorted({e["clip"] for e in of_red(subscriber) if e["clip"]})

    assert len(found) == 2
    for path in (tmp_path / "data" / name for name in found):
        pictures = shown(path)
        with av.open(str(path)) as file:
            sound = file.streams.audio[0]
            assert sound.codec_context.name == "aac"
            loud = [f for f in file.decode(sound) if np.abs(f.to_ndarray()).mean() > 0.01]
            heard_s = sum(f.samples for f in loud) / sound.codec_context.sample_rate
        assert heard_s == pytest.approx(len(pictures) / 10, abs=0.3)


def test_clip_of_a_masked_camera_is_cut_from_its_burned_recording_over_its_segments(
    tmp_path: Path, clip: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    record = {"mode": "burned", "segment": "3s", "clips": {"before": "2s", "after": "3s"}}
    masks = [[[0.9, 0.9], [1.0, 0.9], [1.0, 1.0]]]
    run(tmp_path, make_config(str(clip), privacy_masks=masks, record=record))
    paths = [tmp_path / "data" / path for path in dict.fromkeys(
        e["clip"] for e in of_red(subscriber) if e["clip"])]  # fmt: skip

    assert [below(path) for path in paths] == [  # key frames at 1.1 s and 12.0 s
        letters(("g", 2.4), ("r", 2.0), ("g", 2.6)),
        letters(("g", 1.5), ("r", 1.5), ("g", 1.0), ("r", 3.0), ("g", 1.6)),
    ]


def test_clip_of_pictures_is_cut_from_their_burned_recording(
    tmp_path: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    for n, colour in enumerate([GREY] * 5 + [RED] * 2 + [GREY] * 9):
        rgb = lined(colour, size=(320, 180))
        assert cv2.imwrite(str(tmp_path / f"{n:02}.png"), rgb[:, :, ::-1])
    record = {"mode": "burned", "clips": {"before": "2s", "after": "3s"}}
    run(tmp_path, make_config(str(tmp_path / "*.png"), record=record))
    (path,) = {e["clip"] for e in of_red(subscriber) if e["clip"]}

    assert below(tmp_path / "data" / path) == "grrgggg"  # it is said with the second red one


def test_clip_at_the_ends_of_a_file_is_what_there_is(
    tmp_path: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    clip = write_colours(tmp_path / "short.mp4", [(RED, 1.5), (GREY, 0.5)])
    run(tmp_path, make_config(str(clip), record={"clips": {"before": "30s", "after": "30s"}}))
    (yes, *_others) = of_red(subscriber)

    assert yes["verdict"] == "YES"
    assert shown(tmp_path / "data" / yes["clip"]) == letters(("r", 1.5), ("g", 0.5))


def test_clip_plays_after_a_kill(
    tmp_path: Path, clip: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    config = make_config(str(clip), pace="realtime", record={"clips": {"after": "30s"}})
    with Daemon(write_config(tmp_path / "config.yaml", config)) as daemon:
        (yes,) = subscriber.wait(lambda s: [e for e in s.events("red") if e["clip"]])[:1]
        path = tmp_path / "data" / yes["clip"]
        wait_until(lambda: path.exists() and path.stat().st_size > 5000)
        daemon.send(signal.SIGKILL)
        daemon.ended()

    assert shown(path).startswith("g" * 35 + "r" * 5)


def test_a_file_run_twice_names_the_same_clips(
    tmp_path: Path, clip: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    runs = []
    for n in (1, 2):
        config = make_config(str(clip), record={"clips": {"before": "1s", "after": "2s"}})
        run(tmp_path, {**config, "data_dir": str(tmp_path / f"data{n}")})
        subscriber.wait(lambda s, n=n: len(s.events()) == 10 * n)
        named: dict[str | None, int] = {None: 0}
        heard = subscriber.events()[-10:]
        runs.append([(e["question"], e["seq"], named.setdefault(e["clip"], len(named)))
                     for e in heard])  # fmt: skip

    assert runs[0] == runs[1]
    assert {n for _, _, n in runs[0]} == {0, 1, 2}


@pytest.mark.parametrize("masks", [[], [[[0.9, 0.9], [1.0, 0.9], [1.0, 1.0]]]])
def test_clip_of_a_live_camera_is_whole_when_its_post_roll_is_over(
    tmp_path: Path, make_config: MakeConfig, subscriber: Subscriber, masks: list[object]
) -> None:
    clip = write_colours(tmp_path / "clip.mp4", [(GREY, 6.0), (RED, 3.0)])
    record = {"mode": "burned" if masks else "off", "clips": {"before": "2s", "after": "1s"}}
    with CameraProcess(clip) as camera:
        config = make_config(camera.url, privacy_masks=masks, record=record)
        with Daemon(write_config(tmp_path / "config.yaml", config)) as daemon:
            (yes,) = subscriber.wait(lambda s: [e for e in s.events("red") if e["clip"]][:1], 60)
            path = tmp_path / "data" / yes["clip"]
            wait_until(lambda: path.exists() and boxes(path)[-2:] == [b"mdat", b"moov"], 30)
            found = below(path) if masks else shown(path)
            daemon.send(signal.SIGTERM)
            assert daemon.ended() == 0

    assert yes["verdict"] == "YES"
    assert (tmp_path / "data" / yes["snapshot"]).exists()
    before, during = found.index("r"), found.count("r")
    assert before >= 12  # 2 s and a key frame, less the half second that the answer was held
    assert during >= 12  # the hold, post-roll and a little


def test_camera_that_sends_mjpeg_gets_no_clip_and_a_line(
    tmp_path: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    clip = tmp_path / "clip.avi"
    source = write_colours(tmp_path / "clip.mp4", [(GREY, 1.5), (RED, 2.0)])
    call = ["ffmpeg", "-v", "error", "-i", str(source), "-c:v", "mjpeg", "-q:v", "2", str(clip)]
    subprocess.run(call, check=True)
    daemon = run(tmp_path, make_config(str(clip), record={"clips": {}}))

    assert {e["clip"] for e in of_red(subscriber)} == {None}
    assert daemon.said("sends mjpeg, of which no clip can be cut")
