"""What a camera may keep, and which of its segments are too old or too many.  Pure, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from edge_daemon.recording.segments import Segment


@dataclass(frozen=True, slots=True)
class Limits:
    """What a camera may keep; None: no limit."""

    keep_s: float | None
    max_bytes: int | None


@dataclass(frozen=True, slots=True)
class Keep:
    """For how long a camera's segments stay, and what is kept of its events; None: no limit."""

    segments_s: float | None
    events_s: float | None


def outdated(
    segments: Sequence[Segment],
    limits: Limits,
    *,
    now: datetime,
    growing_bytes: int,
    written_at: Callable[[datetime], datetime] = lambda at: at,
) -> list[Segment]:
    """Return which of a camera's segments, given oldest first, are too old or too many.

    growing_bytes is the size of the segment being written with what comes next; written_at gives
    the time of a file that the clock dated wrongly.
    """
    born = born_before(limits.keep_s, now)
    used = growing_bytes + sum(s.size_bytes for s in segments)
    gone = []
    for segment in segments:
        too_old = born is not None and written_at(segment.ended_at) < born
        too_much = limits.max_bytes is not None and used > limits.max_bytes
        if too_old or too_much:
            used -= segment.size_bytes
            gone.append(segment)
    return gone


def crowded_out(segments: Iterable[Segment], missing_bytes: int) -> list[Segment]:
    """Return the oldest segments, of whichever camera, that hold missing_bytes together."""
    gone = []
    for segment in sorted(segments, key=lambda s: s.ended_at):
        if missing_bytes <= 0:
            break
        missing_bytes -= segment.size_bytes
        gone.append(segment)
    return gone


def born_before(keep_s: float | None, now: datetime) -> datetime | None:
    """Return before when files are too old; None: none is."""
    try:
        return None if keep_s is None else now - timedelta(seconds=keep_s)
    except OverflowError:  # before the year 1
        return None
