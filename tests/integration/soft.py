"""What soft recordings are made from, and how a player sees them."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import av

from edge_daemon.config.record import RecordConfig
from edge_daemon.recording.beside import Moment, Note
from edge_daemon.recording.retention import Archive
from edge_daemon.recording.soft import SoftRecorder
from tests.data.make_data import number_in

if TYPE_CHECKING:
    from pathlib import Path

    from edge_daemon.packets import Packet
    from edge_daemon.types import Frame


@dataclass(frozen=True)
class Seen:
    """A file as a player sees it: (when a picture is shown, the number in it)."""

    path: Path
    pictures: tuple[tuple[float, int], ...]
    codecs: tuple[str, ...]
    size: tuple[int, int]

    @property
    def numbers(self) -> list[int]:
        return [number for _at_s, number in self.pictures]


def seen(path: Path) -> Seen:
    """Decode a file; anything FFmpeg complains about is a failure."""
    call = ["ffmpeg", "-v", "error", "-xerror", "-i", str(path), "-f", "null", "-"]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    with av.open(str(path)) as file:
        video = file.streams.video[0]
        codecs = tuple(stream.codec_context.name for stream in file.streams if stream.codec_context)
        size = video.codec_context.width, video.codec_context.height
        pictures = [
            (float(f.time or 0.0), number_in(f.to_ndarray(format="rgb24")))
            for f in file.decode(video)
        ]
    return Seen(path, tuple(pictures), codecs, size)


def recorder(root: Path, *, live: bool = False, **settings: Any) -> SoftRecorder:
    config = RecordConfig.model_validate({"mode": "soft", "segment": "1h", **settings})
    return SoftRecorder("gate", Archive(root), config, live=live)


def record(
    root: Path, packets: list[Packet], notes: list[Note] | None = None, **settings: Any
) -> list[Seen]:
    """Record packets and answers as they come, and return the segments in their order."""
    recording = recorder(root, **settings)
    waiting = list(notes or ())
    for packet in packets:
        recording.write([packet])
        while waiting and recording.note(waiting[0]):
            waiting.pop(0)
    recording.close()
    videos = [p for p in root.rglob("*") if p.suffix in (".mp4", ".mov", ".mkv")]
    return [seen(path) for path in sorted(videos, key=len_and_name)]


def answers(frames: list[Frame], *, every: int = 5) -> list[Note]:
    """Say of each picture, a few apart, what its index is."""
    return [Note(Moment.of(f), {"frame": f.index}, f"picture {f.index}") for f in frames[::every]]


def cues(segment: Path) -> list[tuple[float, float, str]]:
    """Read the captions of a segment as FFmpeg does, which tells them apart from the video."""
    inside = segment.suffix == ".mkv"
    found: list[tuple[float, float, str]] = []
    with av.open(str(segment if inside else segment.with_suffix(".vtt"))) as file:
        for packet in file.demux(file.streams.subtitles[0]):
            if packet.size:
                start_s = float(packet.pts * packet.time_base)
                end_s = start_s + float(packet.duration * packet.time_base)
                if not found or found[-1][2] != bytes(packet).decode():  # told in pieces
                    found.append((start_s, end_s, bytes(packet).decode()))
    return found


def lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()


def len_and_name(path: Path) -> tuple[int, Path]:
    return len(path.stem), path
