"""How old files are, by a wall clock that may have been wrong when they were written."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

_JUMP_S: Final = 60.0  # by less a clock is put right while it runs


class _Era(NamedTuple):
    """What the wall clock said from one jump to the next."""

    ahead_s: float  # of monotonic time
    begun_s: float  # monotonic


class Ages:
    """Says when files were written, in the time of the wall clock as it is now.

    What was written since this was made is dated by monotonic time, so that a clock that jumps
    makes nothing older.  Of what was there before, the clock is believed while is_synced();
    else nobody knows but that it was there when this was made.  Not for two threads at once.
    """

    def __init__(
        self,
        is_synced: Callable[[], bool] = lambda: True,
        *,
        wall: Callable[[], float] = time.time,
        mono: Callable[[], float] = time.monotonic,
    ) -> None:
        self._is_synced, self._wall, self._mono = is_synced, wall, mono
        self._is_believed = is_synced()  # as of the last now()
        self._begun_s = mono()
        self._eras = [_Era(wall() - self._begun_s, self._begun_s)]

    def now(self) -> datetime:
        """Return what the wall clock says, aware UTC; notices when it has jumped."""
        self._is_believed = self._is_synced()
        wall_s, mono_s = self._wall(), self._mono()
        if abs(wall_s - mono_s - self._eras[-1].ahead_s) > _JUMP_S:
            self._eras.append(_Era(wall_s - mono_s, mono_s))
        return datetime.fromtimestamp(wall_s, timezone.utc)

    def written_at(self, at: datetime) -> datetime:
        """Return when a file was written, at the latest, that is dated at; aware UTC."""
        now_s, at_s = self._mono(), at.timestamp()
        ends_s = [*(era.begun_s for era in self._eras[1:]), now_s]
        found_s = [
            at_s - era.ahead_s
            for era, end_s in zip(self._eras, ends_s)
            if era.begun_s <= at_s - era.ahead_s <= end_s
        ]
        ahead_s = self._eras[-1].ahead_s
        if found_s:
            latest_s = max(found_s) + ahead_s
        else:
            latest_s = at_s if self._is_believed else max(at_s, self._begun_s + ahead_s)
        return at + timedelta(seconds=latest_s - at_s)
