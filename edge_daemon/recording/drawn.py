"""What a burned recording encodes, as packets, so that clips can be cut from it."""

from __future__ import annotations

import io
import time
from collections import deque
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import av

from edge_daemon.packets import Epoch, Packet, Track
from edge_daemon.recording.encoders import TICKS_PER_S

if TYPE_CHECKING:
    from av import VideoStream

    from edge_daemon.recording.ring import PacketRing
    from edge_daemon.types import Frame

_TICK: Final = Fraction(1, TICKS_PER_S)
_LONGEST_GAP: Final = 10 * TICKS_PER_S  # between two segments that continue each other


def number_of(frame: Frame) -> int:
    """Return the number of the packet that a frame is drawn and encoded into: microseconds."""
    return round(frame.mono_s * 1e6)


class DrawnPackets:
    """Puts into a ring what the encoder of one camera makes.  Used by one thread.

    Segments that continue each other with the same parameters are one epoch.
    """

    def __init__(self, ring: PacketRing) -> None:
        self._ring = ring
        self._frames: deque[Frame] = deque()  # given to the encoder, not yet come back
        self._track: Track | None = None
        self._epoch: Epoch | None = None
        self._zero_s = 0.0  # stream time at which the epoch begins
        self._base = self._last = 0  # ticks of the epoch: the segment's begin, the last packet
        self._begun_s = 0.0

    def begin(self, frame: Frame) -> None:
        """A segment begins with a frame."""
        self._frames.clear()
        self._track, self._begun_s = None, frame.pts_s

    def expect(self, frame: Frame) -> None:
        """A frame is given to the encoder; packets come back in the same order."""
        self._frames.append(frame)

    def put(self, encoded: av.Packet[VideoStream], stream: VideoStream) -> None:
        """Take a packet that came back, its pts counted from the segment's begin."""
        if not self._frames:  # more came back than was given: not of a sane encoder
            return
        frame, pts = self._frames.popleft(), round((encoded.pts or 0) * encoded.time_base / _TICK)
        if self._track is None:
            self._track = _track(stream)
            self._continue(self._track)
        if self._epoch is None:
            return
        self._last = self._base + pts
        self._ring.put(
            Packet(
                number=number_of(frame),
                epoch=self._epoch,
                track=0,
                pts=self._last,
                dts=self._last,
                duration=encoded.duration or None,
                is_keyframe=encoded.is_keyframe,
                mono_s=frame.mono_s,
                captured_at=frame.captured_at,
                data=bytes(encoded),
            )
        )

    def close(self) -> None:
        """Nothing comes any more."""
        self._ring.close()

    def _continue(self, track: Track) -> None:
        """Go on with the epoch where a segment fits to it, else begin another."""
        self._base = round((self._begun_s - self._zero_s) * TICKS_PER_S)
        before = self._epoch.tracks[0] if self._epoch else None
        if (
            before is None
            or (before.extradata, before.width, before.height)
            != (track.extradata, track.width, track.height)
            or not self._last < self._base < self._last + _LONGEST_GAP
        ):
            newest = self._epoch.id if self._epoch else 0
            self._epoch = Epoch(max(newest + 1, time.time_ns() // 1_000_000), (track,))
            self._zero_s, self._base, self._last = self._begun_s, 0, 0


def _track(stream: VideoStream) -> Track:
    """Describe an encoder's stream, for longer than its container is open."""
    keeper = av.open(io.BytesIO(), "w", format="nut")  # as in sources/tap.py
    codec: Any = stream.codec_context
    return Track(
        kind="video",
        codec="h264",
        time_base=_TICK,
        extradata=bytes(codec.extradata or b""),
        width=codec.width,
        height=codec.height,
        template=keeper.add_stream_from_template(stream),
    )
