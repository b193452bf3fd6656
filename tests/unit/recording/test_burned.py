from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_daemon.config.record import RecordConfig
from edge_daemon.errors import RecordingError, StorageFullError
from edge_daemon.recording.beside import Moment, Note
from edge_daemon.recording.burned import BurnedRecorder
from edge_daemon.recording.retention import Archive
from edge_daemon.types import Frame, QuestionState

START = datetime(2026, 11, 20, 22, 54, 58, tzinfo=timezone.utc)


class Plain:
    """A picture of one grey, or of noise."""

    def __init__(self, width: int, height: int, level: int | None = 90) -> None:
        self.width, self.height, self._level = width, height, level

    def rgb(self) -> NDArray[np.uint8]:
        shape = (self.height, self.width, 3)
        if self._level is None:
            return np.random.default_rng().integers(0, 256, shape, np.uint8)
        return np.full(shape, self._level, np.uint8)

    def resized(self, width: int, height: int) -> NDArray[np.uint8]:
        raise AssertionError("a recording is of full size")


class Stamp:
    """Paints all white and remembers when."""

    def __init__(self) -> None:
        self.whens: list[datetime | float] = []

    def draw(
        self,
        rgb: NDArray[np.uint8],
        states: Mapping[str, QuestionState],
        when: datetime | float,
    ) -> None:
        self.whens.append(when)
        rgb[:] = 255


def frames(n: int, picture: Plain | None = None, start: int = 0, fps: int = 25) -> list[Frame]:
    return [
        Frame(
            camera="gate",
            index=k,
            pts_s=k / fps,
            mono_s=k / fps,
            captured_at=START + timedelta(seconds=k / fps),
            picture=picture or Plain(64, 48),
        )
        for k in range(start, start + n)
    ]


def settings(**record: object) -> RecordConfig:
    return RecordConfig.model_validate({"mode": "burned", "segment": "60s", **record})


def recorder(
    root: Path, painter: Stamp | None = None, *, live: bool = True, **record: object
) -> BurnedRecorder:
    return BurnedRecorder("gate", Archive(root), settings(**record), painter or Stamp(), live=live)


def record(to: BurnedRecorder, what: list[Frame]) -> None:
    for frame in what:
        to.write(frame, {})
    to.close()


def n_frames(path: Path) -> int:
    with av.open(str(path)) as video:
        return sum(1 for _ in video.decode(video=0))


def recorded(root: Path) -> dict[str, int]:
    """Name and number of frames of each segment."""
    return {
        p.relative_to(root / "gate").as_posix(): n_frames(p) for p in sorted(root.rglob("*.mp4"))
    }


def test_recorder_names_segments_by_time_and_cuts_on_the_minute(tmp_path: Path) -> None:
    record(recorder(tmp_path), frames(100))

    assert recorded(tmp_path) == {
        "2026-11-20/22-54-58Z.mp4": 50,
        "2026-11-20/22-55-00Z.mp4": 50,
    }


def test_recorder_of_a_file_cuts_by_stream_time(tmp_path: Path) -> None:
    record(recorder(tmp_path, live=False, segment="2s"), frames(110))

    assert list(recorded(tmp_path).values()) == [50, 50, 10]


@pytest.mark.parametrize("live", [True, False])
def test_recorder_draws_clock_time_live_and_stream_time_of_files(
    tmp_path: Path, live: bool
) -> None:
    stamp = Stamp()
    record(recorder(tmp_path, stamp, live=live), frames(3))

    assert stamp.whens == [f.captured_at if live else f.pts_s for f in frames(3)]


def test_recorder_keeps_what_was_drawn(tmp_path: Path) -> None:
    record(recorder(tmp_path), frames(3))
    (path,) = tmp_path.rglob("*.mp4")
    with av.open(str(path)) as video:
        pictures = [f.to_ndarray(format="rgb24") for f in video.decode(video=0)]

    assert min(p.min() for p in pictures) > 245


def test_recorder_begins_a_segment_when_pictures_change_their_size(tmp_path: Path) -> None:
    record(recorder(tmp_path), [*frames(5), *frames(7, Plain(96, 64), start=5)])

    assert sorted(recorded(tmp_path).values()) == [5, 7]


def test_recorder_begins_a_segment_when_stream_time_starts_again(tmp_path: Path) -> None:
    record(recorder(tmp_path), [*frames(5), *frames(7)])

    assert sorted(recorded(tmp_path).values()) == [5, 7]


class Noise(Stamp):
    """Leaves the picture as it is."""

    def draw(self, rgb: NDArray[np.uint8], states: object, when: object) -> None:
        pass


