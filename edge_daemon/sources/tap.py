"""From FFmpeg's packets to plain ones whose times can be relied on."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from fractions import Fraction
from itertools import count
from typing import TYPE_CHECKING, Any, Final, Literal

import av
from av import AudioStream

from edge_daemon.packets import Epoch, Packet, Track
from edge_daemon.sources.nal import (
    RATES,
    aac_config,
    adts_config,
    is_annex_b,
    parameter_sets,
    without_adts,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from av import VideoStream
    from av.container import InputContainer

    from edge_daemon.packets import PacketSink

FIT: Final = ("h264", "hevc")
_BACK_S: Final = 1.0  # going back by less is jitter, by more a new beginning
_GAP_S: Final = 3600.0  # of a file; a longer one is a damaged time stamp, as in timeline.py
_EARLY_S: Final = 5.0  # a live packet cannot be later by so much more than the time that passed
_DELAY: Final = 2  # pictures by which B-frames delay what a container gives no decoding time of
_APART_S: Final = 10.0  # sound so far from the pictures goes by another clock

_numbers = count(1)  # of all packets of this process
_last_id = 0  # of all epochs


@dataclass(frozen=True, slots=True)
class Tap:
    """Where the packets of a source go.

    is_over: whether the source was replaced, though its thread may still read.
    """

    sink: PacketSink
    is_over: Callable[[], bool] = lambda: False


class _Line:
    """One track's times.  A tick is what its stream counts in."""

    def __init__(self, stream: Any, step_s: float) -> None:  # noqa: ANN401  av's kinds differ
        self.tick_s: Fraction = stream.time_base or Fraction(1, 90_000)
        self.step = max(1, round(step_s / self.tick_s))
        self.base: int | None = None  # raw ticks at which the epoch begins; None: not known yet
        self.raw: int | None = None  # the last packet's own dts
        self.dts: int | None = None  # the last one's, in the epoch

    def ticks(self, seconds: Fraction | float) -> int:
        """Return seconds in ticks."""
        return round(Fraction(seconds) / self.tick_s)

    def seconds(self, ticks: int) -> float:
        """Return ticks in seconds."""
        return float(ticks * self.tick_s)

    def place(self, pts: int | None, dts: int | None) -> tuple[int, int]:
        """Return pts and dts in the epoch of a packet with these raw ticks, either may be None.

        Times that do not grow are pushed on as little as can be; missing ones follow the last.
        """
        next_dts = 0 if self.dts is None else self.dts + self.step
        raw = dts if dts is not None else pts
        if raw is None:
            self.dts = next_dts
            return next_dts, next_dts
        if self.base is None:  # what came before had no times
            self.base = raw - next_dts
        shown = raw - self.base if pts is None else pts - self.base
        placed = min(shown, next_dts) if dts is None else dts - self.base
        if self.dts is not None and placed <= self.dts:
            placed = self.dts + 1
        self.dts = placed
        return max(shown, placed), placed


