"""H.264 in MP4 from pictures: plays in a browser, and up to the last second after a SIGKILL."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from fractions import Fraction
from typing import TYPE_CHECKING, Final, Protocol

import av
import cv2
import numpy as np
from av.codec.codec import UnknownCodecError
from av.video.frame import PictureType

from edge_daemon.errors import RecordingError
from edge_daemon.recording.encoders import TICKS_PER_S, choose_encoder
from edge_daemon.recording.storage import StorageFile, storage_faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from _typeshed import StrPath
    from av import Packet
    from av.container import OutputContainer
    from numpy.typing import NDArray
    from typing_extensions import Self

    from edge_daemon.recording.encoders import H264Encoder

_STEP: Final = 3_600  # ticks of a frame when nothing tells how long it stays
_CONTAINER: Final = {
    "movflags": "hybrid_fragmented",
    "flush_packets": "1",
    "max_interleave_delta": "1",  # us: pictures do not wait for sound, which may cease
}
"""Fragments while it grows, an ordinary seekable MP4 once closed.  Source: FFmpeg 7.1, movenc."""


class Sound(Protocol):
    """What is heard beside the pictures."""

    def add_to(self, container: OutputContainer) -> None:
        """Declare its track in the file that will be written."""
        ...

    def until(
        self, raw_s: float | None, shift_s: float | None = None
    ) -> Iterator[Packet[av.AudioStream]]:
        """Yield its packets up to the stream's own time raw_s, moved by shift_s; None: the rest."""
        ...


class Timeline:
    """Stream time in seconds to ticks that always grow; a step back is bridged, not followed."""

    def __init__(self) -> None:
        self.step = _STEP  # from the frame before last to the last one
        self._start_s, self._last = 0.0, -1

    def tick(self, pts_s: float) -> int:
        """Return the ticks of the next frame; those of the first are 0."""
        if self._last < 0:
            self._start_s, self._last = pts_s, 0
            return 0
        tick = round((pts_s - self._start_s) * TICKS_PER_S)
        if tick <= self._last:
            tick = self._last + min(self.step, TICKS_PER_S)
            self._start_s = pts_s - tick / TICKS_PER_S
        self.step, self._last = tick - self._last, tick
        return tick


class VideoWriter:
    """One MP4 file, made when the first picture comes.  Used by one thread.

    Every method raises RecordingError, StorageFullError where there is no room.  After one the
    file is closed, with what it held before, and the writer is of no more use.
    """

    def __init__(
        self,
        path: StrPath,
        *,
        replace: bool = True,
        threads: int = 1,
        encoder: str = "auto",
        pixel_aspect: Fraction | None = None,
        sound: Sound | None = None,
        on_packet: Callable[[Packet[av.VideoStream], av.VideoStream], None] | None = None,
    ) -> None:
        """Prepare; nothing is opened yet.

        encoder is a name that choose_encoder() takes, pixel_aspect the width of a pixel by its
        height where that is not 1, sound what is copied beside the pictures.  on_packet gets each
        encoded picture with its stream, in the order in which they are written.
        """
        self.path = path
        self._replace, self._threads, self._asked = replace, threads, encoder
        self._aspect, self._sound, self._on_packet = pixel_aspect, sound, on_packet
        self._timeline, self._next_key = Timeline(), 0
        self._encoder: _Encoder | None = None
        self._planes: NDArray[np.uint8] | None = None  # YUV 4:2:0, used again and again

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def size_bytes(self) -> int:
        """Size of the file so far; what belongs to the open fragment is not in it yet."""
        return self._encoder.size_bytes if self._encoder else 0

    def write(self, rgb: NDArray[np.uint8], pts_s: float, raw_s: float | None = None) -> None:
        """Add a picture, uint8 (H, W, 3), at pts_s; an odd last row or column is left out.

        A picture of another size than the first is fitted into that one, with black edges.
        raw_s is the stream's own time of it, by which sound is placed.
        """
        if self._encoder is None:
            self._encoder = self._begin((rgb.shape[1] & ~1, rgb.shape[0] & ~1))
        picture = _fitted(rgb, self._encoder.size)
        planes = self._planes = _planes(picture, self._planes)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        tick = frame.pts = self._timeline.tick(pts_s)
        frame.time_base = Fraction(1, TICKS_PER_S)
        if tick >= self._next_key:
            frame.pict_type = PictureType.I
            self._next_key = tick + TICKS_PER_S if tick else 1  # an early one: soon playable
        self._encoder.encode(frame, self._timeline.step)
        if self._sound is not None and raw_s is not None:
            self._encoder.mux(self._sound.until(raw_s, tick / TICKS_PER_S - raw_s))

    def hear(self, raw_s: float) -> None:
        """Add the sound up to raw_s without a picture."""
        if self._encoder is not None and self._sound is not None:
            self._encoder.mux(self._sound.until(raw_s))

    def _begin(self, size: tuple[int, int]) -> _Encoder:
        encoder = choose_encoder(self._asked, size).encoder
        return _Encoder(
            self.path,
            size,
            encoder,
            replace=self._replace,
            threads=self._threads,
            aspect=self._aspect,
            sound=self._sound,
            on_packet=self._on_packet,
        )

    def close(self) -> None:
        """Finish the file; without a picture there is none."""
        if self._encoder is not None:
            encoder, self._encoder = self._encoder, None
            encoder.close(self._timeline.step, self._sound)


