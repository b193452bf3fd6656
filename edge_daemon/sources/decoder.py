"""From an open container to frames: the part that files and live streams share."""

from __future__ import annotations

import struct
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final, cast

import av
from av import VideoStream

from edge_daemon.errors import SourceFormatError
from edge_daemon.sources.av_picture import AvPicture
from edge_daemon.sources.tap import PacketTap
from edge_daemon.sources.timeline import Timeline
from edge_daemon.types import Frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from av import Packet, VideoCodecContext, VideoFrame
    from av.container import InputContainer
    from av.stream import Stream

    from edge_daemon.sources.tap import Tap
    from edge_daemon.types import CameraId

_RATE_UNKNOWN_HZ: Final = 25.0
_UNTIMED: Final = ("mpjpeg", "mjpeg", "jpeg_pipe", "h264", "hevc")  # pts only count pictures
_GUESS_PTS: Final = 0x1  # AVFMT_FLAG_GENPTS, which PyAV sets
_BAD_READS: Final = 100  # so many in a row, and a damaged file has no more to give
_MOST_PIXELS: Final = 8192 * 4320  # more than any camera's: a damaged header, not a picture
_MOST_HELD_BACK: Final = 16  # pictures to put in order.  Source: H.265, A.4.2, MaxDpbSize
_LONGEST_LEAD_S: Final = 1  # of pictures shown before a key frame that came first
_INVALID_DATA: Final = 0x41444E49  # AVERROR_INVALIDDATA, "INDA"
_CLOCK_SET_S: Final = (1.6e9, 4.1e9)  # 2020 to 2099: other wall clocks were never set


# Titles in another encoding are no reason to refuse a video; PyAV 19 knows no other way.
_ANY_TITLES: Final[dict[str, Any]] = (
    {} if int(av.__version__.partition(".")[0]) >= 19 else {"metadata_errors": "replace"}
)


def open_container(
    name: str,
    *,
    options: dict[str, str] | None = None,
    timeout_s: tuple[float, float] | None = None,
) -> InputContainer:
    """Open a file or a stream, timeout_s for (opening, each read).  Raises av.FFmpegError."""
    container: InputContainer = av.open(
        name, "r", options=options, timeout=timeout_s, **_ANY_TITLES
    )
    return container


class Decoder:
    """Decodes the video of one container after another, counting frames and time through.

    One thread per camera decodes: measured on 1080p and 360p H.264, 2 cores, 300 frames each, it
    costs 3.1 and 0.44 ms of CPU a frame, two frame threads 3.4 and 0.52 ms and 7 MiB more.
    """

    def __init__(
        self,
        camera: CameraId,
        *,
        keyframes_only: bool,
        on_corrupt: Callable[[], None],
        on_decode_s: Callable[[float], None],
        tap: Tap | None = None,
        is_over: Callable[[], bool] = lambda: False,
    ) -> None:
        """Hand packets to tap; is_over: whether nobody wants the frames of a live stream now."""
        self._tap, self._is_over = tap, is_over
        self._camera, self._keyframes_only = camera, keyframes_only
        self._on_corrupt, self._on_decode_s = on_corrupt, on_decode_s
        self._timeline, self._clock = Timeline(), _CameraClock()
        self._index = 0
        self._owed: _Owed | None = None

    def frames(
        self, container: InputContainer, *, where: str, live: bool
    ) -> Iterator[Frame | None]:
        """Yield the frames of a container; None for a packet that was left out or is damaged.

        Left out is what lies between key frames where only they are wanted, and what comes before
        the first frame.  Damaged packets are counted and left out; in a file so are damaged
        places of the container.  All that comes of a live stream is read, so that one whose video
        falls silent while its sound goes on ends once is_over().  Raises SourceFormatError when
        there is no video in it, av.FFmpegError when it cannot be read.
        """
        video = _video_of(container, where)
        container.flags &= ~_GUESS_PTS  # it holds packets back, and gets old AVIs wrong
        codec = video.codec_context
        codec.thread_count, codec.options = 1, {"max_pixels": str(_MOST_PIXELS)}
        untimed = live and container.format.name in _UNTIMED
        step_s = 1 / float(video.average_rate or _RATE_UNKNOWN_HZ)
        self._timeline.restart()
        self._owed = _Owed() if codec.name == "hevc" and not self._keyframes_only else None
        tap = self._tapped(container, video, live=live, untimed=untimed)
        audio = tap.audio if tap else None
        streams: list[Stream] = [video, audio] if audio else [video]
        packets = (
            _packets(container, list(container.streams))
            if live
            else self._forgiven(container, streams)
        )
        for packet in packets:
            if packet.stream.index != video.index:  # stream_index is 0 at the end
                if self._is_over():
                    return
                if tap and audio and packet.stream.index == audio.index:
                    tap.sound(packet)
                continue
            self._clock.hear(packet)
            if tap:
                packet.opaque = number = tap.number()
            pictures = self._decoded(codec, packet)
            if tap:
                tap.picture(packet, number)
            for picture in pictures or ():
                raw_s = time.monotonic() if untimed else _time_of(picture, video)
                yield self._frame(picture, raw_s, step_s)
            if pictures is None or (not pictures and (self._keyframes_only or not self._index)):
                yield None

    def _tapped(
        self, container: InputContainer, video: VideoStream, *, live: bool, untimed: bool
    ) -> PacketTap | None:
        """Return what hands the packets on; None where nobody wants them, or could use them."""
        if self._tap is None:
            return None
        tap = PacketTap(
            self._tap, container, video, live=live, untimed=untimed, wall_clock=self._clock.at
        )
        if not tap.is_fit:
            return None
        video.codec_context.copy_opaque = True
        return tap

    def _forgiven(self, container: InputContainer, streams: list[Stream]) -> Iterator[Packet[Any]]:
        """Yield the packets of a file, going on behind damaged places."""
        bad = 0
        while bad < _BAD_READS:
            try:
                for packet in _packets(container, streams):
                    bad = 0
                    yield packet
            except av.InvalidDataError:
                bad += 1
                self._on_corrupt()
            else:
                return

    def _decoded(
        self, codec: VideoCodecContext, packet: Packet[VideoStream]
    ) -> list[VideoFrame] | None:
        """Return the pictures that come out; None when the packet is damaged."""
        ends = packet.size == 0
        if self._keyframes_only and not (packet.is_keyframe or ends):
            return []
        begun_s = time.thread_time()
        try:
            pictures = codec.decode(packet)
            if self._keyframes_only and not ends:  # it would wait for others to put in order
                pictures += codec.decode(None)
                codec.flush_buffers()
        except av.MemoryError:
            raise
        except av.FFmpegError:
            self._on_corrupt()
            self._count_lost(packet, 0, told=True)
            return None
        finally:
            self._on_decode_s(time.thread_time() - begun_s)
        self._count_lost(packet, len(pictures), told=False)
        if packet.is_corrupt or any(picture.is_corrupt for picture in pictures):
            self._on_corrupt()
            return pictures or None
        return pictures

    def _count_lost(self, packet: Packet[VideoStream], n_pictures: int, *, told: bool) -> None:
        if self._owed is not None:
            for _ in range(self._owed.lost(packet, n_pictures, told=told)):
                self._on_corrupt()

    def _frame(self, picture: VideoFrame, raw_s: float | None, step_s: float) -> Frame:
        frame = Frame(
            camera=self._camera,
            index=self._index,
            pts_s=self._timeline.place(raw_s, step_s),
            mono_s=time.monotonic(),
            captured_at=self._clock.at(raw_s) or datetime.now(timezone.utc),
            picture=AvPicture(picture),
            raw_s=raw_s,
            packet=cast("int | None", picture.opaque) if self._tap else None,
        )
        self._index += 1
        return frame