class PacketTap:
    """Turns the packets of one container into plain ones, epoch by epoch.

    An epoch begins with a key frame: the first, the first with other parameters, and the first
    after the stream's time has jumped.  What comes before the first is left out.  In between, times
    that are missing, go back or jump are bridged.
    """

    def __init__(
        self,
        tap: Tap,
        container: InputContainer,
        video: VideoStream,
        *,
        live: bool,
        untimed: bool,
        wall_clock: Callable[[float | None], datetime | None],
    ) -> None:
        self._tap, self._live, self._untimed = tap, live, untimed
        self._wall_clock = wall_clock
        self._video, self.audio = video, _audio_of(container)
        self._line = _Line(video, 1 / float(video.average_rate or 25))
        self._sound = _Line(self.audio, 0.02) if self.audio else None
        self._epoch: Epoch | None = None
        self._sets = b""  # parameter sets, Annex B, of the video as the epoch has them
        self._has_jumped = False
        self._came_s = 0.0  # monotonic, when the last picture came
        self._is_fit = video.codec_context.name in FIT
        if not self._is_fit:
            tap.sink.unfit(video.codec_context.name)
            return
        self._tracks = [_track(video, "video")]
        if self.audio is not None:
            self._tracks.append(_track(self.audio, "audio"))

    @property
    def is_fit(self) -> bool:
        """Whether its packets are worth anything."""
        return self._is_fit

    def number(self) -> int:
        """Return the number of the next packet of the video, to be given back with it."""
        return next(_numbers)

    def picture(self, packet: av.Packet[VideoStream], number: int) -> None:
        """Take a packet of the video, once it was decoded: then its size is known."""
        if not packet.size:
            return
        now_s = time.monotonic()
        pts, dts = packet.pts, packet.dts
        if self._untimed:
            pts = dts = self._line.ticks(now_s)
        self._notice_jump(dts if dts is not None else pts, now_s)
        data = bytes(packet)
        if packet.is_keyframe and self._begins_epoch(packet, data):
            self._begin(pts, dts)
        if self._epoch is None:
            return
        self._came_s = now_s
        raw_s = None if packet.pts is None else self._line.seconds(packet.pts)
        times, wall = self._line.place(pts, dts), self._wall_clock(raw_s)
        self._put(packet, number, track=0, times=times, data=data, wall=wall)

    def sound(self, packet: av.Packet[AudioStream]) -> None:
        """Take a packet of the sound; one whose time does not fit the pictures' is left out."""
        epoch, line = self._epoch, self._sound
        pts = packet.pts if packet.pts is not None else packet.dts
        if line is None or epoch is None or not packet.size or pts is None:
            return
        data = self._plain_sound(bytes(packet))
        if self._has_jumped or self._line.base is None or self._line.dts is None:
            return
        if line.base is None:
            line.base = line.ticks(self._line.base * self._line.tick_s)
        placed = pts - line.base
        apart_s = line.seconds(placed) - self._line.seconds(self._line.dts)
        if placed < 0 or (line.dts is not None and placed <= line.dts) or abs(apart_s) > _APART_S:
            return
        line.dts = placed
        self._put(packet, next(_numbers), track=1, times=(placed, placed), data=data)

    def _plain_sound(self, data: bytes) -> bytes:
        """Return a packet as files want it; what its header says is for the next epoch."""
        track = self._tracks[1]
        config = adts_config(data) if track.codec == "aac" else b""
        if config and config != track.extradata:
            self._tracks[1] = replace(track, extradata=config)
            self._has_jumped = True
        return without_adts(data) if config else data

    def _put(
        self,
        packet: av.Packet[Any],
        number: int,
        *,
        track: int,
        times: tuple[int, int],
        data: bytes,
        wall: datetime | None = None,
    ) -> None:
        if self._epoch is None or self._tap.is_over():
            return
        plain = Packet(
            number=number,
            epoch=self._epoch,
            track=track,
            pts=times[0],
            dts=times[1],
            duration=packet.duration or None,
            is_keyframe=track == 0 and packet.is_keyframe,
            mono_s=time.monotonic(),
            captured_at=wall or datetime.now(timezone.utc),
            data=data,
        )
        self._tap.sink.put(plain)

    def _notice_jump(self, raw: int | None, now_s: float) -> None:
        """Bridge a jump of the video's time, and remember to begin a new epoch."""
        line, last = self._line, self._line.raw
        if raw is None:
            return
        line.raw = raw
        if last is None or line.base is None or line.dts is None:
            return
        step_s = line.seconds(raw - last)
        longest_s = now_s - self._came_s + _EARLY_S if self._live else _GAP_S
        if not -_BACK_S < step_s < longest_s:
            line.base = raw - (line.dts + line.step)
            self._has_jumped = True

    def _begins_epoch(self, packet: av.Packet[VideoStream], data: bytes) -> bool:
        """Whether an epoch begins with this key frame; takes over new parameters."""
        video, track = self._video.codec_context, self._tracks[0]
        extradata, sets = track.extradata, self._sets
        if packet.has_sidedata("new_extradata"):
            extradata = bytes(packet.get_sidedata("new_extradata"))
        if is_annex_b(extradata):
            sets = parameter_sets(track.codec, data) or sets or extradata
            extradata = sets
        size = (video.width, video.height)
        begins = (
            self._epoch is None
            or self._has_jumped
            or extradata != track.extradata
            or size != (track.width, track.height)
        )
        self._tracks[0] = replace(track, extradata=extradata, width=size[0], height=size[1])
        self._sets = sets
        return begins

    def _begin(self, pts: int | None, dts: int | None) -> None:
        """Begin an epoch with a key frame of these raw times, which is shown at 0 s."""
        raw = pts if pts is not None else dts
        for line in (self._line, self._sound):
            if line is not None:
                line.base = line.dts = None
        self._line.base = raw
        if pts is not None and dts is None and self._video.codec_context.has_b_frames:
            self._line.dts = -(_DELAY + 1) * self._line.step  # it is decoded before it is shown
        self._has_jumped = False
        self._epoch = Epoch(_next_id(), tuple(self._tracks))


def _audio_of(container: InputContainer) -> AudioStream | None:
    """Return the container's main sound, where there is one of a known codec."""
    audio = container.streams.best("audio")
    return audio if isinstance(audio, AudioStream) and audio.codec_context else None


def _track(stream: VideoStream | AudioStream, kind: Literal["video", "audio"]) -> Track:
    """Describe a stream, for longer than its container is open."""
    keeper = av.open(io.BytesIO(), "w", format="null")  # never begun; of all it takes every codec
    codec = stream.codec_context
    return Track(
        kind=kind,
        codec=codec.name,
        time_base=stream.time_base or Fraction(1, 90_000),
        extradata=bytes(codec.extradata or b"") or _aac_config(stream),
        width=getattr(codec, "width", 0),
        height=getattr(codec, "height", 0),
        template=keeper.add_stream_from_template(stream),
    )


def _aac_config(stream: VideoStream | AudioStream) -> bytes:
    """Return the parameters of AAC that names them in every packet only; b"" for another codec."""
    if not isinstance(stream, AudioStream):
        return b""
    codec = stream.codec_context
    if codec.name != "aac" or codec.sample_rate not in RATES:
        return b""
    return aac_config(2, RATES.index(codec.sample_rate), min(codec.channels, 7))


def _next_id() -> int:
    global _last_id  # noqa: PLW0603  of all cameras
    _last_id = max(_last_id + 1, time.time_ns() // 1_000_000)
    return _last_id
