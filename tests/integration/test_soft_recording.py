"""Soft recordings of real streams, as ffprobe and a decoder see them."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from threading import Thread

import av
import numpy as np
import pytest

from edge_daemon.config.load import parse_settings
from edge_daemon.logs import FaultLog
from edge_daemon.metrics import Metrics
from edge_daemon.packets import Packet
from edge_daemon.pipeline.soft import SoftThread
from edge_daemon.recording.beside import Moment, Note
from edge_daemon.recording.ring import PacketRing
from edge_daemon.types import QuestionState, Verdict
from tests.conftest import REPO
from tests.data.make_data import write_clip
from tests.integration.soft import answers, cues, len_and_name, lines, record, recorder, seen
from tests.integration.test_packets import read
from tests.processes import wait_until


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize(("codec", "b_frames"), [("libx264", 0), ("libx264", 2), ("libx265", 2)])
def test_recording_holds_every_picture_in_its_order(
    tmp_path: Path, ending: str, codec: str, b_frames: int
) -> None:
    sink, _frames = read(write_clip(tmp_path / f"a.{ending}", codec=codec, b_frames=b_frames))
    (found,) = record(tmp_path / "kept", sink.packets)
    steps = np.diff([at_s for at_s, _number in found.pictures])

    assert found.numbers == list(range(50))
    assert steps == pytest.approx(0.04, abs=0.002)
    assert found.size == (320, 180)
    if codec == "libx265":
        with av.open(str(found.path)) as file:
            assert file.streams.video[0].codec_context.codec_tag == "hvc1"


@pytest.mark.parametrize("captions", ["vtt", "mkv"])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_captions_stand_at_the_pictures_they_are_about(
    tmp_path: Path, captions: str, b_frames: int
) -> None:
    clip = write_clip(tmp_path / "a.ts", n_frames=150, b_frames=b_frames, gop=50)
    sink, frames = read(clip)
    found = record(
        tmp_path / "kept", sink.packets, answers(frames), segment="2s", captions=captions
    )
    n_looked_at = 0
    for segment in found:
        shown_s = {number: at_s for at_s, number in segment.pictures}
        rows = [json.loads(row) for row in lines(segment.path.with_suffix(".jsonl"))]
        assert [row["at_s"] for row in rows] == pytest.approx(
            [shown_s[row["frame"]] for row in rows], abs=0.0006
        )
        for start_s, _end_s, text in cues(segment.path):
            number = int(text.split()[-1])
            if number in shown_s:
                assert start_s == pytest.approx(shown_s[number], abs=0.0015)
                n_looked_at += 1

    assert [len(segment.pictures) for segment in found] == [50, 50, 50]
    assert n_looked_at >= 28


def test_answers_that_come_late_reach_the_segment_they_are_about(tmp_path: Path) -> None:
    sink, frames = read(write_clip(tmp_path / "a.ts", n_frames=100, gop=25))
    recording = recorder(tmp_path / "kept", segment="1s")
    notes = {
        frame.packet: Note(Moment.of(frame), {"frame": frame.index}, f"{frame.index}")
        for frame in frames
    }
    delayed: list[Note] = []
    for packet in sink.packets:  # each answer comes ten pictures after its own
        recording.write([packet])
        delayed.append(notes[packet.number])
        if len(delayed) > 10:
            assert recording.note(delayed.pop(0))
    recording.close()
    for n, path in enumerate(sorted((tmp_path / "kept").rglob("*.jsonl"), key=len_and_name)):
        rows = [json.loads(row)["frame"] for row in lines(path)]

        assert rows == list(range(25 * n, 25 * n + 25))[: len(rows)]
        assert len(rows) == (25 if n < 3 else 15)
        assert [int(t) for _s, _e, t in cues(path.with_suffix(".mp4"))] == rows


def test_an_answer_two_segments_late_is_left_out(tmp_path: Path) -> None:
    sink, frames = read(write_clip(tmp_path / "a.ts", n_frames=100, gop=25))
    recording = recorder(tmp_path / "kept", segment="1s")
    notes = [Note(Moment.of(frame), {"frame": frame.index}, f"{frame.index}") for frame in frames]
    recording.write(sink.packets[:20])
    assert recording.note(notes[0])
    recording.write(sink.packets[20:])
    for note in notes[1:]:
        assert recording.note(note)
    recording.close()
    paths = sorted((tmp_path / "kept").rglob("*.jsonl"), key=len_and_name)

    assert [[json.loads(row)["frame"] for row in lines(path)] for path in paths] == [
        [0],
        list(range(50, 75)),
        list(range(75, 100)),
    ]


def test_answers_wait_for_their_pictures(tmp_path: Path) -> None:
    sink, frames = read(write_clip(tmp_path / "a.ts"))
    recording = recorder(tmp_path / "kept")
    recording.write(sink.packets[:10])

    assert recording.note(Note(Moment.of(frames[5]), {}, "a"))
    assert not recording.note(Note(Moment.of(frames[20]), {}, "b"))
    recording.close()


def test_answers_that_cannot_be_written_cost_no_picture(tmp_path: Path) -> None:
    sink, frames = read(write_clip(tmp_path / "a.mp4", n_frames=150))
    question = {"id": "person", "ask": "Is there a person?"}
    camera = parse_settings(
        {
            "version": 1,
            "cameras": [
                {
                    "id": "gate",
                    "source": "rtsp://127.0.0.1/gate",
                    "questions": [question],
                    "record": {"mode": "soft", "segment": "1h"},
                }
            ],
        },
        where="test",
    ).cameras[0]
    ring = PacketRing(keep_s=60.0, max_bytes=10**7, live=False)
    thread = SoftThread(
        camera,
        recorder(tmp_path / "kept"),
        ring,
        lambda: pytest.fail("it is not recorded burned"),
        metrics=Metrics(),
        faults=FaultLog(logging.getLogger("test")),
    )
    body = Thread(target=thread.run)
    body.start()
    for packet in sink.packets[:40]:
        ring.put(packet)
    (video,) = wait_until(lambda: list((tmp_path / "kept").rglob("*.mp4")))
    rows = video.with_suffix(".jsonl")
    rows.mkdir()  # in the way of the answers
    said = QuestionState(Verdict.YES, None, 0.9, frames[0].captured_at, None, None)
    for frame in frames[:5]:
        thread.note(frame, {"person": said})
    for packet in sink.packets[40:]:
        ring.put(packet)
    thread.close()
    body.join()
    rows.rmdir()

    assert seen(video).numbers == list(range(150))


def test_stream_that_changes_size_is_cut(tmp_path: Path) -> None:
    parts = [
        write_clip(tmp_path / f"{n}.ts", size=size, n_frames=20, first=20 * n)
        for n, size in enumerate([(320, 180), (640, 360), (320, 180)])
    ]
    both = tmp_path / "both.ts"
    both.write_bytes(b"".join(part.read_bytes() for part in parts))
    found = record(tmp_path / "kept", read(both)[0].packets)

    assert [s.size for s in found] == [(320, 180), (640, 360), (320, 180)]
    assert [n for s in found for n in s.numbers] == list(range(60))


@pytest.mark.parametrize("hours", [-7, -0.01, 0.5, 7, 26])
def test_stream_whose_time_jumps_loses_nothing(tmp_path: Path, hours: float) -> None:
    before = write_clip(tmp_path / "0.ts", n_frames=25, start_pts=25 * 3600 * 8)
    after = write_clip(
        tmp_path / "1.ts", n_frames=25, first=25, start_pts=int(25 * 3600 * (8 + hours))
    )
    both = tmp_path / "both.ts"
    both.write_bytes(before.read_bytes() + after.read_bytes())
    found = record(tmp_path / "kept", read(both)[0].packets)

    assert [n for s in found for n in s.numbers] == list(range(50))
    assert len(found) == (1 if hours == 0.5 else 2)  # half an hour may well pass between pictures


def test_stream_without_times_is_recorded_at_its_rate(tmp_path: Path) -> None:
    (found,) = record(tmp_path / "kept", read(write_clip(tmp_path / "a.h264"))[0].packets)

    assert found.numbers == list(range(50))
    assert [at_s for at_s, _n in found.pictures] == pytest.approx(np.arange(50) / 25, abs=0.001)


def test_stream_that_begins_without_a_key_frame_begins_with_the_next(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "a.ts", gop=20)
    sink, _frames = read(whole)
    (found,) = record(tmp_path / "kept", sink.packets[7:])

    assert found.numbers == list(range(20, 50))


def test_gap_is_followed_by_a_new_segment(tmp_path: Path) -> None:
    sink, _frames = read(write_clip(tmp_path / "a.ts", gop=10))
    recording = recorder(tmp_path / "kept")
    recording.write(sink.packets[:14])
    recording.lose_track()
    recording.write(sink.packets[17:])
    recording.close()
    paths = sorted((tmp_path / "kept").rglob("*.mp4"), key=len_and_name)

    assert [seen(p).numbers for p in paths] == [list(range(14)), list(range(20, 50))]


def test_segments_are_cut_at_whole_multiples_of_wall_clock_time(tmp_path: Path) -> None:
    sink, _frames = read(write_clip(tmp_path / "a.ts", n_frames=200, gop=10))
    start = datetime(2026, 11, 21, 23, 59, 57, tzinfo=timezone.utc).timestamp()
    packets = [at(p, start + p.time_s) for p in sink.packets]
    found = record(tmp_path / "kept", packets, segment="2s", live=True)
    names = [f"{s.path.parent.name}/{s.path.name}" for s in found]

    assert sorted(names) == [
        "2026-11-21/23-59-57Z.mp4",
        "2026-11-21/23-59-58Z.mp4",
        "2026-11-22/00-00-00Z.mp4",
        "2026-11-22/00-00-02Z.mp4",
        "2026-11-22/00-00-04Z.mp4",
    ]
    assert sorted(len(s.pictures) for s in found) == [20, 30, 50, 50, 50]


def at(packet: Packet, unix_s: float) -> Packet:
    return Packet(
        packet.number, packet.epoch, packet.track, packet.pts, packet.dts, packet.duration,
        packet.is_keyframe, packet.mono_s, datetime.fromtimestamp(unix_s, timezone.utc),
        packet.data,
    )  # fmt: skip


def test_an_hour_later_sound_and_captions_still_stand_at_their_pictures(tmp_path: Path) -> None:
    """An hour at the pace of a machine: its packets and answers as they would come."""
    clip = tmp_path / "a.mp4"
    write_clip(clip, n_frames=3600, fps=1, gop=60, size=(64, 36))
    sink, frames = read(clip)
    (found,) = record(tmp_path / "kept", sink.packets, answers(frames, every=100), segment="2h")
    shown_s = {number: at_s for at_s, number in found.pictures}
    told = cues(found.path)

    assert found.pictures[-1] == (3599.0, 3599)
    assert [s for s, _e, _t in told] == pytest.approx(
        [shown_s[int(t.split()[-1])] for _s, _e, t in told], abs=0.001
    )
    assert told[-1][1] == pytest.approx(3600, abs=0.001)


def record_for_ever(root: Path, clip: Path) -> None:
    """Record a clip again and again, segments of 2 s, and tell of each packet written."""
    recording, n = recorder(root, segment="2s"), 0
    while True:
        sink, frames = read(clip)
        by_packet = {frame.packet: frame for frame in frames}
        for packet in sink.packets:
            recording.write([packet])
            n += 1
            frame = by_packet[packet.number]
            recording.note(
                Note(Moment.of(frame), {"frame": frame.index}, f"picture {frame.index // 7}")
            )
            print(n, flush=True)


@pytest.mark.parametrize("killed_after", [20, 45, 105, 181])
def test_recording_survives_sigkill(tmp_path: Path, killed_after: int) -> None:
    clip = write_clip(tmp_path / "a.ts", n_frames=100, gop=25)
    call = [sys.executable, "-m", "tests.integration.test_soft_recording", str(tmp_path / "kept")]
    with subprocess.Popen([*call, str(clip)], cwd=REPO, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        n_written = next(n for n in map(int, child.stdout) if n >= killed_after)
        os.kill(child.pid, signal.SIGKILL)
        n_written = max([n_written, *map(int, child.stdout)])
    found = (tmp_path / "kept").rglob("*.mp4")
    paths = sorted(found, key=lambda path: path.stat().st_mtime_ns)  # names do with time to spare
    *whole, last = [n_pictures(path) for path in paths]

    assert whole == [50] * len(whole)
    assert sum(whole) + last >= n_written - 14  # the open fragment of half a second, and a picture
    assert re.fullmatch(
        r"WEBVTT\n\n(\S+ --> \S+\npicture \d+\n\n)*", paths[-1].with_suffix(".vtt").read_text()
    )
    assert all(json.loads(row) for path in paths for row in lines(path.with_suffix(".jsonl")))


def n_pictures(path: Path) -> int:
    """Return how many can be decoded; none of a file that was just made: it is removed later."""
    if path.stat().st_size < 256:
        return 0
    return len(seen(path).pictures)


if __name__ == "__main__":
    record_for_ever(Path(sys.argv[1]), Path(sys.argv[2]))