class _Encoder:
    """H.264 and the MP4 around it, opened for one size of picture."""

    def __init__(
        self,
        path: StrPath,
        size: tuple[int, int],
        encoder: H264Encoder,
        *,
        replace: bool,
        threads: int,
        aspect: Fraction | None,
        sound: Sound | None,
        on_packet: Callable[[Packet[av.VideoStream], av.VideoStream], None] | None,
    ) -> None:
        self.size = size
        self._path, self._on_packet = path, on_packet
        with storage_faults(path):
            self._file = StorageFile(path, "wb" if replace else "xb")
        self._container = av.open(self._file, "w", format="mp4", options=_CONTAINER)
        with self._fatal():
            options = dict(encoder.options)
            stream = self._container.add_stream(encoder.codec, rate=30, options=options)
            if not isinstance(stream, av.VideoStream):
                raise TypeError(f"{encoder.codec} is no video codec")
            self._stream = stream
            encoder.set_up(stream.codec_context, size, threads)
            if aspect is not None:
                self._stream.sample_aspect_ratio = aspect
            if sound is not None:
                sound.add_to(self._container)

    @property
    def size_bytes(self) -> int:
        """Size of the file, which grows with each fragment."""
        return self._file.size_bytes

    def encode(self, frame: av.VideoFrame | None, step: int) -> None:
        """Encode a frame and write the one before it, which lasts step ticks; None: the last.

        x264 holds one frame back until it knows how long it stays.
        """
        if self._file.closed:
            raise ValueError("a picture after a fault: this writer is of no more use")
        with self._fatal():
            for packet in self._stream.encode(frame):
                packet.duration = step
                if self._on_packet is not None:
                    self._on_packet(packet, self._stream)
                self._container.mux(packet)

    def mux(self, packets: Iterable[Packet[av.AudioStream]]) -> None:
        """Write packets of another track."""
        with self._fatal():
            for packet in packets:
                self._container.mux(packet)

    def close(self, step: int, sound: Sound | None) -> None:
        """Write the last frame, of step ticks, and the index; nothing after a fault."""
        if not self._file.closed:
            self.encode(None, step)
            self.mux(sound.until(None) if sound is not None else ())
            with self._fatal():
                self._container.close()
                self._file.close()

    @contextmanager
    def _fatal(self) -> Iterator[None]:
        """Turn any fault into a RecordingError, and let go of the file.

        The file is closed first: FFmpeg must not write an index over fragments that are missing.
        Nor is it asked again: a packet after a failed header is a segmentation fault (av 18.1).
        """
        try:
            with storage_faults(self._path):
                yield
        except (RecordingError, av.FFmpegError, UnknownCodecError) as exc:
            self._file.close()
            with suppress(av.FFmpegError, OSError, ValueError):
                self._container.close()
            if isinstance(exc, RecordingError):
                raise
            hint = "pip install --force-reinstall av"
            raise RecordingError(f"H.264: {exc}", where=str(self._path), hint=hint) from exc


def _planes(rgb: NDArray[np.uint8], into: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    """Return rgb (H, W, 3) as YUV 4:2:0, BT.601, limited range: uint8 (H * 3 / 2, W)."""
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420, dst=into), np.uint8)


def _fitted(rgb: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return rgb cut to even size, or fitted into (width, height) when it is another size."""
    width, height = size
    down, across = rgb.shape[:2]
    if (across & ~1, down & ~1) == size:
        return rgb[:height, :width]
    scale = min(width / across, height / down)
    across, down = max(round(across * scale), 1), max(round(down * scale), 1)
    left, top = (width - across) // 2, (height - down) // 2
    fitted = np.zeros((height, width, 3), np.uint8)
    fitted[top : top + down, left : left + across] = cv2.resize(
        rgb, (across, down), interpolation=cv2.INTER_AREA
    )
    return fitted
