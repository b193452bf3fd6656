"""edge-daemon video: answers about recorded files."""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Flag
from typing import TYPE_CHECKING

from edge_daemon.cli.options import (
    add_engine_options,
    add_question_options,
    engine_settings,
    parse_polygon,
    questions_of,
)
from edge_daemon.cli.progress import file_progress
from edge_daemon.errors import EdgeError, UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping

    from edge_daemon.config.models import CameraConfig, EngineConfig
    from edge_daemon.overlay import Overlay
    from edge_daemon.recording.video import VideoWriter
    from edge_daemon.types import Frame, QuestionId, QuestionState


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("videos", nargs="+", metavar="IN", help="video files")
    add_question_options(parser)
    parser.add_argument("--zone", metavar="'X,Y X,Y X,Y'", help="ask inside this polygon only")
    parser.add_argument("--out", required=True, metavar="DIR", help="where the results go")
    parser.add_argument("--every", type=int, default=5, metavar="N", help="each Nth frame (5)")
    parser.add_argument("--hold", default="1s", metavar="T", help="an answer must last (1s)")
    parser.add_argument("--jobs", type=int, default=1, metavar="J", help="files at a time (1)")
    parser.add_argument("--no-video", action="store_true", help="JSON Lines only")
    parser.add_argument("--json", action="store_true", help="one JSON object a finished file")
    add_engine_options(parser)


@dataclass(frozen=True, slots=True)
class _Job:
    """One file, and where its results go."""

    source: Path
    camera: CameraConfig
    rows: Path
    video: Path | None


def run(args: argparse.Namespace) -> int:
    """Answer about every file; one that fails is told, and the others go on."""
    from edge_daemon.sources.probe import length_s  # noqa: PLC0415  keeps --help light

    jobs = _jobs(args)
    engine, worst = engine_settings(args), 0
    threads = max(1, min(4, (os.cpu_count() or 1) // max(1, args.jobs)))  # of each encoder
    names, lengths_s = [job.source.name for job in jobs], [length_s(job.source) for job in jobs]
    with (
        file_progress(names, lengths_s) as tell,
        ThreadPoolExecutor(max(1, args.jobs)) as pool,
    ):
        for job, done in [(j, pool.submit(_annotate, j, engine, threads, tell)) for j in jobs]:
            try:
                n_frames, n_rows = done.result()
            except EdgeError as exc:
                print(exc, file=sys.stderr)
                worst = max(worst, exc.exit_code)
                continue
            _print(job, n_frames, n_rows, as_json=args.json)
    return worst


def _jobs(args: argparse.Namespace) -> list[_Job]:
    """Return a job per file.  Raises UsageError where two would write the same results."""
    from edge_daemon.config.load import parse_settings  # noqa: PLC0415  keeps --help light

    out = Path(args.out)
    questions = [
        {**q.model_dump(exclude={"hold", "unknown_after", "zone", "schedule"}), "hold": args.hold}
        for q in questions_of(args)
    ]
    zones = {"zone": parse_polygon(args.zone)} if args.zone else {}
    jobs: dict[str, _Job] = {}
    for name in args.videos:
        source = Path(name)
        if source.stem in jobs:
            hint = "give them different names, or different --out"
            raise UsageError("two files of that name", where=source.stem, hint=hint)
        camera = {
            "id": "video",
            "source": name,
            "sample": {"every": args.every},
            "zones": zones,
            "questions": [{**q, "zone": "zone" if zones else None} for q in questions],
        }
        data = {"version": 1, "cameras": [camera]}
        jobs[source.stem] = _Job(
            source=source,
            camera=parse_settings(data, where="video").cameras[0],
            rows=out / f"{source.stem}.jsonl",
            video=None if args.no_video else out / f"{source.stem}.mp4",
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        hint = "name a directory that can be made"
        raise UsageError(f"{out}: {exc.strerror}", where="--out", hint=hint) from exc
    return list(jobs.values())


class _Burn:
    """Draws the answers on each frame and writes it."""

    def __init__(self, writer: VideoWriter, overlay: Overlay) -> None:
        self._writer, self._overlay = writer, overlay

    def write(self, frame: Frame, states: Mapping[QuestionId, QuestionState]) -> None:
        rgb = frame.picture.rgb()
        self._overlay.draw(rgb, states, frame.pts_s)
        self._writer.write(rgb, frame.pts_s)


def _annotate(
    job: _Job, settings: EngineConfig, threads: int, tell: Callable[[str, float], None]
) -> tuple[int, int]:
    """Do one file; return how many frames it has, and how many were asked.  Raises EdgeError.

    Results appear under their names only when they are whole.
    """
    from contextlib import ExitStack  # noqa: PLC0415  keeps --help light

    from edge_daemon.engine.open import open_engine  # noqa: PLC0415
    from edge_daemon.overlay import Overlay  # noqa: PLC0415
    from edge_daemon.pipeline.annotate import annotate  # noqa: PLC0415
    from edge_daemon.pipeline.recording import shown_questions  # noqa: PLC0415
    from edge_daemon.recording.video import VideoWriter  # noqa: PLC0415
    from edge_daemon.sources.open import open_source  # noqa: PLC0415

    n_frames = n_rows = 0
    partial_rows = job.rows.with_suffix(".jsonl.part")
    partial_video = job.video.with_suffix(".part.mp4") if job.video else None
    with ExitStack() as stack:
        source = stack.enter_context(open_source(job.camera, Flag()))
        engine = open_engine(settings)
        stack.callback(engine.close)
        rows = stack.enter_context(partial_rows.open("w", encoding="utf-8"))
        sink = None
        if partial_video is not None:
            writer = stack.enter_context(VideoWriter(partial_video, threads=threads))
            overlay = Overlay(job.source.name, shown_questions(job.camera), job.camera.zones)
            sink = _Burn(writer, overlay)
        for row in annotate(job.camera, source, engine, sink):
            n_frames += 1
            if row is not None:
                n_rows += 1
                rows.write(json.dumps(row, ensure_ascii=False) + "\n")
                tell(job.source.name, row["pts_s"])
    partial_rows.replace(job.rows)
    if partial_video is not None and job.video is not None:
        partial_video.replace(job.video)
    return n_frames, n_rows


def _print(job: _Job, n_frames: int, n_rows: int, *, as_json: bool) -> None:
    found = {
        "source": str(job.source),
        "frames": n_frames,
        "asked": n_rows,
        "rows": str(job.rows),
        "video": str(job.video) if job.video else None,
    }
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        made = " and ".join(str(path) for path in (job.video, job.rows) if path)
        print(f"{job.source}: {n_frames} frames, {n_rows} asked -> {made}")
