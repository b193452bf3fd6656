"""What a camera sends of a clip: its access units as RTP, its sender reports, its description.

Source: RFC 3550 (RTP), RFC 6184 and 7798 (H.264, H.265), RFC 3551 (sound), RFC 4566 (SDP).
"""

from __future__ import annotations

import base64
import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import av
from av.bitstream import BitStreamFilterContext

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator
    from pathlib import Path

CLOCK_HZ = 90_000
_PAYLOAD_BYTES = 1400
SOUND_HZ, _SOUND_S = 8_000, 0.04  # of a packet
_SOUNDS = {"pcm_alaw": (8, 8), "g726": (97, 4)}  # payload type, bits of a sample
_NTP_FROM_UNIX_S = 2_208_988_800  # RFC 868: 1900 to 1970


@dataclass(frozen=True)
class Clip:
    """A video as its access units: (seconds from the start, NAL units).

    codec is h264 or hevc.  sound is G.711, A-law, or G.726, 32 kbit/s, of 8 kHz: (seconds from the
    start, samples).
    """

    codec: str
    units: tuple[tuple[float, tuple[bytes, ...]], ...]
    seconds: float
    sound: tuple[tuple[float, bytes], ...] = ()
    sound_type: int = 8  # of its payload

    @classmethod
    def read(cls, path: Path) -> Clip:
        """Read a file."""
        units = []
        with av.open(str(path)) as file:
            video = file.streams.video[0]
            codec = video.codec_context.name
            annex_b = BitStreamFilterContext(f"{codec}_mp4toannexb", video)
            for packet in file.demux(video):
                if packet.pts is not None:
                    start_s = float(packet.pts * video.time_base)
                    body = b"".join(bytes(part) for part in annex_b.filter(packet))
                    nals = (nal.rstrip(b"\0") for nal in re.split(b"\0\0\1", body))
                    units.append((start_s, tuple(nal for nal in nals if nal)))
            seconds = len(units) / float(video.average_rate or 25)
            sound, kind = [], 8
            of_sound = file.streams.audio[0].codec_context.name if file.streams.audio else ""
            if of_sound in _SOUNDS:
                file.seek(0)
                samples = b"".join(bytes(packet) for packet in file.demux(audio=0))
                kind, bits = _SOUNDS[of_sound]
                if of_sound == "g726":  # of RTP the first sample is the low one (RFC 3551, 4.5.4)
                    samples = bytes((two << 4 | two >> 4) & 0xFF for two in samples)
                size = round(SOUND_HZ * _SOUND_S * bits / 8)
                sound = [
                    (n * _SOUND_S, samples[n * size : (n + 1) * size])
                    for n in range(round(seconds / _SOUND_S))
                ]
        return cls(codec, tuple(units), seconds, tuple(sound), kind)


def without_keys(codec: str, nals: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Leave out what decoding can begin at: key frames, and sets of parameters."""
    if codec == "h264":
        return tuple(nal for nal in nals if nal[0] & 0x1F not in (5, 7, 8))
    return tuple(nal for nal in nals if nal[0] >> 1 & 0x3F not in (*range(16, 24), 32, 33, 34))


def flipped(payload: bytes, chance: random.Random) -> bytes:
    """Flip a bit in a hundred bytes, at least one."""
    damaged = bytearray(payload)
    for _ in range(1 + len(damaged) // 100):
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def schedule(clip: Clip, *, loop: bool) -> Iterator[tuple[float, float, tuple[bytes, ...]]]:
    """Yield (presentation second, second to send, NAL units), again and again."""
    turn = 0
    while turn == 0 or loop:
        for number, (at_s, nals) in enumerate(clip.units):
            start_s = turn * clip.seconds
            yield start_s + at_s, start_s + number * clip.seconds / len(clip.units), nals
        turn += 1


def payloads(codec: str, nals: tuple[bytes, ...]) -> Iterator[tuple[bytes, bool]]:
    """Yield (RTP payload, is the last of the picture); large NAL units in fragments."""
    for nal in nals:
        final = nal is nals[-1]
        if len(nal) <= _PAYLOAD_BYTES:
            yield nal, final
            continue
        if codec == "h264":
            indicator, kind, body = bytes((nal[0] & 0xE0 | 28,)), nal[0] & 0x1F, nal[1:]
        else:
            indicator = bytes((nal[0] & 0x81 | 49 << 1, nal[1]))
            kind, body = nal[0] >> 1 & 0x3F, nal[2:]
        for start in range(0, len(body), _PAYLOAD_BYTES):
            ends = start + _PAYLOAD_BYTES >= len(body)
            marks = bytes(((start == 0) << 7 | ends << 6 | kind,))
            yield indicator + marks + body[start : start + _PAYLOAD_BYTES], final and ends


def sender_report(stamp: int, unix_s: float, *, source: int = 1) -> bytes:
    """An RTCP packet that says which wall clock time a time stamp of RTP is."""
    ntp_s = unix_s + _NTP_FROM_UNIX_S
    fraction = int(ntp_s % 1 * 2**32)
    return struct.pack(">BBHIIIIII", 0x80, 200, 6, source, int(ntp_s), fraction, stamp, 0, 0)


def sdp(clip: Clip, *, full: bool) -> str:
    """The answer to DESCRIBE; full: with the parameter sets of H.264."""
    form = "packetization-mode=1"
    if clip.codec == "h264" and full:
        sets = [nal for _at_s, nals in clip.units for nal in nals if nal[0] & 0x1F in (7, 8)][:2]
        form += ";sprop-parameter-sets=" + ",".join(base64.b64encode(nal).decode() for nal in sets)
    lines = [
        "v=0",
        "o=- 0 0 IN IP4 127.0.0.1",
        "s=camera",
        "c=IN IP4 0.0.0.0",
        "t=0 0",
        "m=video 0 RTP/AVP 96",
        f"a=rtpmap:96 {'H264' if clip.codec == 'h264' else 'H265'}/90000",
        *([f"a=fmtp:96 {form}"] if clip.codec == "h264" else []),
        "a=control:trackID=0",
        *([f"m=audio 0 RTP/AVP {clip.sound_type}"] if clip.sound else []),
        *(["a=rtpmap:97 G726-32/8000"] if clip.sound_type == 97 else []),
        *(["a=control:trackID=1"] if clip.sound else []),
        "",
    ]
    return "\r\n".join(lines)
