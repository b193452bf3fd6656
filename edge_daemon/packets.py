"""A camera's own packets, as it compressed them.  Plain values, no FFmpeg, no I/O.

Sources make them, recordings keep them; neither knows the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, Protocol

if TYPE_CHECKING:
    from datetime import datetime
    from fractions import Fraction

_OBJECT_BYTES: Final = 400  # measured: what a packet takes beside its data, CPython 3.11


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """What must be known of a stream of packets to write it to a file.

    codec is FFmpeg's name: h264, hevc, aac, pcm_alaw.  extradata are its parameters in the form
    that its packets need.  template is FFmpeg's own description, for recording/ only.
    """

    kind: Literal["video", "audio"]
    codec: str
    time_base: Fraction  # seconds of a tick
    extradata: bytes = field(repr=False)
    width: int  # pixels; 0 of audio
    height: int
    template: object = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Epoch:
    """A stretch of a stream that fits into one file: codecs, their parameters, one run of time.

    It begins with a key frame, shown at 0 s.  tracks[0] is the video.  id grows with time, also
    from one start of the daemon to the next.
    """

    id: int  # milliseconds since 1970
    tracks: tuple[Track, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Packet:
    """One compressed picture, or some sound.

    number grows with every packet of every camera; Frame.packet names the picture's own.  pts and
    dts are ticks of the track since the epoch began: dts, which may be negative, grows with every
    packet of a track, and is never above pts.  mono_s is time.monotonic() when it came;
    captured_at aware UTC, the camera's own clock where it sends one.
    """

    number: int
    epoch: Epoch
    track: int  # index into epoch.tracks
    pts: int
    dts: int
    duration: int | None
    is_keyframe: bool  # of the video
    mono_s: float
    captured_at: datetime
    data: bytes = field(repr=False)

    @property
    def is_video(self) -> bool:
        """Whether it belongs to the video."""
        return self.track == 0

    @property
    def held_bytes(self) -> int:
        """Memory that it takes."""
        return len(self.data) + _OBJECT_BYTES

    @property
    def time_s(self) -> float:
        """When it is shown or heard, seconds since the epoch began."""
        return float(self.pts * self.epoch.tracks[self.track].time_base)


class PacketSink(Protocol):
    """Whoever wants the packets of one camera, over all its connections.

    Called on the thread that reads the source, in the order in which packets come, and before the
    frames that are decoded from them.
    """

    def put(self, packet: Packet) -> None:
        """Take a packet.  For a live camera it must not wait."""
        ...

    def unfit(self, codec: str) -> None:
        """Be told that there will be no packets: nothing but its decoder could use this codec."""
        ...
