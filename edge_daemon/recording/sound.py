"""The sound of a recorded file, kept beside its new pictures."""

from __future__ import annotations

import logging
from contextlib import suppress
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import av
from av.audio.stream import AudioStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from av import AudioFrame, Packet
    from av.container import InputContainer, OutputContainer

log = logging.getLogger(__name__)

_COPIED: Final = ("aac", "mp3", "opus", "flac")  # what MP4 holds and browsers play
_BIT_RATE: Final = 96_000  # of a channel pair, where it has to be encoded anew
_FRAME: Final = 1024  # samples of an AAC packet.  Source: ISO/IEC 14496-3


class Sound:
    """An audio track of an open container, which it owns, to be read once.  Used by one thread.

    What browsers play is copied, packet by packet; other sound becomes AAC.  Where it is damaged
    it is silent; where nothing more can be read it ends.
    """

    def __init__(self, container: InputContainer, stream: AudioStream) -> None:
        self._container, self._from = container, stream
        self._to: AudioStream | None = None
        self._resampler: av.AudioResampler | None = None
        self._packets = self._read()
        self._next: Packet[AudioStream] | None = None
        self._last = -1  # ticks of the last packet
        self._shift_s = 0.0

    def close(self) -> None:
        """Close the container."""
        self._container.close()

    def add_to(self, container: OutputContainer) -> None:
        """Declare the track in the file that will be written."""
        codec = self._from.codec_context
        if codec.name.removesuffix("float") in _COPIED:
            self._to = container.add_stream_from_template(self._from)
            return
        layout = "stereo" if codec.layout.nb_channels > 1 else "mono"
        self._to = container.add_stream("aac", rate=codec.sample_rate, layout=layout)
        self._to.bit_rate = _BIT_RATE
        self._resampler = av.AudioResampler("fltp", layout, codec.sample_rate, _FRAME)

    def until(
        self, raw_s: float | None, shift_s: float | None = None
    ) -> Iterator[Packet[AudioStream]]:
        """Yield the packets heard up to raw_s of the container's own time; None: all the rest.

        Times are moved by shift_s, by as much as the last time where that is None; what would be
        before 0 is left out.
        """
        self._shift_s = self._shift_s if shift_s is None else shift_s
        while (packet := self._next or next(self._packets, None)) is not None:
            self._next = packet
            if packet.pts is not None and packet.time_base is not None:
                at_s = float(packet.pts * packet.time_base)
                if raw_s is not None and at_s > raw_s:
                    return
                yield from self._moved(packet)
            self._next = None

    def _moved(self, packet: Packet[AudioStream]) -> Iterator[Packet[AudioStream]]:
        """Yield the packet in its new place, if it has one."""
        base = packet.time_base
        tick = (packet.pts or 0) + round(self._shift_s / base)
        if tick <= self._last:
            return
        self._last, packet.pts, packet.dts = tick, tick, tick
        if self._to is not None:
            packet.stream = self._to
            yield packet

    def _read(self) -> Iterator[Packet[AudioStream]]:
        try:
            for packet in self._container.demux(self._from):
                if packet.size and self._resampler is None:
                    yield packet
                elif self._resampler is not None:
                    yield from self._anew(packet)
        except (av.FFmpegError, IndexError) as exc:
            log.warning("%s: its sound ends early: %s", self._container.name, exc)

    def _anew(self, packet: Packet[AudioStream]) -> Iterator[Packet[AudioStream]]:
        """Yield the packet's sound as AAC; an empty packet: what is left."""
        frames: list[AudioFrame | None] = []
        with suppress(av.InvalidDataError):
            frames += packet.decode()
        if not packet.size:
            frames.append(None)
        for frame in frames:
            yield from self._encoded(frame)

    def _encoded(self, frame: AudioFrame | None) -> Iterator[Packet[AudioStream]]:
        if self._resampler is None or self._to is None:
            return
        for part in self._resampler.resample(frame):
            part.time_base = part.time_base or Fraction(1, part.sample_rate)
            yield from self._to.encode(part)
        if frame is None:
            yield from self._to.encode(None)


def sound_of(open_it: Callable[[], InputContainer]) -> Sound | None:
    """Open a container and return its sound; None where it has none, or cannot be read."""
    try:
        container = open_it()
    except av.FFmpegError:
        return None
    stream = container.streams.best("audio")
    if isinstance(stream, AudioStream) and stream.codec_context is not None:
        return Sound(container, stream)
    container.close()
    return None
