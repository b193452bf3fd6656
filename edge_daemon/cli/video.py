"""edge-daemon video: answers about recorded files."""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_daemon.cli.options import (
    add_engine_options,
    add_question_options,
    engine_settings,
    parse_polygon,
    questions_of,
)
from edge_daemon.cli.progress import file_progress
from edge_daemon.errors import ConfigError, EdgeError, UsageError

if TYPE_CHECKING:
    import argparse
    from concurrent.futures import Future

    from edge_daemon.cli.video_jobs import Job, Outcome
    from edge_daemon.config.models import CameraConfig

_HEARD_WITHIN_S: Final = 0.5
"""A Ctrl-C that comes in the moment before a wait does not end that wait."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("videos", nargs="+", metavar="IN", help="video files, or globs in quotes")
    add_question_options(parser)
    parser.add_argument("--zone", metavar="'X,Y X,Y X,Y'", help="ask inside this polygon only")
    parser.add_argument(
        "--mask", action="append", default=[], metavar="'X,Y X,Y X,Y'",
        help="black this out before anything sees it; may be given several times",
    )  # fmt: skip
    parser.add_argument("--out", required=True, metavar="DIR", help="where the results go")
    parser.add_argument("--every", type=int, default=5, metavar="N", help="each Nth frame (5)")
    parser.add_argument("--hold", default="1s", metavar="T", help="an answer must last (1s)")
    parser.add_argument(
        "--jobs", type=int, default=None, metavar="J", help="files at a time (half the cores)"
    )
    parser.add_argument("--no-video", action="store_true", help="JSON Lines only")
    parser.add_argument(
        "--evidence", type=int, default=None, metavar="N", help="tint by the Nth question"
    )
    parser.add_argument("--encoder", default="auto", metavar="E", help="auto, x264, v4l2m2m, nvenc")
    parser.add_argument("--json", action="store_true", help="one JSON object a finished file")
    add_engine_options(parser)


def run(args: argparse.Namespace) -> int:
    """Answer about every file; one that fails is told, and the others go on.

    What an earlier run finished is not done again.
    """
    from edge_daemon.cli.video_work import workshop  # noqa: PLC0415  keeps --help light
    from edge_daemon.sources.probe import declared  # noqa: PLC0415

    jobs = _jobs(args)
    n_at_once = _at_once(args, len(jobs))
    lengths_s = {job.name: declared(Path(job.source)).length_s for job in jobs}
    with ExitStack() as stack:
        shop = stack.enter_context(workshop(engine_settings(args), n_at_once))
        progress = stack.enter_context(file_progress(lengths_s))
        pool = stack.enter_context(ThreadPoolExecutor(n_at_once))
        stack.callback(pool.shutdown, wait=False, cancel_futures=True)
        stack.callback(shop.stop.set)  # on Ctrl-C each file ends with its next frame
        tasks = [(job, pool.submit(shop.do, job, progress)) for job in jobs]
        return max(_told(job, task, as_json=args.json) for job, task in tasks)


def _told(job: Job, task: Future[Outcome | None], *, as_json: bool) -> int:
    """Wait for a job and print what became of it; return the exit code for it."""
    while not task.done():
        wait((task,), _HEARD_WITHIN_S)
    try:
        made = task.result()
    except EdgeError as exc:
        print(exc, file=sys.stderr)
        return exc.exit_code
    if made is None:
        return 0
    if as_json:
        found = {
            "source": job.source,
            "frames": made.frames,
            "asked": made.asked,
            "rows": str(job.rows),
            "video": str(job.video) if job.video else None,
            "done_before": made.is_old,
        }
        print(json.dumps(found, ensure_ascii=False), flush=True)
    else:
        results = " and ".join(str(path) for path in reversed(job.results))
        before = ", done before" if made.is_old else ""
        print(f"{job.source}: {made.frames} frames, {made.asked} asked{before} -> {results}")
    return 0


def _at_once(args: argparse.Namespace, n_jobs: int) -> int:
    if args.jobs is not None and args.jobs < 1:
        raise UsageError("must be 1 or more", where="--jobs", hint="leave it out: half the cores")
    return min(n_jobs, args.jobs or max(1, len(os.sched_getaffinity(0)) // 2))


def _jobs(args: argparse.Namespace) -> list[Job]:
    """Return a job per file.  Raises UsageError."""
    from edge_daemon.cli.video_jobs import (  # noqa: PLC0415  keeps --help light
        Job,
        expanded,
        result_names,
    )

    out = Path(args.out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        hint = "name a directory that can be made"
        raise UsageError(f"{out}: {exc.strerror}", where="--out", hint=hint) from exc
    sources = expanded(args.videos)
    return [
        Job(
            source=source,
            name=name,
            camera=_camera(args, source),
            rows=out / f"{name}.jsonl",
            video=None if args.no_video else out / f"{name}.mp4",
        )
        for source, name in zip(sources, result_names(sources))
    ]


def _camera(args: argparse.Namespace, source: str) -> CameraConfig:
    """Return the options as a camera of the configuration.  Raises UsageError."""
    from edge_daemon.config.load import parse_settings  # noqa: PLC0415  keeps --help light

    asked = [
        {**q.model_dump(exclude={"hold", "unknown_after", "zone", "schedule"}), "hold": args.hold}
        for q in questions_of(args)
    ]
    zones = {"zone": parse_polygon(args.zone)} if args.zone else {}
    if args.evidence is not None and not 1 <= args.evidence <= len(asked):
        raise UsageError(
            f"there is no question {args.evidence}", where="--evidence", hint=f"1 to {len(asked)}"
        )
    tinted_by = None if args.evidence is None else asked[args.evidence - 1]["id"]
    camera = {
        "id": "video",
        "source": source,
        "sample": {"every": args.every},
        "zones": zones,
        "privacy_masks": [parse_polygon(text, where="--mask") for text in args.mask],
        "questions": [{**q, "zone": "zone" if zones else None} for q in asked],
        "record": {"encoder": args.encoder, "burned": {"evidence": tinted_by}},
    }
    try:
        return parse_settings({"version": 1, "cameras": [camera]}, where="video").cameras[0]
    except ConfigError as exc:  # it was the command line that gave the value
        what = exc.faults[0].rpartition("cameras.0.")[2]
        key, _, what = what.partition(": ")
        options = {"source": "IN", "sample.every": "--every", "record.encoder": "--encoder"}
        what, _, hint = what.partition(" -- ")
        raise UsageError(what, where=options.get(key, "--hold"), hint=hint) from exc
