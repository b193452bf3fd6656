"""edge-daemon engine quantize: a bundle with int8 graphs, calibrated on your frames."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_daemon.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from edge_daemon.engine.agreement import Limits
    from edge_daemon.engine.quantize import Frames

_FEWEST: Final = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("bundle", metavar="BUNDLE", help="name or path")
    parser.add_argument(
        "--pictures", nargs="+", required=True, metavar="SOURCE",
        help="videos, directories or globs of pictures, as your cameras see; every other frame "
        "calibrates, the rest is replayed",
    )  # fmt: skip
    parser.add_argument(
        "--replay", nargs="+", metavar="SOURCE",
        help="replay these instead, and calibrate on all of --pictures",
    )  # fmt: skip
    parser.add_argument("--out", required=True, metavar="DIR", help="the new bundle")
    parser.add_argument(
        "-q", "--question", action="append", default=[], metavar="Q", dest="questions",
        help="compare by this one too; may be given several times",
    )  # fmt: skip
    parser.add_argument(
        "--calibrate-on", type=int, default=96, metavar="N", help="frames at most (96)"
    )
    parser.add_argument(
        "--replay-on", type=int, default=400, metavar="N", help="frames at most (400)"
    )
    parser.add_argument("--min-agreement", type=float, metavar="SHARE", help="of verdicts (0.99)")
    parser.add_argument("--max-difference", type=float, metavar="P", help="mean, of p_yes (0.01)")
    parser.add_argument("--max-contradictions", type=float, metavar="SHARE", help="(0.001)")
    parser.add_argument("--float-first", type=int, metavar="N", help="layers kept float (3)")
    parser.add_argument("--float-last", type=int, metavar="N", help="layers kept float (1)")


def run(args: argparse.Namespace) -> int:
    """Read frames, make the bundle, tell how it agrees."""
    from edge_daemon.engine.bundle import load_bundle, unsupported_words  # noqa: PLC0415
    from edge_daemon.engine.quantize import (  # noqa: PLC0415  keeps --help light
        FLOAT_FIRST,
        FLOAT_LAST,
        quantize_bundle,
        standing_questions,
    )

    bundle = load_bundle(args.bundle)
    for text in args.questions:
        unknown = unsupported_words(bundle, text)
        if unknown:
            hint = "ask in words the bundle knows"
            what = f"the bundle never learned: {', '.join(unknown)}"
            raise UsageError(what, where="--question", hint=hint)
    questions = [*standing_questions(bundle), *((text, None) for text in args.questions)]
    if not questions:
        hint = "give questions with -q"
        raise UsageError("nothing to compare by", where=f"bundle {bundle.name}", hint=hint)
    found = quantize_bundle(
        bundle,
        _frames(args, bundle.input_size),
        Path(args.out),
        questions=questions,
        limits=_limits(args),
        float_first=FLOAT_FIRST if args.float_first is None else args.float_first,
        float_last=FLOAT_LAST if args.float_last is None else args.float_last,
    )
    print(
        f"{args.out}: int8 agrees with fp32 in {found.agreement:.2%} of {found.answers} verdicts, "
        f"YES against NO in {found.contradictions:.2%}; p_yes differs by "
        f"{found.difference_mean:.4f} on average, {found.difference_p99:.3f} at the 99th percentile"
    )
    return 0


def _limits(args: argparse.Namespace) -> Limits:
    from edge_daemon.engine.agreement import Limits  # noqa: PLC0415  keeps --help light

    plain = Limits()
    return Limits(
        plain.agreement if args.min_agreement is None else args.min_agreement,
        plain.contradictions if args.max_contradictions is None else args.max_contradictions,
        plain.difference if args.max_difference is None else args.max_difference,
    )


def _frames(args: argparse.Namespace, size: tuple[int, int]) -> Frames:
    """Read all sources.  Raises SourceError, and UsageError for too few frames."""
    import numpy as np  # noqa: PLC0415  keeps --help light

    from edge_daemon.cli.frames import read_frames, spread  # noqa: PLC0415
    from edge_daemon.engine.quantize import Frames  # noqa: PLC0415

    given = [read_frames(source, size) for source in args.pictures]
    if args.replay:
        learnt, asked = given, [read_frames(source, size) for source in args.replay]
    else:
        learnt, asked = [found[::2] for found in given], [found[1::2] for found in given]
    calibration = spread([p for found in learnt for p in found], args.calibrate_on)
    replayed = spread([p for found in asked for p in found], args.replay_on)
    if min(len(calibration), len(replayed)) < _FEWEST:
        what = f"{len(calibration)} frames to calibrate on, {len(replayed)} to replay"
        hint = f"give more: {_FEWEST} of each at least, some hundreds are better"
        raise UsageError(what, where="--pictures", hint=hint)
    return Frames(np.stack(calibration), np.stack(replayed))
