"""What records the cameras: where packets go, who draws, who cuts clips."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from edge_daemon.overlay import Overlay
from edge_daemon.pipeline.clips import Clips
from edge_daemon.pipeline.recording import RecorderThread, TimedOverlay, shown_questions
from edge_daemon.pipeline.soft import SoftThread
from edge_daemon.recording.burned import BurnedRecorder
from edge_daemon.recording.drawn import DrawnPackets
from edge_daemon.recording.hearing import Hearing
from edge_daemon.recording.ring import PacketRing, PacketSplit
from edge_daemon.recording.soft import SoftRecorder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge_daemon.config.models import CameraConfig
    from edge_daemon.logs import FaultLog
    from edge_daemon.metrics import Metrics
    from edge_daemon.pipeline.board import Board
    from edge_daemon.recording.retention import Archive
    from edge_daemon.service.supervisor import Supervisor

_SLACK_S: Final = 5.0  # of packets, for a disk that takes its time
_RING_BYTES: Final = 32_000_000  # of a camera's packets


@dataclass(frozen=True, slots=True)
class Taps:
    """What hears of a camera's packets besides its decoder; None: not wanted.

    split: what the source puts them into.
    """

    ring: PacketRing | None
    hearing: Hearing | None
    split: PacketSplit | None


class Recorders:
    """The threads that record, of all cameras."""

    def __init__(
        self, archive: Archive, supervisor: Supervisor, *, metrics: Metrics, faults: FaultLog
    ) -> None:
        self._archive, self._supervisor = archive, supervisor
        self._metrics, self._faults = metrics, faults
        self._clips: dict[str, Clips] = {}

    @property
    def are_busy(self) -> bool:
        """Whether a clip is still to be written."""
        return any(clips.is_busy for clips in self._clips.values())

    def tap(self, settings: CameraConfig) -> Taps:
        """Return what a camera's packets are to go to."""
        ring = self._ring(settings)
        hearing = Hearing() if settings.is_heard else None
        own = None if settings.has_drawn_clips else ring
        wanted = [sink for sink in (own, hearing) if sink is not None]
        return Taps(ring, hearing, PacketSplit(*wanted) if wanted else None)

    def start_clips(self, settings: CameraConfig, taps: Taps) -> Clips | None:
        """Start what cuts the clips of a camera's events; None where none are wanted."""
        if settings.record.clips is None or taps.ring is None:
            return None
        clips = Clips(
            settings,
            settings.record.clips,
            taps.ring,
            self._archive,
            metrics=self._metrics,
            faults=self._faults,
        )
        self._clips[settings.id] = clips
        self._supervisor.start(f"clips {settings.id}", clips.run)
        return clips

    def start(
        self, settings: CameraConfig, board: Board, taps: Taps
    ) -> RecorderThread | SoftThread | None:
        """Start a camera's recorder; None where none is wanted."""
        if settings.recorded == "off":
            return None
        thread: RecorderThread | SoftThread = (
            self._soft(settings, board, taps.ring)
            if taps.ring is not None and settings.recorded == "soft"
            else self._burned(settings, board, taps)
        )
        self._supervisor.start(f"recorder {settings.id}", thread.run)
        return thread

    def join(self, cameras: Iterable[str], within_s: float) -> None:
        """Wait for the recorders and clips of cameras, which were told to end."""
        names = [f"{what} {camera}" for camera in cameras for what in ("recorder", "clips")]
        self._supervisor.join_all(names, within_s)
        for camera in cameras:
            self._clips.pop(camera, None)

    def _ring(self, settings: CameraConfig) -> PacketRing | None:
        clips = settings.record.clips
        if settings.recorded != "soft" and clips is None:
            return None
        keep_s = _SLACK_S + (clips.before if clips else 0.0)
        return PacketRing(keep_s=keep_s, max_bytes=_RING_BYTES, live=settings.source.live)

    def _soft(self, settings: CameraConfig, board: Board, ring: PacketRing) -> SoftThread:
        return SoftThread(
            settings,
            SoftRecorder(settings.id, self._archive, settings.record, live=settings.source.live),
            ring,
            partial(self._burned, settings, board, Taps(None, None, None)),
            metrics=self._metrics,
            faults=self._faults,
        )

    def _burned(self, settings: CameraConfig, board: Board, taps: Taps) -> RecorderThread:
        overlay = Overlay(settings.id, shown_questions(settings), settings.zones)
        tinted_by = settings.record.burned.evidence
        evidence = partial(board.evidence, tinted_by) if tinted_by else lambda: None
        ring = taps.ring if settings.has_drawn_clips else None
        recorder = BurnedRecorder(
            settings.id,
            self._archive,
            settings.record,
            TimedOverlay(overlay, self._metrics, evidence),
            live=settings.source.live,
            hearing=taps.hearing,
            drawn=None if ring is None else DrawnPackets(ring),
        )
        return RecorderThread(recorder, settings, metrics=self._metrics, faults=self._faults)
