"""Small clips for the tests, made when they are needed: python -m tests.data.make_data DIR.

Each picture shows its own number, so that a test can prove that no frame was lost, doubled or
put in the wrong order, whatever the codec did to it in between.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BITS = 12
SIZE = (320, 180)
_DARK, _LIGHT = 40, 215


def numbered(number: int, width: int = SIZE[0], height: int = SIZE[1]) -> NDArray[np.uint8]:
    """Picture uint8 RGB (height, width, 3) that shows number, 0 to 4095, as twelve blocks.

    Above the blocks, left is red and right is blue, so that a turned or mirrored picture shows.
    """
    picture = np.empty((height, width, 3), np.uint8)
    picture[:, : width // 2] = (200, 60, 60)
    picture[:, width // 2 :] = (60, 60, 200)
    picture[height // 4 : height // 2] = (number * 3) % 120 + 40  # something that always moves
    edges = np.linspace(0, width, BITS + 1).astype(int)
    for bit, (left, right) in enumerate(pairwise(edges)):
        picture[height // 2 :, left:right] = _LIGHT if number >> bit & 1 else _DARK
    return picture


def number_in(rgb: NDArray[np.uint8]) -> int:
    """Read the number back from a picture (H, W, 3) of any size."""
    height, width = rgb.shape[:2]
    row = rgb[height * 5 // 8 : height * 7 // 8].mean(axis=(0, 2))
    centres = ((np.arange(BITS) + 0.5) * width / BITS).astype(int)
    return sum(1 << bit for bit, x in enumerate(centres) if row[x] > (_DARK + _LIGHT) / 2)


def write_clip(
    path: Path,
    *,
    n_frames: int = 50,
    first: int = 0,
    size: tuple[int, int] = SIZE,
    fps: int = 25,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    gop: int = 10,
    b_frames: int = 0,
    rotation: int = 0,
    start_pts: int = 0,
    lead_in: bool = False,
    title: str = "",
    muxer: dict[str, str] | None = None,
    **options: str,
) -> Path:
    """Write pictures first, first + 1, ... and return path; the ending chooses the container.

    rotation is in degrees counter-clockwise, written as metadata.  lead_in puts an audio track
    before the video.
    """
    width, height = size
    with av.open(str(path), "w", options=muxer or {}) as out:
        out.metadata["title"] = title
        sound = out.add_stream("aac", rate=8000) if lead_in else None
        video: Any = out.add_stream(codec, rate=fps, options=options)
        video.width, video.height, video.pix_fmt = width, height, pix_fmt
        video.gop_size, video.bit_rate = gop, 400_000
        if codec in ("libx264", "libx265"):
            tuning = {"preset": "veryfast", "bf": str(b_frames), "sc_threshold": "0"}
            quiet = {"x265-params": f"log-level=none:bframes={b_frames}:scenecut=0:keyint={gop}"}
            video.options = {**tuning, **(quiet if codec == "libx265" else {}), **options}
        if rotation:
            video.set_display_rotation(rotation)
        if sound is not None:
            _write_silence(out, sound, seconds=n_frames / fps)
        for number in range(first, first + n_frames):
            frame = av.VideoFrame.from_ndarray(numbered(number, width, height), format="rgb24")
            frame.pts, frame.time_base = number - first + start_pts, Fraction(1, fps)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
    return path


def _write_silence(out: Any, sound: Any, *, seconds: float) -> None:
    for block in range(int(seconds * 8000) // 1024):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.rate, frame.pts, frame.time_base = 8000, block * 1024, Fraction(1, 8000)
        out.mux(sound.encode(frame))
    out.mux(sound.encode(None))


def truncated(path: Path, keep: float, to: Path) -> Path:
    """Write the first part of a file, keep in (0, 1), and return where."""
    content = path.read_bytes()
    to.write_bytes(content[: int(len(content) * keep)])
    return to


def damaged(path: Path, to: Path, *, n_bytes: int = 60, seed: int = 7) -> Path:
    """Write a copy whose middle half has n_bytes overwritten at random places."""
    rng = np.random.default_rng(seed)
    content = bytearray(path.read_bytes())
    for at in rng.integers(len(content) // 4, len(content) * 3 // 4, n_bytes):
        content[at] = rng.integers(256)
    to.write_bytes(bytes(content))
    return to


def garbage(path: Path, n_bytes: int = 20_000) -> Path:
    """Write random bytes and return path."""
    path.write_bytes(np.random.default_rng(1).bytes(n_bytes))
    return path


def main() -> None:
    """Write one of each into the directory named on the command line."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    plain = write_clip(folder / "h264.mp4", muxer={"movflags": "faststart"})
    write_clip(folder / "h264-b-frames.mp4", b_frames=2)
    write_clip(folder / "h265.mp4", codec="libx265")
    write_clip(folder / "mjpeg.avi", codec="mjpeg", pix_fmt="yuvj420p")
    write_clip(folder / "mpeg.ts")
    truncated(plain, 0.6, folder / "truncated.mp4")
    damaged(folder / "mpeg.ts", folder / "damaged.ts")
    garbage(folder / "garbage.mp4")


if __name__ == "__main__":
    main()
