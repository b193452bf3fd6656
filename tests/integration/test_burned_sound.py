"""The sound of burned recordings, beside pictures that were encoded anew."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from shutil import copy

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_daemon.config.record import RecordConfig
from edge_daemon.recording.burned import BurnedRecorder
from edge_daemon.recording.hearing import Hearing
from edge_daemon.recording.retention import Archive
from edge_daemon.sources.files import FileSource
from edge_daemon.types import QuestionState, SourceAddress
from tests.data.flashes import beeps, flashes, write_flashes, write_flashes_by_ffmpeg
from tests.integration.test_packets import ffmpeg


class Unpainted:
    def draw(
        self,
        rgb: NDArray[np.uint8],
        states: Mapping[str, QuestionState],
        when: datetime | float,
    ) -> None:
        pass


def record(root: Path, clip: Path, copy_at: int | None = None, **settings: object) -> list[Path]:
    """Record a clip burned and return the segments in their order.

    At the frame copy_at the segment that grows is copied to copy.mp4, which is the last then.
    """
    hearing = Hearing()
    config = RecordConfig.model_validate({"mode": "burned", **settings})
    recorder = BurnedRecorder(
        "gate", Archive(root), config, Unpainted(), live=False, hearing=hearing
    )
    address, stop = SourceAddress(str(clip)), threading.Event()
    with FileSource(camera="gate", address=address, stop=stop, sink=hearing) as source:
        for n, frame in enumerate(source):
            recorder.write(frame, {})
            if n == copy_at:
                (growing,) = root.rglob("*.mp4")
                copy(growing, root / "copy.mp4")
    recorder.close()
    found = sorted((root / "gate").rglob("*.mp4"), key=lambda path: path.stat().st_mtime_ns)
    return [*found, *root.glob("copy.mp4")]


@pytest.mark.parametrize(
    ("name", "sound", "rate", "later_s"),
    [
        ("a.mp4", "aac", 48_000, 0.0),
        ("a.mov", "pcm_alaw", 8_000, 0.0),
        ("a.ts", "aac", 48_000, 7.3),
        ("a.mkv", "libopus", 48_000, 0.0),
    ],
)
@pytest.mark.parametrize("fps", [None, 5])
def test_burned_recordings_keep_sound_in_step_in_each_segment(
    tmp_path: Path, name: str, sound: str, rate: int, later_s: float, fps: int | None
) -> None:
    clip = write_flashes(
        tmp_path / name, seconds=13.0, sound=sound, sound_rate=rate, later_s=later_s
    )
    segments = record(tmp_path / "kept", clip, segment="6s", burned={"fps": fps})
    begun = np.array(beeps(clip)) - np.array(flashes(clip))
    apart = [np.array(beeps(path)) - np.array(flashes(path)) for path in segments]

    assert [len(a) for a in apart] == [3, 3, 0]
    assert np.abs(np.concatenate(apart) - begun).max() < 0.025  # AAC answers to 21 ms at once
    for path in segments[:2]:
        heard = times(path, "audio")
        assert heard[0] < 0.15
        assert heard[-1] == pytest.approx(6.0, abs=0.15)


@pytest.mark.parametrize(("sound", "rate"), [("g722", 16_000), ("g726", 8_000)])
def test_burned_recordings_keep_sound_that_no_file_would_hold(
    tmp_path: Path, sound: str, rate: int
) -> None:
    clip = write_flashes_by_ffmpeg(tmp_path / "a.mkv", sound=sound, sound_rate=rate, seconds=7.0)
    (found,) = record(tmp_path / "kept", clip)
    begun = np.array(beeps(clip)) - np.array(flashes(clip))
    apart = np.array(beeps(found)) - np.array(flashes(found))

    assert len(apart) == 3
    assert np.abs(apart - begun).max() < 0.025  # AAC answers to 21 ms at once


def test_sound_that_ceases_holds_no_picture_back(tmp_path: Path) -> None:
    clip = tmp_path / "a.mkv"
    ffmpeg(
        "-f lavfi -i testsrc2=s=320x180:r=10:d=6 -f lavfi -i sine=r=48000:d=2"
        " -c:v libx264 -preset ultrafast -bf 0 -g 10 -c:a aac",
        clip,
    )
    found, growing = record(tmp_path / "kept", clip, copy_at=55)

    assert len(times(growing, "video")) >= 40  # the open fragment of a second, and one in x264
    assert len(times(found, "video")) == 60
    assert times(found, "audio")[-1] == pytest.approx(2.0, abs=0.1)


def times(path: Path, kind: str) -> list[float]:
    with av.open(str(path)) as file:
        (stream,) = file.streams.get({kind: 0})
        return [float(p.pts * p.time_base) for p in file.demux(stream) if p.size]
