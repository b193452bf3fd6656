"""The sound of soft recordings: as it came where the file holds it, else as AAC."""

from __future__ import annotations

import logging
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.data.flashes import beeps, flashes, write_flashes, write_flashes_by_ffmpeg
from tests.integration.live_streams import first_frames, write_sounding
from tests.integration.rtsp_server import RtspServer
from tests.integration.soft import record
from tests.integration.test_packets import Sink, ffmpeg, read

RATES = {"pcm_alaw": 8000, "pcm_mulaw": 8000, "g722": 16000, "g726": 8000}


@pytest.mark.parametrize(
    ("codec", "ending", "captions", "kept"),
    [
        ("aac", ".mp4", "vtt", "aac"),
        ("pcm_alaw", ".mov", "vtt", "pcm_alaw"),
        ("pcm_mulaw", ".mov", "vtt", "pcm_mulaw"),
        ("libopus", ".mp4", "vtt", "opus"),
        ("alac", ".mp4", "vtt", "alac"),
        ("alac", ".mkv", "mkv", "alac"),
        ("aac", ".mkv", "mkv", "aac"),
        ("pcm_alaw", ".mkv", "mkv", "aac"),
        ("g722", ".mp4", "vtt", "aac"),
        ("g726", ".mp4", "vtt", "aac"),
    ],
)
def test_sound_is_kept_as_it_is_where_the_file_holds_it_and_else_as_aac(
    tmp_path: Path, codec: str, ending: str, captions: str, kept: str
) -> None:
    clip = tmp_path / "a.mkv"
    ffmpeg(
        "-f lavfi -i testsrc2=s=320x180:r=25:d=2 -f lavfi -i sine=r=48000:d=2 -ac 1"
        f" -ar {RATES.get(codec, 48000)}"
        f" -c:v libx264 -preset ultrafast -g 25 -c:a {codec}",
        clip,
    )
    sink, _frames = read(clip)
    (found,) = record(tmp_path / "kept", sink.packets, captions=captions)

    assert found.path.suffix == ending
    assert found.codecs[:2] == ("h264", kept)
    assert len(found.pictures) == 50


@pytest.mark.parametrize(
    ("sound", "rate"),
    [("pcm_alaw", 8_000), ("g722", 16_000), ("g726", 8_000), ("pcm_s16le", 10_000)],
)
def test_sound_that_is_made_aac_stays_in_step(tmp_path: Path, sound: str, rate: int) -> None:
    clip = write_flashes_by_ffmpeg(tmp_path / "a.mkv", sound=sound, sound_rate=rate, seconds=7.0)
    (found,) = record(tmp_path / "kept", read(clip)[0].packets, captions="mkv")
    begun = np.array(beeps(clip)) - np.array(flashes(clip))
    apart = np.array(beeps(found.path)) - np.array(flashes(found.path))

    assert found.codecs[:2] == ("h264", "aac")
    assert len(apart) == 3
    assert np.abs(apart - begun).max() < 0.025  # AAC answers to 21 ms at once


def test_g726_of_an_rtsp_camera_is_kept_as_aac(tmp_path: Path) -> None:
    clip, sink = write_sounding(tmp_path / "a.mkv", "-t 1 -c:a g726 -ar 8000 -ac 1"), Sink()
    with RtspServer({"gate": clip}) as camera:
        first_frames(camera.url("gate"), 60, sink=sink)
    found = record(tmp_path / "kept", sink.packets)[-1]
    heard = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", found.path, *["-vn", "-ar", "8000", "-f", "s16le", "-"]],
        check=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
    loudness = np.abs(np.fft.rfft(np.frombuffer(heard.stdout, np.int16)[2000:10000]))

    assert sink.epochs()[-1].tracks[1].codec == "g726le"
    assert found.codecs == ("h264", "aac")
    assert loudness.argmax() == pytest.approx(440, abs=2)  # the tone, Hz, over one second


def test_sound_that_nothing_decodes_is_left_out_and_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    packets = read(write_flashes(tmp_path / "a.mov", seconds=4.0, sound="aac"))[0].packets
    (epoch,) = {packet.epoch for packet in packets}
    tracks = (epoch.tracks[0], replace(epoch.tracks[1], codec="nonsense"))
    strange = replace(epoch, tracks=tracks)
    packets = [replace(packet, epoch=strange) for packet in packets]
    caplog.set_level(logging.WARNING)
    found = record(tmp_path / "kept", packets, segment="2s")

    assert [segment.codecs for segment in found] == [("h264",), ("h264",)]
    assert caplog.text.count("its sound, nonsense, is left out") == 1
