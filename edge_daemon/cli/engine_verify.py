"""edge-daemon engine verify: whether this machine answers as a bundle's maker did."""

from __future__ import annotations

import argparse
import json
import math
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from edge_daemon.cli.options import add_runtime_options, engine_settings
from edge_daemon.errors import EngineError, EngineMissingError, PlanError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edge_daemon.config.models import EngineConfig
    from edge_daemon.engine.agreement import Agreement
    from edge_daemon.engine.bundle import Bundle
    from edge_daemon.engine.goldens import GoldenResult
    from edge_daemon.engine.parity import Reference
    from edge_daemon.types import EngineInfo

EVERY: Final = "all"
"""As a backend: each that is here, in each precision of the bundle."""

_FP32_APART: Final = 0.01
"""How far fp32 may be from the reference on any frame: other orders of summing, no more.

Source: measured 2026-11-21, street 0.1.1, 200 frames, beside torch: ONNX Runtime 5e-6 at most,
OpenVINO 8e-5.
"""


@dataclass(frozen=True, slots=True)
class _Report:
    """What one engine said: golden answers, and how it compares on frames where some were given."""

    info: EngineInfo
    path: str
    goldens: Sequence[GoldenResult]
    reference: str | None = None
    frames: int = 0
    found: Agreement | None = None

    @property
    def faults(self) -> Iterator[str]:
        """What is wrong, a sentence each."""
        wrong = [result for result in self.goldens if not result.ok]
        if wrong:
            worst = max(wrong, key=lambda r: math.inf if math.isnan(r.found) else r.difference)
            yield (
                f"{len(wrong)} of {len(self.goldens)} golden answers are beyond "
                f'{worst.tolerance:g}, the worst "{worst.question}": {worst.found:.3f} instead of '
                f"{worst.expected:.3f}"
            )
        if self.found is not None:
            from edge_daemon.engine.agreement import Limits  # noqa: PLC0415  keeps --help light

            yield from self.found.shortfalls(Limits())
            if self.info.precision == "fp32" and self.found.difference_max > _FP32_APART:
                yield f"p_yes differs by {self.found.difference_max:.3f}, more than {_FP32_APART:g}"

    def as_json(self) -> dict[str, Any]:
        """The report for programs."""
        rows = [
            {**asdict(r), "found": None if math.isnan(r.found) else round(r.found, 5), "ok": r.ok}
            for r in self.goldens
        ]
        told = {"engine": asdict(self.info), "ok": not list(self.faults), "goldens": rows}
        if self.found is None:
            return told
        compared = {"frames": self.frames, "reference": self.reference, **self.found.rounded()}
        return {**told, "compared": compared}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("bundles", nargs="+", metavar="BUNDLE", help="name or path")
    parser.add_argument(
        "--pictures", nargs="+", default=[], metavar="SOURCE",
        help="videos or pictures: compare on them too, with fp32 on the reference",
    )  # fmt: skip
    parser.add_argument("--frames", type=int, default=200, metavar="N", help="at most (200)")
    parser.add_argument("--json", action="store_true", help="one JSON object for each engine")
    add_runtime_options(parser)


def run(args: argparse.Namespace) -> int:
    """Ask the golden questions, of every bundle on every backend asked for.

    Raises EngineError unless all answers are within tolerance.
    """
    from edge_daemon.engine.bundle import load_bundle  # noqa: PLC0415  keeps --help light

    reports: list[_Report] = []
    for name in args.bundles:
        bundle = load_bundle(name)
        if bundle.manifest.goldens is None and not args.pictures:
            hint = "use one that has them, or give --pictures"
            raise EngineError("has no golden answers", where=f"bundle {bundle.path}", hint=hint)
        reports += _verified(bundle, args)
    if args.json:
        for report in reports:
            print(json.dumps(report.as_json(), ensure_ascii=False))
    else:
        _print(reports)
    for report in reports:
        for what in report.faults:
            hint = "copy the bundle again, or use another precision or backend"
            where = f"bundle {report.path} on {report.info.backend}"
            raise EngineError(what, where=where, hint=hint)
    return 0


def _verified(bundle: Bundle, args: argparse.Namespace) -> Iterator[_Report]:
    from edge_daemon.engine.goldens import verify_goldens  # noqa: PLC0415  keeps --help light
    from edge_daemon.engine.open import open_engine  # noqa: PLC0415

    reference = _reference(bundle, args) if args.pictures else None
    passed = set()
    for settings in _settings(bundle, args):
        try:
            engine = open_engine(settings, bundle)
        except (EngineMissingError, PlanError) as exc:
            if args.backend != EVERY:
                raise
            if settings.backend not in passed:
                print(f"skipped: {exc}", file=sys.stderr)
            passed.add(settings.backend)
            continue
        goldens = verify_goldens(engine, bundle)
        if reference is None:
            yield _Report(engine.info, str(bundle.path), goldens)
        else:
            found, n = reference.beside(engine), len(reference.pictures)
            where = str(bundle.path)
            yield _Report(engine.info, where, goldens, reference.backend, n, found)
        engine.close()


def _settings(bundle: Bundle, args: argparse.Namespace) -> Iterator[EngineConfig]:
    """What to open: what the options say, or everything."""
    from edge_daemon.engine.open import BACKENDS  # noqa: PLC0415  keeps --help light

    every = args.backend == EVERY
    for backend in BACKENDS if every else [args.backend]:
        for precision in bundle.precisions if every else [args.precision]:
            chosen = {"bundle": str(bundle.path), "backend": backend, "precision": precision}
            more = {"threads": args.threads, "weights": args.weights}
            yield engine_settings(argparse.Namespace(**more, **chosen))


def _reference(bundle: Bundle, args: argparse.Namespace) -> Reference:
    import numpy as np  # noqa: PLC0415  keeps --help light

    from edge_daemon.cli.frames import read_frames, spread  # noqa: PLC0415
    from edge_daemon.engine.parity import ask_reference  # noqa: PLC0415

    seen = [p for source in args.pictures for p in read_frames(source, bundle.input_size)]
    if not seen or args.frames < 1:
        hint = "name videos or pictures, and --frames 1 or more"
        raise UsageError("no frames to compare on", where="--pictures", hint=hint)
    return ask_reference(bundle, np.stack(spread(seen, args.frames)))


def _print(reports: Sequence[_Report]) -> None:
    from rich.console import Console  # noqa: PLC0415  keeps --help light
    from rich.table import Table  # noqa: PLC0415

    console = Console(highlight=False)
    if len(reports) == 1:
        table = Table("picture", "question", "expected", "found", "difference", "")
        for r in reports[0].goldens:
            numbers = (f"{n:.4f}" for n in (r.expected, r.found, r.difference))
            table.add_row(r.image, r.question, *numbers, "ok" if r.ok else "WRONG")
        console.print(table)
    for report in reports:
        console.print(_line(report), soft_wrap=True)


def _line(report: _Report) -> str:
    info, goldens, found = report.info, report.goldens, report.found
    told = f"{info.bundle} on {info.backend}, {info.precision}:"
    if goldens:
        n_ok = sum(r.ok for r in goldens)
        told += f" {n_ok} of {len(goldens)} within {goldens[0].tolerance:g}"
    if found is not None:
        told += (
            f"{';' if goldens else ''} on {report.frames} frames beside {report.reference} fp32 "
            f"verdicts agree in {found.agreement:.2%}, p_yes differs by {found.difference_mean:.1e}"
            f", {found.difference_max:.1e} at most"
        )
    return told
