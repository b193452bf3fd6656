"""A camera's own packets in a file that plays up to its last half second after a SIGKILL."""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager, suppress
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import av

from edge_daemon.errors import RecordingError
from edge_daemon.recording.sound import PacketSound, is_understood
from edge_daemon.recording.storage import StorageFile, storage_faults

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Self

    from edge_daemon.packets import Epoch, Packet, Track

log = logging.getLogger(__name__)

_MUXING: Final = {
    "flush_packets": "1",
    "max_interleave_delta": "1",  # us: no track waits for another; packets come in order
}
_FRAGMENTS: Final = {
    "movflags": "hybrid_fragmented",
    "frag_duration": "500000",  # us: what a SIGKILL may cost, however rare key frames are
}
"""Fragments while it grows, an ordinary seekable file once closed.  Source: FFmpeg 7.1, movenc."""
_CLUSTERS: Final = {"cluster_time_limit": "500"}  # ms
_FRAGMENT_S: Final = 0.5
_CAPTIONS: Final = -1  # number of their track
_CAPTIONS_HZ: Final = 1000
_IN_MP4: Final = ("h264", "hevc", "aac", "mp3", "opus", "ac3", "eac3", "flac", "alac")
_PLAIN: Final = ("pcm_alaw", "pcm_mulaw", "pcm_s16le", "pcm_s16be", "pcm_u8")
"""Sound that .mov holds as it is."""


def ending_for(epoch: Epoch) -> str:
    """Return the ending of a file that holds an epoch's tracks as they are, without captions.

    .mp4, or .mov for sound that MP4 has no name for, such as the G.711 of many cameras.
    """
    return ".mov" if any(track.codec in _PLAIN for track in epoch.tracks) else ".mp4"


