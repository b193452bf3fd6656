"""Options and output that several commands share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, TypeVar

from edge_daemon.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from edge_daemon.config.models import EngineConfig, QuestionConfig
    from edge_daemon.config.section import Section

S = TypeVar("S", bound="Section")

BACKENDS_HELP: Final = (
    "auto, tensorrt, onnxruntime-cuda, openvino-gpu, onnxruntime, openvino, torch-cuda, torch"
)


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    """Add --bundle, --backend, --precision, --threads."""
    parser.add_argument("--bundle", default="street", metavar="DIR", help="name or path (street)")
    add_runtime_options(parser)


def add_runtime_options(parser: argparse.ArgumentParser) -> None:
    """Add --backend, --precision, --threads."""
    parser.add_argument("--backend", default="auto", metavar="NAME", help=BACKENDS_HELP)
    parser.add_argument("--precision", default="auto", metavar="P", help="auto, fp32, int8")
    parser.add_argument("--threads", type=int, default=None, metavar="N", help="cores to use")
    parser.add_argument(
        "--weights", metavar="FILE", help="backend torch: a state dict or TorchScript file"
    )


def engine_settings(args: argparse.Namespace) -> EngineConfig:
    """Return the engine section the options stand for.  Raises UsageError."""
    from edge_daemon.config.models import EngineConfig  # noqa: PLC0415  keeps --help light

    return _checked(
        EngineConfig,
        {
            "bundle": args.bundle,
            "backend": args.backend,
            "precision": args.precision,
            "threads": args.threads,
            "weights": getattr(args, "weights", None),
        },
        whole="weights",
    )


def add_question_options(parser: argparse.ArgumentParser) -> None:
    """Add -q/--question and the thresholds."""
    parser.add_argument(
        "-q", "--question", action="append", required=True, metavar="Q", dest="questions",
        help="a yes/no question in plain English; may be given several times",
    )  # fmt: skip
    parser.add_argument("--yes-above", type=float, default=0.6, metavar="P", help="YES from (0.6)")
    parser.add_argument("--no-below", type=float, default=0.4, metavar="P", help="NO up to (0.4)")


def questions_of(args: argparse.Namespace, **more: object) -> tuple[QuestionConfig, ...]:
    """Return the questions of the command line, ids q1, q2, ...  Raises UsageError."""
    from edge_daemon.config.models import QuestionConfig  # noqa: PLC0415  keeps --help light

    shared = {"yes_above": args.yes_above, "no_below": args.no_below, **more}
    return tuple(
        _checked(QuestionConfig, {"id": f"q{n}", "ask": text, **shared}, whole="thresholds")
        for n, text in enumerate(args.questions, 1)
    )


def parse_polygon(text: str, *, where: str = "--zone") -> tuple[tuple[float, float], ...]:
    """Return the corners of ``x,y x,y x,y ...`` (fractions).  Raises UsageError."""
    hint = f'write corners as fractions: {where} "0.1,0.5 0.9,0.5 0.9,0.9"'
    try:
        numbers = [float(part) for part in text.replace(",", " ").split()]
    except ValueError:
        raise UsageError("is not a list of numbers", where=where, hint=hint) from None
    if len(numbers) < 6 or len(numbers) % 2 or not all(0 <= n <= 1 for n in numbers):
        raise UsageError("needs three corners or more within 0..1", where=where, hint=hint)
    return tuple(zip(numbers[::2], numbers[1::2]))


def refuse_unwritable(out: Path, hint: str) -> None:
    """Raise UsageError where no file of that name could be put, before any work is done for it."""
    is_new = not (out.exists() and is_written_to(out))
    if out.is_dir():
        what = "is a directory"
    elif not out.parent.is_dir():
        what = f"there is no directory {out.parent}"
    elif not os.access(out.parent if is_new else out, os.W_OK):
        what = "may not be written"
    else:
        return
    raise UsageError(what, where=str(out), hint=hint)


def is_written_to(out: Path) -> bool:
    """Whether out is a device or a pipe, /dev/stdout perhaps: not to be replaced by a file."""
    return (out.exists() and not out.is_file()) or out.parts[:2] in (("/", "dev"), ("/", "proc"))


def _checked(section: type[S], values: dict[str, object], *, whole: str) -> S:
    """Return the section; whole: the option to blame for what does not go together."""
    from pydantic import ValidationError  # noqa: PLC0415  keeps --help light

    try:
        return section.model_validate(values)
    except ValidationError as exc:
        error = exc.errors(include_input=False, include_url=False)[0]
        name = str(error["loc"][0]) if error["loc"] else whole
        where = {"ask": "--question"}.get(name, f"--{name.replace('_', '-')}")
        what, _, hint = error["msg"].removeprefix("Value error, ").partition(" -- ")
        raise UsageError(
            what[:1].lower() + what[1:], where=where, hint=hint or "see --help"
        ) from None
