"""Sound beside pictures that were encoded anew: a recorded file's, or what a camera sends."""

from __future__ import annotations

import logging
from contextlib import suppress
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from av import AudioFrame, Packet
    from av.container import InputContainer, OutputContainer

    from edge_daemon.packets import Epoch, Track
    from edge_daemon.recording.hearing import Hearing
    from edge_daemon.types import CameraId

log = logging.getLogger(__name__)

_COPIED: Final = ("aac", "mp3", "opus", "flac")  # what MP4 holds and browsers play
_BIT_RATE: Final = 96_000  # of a channel pair, where it has to be encoded anew
_G726: Final = ("g726", "g726le")
_FRAME: Final = 1024  # samples of an AAC packet.  Source: ISO/IEC 14496-3


class _SoundTrack:
    """One track of sound in a file that is written: what browsers play is copied, else AAC."""

    def __init__(self, stream: AudioStream, codec: str) -> None:
        self._from, self._codec = stream, codec
        self._to: AudioStream | None = None
        self._resampler: av.AudioResampler | None = None
        self._last = -1  # ticks of the last packet

    @property
    def is_copied(self) -> bool:
        return self._codec.removesuffix("float") in _COPIED

    def add_to(self, container: OutputContainer) -> AudioStream:
        """Declare the track in the file that will be written."""
        codec = self._from.codec_context
        if self.is_copied:
            self._to = container.add_stream_from_template(self._from)
            return self._to
        layout = "stereo" if codec.layout.nb_channels > 1 else "mono"
        rates = av.Codec("aac", "w").audio_rates or [codec.sample_rate]
        rate = min(rates, key=lambda hz: abs(hz - codec.sample_rate))
        self._to = container.add_stream("aac", rate=rate, layout=layout)
        self._to.bit_rate = _BIT_RATE
        self._resampler = av.AudioResampler("fltp", layout, rate, _FRAME)
        return self._to

    def encoded(self, frames: Iterable[AudioFrame | None]) -> Iterator[Packet[AudioStream]]:
        """Yield decoded sound as AAC; None: what is left, no more will come."""
        for frame in frames:
            if self._resampler is None or self._to is None:
                return
            for part in self._resampler.resample(frame):
                part.time_base = part.time_base or Fraction(1, part.sample_rate)
                yield from self._to.encode(part)
            if frame is None:
                yield from self._to.encode(None)

    def moved(self, packet: Packet[AudioStream], shift_s: float) -> Iterator[Packet[AudioStream]]:
        """Yield the packet, later by shift_s, if it has a place there."""
        tick = (packet.pts or 0) + round(shift_s / packet.time_base)
        if tick <= self._last or self._to is None:
            return
        self._last, packet.pts, packet.dts = tick, tick, tick
        packet.stream = self._to
        yield packet


class FileSound:
    """An audio track of an open container, which it owns, to be read once.  Used by one thread.

    Where it is damaged it is silent; where nothing more can be read it ends.
    """

    def __init__(self, container: InputContainer, stream: AudioStream) -> None:
        self._container, self._from = container, stream
        self._track = _SoundTrack(stream, stream.codec_context.name)
        self._packets = self._read()
        self._next: Packet[AudioStream] | None = None
        self._shift_s = 0.0

    def close(self) -> None:
        """Close the container."""
        self._container.close()

    def add_to(self, container: OutputContainer) -> None:
        """Declare the track in the file that will be written."""
        self._track.add_to(container)

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
                yield from self._track.moved(packet, self._shift_s)
            self._next = None

    def _read(self) -> Iterator[Packet[AudioStream]]:
        try:
            for packet in self._container.demux(self._from):
                if not self._track.is_copied:
                    yield from self._track.encoded(self._decoded(packet))
                elif packet.size:
                    yield packet
        except (av.FFmpegError, IndexError) as exc:
            log.warning("%s: its sound ends early: %s", self._container.name, exc)

    def _decoded(self, packet: Packet[AudioStream]) -> Iterator[AudioFrame | None]:
        """Yield the packet's sound; an empty packet: what is left, and None."""
        with suppress(av.InvalidDataError):
            yield from packet.decode()
        if not packet.size:
            yield None