class PacketWriter:
    """One file of one epoch's packets; its ending says of which kind: .mp4, .mov or .mkv.

    Sound that such a file does not hold becomes AAC; where it cannot, it is left out.
    Begins with a key frame, whose decoding is at 0 s.  The file is made when its first fragment is
    complete, so that a file that is there can be played.  Used by one thread.  Every method raises
    RecordingError, StorageFullError where there is no room.  After one the file is closed, with
    what it held before, and the writer is of no more use.
    """

    def __init__(
        self, path: str, first: Packet, *, replace: bool = False, captions: bool = False
    ) -> None:
        """Prepare for what begins with the packet first.

        captions: with a track for them, in .mkv only: in fragmented MP4 it can abort FFmpeg.
        """
        self.path, self.epoch = path, first.epoch
        self._zero_s = first.dts * first.epoch.tracks[0].time_base
        self._last: dict[int, int] = {}  # dts by track
        self._end_s = 0.0
        self._mode, self._has_captions = "wb" if replace else "xb", captions
        self._early: list[Any] = []  # (stream's number, packet) until the file is made
        self._is_open = False
        self._anew: dict[int, PacketSound] = {}  # tracks that are encoded anew

    def _open(self) -> None:
        """Make the file, and write what waits for it."""
        path = self.path
        early, self._early = self._early, []
        with storage_faults(path):
            self._file = StorageFile(path, self._mode)
        self._is_open = True
        ending = os.path.splitext(path)[1]
        kind = "matroska" if ending == ".mkv" else ending[1:]
        options = {**_MUXING, **(_CLUSTERS if kind == "matroska" else _FRAGMENTS)}
        self._container = av.open(self._file, "w", format=kind, options=options)
        with self._fatal():
            self._streams = {
                n: self._add(n, track)
                for n, track in enumerate(self.epoch.tracks)
                if track.codec in _IN_MP4 or is_understood(track)
            }
            if self._has_captions:
                self._streams[_CAPTIONS] = self._container.add_mux_stream("webvtt")
        for number, packet in early:
            self._mux(number, packet)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def size_bytes(self) -> int:
        """Size of the file so far; what belongs to the open fragment is not in it yet."""
        return self._file.size_bytes if self._is_open else 0

    @property
    def end_s(self) -> float:
        """When the last picture ends, seconds in this file."""
        return self._end_s

    def at_s(self, packet: Packet) -> float:
        """Return when a packet of the epoch is shown, seconds in this file."""
        tick_s = self.epoch.tracks[packet.track].time_base
        return float(packet.pts * tick_s - self._zero_s)

    def write(self, packet: Packet) -> None:
        """Add a packet of the epoch; sound from before the first picture is left out."""
        track = self.epoch.tracks[packet.track]
        shift = round(self._zero_s / track.time_base)
        dts = packet.dts - shift
        if dts < 0 or dts <= self._last.get(packet.track, -1):
            return
        self._last[packet.track] = dts
        muxed: Any = av.Packet(packet.data)
        muxed.time_base, muxed.pts, muxed.dts = track.time_base, packet.pts - shift, dts
        muxed.duration = packet.duration or 0
        muxed.is_keyframe = packet.is_keyframe or not packet.is_video
        self._mux(packet.track, muxed)
        if packet.is_video:
            step_s = float((packet.duration or 0) * track.time_base)
            self._end_s = max(self._end_s, self.at_s(packet) + step_s)
            if not self._is_open and dts * track.time_base > _FRAGMENT_S:
                self._open()

    def caption(self, text: str, start_s: float, end_s: float) -> None:
        """Show text from start_s to end_s, seconds in this file; not before earlier ones."""
        muxed: Any = av.Packet(text.encode())
        muxed.time_base = Fraction(1, _CAPTIONS_HZ)
        muxed.pts = muxed.dts = round(start_s * _CAPTIONS_HZ)
        muxed.duration = max(1, round(end_s * _CAPTIONS_HZ) - muxed.pts)
        muxed.is_keyframe = True
        self._mux(_CAPTIONS, muxed)

    def close(self) -> None:
        """Finish the file; nothing after a fault, or without a packet."""
        if not self._is_open and self._early:
            self._open()
        if self._is_open and not self._file.closed:
            with self._fatal():
                for sound in self._anew.values():
                    for packet in sound.rest():
                        self._container.mux_one(packet)
                self._container.close()
                self._file.close()

    def _add(self, number: int, track: Track) -> Any:  # noqa: ANN401  av's streams differ by kind
        is_held = track.codec in (*_IN_MP4, *(_PLAIN if self.path.endswith(".mov") else ()))
        if not is_held:
            self._anew[number] = PacketSound(track)
            return self._anew[number].add_to(self._container)
        template: Any = track.template
        stream: Any = self._container.add_stream_from_template(template)
        codec = stream.codec_context
        codec.extradata = track.extradata or None
        if track.kind == "video":
            codec.width, codec.height = track.width, track.height
        if track.codec == "hevc" and not self.path.endswith(".mkv"):
            codec.codec_tag = "hvc1"  # what Apple plays; hev1 it does not
        stream.time_base = track.time_base
        return stream

    def _mux(self, number: int, packet: Any) -> None:  # noqa: ANN401  av's packets differ by kind
        if not self._is_open:
            self._early.append((number, packet))
            return
        if self._file.closed:
            raise ValueError("a packet after a fault: this writer is of no more use")
        if number not in self._streams:
            return
        with self._fatal():
            if number in self._anew:
                for sound in self._anew[number].given(packet):
                    self._container.mux_one(sound)
                return
            packet.stream = self._streams[number]
            self._container.mux_one(packet)

    @contextmanager
    def _fatal(self) -> Iterator[None]:
        """Turn any fault into a RecordingError, and let go of the file.

        As in video.py: the file is closed first, and FFmpeg is not asked again.
        """
        try:
            with storage_faults(self.path):
                yield
        except (RecordingError, av.FFmpegError, ValueError) as exc:
            self._file.close()
            with suppress(av.FFmpegError, OSError, ValueError):
                self._container.close()
            if isinstance(exc, RecordingError):
                raise
            hint = "use record.mode: burned for this camera"
            raise RecordingError(f"its packets: {exc}", where=self.path, hint=hint) from exc
