"""Which H.264 encoder works on this machine: found by trying, not by asking what is listed."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Final

import av
import numpy as np
from av.codec.codec import UnknownCodecError
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from edge_daemon.errors import RecordingError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from av import Packet, VideoStream
    from numpy.typing import NDArray

log = logging.getLogger(__name__)

TICKS_PER_S: Final = 90_000
_BT601, _BT709, _LIMITED = 6, 1, 1  # ITU-T H.273: matrix, primaries and transfer, range
_N_TRIED: Final = 8  # pictures of a trial
_PATIENCE_S: Final = 10.0  # a driver that takes longer for them hangs
_MOST_OFF: Final = 12.0  # levels of 255, mean: what a trial may come back wrong by


@dataclass(frozen=True, slots=True)
class H264Encoder:
    """An encoder of FFmpeg's, and how we use it: a picture in, a packet out, no B-frames.

    bits_per_pixel sets the bit rate of those that know no constant quality.
    """

    name: str
    codec: str
    options: Mapping[str, str] = field(repr=False)
    bits_per_pixel: float | None = None
    gop: int = 600  # a key frame is asked for every second; this is for who does not listen
    absent: str = ""  # what it means that it does not open

    def set_up(self, codec: VideoCodecContext, size: tuple[int, int], threads: int) -> None:
        """Prepare a codec context, not yet open, for pictures (width, height) in BT.601."""
        codec.width, codec.height = size
        codec.pix_fmt, codec.time_base = "yuv420p", Fraction(1, TICKS_PER_S)
        codec.gop_size, codec.thread_count = self.gop, threads
        codec.colorspace, codec.color_range = _BT601, _LIMITED
        codec.color_primaries = codec.color_trc = _BT709
        if self.bits_per_pixel is not None:
            codec.bit_rate = round(self.bits_per_pixel * size[0] * size[1] * 25)


ENCODERS: Final[Mapping[str, H264Encoder]] = {
    one.name: one
    for one in (
        H264Encoder(
            "v4l2m2m",
            "h264_v4l2m2m",
            {},
            bits_per_pixel=0.1,
            gop=60,
            absent="no H.264 encoder among /dev/video*",
        ),
        H264Encoder(
            "nvenc",
            "h264_nvenc",
            {"preset": "p4", "rc": "vbr", "cq": "28", "bf": "0", "forced-idr": "1", "delay": "0"},
            absent="no NVIDIA encoder that FFmpeg can open",
        ),
        H264Encoder(
            "x264",
            "libx264",
            {"preset": "superfast", "crf": "26", "bf": "0", "forced-idr": "1"},
            absent="this build of av has no libx264",
        ),
    )
}
"""In the order of preference.  One frame waits for the next, no more: little memory, and little
lost with a power cut.

Source of x264's: measured: 2 cores of an EPYC Zen 5, 2026-11-20; DESIGN.md, "Burned recordings".
"""


X264: Final = ENCODERS["x264"]

_left_behind: Final[dict[str, Thread]] = {}
"""The last trial of an encoder that hung."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The encoder to use, and why not those before it."""

    encoder: H264Encoder
    refused: tuple[str, ...]

    def __str__(self) -> str:
        why = f" ({'; '.join(self.refused)})" if self.refused else ""
        return f"{self.encoder.name}{why}"


@lru_cache(maxsize=64)
def choose_encoder(asked: str = "auto", size: tuple[int, int] = (1280, 720)) -> Choice:
    """Return the encoder to use for pictures of a size, and remember it; told in the log.

    asked is a name of ENCODERS, which then has to work, or "auto": the first that does.  Raises
    RecordingError where one was named that does not.
    """
    refused: list[str] = []
    for encoder in ENCODERS.values() if asked == "auto" else [ENCODERS[asked]]:
        why = None if encoder is X264 else why_not(encoder, size)  # opening x264 is trial enough
        if why is None:
            choice = Choice(encoder, tuple(refused))
            log.info("H.264 of %dx%d by %s", *size, choice)
            return choice
        refused.append(f"{encoder.name}: {why}")
    what = f"does not work here: {why}, asked for {size[0]}x{size[1]}"
    raise RecordingError(what, where=f"record.encoder {asked}", hint="use auto, or x264")


def why_not(encoder: H264Encoder, size: tuple[int, int]) -> str | None:
    """Return why an encoder is of no use here; None: it encoded some pictures rightly.

    A thread tries, so that a driver that hangs is left behind: once, however often it is asked.
    """
    if (left := _left_behind.get(encoder.name)) is not None and left.is_alive():
        return "hangs: its last trial has not come back"
    told: SimpleQueue[str | None] = SimpleQueue()
    trial = Thread(target=lambda: told.put(_trial(encoder, size)), daemon=True)
    trial.start()
    try:
        return told.get(timeout=_PATIENCE_S)
    except Empty:
        _left_behind[encoder.name] = trial
        return f"hangs: nothing after {_PATIENCE_S:g} s"


def _trial(encoder: H264Encoder, size: tuple[int, int]) -> str | None:
    try:
        packets = _encoded(encoder, size)
        pictures = _decoded(packets)
    except (UnknownCodecError, av.FFmpegError, OSError):
        return encoder.absent
    if len(packets) != _N_TRIED or not packets[0].is_keyframe:
        return f"{len(packets)} packets for {_N_TRIED} pictures"
    if len(pictures) != _N_TRIED:
        return f"only {len(pictures)} of {_N_TRIED} pictures can be decoded"
    if any(_is_wrong(picture, _grey(n, size)) for n, picture in enumerate(pictures)):
        return "its pictures come out wrong"
    return None


def _is_wrong(picture: NDArray[np.float64], meant: NDArray[np.float64]) -> bool:
    return picture.shape != meant.shape or bool(np.abs(picture - meant).mean() > _MOST_OFF)


def _encoded(encoder: H264Encoder, size: tuple[int, int]) -> list[Packet[VideoStream]]:
    codec = VideoCodecContext.create(encoder.codec, "w")
    if not isinstance(codec, VideoCodecContext):
        raise TypeError(f"{encoder.codec} is no video codec")
    codec.options = dict(encoder.options)
    encoder.set_up(codec, size, 1)
    packets = []
    for n in range(_N_TRIED):
        grey = _grey(n, size).astype(np.uint8)
        frame = av.VideoFrame.from_ndarray(grey, "gray").reformat(format="yuv420p")
        frame.pts, frame.time_base = n * TICKS_PER_S // 25, Fraction(1, TICKS_PER_S)
        frame.pict_type = PictureType.I if n == 0 else PictureType.NONE
        packets += codec.encode(frame)
    return [*packets, *codec.encode(None)]


def _decoded(packets: list[Packet[VideoStream]]) -> list[NDArray[np.float64]]:
    codec = VideoCodecContext.create("h264", "r")
    frames = [f for packet in [*packets, None] for f in codec.decode(packet)]
    return [f.to_ndarray(format="gray").astype(float) for f in frames]


def _grey(n: int, size: tuple[int, int]) -> NDArray[np.float64]:
    """Return the nth picture of a trial, (height, width), 16 to 235: a slope that moves."""
    width, height = size
    across = (np.arange(width) + 16 * n) % width / width
    down = np.arange(height)[:, None] / height
    return np.rint(40 + 150 * (across + down) / 2)
