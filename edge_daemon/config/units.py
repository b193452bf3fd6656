"""Durations (500ms 10s 5m 7d) and sizes (500MB 20GB) as people write them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BeforeValidator

if TYPE_CHECKING:
    from collections.abc import Mapping

DURATIONS_S: Final[Mapping[str, float]] = {
    "ms": 0.001,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86400.0,
}
SIZES: Final[Mapping[str, float]] = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_QUANTITY: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)")


def parse_duration_s(text: object) -> float:
    """Return seconds.  Raises ValueError unless text is a number with ms, s, m, h or d."""
    return _parse(text, DURATIONS_S, "a duration such as 500ms, 10s, 5m, 12h or 7d")


def parse_size_bytes(text: object) -> int:
    """Return bytes.  Raises ValueError unless text is a number with B, KB, MB, GB or TB."""
    return int(_parse(text, SIZES, "a size such as 500MB or 20GB"))


def in_largest_unit(value: float, units: Mapping[str, float]) -> str:
    """Return value as people write it: in the largest unit that it is a whole number of."""
    whole = (u for u in units if (n := round(value / units[u], 6)) >= 1 and n.is_integer())
    unit = max(whole, key=lambda u: units[u])
    return f"{value / units[unit]:g}{unit}"


def _parse(text: object, units: Mapping[str, float], wanted: str) -> float:
    match = _QUANTITY.fullmatch(text.strip()) if isinstance(text, str) else None
    unit = units.get(match[2]) if match else None
    if match is None or unit is None:
        raise ValueError(f"write {wanted}")
    value = float(match[1]) * unit
    if not 0 < value < 1e16:
        raise ValueError(f"out of range -- write {wanted}; to switch it off, write null")
    return value


Duration = Annotated[float, BeforeValidator(parse_duration_s)]
"""Seconds, above 0."""

Size = Annotated[int, BeforeValidator(parse_size_bytes)]
"""Bytes, above 0."""