class _Owed:
    """Pictures that went into the H.265 decoder and never came out.

    FFmpeg's decoder leaves out what it cannot decode without an error: only its log knows.  What
    comes before the first key frame, or is shown before it, does not count: a stream may begin
    anywhere.
    """

    def __init__(self) -> None:
        self._n, self._first_pts, self._has_begun = 0, 0, False

    def lost(self, packet: Packet[VideoStream], n_pictures: int, *, told: bool) -> int:
        """Count a packet and what came out for it; return how many are known to be lost by now.

        told: the decoder refused the packet, so that its picture is counted already.
        """
        if not self._has_begun:
            self._has_begun, self._first_pts = packet.is_keyframe, packet.pts or 0
        ends, leads = packet.size == 0, self._is_shown_before(packet)
        self._n += (self._has_begun and not (ends or leads or told)) - n_pictures
        n_lost = max(0, self._n - (0 if ends else _MOST_HELD_BACK))
        self._n -= n_lost
        return n_lost

    def _is_shown_before(self, packet: Packet[VideoStream]) -> bool:
        """Whether a picture belongs before the first key frame, by a time that may be damaged."""
        if packet.pts is None:
            return False
        return 0 < (self._first_pts - packet.pts) * packet.time_base < _LONGEST_LEAD_S


class _CameraClock:
    """The camera's own wall clock, where it sends one (RTCP sender reports)."""

    def __init__(self) -> None:
        self._ahead_s: float | None = None  # of the stream's time
        self._first_s: float | None = None  # of a packet before the stream has a time

    def hear(self, packet: Packet[VideoStream]) -> None:
        """Take over what a packet says of its time.

        Source: AVProducerReferenceTime in libavutil: int64 microseconds since 1970, then flags.
        """
        if not packet.has_sidedata("prft"):
            return
        (wall_us,) = struct.unpack_from("=q", bytes(packet.get_sidedata("prft")))
        wall_s = wall_us / 1e6
        if not _CLOCK_SET_S[0] < wall_s < _CLOCK_SET_S[1]:
            return
        if packet.pts is None:
            self._first_s = wall_s
        else:
            self._ahead_s = wall_s - float(packet.pts * packet.time_base)

    def at(self, raw_s: float | None) -> datetime | None:
        """Return the wall time, UTC, of a picture with the stream's own time raw_s."""
        if raw_s is None:
            wall_s = self._first_s
        else:
            wall_s = None if self._ahead_s is None else raw_s + self._ahead_s
        return None if wall_s is None else datetime.fromtimestamp(wall_s, timezone.utc)


def _packets(container: InputContainer, streams: list[Stream]) -> Iterator[Packet[Any]]:
    """Yield the packets of some streams.  Raises av.FFmpegError."""
    try:
        yield from container.demux(streams)
    except IndexError as exc:  # PyAV 18: a damaged MPEG-TS tells of a stream it had not before
        raise av.InvalidDataError(_INVALID_DATA, "a stream more than it began with") from exc


def _time_of(picture: VideoFrame, video: VideoStream) -> float | None:
    """The stream's own time in seconds."""
    pts = picture.pts if picture.pts is not None else picture.dts
    return None if pts is None or video.time_base is None else float(pts * video.time_base)


def _video_of(container: InputContainer, where: str) -> VideoStream:
    """Return the container's main video; cover pictures of music do not count."""
    video = container.streams.best("video")
    if not isinstance(video, VideoStream):
        raise SourceFormatError(
            "holds no video", where=where, hint="name a video file or a camera's video stream"
        )
    if video.codec_context is None:
        raise SourceFormatError(
            "its video codec is unknown", where=where, hint="use H.264, H.265 or MJPEG"
        )
    return video
