"""edge-daemon engine verify: whether this machine gives a bundle's golden answers."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import TYPE_CHECKING

from edge_daemon.cli.options import add_runtime_options, engine_settings
from edge_daemon.errors import EngineError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from edge_daemon.engine.goldens import GoldenResult
    from edge_daemon.types import EngineInfo


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("bundle", metavar="BUNDLE", help="name or path")
    parser.add_argument("--json", action="store_true", help="every answer as one JSON object")
    add_runtime_options(parser)


def run(args: argparse.Namespace) -> int:
    """Ask the golden questions.  Raises EngineError unless every answer is within tolerance."""
    from edge_daemon.engine.bundle import load_bundle  # noqa: PLC0415  keeps --help light
    from edge_daemon.engine.goldens import verify_goldens  # noqa: PLC0415
    from edge_daemon.engine.open import open_engine  # noqa: PLC0415

    bundle = load_bundle(args.bundle)
    engine = open_engine(engine_settings(args), bundle)
    results = verify_goldens(engine, bundle)
    engine.close()
    where = f"bundle {bundle.path}"
    if not results:
        raise EngineError("has no golden answers", where=where, hint="use one that has them")
    if args.json:
        print(json.dumps(_as_json(engine.info, results), ensure_ascii=False))
    else:
        _print(engine.info, results)
    wrong = [result for result in results if not result.ok]
    if wrong:
        worst = max(wrong, key=lambda r: math.inf if math.isnan(r.found) else r.difference)
        what = (
            f"{len(wrong)} of {len(results)} golden answers are beyond {worst.tolerance:g}, "
            f'the worst "{worst.question}": {worst.found:.3f} instead of {worst.expected:.3f}'
        )
        hint = "copy the bundle again, or use another precision or backend"
        raise EngineError(what, where=f"{where} on {engine.info.backend}", hint=hint)
    return 0


def _as_json(info: EngineInfo, results: Sequence[GoldenResult]) -> dict[str, object]:
    rows = [
        {**asdict(r), "found": None if math.isnan(r.found) else round(r.found, 5), "ok": r.ok}
        for r in results
    ]
    return {"engine": asdict(info), "ok": all(r.ok for r in results), "goldens": rows}


def _print(info: EngineInfo, results: Sequence[GoldenResult]) -> None:
    from rich.console import Console  # noqa: PLC0415  keeps --help light
    from rich.table import Table  # noqa: PLC0415

    table = Table("picture", "question", "expected", "found", "difference", "")
    for r in results:
        numbers = (f"{n:.4f}" for n in (r.expected, r.found, r.difference))
        table.add_row(r.image, r.question, *numbers, "ok" if r.ok else "WRONG")
    console = Console(highlight=False)
    console.print(table)
    n_ok = sum(r.ok for r in results)
    console.print(
        f"{info.bundle} on {info.backend}, {info.precision}: {n_ok} of {len(results)} within "
        f"{results[0].tolerance:g}"
    )
