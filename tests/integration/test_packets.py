"""Packets of real files and streams, as recordings get them."""

from __future__ import annotations

import subprocess
import threading
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from edge_daemon.packets import Epoch, Packet
from edge_daemon.sources.files import FileSource
from edge_daemon.types import Frame, SourceAddress
from tests.data.make_data import write_clip
from tests.integration.live_streams import first_frames
from tests.integration.rtsp_server import RtspServer


class Sink:
    """Keeps what it gets."""

    def __init__(self) -> None:
        self.packets: list[Packet] = []
        self.unfit_codec: str | None = None

    def put(self, packet: Packet) -> None:
        self.packets.append(packet)

    def unfit(self, codec: str) -> None:
        self.unfit_codec = codec

    def epochs(self) -> list[Epoch]:
        return list(dict.fromkeys(packet.epoch for packet in self.packets))

    def video(self) -> list[Packet]:
        return [packet for packet in self.packets if packet.is_video]


def read(path: Path, **more: Any) -> tuple[Sink, list[Frame]]:
    sink = Sink()
    source = FileSource(
        camera="gate",
        address=SourceAddress(str(path)),
        stop=threading.Event(),
        sink=sink,
        **more,
    )
    with source as opened:
        return sink, list(opened)


def ffmpeg(args: str, to: Path) -> None:
    call = ["ffmpeg", "-v", "error", "-y", *args.split(), str(to)]
    subprocess.run(call, check=True, stdin=subprocess.DEVNULL)


def assert_fit_for_a_file(packets: list[Packet]) -> None:
    """What packets.py promises of them."""
    last: dict[tuple[int, int], int] = {}
    known: set[int] = set()
    for packet in packets:
        if packet.epoch.id not in known:
            known.add(packet.epoch.id)
            assert packet.is_keyframe
            assert packet.pts == 0
        place = packet.epoch.id, packet.track
        assert packet.pts >= packet.dts
        assert place not in last or packet.dts > last[place]
        last[place] = packet.dts
    assert [p.number for p in packets] == sorted({p.number for p in packets})
    assert [p.epoch.id for p in packets] == sorted(p.epoch.id for p in packets)


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts", "h264"])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_every_frame_names_the_packet_that_holds_it(
    tmp_path: Path, ending: str, b_frames: int
) -> None:
    clip = write_clip(tmp_path / f"clip.{ending}", b_frames=b_frames)
    sink, frames = read(clip)
    by_number = {p.number: p for p in sink.packets}
    shown_s = [by_number[f.packet or 0].time_s for f in frames]

    assert len(frames) == len(sink.packets) == 50
    assert_fit_for_a_file(sink.packets)
    assert len(sink.epochs()) == 1
    if (ending, b_frames) != ("h264", 2):  # which has no times to tell their order
        assert shown_s == pytest.approx([f.pts_s for f in frames], abs=0.002)


def test_sound_comes_along_and_keeps_its_distance_to_the_pictures(tmp_path: Path) -> None:
    for ending in ("mp4", "mkv", "ts"):
        clip = tmp_path / f"clip.{ending}"
        ffmpeg(
            "-f lavfi -i testsrc2=s=320x180:r=25:d=3 -f lavfi -i sine=d=3"
            " -c:v libx264 -g 25 -bf 0 -c:a aac",
            clip,
        )
        sink, _frames = read(clip)
        sound = [p for p in sink.packets if not p.is_video]

        assert_fit_for_a_file(sink.packets)
        assert sink.epochs()[-1].tracks[1].codec == "aac"
        assert sink.epochs()[-1].tracks[1].extradata[:2].hex() == "1208"  # LC, 44.1 kHz, mono
        assert 110 < len(sound) <= 131
        assert sound[-1].time_s == pytest.approx(3, abs=0.1)
        assert not any(p.data.startswith(b"\xff\xf1") for p in sound)