class Unheard:
    """Says of a camera's sound that cannot be kept that it is left out, once of each kind."""

    def __init__(self, camera: CameraId) -> None:
        self._camera = camera
        self._told: set[str] = set()

    def notice(self, epoch: Epoch) -> bool:
        """Say what an epoch loses; return whether all its sound can be kept."""
        lost = {track.codec for track in epoch.tracks[1:] if not is_understood(track)}
        for codec in lost - self._told:
            log.warning(
                "recording %s: its sound, %s, is left out: nothing here decodes it -- set it to"
                " AAC in the camera",
                self._camera,
                codec,
            )
        self._told |= lost
        return not lost


class PacketSound:
    """A camera's sound in one file, packet by packet.  Used by one thread."""

    def __init__(self, of: Track) -> None:
        template: Any = of.template
        self._of = of
        self._track, self._decoder = _SoundTrack(template, of.codec), _decoder(of)

    def add_to(self, container: OutputContainer) -> AudioStream:
        """Declare the track in the file that will be written."""
        stream = self._track.add_to(container)
        if self._track.is_copied:
            stream.codec_context.extradata = self._of.extradata or None
        return stream

    def given(
        self, packet: Packet[AudioStream], shift_s: float = 0.0
    ) -> Iterator[Packet[AudioStream]]:
        """Yield what the file gets for a packet of the camera's, moved by shift_s."""
        return self._moved([packet] if self._track.is_copied else self._anew(packet), shift_s)

    def rest(self, shift_s: float = 0.0) -> Iterator[Packet[AudioStream]]:
        """Yield what is left when no more will be given."""
        return self._moved([] if self._track.is_copied else self._track.encoded([None]), shift_s)

    def _moved(
        self, packets: Iterable[Packet[AudioStream]], shift_s: float
    ) -> Iterator[Packet[AudioStream]]:
        for packet in packets:
            yield from self._track.moved(packet, shift_s)

    def _anew(self, packet: Packet[AudioStream]) -> Iterator[Packet[AudioStream]]:
        with suppress(av.InvalidDataError):
            yield from self._track.encoded(self._decoder.decode(packet))


class CameraSound:
    """The sound of a camera's epoch in one file.  Used by one thread."""

    def __init__(self, hearing: Hearing, epoch: Epoch) -> None:
        """Take what hearing has of an epoch that has sound: its second track."""
        self._hearing, self._epoch = hearing, epoch
        self._time_base = epoch.tracks[1].time_base
        self._sound = PacketSound(epoch.tracks[1])
        self._shift_s = 0.0

    def add_to(self, container: OutputContainer) -> None:
        """Declare the track in the file that will be written."""
        self._sound.add_to(container)

    def until(
        self, raw_s: float | None, shift_s: float | None = None
    ) -> Iterator[Packet[AudioStream]]:
        """Yield the packets heard up to raw_s of the epoch; None: no more will be asked for.

        Times are moved as FileSound does it.
        """
        self._shift_s = self._shift_s if shift_s is None else shift_s
        if raw_s is None:
            yield from self._sound.rest(self._shift_s)
            return
        for plain in self._hearing.take(self._epoch, raw_s):
            packet: Any = av.Packet(plain.data)
            packet.time_base, packet.pts, packet.dts = self._time_base, plain.pts, plain.dts
            packet.duration = plain.duration or 0
            yield from self._sound.given(packet, self._shift_s)


def is_understood(track: Track) -> bool:
    """Whether a camera's sound can be decoded, from what its track tells."""
    try:
        _decoder(track).open()
    except (TypeError, ValueError, av.FFmpegError):
        return False
    return True


def _decoder(track: Track) -> AudioCodecContext:
    template: Any = track.template
    decoder = AudioCodecContext.create(track.codec, "r")
    if not isinstance(decoder, AudioCodecContext):
        raise TypeError(f"{track.codec} is no audio codec")
    decoder.sample_rate = template.codec_context.sample_rate
    decoder.layout = template.codec_context.layout.name
    decoder.extradata = track.extradata or None
    if track.codec in _G726:  # the one whose packets do not tell how wide its samples are
        bits = round((template.codec_context.bit_rate or 0) / max(1, decoder.sample_rate))
        decoder.options = {"bits_per_coded_sample": str(bits)}
    return decoder


def sound_of(open_it: Callable[[], InputContainer]) -> FileSound | None:
    """Open a container and return its sound; None where it has none, or cannot be read."""
    try:
        container = open_it()
    except av.FFmpegError:
        return None
    stream = container.streams.best("audio")
    if isinstance(stream, AudioStream) and stream.codec_context is not None:
        return FileSound(container, stream)
    container.close()
    return None
