"""What has become too old goes, whether its camera writes, is quiet or is configured no longer."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Final

from edge_daemon.config.record import RecordConfig
from edge_daemon.errors import RecordingError
from edge_daemon.recording.limits import Keep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from edge_daemon.logs import FaultLog
    from edge_daemon.recording.retention import Archive
    from edge_daemon.types import CameraId

_EVERY_S: Final = 60.0  # it means reading directories
_TURN_S: Final = 2.0  # then whoever ticks has other work to look at
_SETTLED_S: Final = 600.0  # no camera came for so long: those that are configured are known


class Aging:
    """Looks through what all cameras have kept, once a minute.  One thread calls tick()."""

    def __init__(
        self, archive: Archive, faults: FaultLog, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._archive, self._faults, self._clock = archive, faults, clock
        self._keeps: dict[CameraId, Keep] = {}
        self._looked_s = self._came_s = clock()

    def of(self, camera: CameraId, record: RecordConfig) -> None:
        """Take over how long a camera's files stay: from now on, and when it has been removed."""
        self._keeps[camera], self._came_s = _keep_of(record), self._clock()
        self._looked_s = -math.inf  # soon: a run over files may end within the minute

    def tick(self) -> None:
        """Remove what is too old, unless that was just done."""
        now_s = self._clock()
        if now_s - self._looked_s < _EVERY_S:
            return
        self._looked_s, until_s = now_s, now_s + _TURN_S
        others = self._longest() if now_s - self._came_s > _SETTLED_S else None
        try:
            cameras = self._archive.cameras()
        except RecordingError as fault:
            self._faults.tell("old recordings", fault)
            return
        n_faults = 0
        for camera in cameras:
            try:
                keep = self._keeps.get(camera, others)
                while keep is not None and self._archive.expire(camera, keep):
                    if self._clock() > until_s:
                        self._looked_s = -math.inf  # goes on with the next tick
                        break
            except RecordingError as fault:  # of one camera: others have their turn
                n_faults += 1
                self._faults.tell("old recordings", fault)
        if not n_faults:
            self._faults.over("old recordings", "looked through again")

    def _longest(self) -> Keep:
        """Return what holds for a camera of which the configuration knows nothing."""
        keeps = [_keep_of(RecordConfig()), *self._keeps.values()]
        return Keep(_most(k.segments_s for k in keeps), _most(k.events_s for k in keeps))


def _keep_of(record: RecordConfig) -> Keep:
    return Keep(record.keep, record.events.keep)


def _most(limits: Iterable[float | None]) -> float | None:
    known = list(limits)
    return None if None in known else max(s for s in known if s is not None)
