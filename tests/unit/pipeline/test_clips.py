from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge_daemon.config.load import parse_settings
from edge_daemon.logs import FaultLog
from edge_daemon.metrics import Metrics
from edge_daemon.packets import Epoch
from edge_daemon.pipeline.clips import Clips
from edge_daemon.recording.retention import Archive
from edge_daemon.recording.ring import PacketRing
from edge_daemon.types import Event, Verdict
from tests.unit.pipeline.conftest import MakeFrame
from tests.unit.recording.test_ring import TRACK, packets, put_all
from tests.unit.recording.test_shelves import event


def clips_of(tmp_path: Path, ring: PacketRing, **settings: Any) -> Clips:
    camera = {
        "id": "gate",
        "source": "rtsp://host/1",
        "questions": [{"id": "dog", "ask": "Is there a dog?"}],
        "record": {"clips": {"before": "2s", "after": "3s", **settings}},
    }
    (parsed,) = parse_settings({"version": 1, "cameras": [camera]}, where="test").cameras
    assert parsed.record.clips is not None
    return Clips(
        parsed,
        parsed.record.clips,
        ring,
        Archive(tmp_path / "recordings"),
        metrics=Metrics(),
        faults=FaultLog(logging.getLogger("test")),
    )


@pytest.fixture
def ring() -> PacketRing:
    ring = PacketRing(keep_s=10.0, max_bytes=10**9, live=True)
    put_all(ring, packets(100))
    return ring


def says(verdict: Verdict) -> Event:
    found = event()
    object.__setattr__(found, "verdict", verdict)
    return found


YES, NO = says(Verdict.YES), says(Verdict.NO)


def test_event_names_the_clip_that_begins_with_it(tmp_path: Path, ring: PacketRing) -> None:
    found = clips_of(tmp_path, ring).link(YES, 4.0, None)

    assert found == f"clips/gate/2026-11-20/12-00-00Z-dog-YES-{YES.id}.mp4"


def test_events_that_touch_share_a_clip(tmp_path: Path, ring: PacketRing) -> None:
    clips = clips_of(tmp_path, ring)
    first = clips.link(YES, 4.0, None)
    shared = [clips.link(event(n), at_s, None) for n, at_s in enumerate((6.9, 10.5, 13.0), 1)]

    assert shared == [first] * 3
    assert clips.link(event(9), 17.1, None) not in (first, None)


def test_an_event_that_wants_no_clip_names_the_one_it_is_in(
    tmp_path: Path, ring: PacketRing
) -> None:
    clips = clips_of(tmp_path, ring)

    assert clips.link(NO, 3.0, None) is None
    first = clips.link(YES, 4.0, None)
    assert clips.link(NO, 6.0, None) == first
    assert clips.link(NO, 8.5, None) is None  # did not prolong it


def test_verdicts_that_want_clips_are_configured(tmp_path: Path, ring: PacketRing) -> None:
    clips = clips_of(tmp_path, ring, on=["NO"])

    assert clips.link(YES, 3.0, None) is None
    assert clips.link(NO, 4.0, None) is not None


def test_clip_does_not_reach_into_another_epoch(
    tmp_path: Path, ring: PacketRing, frame: MakeFrame
) -> None:
    clips = clips_of(tmp_path, ring)
    first = clips.link(YES, 4.0, None)
    other = packets(50, epoch=Epoch(2, (TRACK,)))
    put_all(ring, other)
    later = replace(frame(), packet=other[10].number)

    assert clips.link(event(1), 5.0, later) not in (first, None)


def test_a_flapping_question_makes_clips_of_five_minutes(tmp_path: Path, ring: PacketRing) -> None:
    clips = clips_of(tmp_path, ring)
    found = [clips.link(event(n), 2.0 * n, None) for n in range(400)]

    assert len(set(found)) == 3
    assert found.index(found[160]) == 151


def test_more_clips_than_can_wait_are_not_promised(tmp_path: Path, ring: PacketRing) -> None:
    clips = clips_of(tmp_path, ring)
    found = [clips.link(event(n), 10.0 * n, None) for n in range(6)]

    assert [path is not None for path in found] == [True] * 4 + [False] * 2
    assert clips.is_busy


def test_camera_without_packets_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ring = PacketRing(keep_s=1.0, max_bytes=1, live=True)
    ring.unfit("mjpeg")
    clips = clips_of(tmp_path, ring)

    assert [clips.link(YES, float(n), None) for n in range(3)] == [None] * 3
    assert caplog.messages == [
        "camera gate: sends mjpeg, of which no clip can be cut -- set its stream to H.264 or"
        " H.265, or take record.clips away"
    ]


def test_clip_that_cannot_be_written_is_told_and_the_next_one_tried(
    tmp_path: Path, ring: PacketRing, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "recordings").mkdir()
    (tmp_path / "clips").write_text("a file is in the way")
    clips = clips_of(tmp_path, ring)
    for n in (1, 2):
        clips.link(event(n), 20.0 * n, None)
    ring.close()
    clips.end()
    clips.run()

    assert not clips.is_busy
    assert caplog.messages == [
        "clips of gate: File exists -- a file is in the way: choose another place"
    ]