def test_new_parameters_begin_an_epoch(tmp_path: Path) -> None:
    parts = [
        write_clip(tmp_path / f"{n}.ts", size=size, n_frames=20)
        for n, size in enumerate([(320, 180), (640, 360), (320, 180)])
    ]
    both = tmp_path / "both.ts"
    both.write_bytes(b"".join(part.read_bytes() for part in parts))
    sink, frames = read(both)
    sizes = [(e.tracks[0].width, e.tracks[0].height) for e in sink.epochs()]

    assert sizes == [(320, 180), (640, 360), (320, 180)]
    assert len({e.tracks[0].extradata for e in sink.epochs()}) == 2
    assert_fit_for_a_file(sink.packets)
    assert len(frames) == 60


def test_a_jump_of_time_is_bridged_until_the_next_key_frame(tmp_path: Path) -> None:
    early = write_clip(tmp_path / "0.ts", n_frames=25, start_pts=25 * 7200)
    late = write_clip(tmp_path / "1.ts", n_frames=25)  # two hours back, in the middle of its life
    both = tmp_path / "both.ts"
    both.write_bytes(early.read_bytes() + late.read_bytes())
    sink, _frames = read(both)

    assert_fit_for_a_file(sink.packets)
    assert [len([p for p in sink.packets if p.epoch is e]) for e in sink.epochs()] == [25, 25]


def test_what_comes_before_the_first_key_frame_is_left_out(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "clip.h264", gop=20)
    cut = tmp_path / "cut.h264"
    content = whole.read_bytes()
    cut.write_bytes(content[content.index(b"\0\0\0\1", 2000) :])
    sink, _frames = read(cut)

    assert 0 < len(sink.packets) < 45
    assert_fit_for_a_file(sink.packets)


def test_epochs_of_one_file_after_the_other_differ(tmp_path: Path) -> None:
    for n in range(2):
        write_clip(tmp_path / f"clip{n}.mp4")
    sink, frames = read(tmp_path / "clip*.mp4")

    assert len(sink.epochs()) == 2
    assert len({frame.packet for frame in frames}) == 100
    assert_fit_for_a_file(sink.packets)


def test_live_sound_comes_along_with_the_pictures(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mkv"
    ffmpeg(
        "-f lavfi -i testsrc2=s=320x180:r=25:d=4 -f lavfi -i sine=r=8000:d=4"
        " -c:v libx264 -preset ultrafast -g 25 -bf 0 -c:a pcm_alaw",
        clip,
    )
    sink = Sink()
    with RtspServer({"gate": clip}) as server:
        frames = first_frames(server.url("gate"), 90, sink=sink)
    longest = max(sink.epochs(), key=lambda e: sum(p.epoch is e for p in sink.packets))
    held = [p for p in sink.packets if p.epoch is longest]
    pictures = [p.time_s for p in held if p.is_video]
    sound = [p.time_s for p in held if not p.is_video]

    assert_fit_for_a_file(sink.packets)
    assert [track.codec for track in longest.tracks] == ["h264", "pcm_alaw"]
    assert len(sink.epochs()) <= 2  # sender reports put sound and pictures on one clock
    assert sound[-1] == pytest.approx(pictures[-1], abs=0.3)
    assert len(sound) == pytest.approx(len(pictures), abs=8)
    assert [p.number for p in sink.video()][: len(frames)] == [f.packet for f in frames]


def test_mjpeg_is_told_to_be_unfit(tmp_path: Path) -> None:
    sink, frames = read(write_clip(tmp_path / "a.avi", codec="mjpeg", pix_fmt="yuvj420p"))

    assert (sink.unfit_codec, sink.packets) == ("mjpeg", [])
    assert frames[0].packet is None


def test_a_codec_that_nothing_here_writes_is_told_to_be_unfit(tmp_path: Path) -> None:
    clip = tmp_path / "a.ogv"
    ffmpeg("-f lavfi -i testsrc2=s=320x180:r=25:d=1 -c:v libtheora", clip)
    sink, frames = read(clip)

    assert (sink.unfit_codec, sink.packets) == ("theora", [])
    assert len(frames) == 25


def test_packets_come_whole_where_only_key_frames_are_decoded(tmp_path: Path) -> None:
    sink, frames = read(write_clip(tmp_path / "clip.mp4", b_frames=2), keyframes_only=True)

    assert len(sink.packets) == 50
    assert {f.packet for f in frames} == {p.number for p in sink.packets if p.is_keyframe}
    assert sink.packets[0].epoch.tracks[0].time_base == Fraction(1, 12800)
