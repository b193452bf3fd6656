"""Just enough of H.264 and H.265 to notice new parameters, and of AAC to leave out its headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_START: Final = b"\0\0\1"
_H264_SETS: Final = (7, 8)  # SPS, PPS.  Source: H.264, table 7-1
_HEVC_SETS: Final = (32, 33, 34)  # VPS, SPS, PPS.  Source: H.265, table 7-1
_HEVC_FIRST_OTHER: Final = 32  # below are slices
RATES: Final = (
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
)  # fmt: skip
"""Of AAC, Hz.  Source: ISO/IEC 14496-3, table 1.18."""
_MOST_SCANNED: Final = 4096  # bytes of a packet in which parameter sets are looked for


def parameter_sets(codec: str, data: bytes) -> bytes:
    """Return the parameter sets before the first slice, each behind a start code; b"" for none.

    data is Annex B.  Of a codec other than h264 and hevc there are none.
    """
    if codec not in ("h264", "hevc"):
        return b""
    found = []
    for kind, nal in _units(codec, data):
        is_slice = kind in (1, 2, 3, 4, 5) if codec == "h264" else kind < _HEVC_FIRST_OTHER
        if is_slice:
            break
        if kind in (_H264_SETS if codec == "h264" else _HEVC_SETS):
            found.append(b"\0" + _START + nal)
    return b"".join(found)


def is_annex_b(extradata: bytes) -> bool:
    """Whether packets with this extradata have start codes; else each unit has its length."""
    return extradata[:1] != b"\1"


def _units(codec: str, data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (type, unit without its start code)."""
    start = data.find(_START, 0, _MOST_SCANNED)
    while start >= 0:
        start += len(_START)
        end = data.find(_START, start, start + _MOST_SCANNED)
        unit = data[start : end if end >= 0 else start + _MOST_SCANNED].rstrip(b"\0")
        if unit:
            yield (unit[0] & 0x1F if codec == "h264" else unit[0] >> 1 & 0x3F), unit
        start = end


def adts_config(data: bytes) -> bytes:
    """Return what AAC's ADTS header says as an AudioSpecificConfig; b"" where there is none.

    Source: ISO/IEC 13818-7, 6.2 (ADTS); 14496-3, 1.6.2.1 (AudioSpecificConfig).
    """
    if len(data) < 7 or data[0] != 0xFF or data[1] & 0xF6 != 0xF0:
        return b""
    channels = (data[2] & 1) << 2 | data[3] >> 6
    return aac_config((data[2] >> 6) + 1, data[2] >> 2 & 0xF, channels)


def aac_config(object_type: int, rate_index: int, channels: int) -> bytes:
    """Return an AudioSpecificConfig.  rate_index is a place in RATES."""
    return (object_type << 11 | rate_index << 7 | channels << 3).to_bytes(2, "big")


def without_adts(data: bytes) -> bytes:
    """Return an AAC packet without its ADTS header."""
    if not adts_config(data):
        return data
    return data[7 if data[1] & 1 else 9 :]