def test_recorder_never_takes_more_than_its_size(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    most = 6_000_000
    recording = BurnedRecorder("gate", archive, settings(max_size="6MB"), Noise(), live=False)
    sizes = []
    for frame in frames(110, Plain(320, 240, None), fps=10):
        recording.write(frame, {})
        sizes.append(archive.size_bytes("gate"))
    recording.close()

    assert max(sizes) <= most
    assert max(sizes) > most / 2
    assert len(recorded(tmp_path)) >= 2


def test_recorder_refuses_frames_while_the_disk_is_full_and_goes_on_later(tmp_path: Path) -> None:
    (tmp_path / "gate").write_text("in the way")
    recording = recorder(tmp_path)
    first, *rest = frames(500)
    with pytest.raises(RecordingError, match="a file is in the way"):
        recording.write(first, {})
    (tmp_path / "gate").unlink()
    for frame in rest[:249]:
        with pytest.raises(RecordingError, match="a file is in the way"):
            recording.write(frame, {})
    record(recording, rest[249:])

    assert rest[249].mono_s == 10.0
    assert sum(recorded(tmp_path).values()) == 250


def test_recorder_keeps_what_was_written_before_the_disk_filled(tmp_path: Path) -> None:
    free = [10_000_000] * 4 + [0] * 100

    class Usage:
        total, free = 20_000_000, 0

    def disk(_root: Path) -> Usage:
        usage = Usage()
        usage.free = free.pop(0)
        return usage

    recording = BurnedRecorder("gate", Archive(tmp_path, disk), settings(), Stamp(), live=False)
    with pytest.raises(StorageFullError):
        record(recording, frames(200))
    recording.close()

    assert list(recorded(tmp_path).values()) == [75]


class Sized(Plain):
    """A picture that can be had smaller."""

    def resized(self, width: int, height: int) -> NDArray[np.uint8]:
        return np.full((height, width, 3), 90, np.uint8)


def times_and_size(path: Path) -> tuple[list[float], tuple[int, int]]:
    with av.open(str(path)) as video:
        found = list(video.decode(video=0))
        return [float(f.time) for f in found], (found[0].width, found[0].height)


@pytest.mark.parametrize(("fps", "n"), [(5, 20), (10, 40), (25, 100), (100, 100)])
def test_recorder_keeps_a_reduced_rate(tmp_path: Path, fps: float, n: int) -> None:
    record(recorder(tmp_path, live=False, burned={"fps": fps}), frames(100))
    (path,) = tmp_path.rglob("*.mp4")
    times, _size = times_and_size(path)

    assert len(times) == n
    assert np.abs(np.diff(times) - 1 / min(fps, 25)).max() <= 0.021  # each a camera's own picture


@pytest.mark.parametrize(
    ("size", "height", "kept"),
    [
        ((192, 108), 64, (114, 64)),
        ((108, 192), 64, (36, 64)),
        ((192, 108), 108, (192, 108)),
        ((192, 108), 720, (192, 108)),
        ((192, 108), 65, (116, 64)),
    ],
)
def test_recorder_scales_large_pictures_down(
    tmp_path: Path, size: tuple[int, int], height: int, kept: tuple[int, int]
) -> None:
    record(recorder(tmp_path, live=False, burned={"height": height}), frames(3, Sized(*size)))
    (path,) = tmp_path.rglob("*.mp4")

    assert times_and_size(path)[1] == kept


def test_recorder_refuses_frames_while_its_encoder_does_not_work(tmp_path: Path) -> None:
    recording = recorder(tmp_path, encoder="v4l2m2m")
    with pytest.raises(RecordingError, match=r"record.encoder v4l2m2m: does not work here.*auto"):
        recording.write(frames(1)[0], {})
    recording.close()

    assert list(tmp_path.rglob("*.mp4")) == []


def test_recorder_without_frames_makes_no_file(tmp_path: Path) -> None:
    recorder(tmp_path).close()

    assert list(tmp_path.rglob("*")) == []


def test_answers_are_written_beside_the_segment_of_their_frame(tmp_path: Path) -> None:
    recording = recorder(tmp_path, segment="2s")
    shot = frames(100)
    for n, frame in enumerate(shot):
        assert (
            recording.note(Note(Moment.of(frame), {"frame": n}, "")) is False
        )  # it is still to come
        recording.write(frame, {})
        if n >= 10:
            assert recording.note(
                Note(Moment.of(shot[n - 10]), {"frame": n - 10}, "")
            )  # late by ten frames
    recording.close()
    found = {
        path.stem: [json.loads(row) for row in path.read_text().splitlines()]
        for path in sorted(tmp_path.rglob("*.jsonl"))
    }

    assert [[row["frame"] for row in rows] for rows in found.values()] == [
        list(range(50)),
        list(range(50, 90)),
    ]
    assert [row["at_s"] for row in found["22-55-00Z"]] == [round(k / 25, 3) for k in range(40)]
    assert sorted(p.stem for p in tmp_path.rglob("*.mp4")) == sorted(found)
