"""Clips that flash and beep at the same moments, and when a clip does: shows sound out of step."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from itertools import count
from typing import TYPE_CHECKING, Any

import av
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

RATE = 48_000
EVERY_S = 2.0
_BEEP_S = 0.1


def write_flashes(
    path: Path,
    *,
    seconds: float,
    times: Sequence[float] | None = None,
    fps: int = 10,
    size: tuple[int, int] = (320, 180),
    sound: str = "aac",
    sound_rate: int = RATE,
    later_s: float = 0.0,
) -> Path:
    """Write a clip that flashes with the first picture after each odd second, and beeps with it.

    times are those of the pictures where they are not fps apart; later_s is added to all times of
    the file.
    """
    shown = list(times) if times is not None else [n / fps for n in range(int(seconds * fps))]
    ticks = [round((t + later_s) * 90_000) for t in shown]
    lit = lit_at(shown)
    with av.open(str(path), "w") as out:
        video: Any = out.add_stream("libx264", rate=fps, options={"preset": "ultrafast", "bf": "0"})
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        video.gop_size, video.codec_context.time_base = fps, Fraction(1, 90_000)
        audio: Any = out.add_stream(sound, rate=sound_rate, layout="mono")
        beeps, shift = _beeps(audio, [shown[n] for n in lit], seconds), round(later_s * sound_rate)
        for n, tick in enumerate(ticks):
            frame = av.VideoFrame.from_ndarray(_picture(n in lit, size), format="rgb24")
            frame.pts, frame.time_base = tick, Fraction(1, 90_000)
            out.mux(video.encode(frame))
            while beeps and beeps[0].pts / sound_rate <= shown[n]:
                block = beeps.pop(0)
                block.pts += shift
                out.mux(audio.encode(block))
        for block in beeps:
            block.pts += shift
            out.mux(audio.encode(block))
        out.mux(audio.encode(None))
        out.mux(video.encode(None))
    return path


def write_flashes_by_ffmpeg(path: Path, *, sound: str, sound_rate: int, seconds: float) -> Path:
    """The same with a kind of sound that PyAV puts into no file."""
    plain = path.with_name("plain.mov")
    write_flashes(plain, seconds=seconds, sound="pcm_s16le", sound_rate=sound_rate)
    call = ["ffmpeg", "-v", "error", "-i", str(plain), "-c:v", "copy", "-c:a", sound, str(path)]
    subprocess.run(call, check=True)
    return path


def lit_at(times: Sequence[float]) -> set[int]:
    """Return which of the pictures, shown at those times, are bright."""
    at = np.asarray(times)
    marks = np.arange(EVERY_S / 2, at[-1], EVERY_S)
    return set(np.searchsorted(at, marks - 1e-9).tolist())


def flashes(path: Path) -> list[float]:
    """Return when a clip flashes, seconds; looked for below, where no panel is drawn."""
    with av.open(str(path)) as video:
        return [
            float(frame.time)
            for frame in video.decode(video=0)
            if frame.reformat(format="gray").to_ndarray()[-frame.height // 8 :].mean() > 140
        ]


def beeps(path: Path) -> list[float]:
    """Return when a clip begins to beep, seconds, to a millisecond or two."""
    found: list[float] = []
    with av.open(str(path)) as clip:
        for frame in clip.decode(audio=0):
            samples = np.abs(frame.to_ndarray().astype(float)).max(axis=0)
            loud = np.flatnonzero(samples > _full(frame.format.name) / 8)
            for at in (float(frame.time) + loud[:1] / frame.sample_rate).tolist():
                if not found or at - found[-1] > EVERY_S / 2:
                    found.append(at)
    return found


def _full(form: str) -> float:
    """Return the largest sample of a format."""
    return {"flt": 1.0, "s16": 2.0**15 - 1, "s32": 2.0**31 - 1}[form.removesuffix("p")]


def _picture(bright: bool, size: tuple[int, int]) -> NDArray[np.uint8]:
    picture = np.full((size[1], size[0], 3), 230 if bright else 60, np.uint8)
    picture[:, :: max(size[0] // 16, 2)] = 100  # detail: a camera without is blind
    return picture


def _beeps(audio: Any, starts: Sequence[float], seconds: float) -> list[av.AudioFrame]:
    codec = audio.codec_context
    form, rate, most = codec.format.name, codec.sample_rate, codec.frame_size or 1024
    at = np.arange(round(seconds * rate)) / rate
    wave = np.zeros(len(at))
    for start in starts:
        begin = round(start * rate)
        part = slice(begin, begin + round(_BEEP_S * rate))
        wave[part] = 0.6 * np.sin(2 * np.pi * 1000 * at[: len(wave[part])] + np.pi / 2)
    kind = {"flt": np.float32, "s16": np.int16, "s32": np.int32}[form.removesuffix("p")]
    samples = (wave * _full(form)).astype(kind)
    blocks = []
    for n in count():
        block = samples[n * most : (n + 1) * most]
        if len(block) < most:
            return blocks
        frame = av.AudioFrame.from_ndarray(block[None], form, "mono")
        frame.rate, frame.pts, frame.time_base = rate, n * most, Fraction(1, rate)
        blocks.append(frame)
    raise AssertionError
