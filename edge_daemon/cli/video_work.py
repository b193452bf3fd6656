"""How ``edge-daemon video`` does one file: read, answer and draw, encode, each on a thread."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Event as Flag
from typing import TYPE_CHECKING, Final

from edge_daemon.cli.video_jobs import Outcome, claimed, done_before, fingerprint, publish
from edge_daemon.engine.bundle import load_bundle
from edge_daemon.engine.open import default_threads, open_engine
from edge_daemon.errors import StorageFullError
from edge_daemon.overlay import Overlay
from edge_daemon.pipeline.ahead import Behind, ahead
from edge_daemon.pipeline.annotate import annotate
from edge_daemon.pipeline.recording import shown_questions
from edge_daemon.recording.sound import sound_of
from edge_daemon.recording.storage import storage_faults
from edge_daemon.recording.video import VideoWriter
from edge_daemon.sources.decoder import open_container
from edge_daemon.sources.open import open_source
from edge_daemon.sources.probe import declared

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Self

    from edge_daemon.cli.progress import FileProgress
    from edge_daemon.cli.video_jobs import Job
    from edge_daemon.config.models import EngineConfig
    from edge_daemon.engine.base import Engine
    from edge_daemon.recording.sound import FileSound
    from edge_daemon.types import Frame, QuestionId, QuestionState

_READ_AHEAD: Final = 8  # decoded pictures; a 1080p one holds 3 MB
_WAITING: Final = 3  # drawn ones, as RGB 6 MB


@dataclass(frozen=True, slots=True, eq=False)
class Workshop:
    """What the files share.  Each engine is used for one of them at a time."""

    engines: SimpleQueue[Engine]
    threads: int  # of each encoder
    stop: Flag

    def do(self, job: Job, progress: FileProgress) -> Outcome | None:
        """Do one file, if an earlier run did not; None: told to stop.  Raises EdgeError."""
        engine = self.engines.get()
        try:
            return self._do(job, engine, progress)
        except StorageFullError as exc:
            hint = "free some space, or name another --out; what is done stays done"
            raise StorageFullError(exc.what, where=exc.where, hint=hint) from exc
        finally:
            self.engines.put(engine)
            progress.end(job.name)

    def _do(self, job: Job, engine: Engine, progress: FileProgress) -> Outcome | None:
        mark = fingerprint(job, engine.info)
        if (old := done_before(job, mark)) is not None:
            return old
        with storage_faults(job.rows), claimed(job, mark) as parts:
            made = self._annotate(job, engine, parts, progress)
            if self.stop.is_set():
                return None
            publish(job, mark, parts, made)
        return made

    def _annotate(
        self, job: Job, engine: Engine, parts: tuple[Path, Path], progress: FileProgress
    ) -> Outcome:
        n_frames = n_rows = 0
        with ExitStack() as stack:
            rows = stack.enter_context(parts[0].open("w", encoding="utf-8"))
            source = stack.enter_context(open_source(job.camera, self.stop))
            sink = stack.enter_context(_burning(job, parts[1], self.threads)) if job.video else None
            frames = stack.enter_context(ahead(source, _READ_AHEAD))
            for row in annotate(job.camera, frames, engine, sink):
                n_frames += 1
                if row is not None:
                    n_rows += 1
                    rows.write(json.dumps(row, ensure_ascii=False) + "\n")
                    progress.tell(job.name, row["pts_s"])
        return Outcome(n_frames, n_rows)


@contextmanager
def workshop(settings: EngineConfig, n_at_once: int) -> Iterator[Workshop]:
    """Open as many engines as files are done at once.  Raises EngineError."""
    share = settings.threads or max(1, default_threads() // n_at_once)
    cores = len(os.sched_getaffinity(0))
    bundle, engines = load_bundle(settings.bundle), SimpleQueue["Engine"]()
    with ExitStack() as stack:
        for _ in range(n_at_once):
            engine = open_engine(settings.model_copy(update={"threads": share}), bundle)
            stack.callback(engine.close)
            engines.put(engine)
        yield Workshop(engines, max(1, min(4, cores // n_at_once)), Flag())


@contextmanager
def _burning(job: Job, path: Path, threads: int) -> Iterator[_Burn]:
    """Draw on frames and write them, with the file's own sound."""
    with ExitStack() as stack:
        output = stack.enter_context(_Output(job, path, threads))
        behind = stack.enter_context(Behind(output.write, _WAITING))
        overlay = Overlay(Path(job.source).name, shown_questions(job.camera), job.camera.zones)
        yield _Burn(overlay, behind)


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """A frame with its answers drawn in."""

    rgb: NDArray[np.uint8]
    pts_s: float
    raw_s: float | None


class _Burn:
    """Draws the answers on each frame and hands it over."""

    def __init__(self, overlay: Overlay, behind: Behind[_Drawn]) -> None:
        self._overlay, self._behind = overlay, behind

    def write(
        self,
        frame: Frame,
        states: Mapping[QuestionId, QuestionState],
        evidence: NDArray[np.float32] | None,
    ) -> None:
        rgb = frame.picture.rgb()
        self._overlay.draw(rgb, states, frame.pts_s, evidence)
        self._behind.put(_Drawn(rgb, frame.pts_s, frame.raw_s))


class _Output:
    """The video, begun with its first picture: only that tells whether the file is turned."""

    def __init__(self, job: Job, path: Path, threads: int) -> None:
        self._job, self._path, self._threads = job, path, threads
        self._sound: FileSound | None = None
        self._writer: VideoWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        try:
            if self._writer is not None:
                self._writer.close()
        finally:
            if self._sound is not None:
                self._sound.close()

    def write(self, drawn: _Drawn) -> None:
        writer = self._writer = self._writer or self._begin(drawn.rgb.shape[1])
        writer.write(drawn.rgb, drawn.pts_s, drawn.raw_s)

    def _begin(self, width: int) -> VideoWriter:
        source = Path(self._job.source)
        told = declared(source)
        aspect = told.pixel_aspect
        if aspect is not None and width != told.width:
            aspect = 1 / aspect
        if source.is_file():
            self._sound = sound_of(lambda: open_container(str(source)))
        return VideoWriter(
            self._path,
            threads=self._threads,
            encoder=self._job.camera.record.encoder,
            pixel_aspect=aspect,
            sound=self._sound,
        )
