"""edge-daemon bench engine: how fast a bundle looks and answers here."""

from __future__ import annotations

import json
import os
import platform
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from edge_daemon.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edge_daemon.engine.base import Engine, QuestionSet
    from edge_daemon.engine.bundle import Bundle

_BATCHES: Final = (1, 2, 4, 8)
_QUESTIONS: Final = (1, 4, 16, 64)
_WARM_UP: Final = 3

_Case = tuple[str, int]  # precision, and how many pictures or questions


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("bundle", nargs="?", default="street", metavar="BUNDLE", help="(street)")
    parser.add_argument("--backend", default="auto", metavar="NAME", help="auto, onnxruntime")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="cores to use (1)")
    parser.add_argument("--runs", type=int, default=50, metavar="N", help="of each case (50)")
    parser.add_argument("--json", metavar="OUT", help="write all figures there; - for the screen")


def run(args: argparse.Namespace) -> int:
    """Time all cases in turns, so that a slow moment of the machine meets them all.

    busy_ms is processor time: what stays the same while others use the machine as well.
    """
    from edge_daemon import __version__  # noqa: PLC0415  keeps --help light
    from edge_daemon.cli.options import engine_settings  # noqa: PLC0415
    from edge_daemon.engine.bundle import load_bundle  # noqa: PLC0415

    if args.runs < 1:
        raise UsageError("must be at least 1", where="--runs", hint="--runs 50")
    args.precision = "auto"
    settings = engine_settings(args)
    bundle = load_bundle(args.bundle)
    engines, memory = _opened(bundle, settings.backend, args.threads)
    figures = {
        "bundle": bundle.name,
        "version": bundle.manifest.version,
        "sha256": bundle.sha256,
        "edge_daemon": __version__,
        "backend": next(iter(engines.values())).info.backend,
        "threads": args.threads,
        "runs": args.runs,
        "measured_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": _machine(),
        "memory_mib": memory,
        "look": _by_batch(engines, args.runs),
        "frame": _by_questions(engines, _texts(bundle), args.runs),
    }
    for engine in engines.values():
        engine.close()
    _tell(figures, args.json)
    return 0


def _opened(
    bundle: Bundle, backend: str, threads: int
) -> tuple[dict[str, Engine], dict[str, float]]:
    """Engines by precision, and the memory each took to open and warm up, MiB."""
    from edge_daemon.engine.open import open_backend  # noqa: PLC0415  keeps --help light

    engines: dict[str, Engine] = {}
    memory: dict[str, float] = {}
    for precision in bundle.precisions:
        before = _resident_mib()
        engines[precision] = open_backend(backend, bundle, precision, threads)
        memory[precision] = round(_resident_mib() - before, 1)
    return engines, memory


def _texts(bundle: Bundle) -> list[str]:
    """Questions the bundle can answer.  Raises UsageError when none is known."""
    from edge_daemon.engine.quantize import standing_questions  # noqa: PLC0415  keeps --help light

    texts = [text for text, _ in standing_questions(bundle)]
    if not texts:
        where, hint = f"bundle {bundle.path}", "use a bundle with golden answers"
        raise UsageError("has no question to ask", where=where, hint=hint)
    return texts


def _by_batch(engines: Mapping[str, Engine], runs: int) -> list[dict[str, Any]]:
    """Times of looking at a batch of pictures."""
    work = {
        (precision, batch): _bound(engine.look, _noise(engine, batch))
        for batch in _BATCHES
        for precision, engine in engines.items()
    }
    return [
        {"precision": precision, "batch": batch, **_figures(times, batch)}
        for (precision, batch), times in _timed(work, runs).items()
    ]


def _by_questions(
    engines: Mapping[str, Engine], texts: Sequence[str], runs: int
) -> list[dict[str, Any]]:
    """Times of a whole frame: one look, then all answers."""
    work = {}
    for n in _QUESTIONS:
        asked = [texts[k % len(texts)] for k in range(n)]
        for precision, engine in engines.items():
            ready = engine.prepare(asked, [None] * n)
            work[precision, n] = _bound(_frame, engine, _noise(engine, 1), ready)
    return [
        {"precision": precision, "questions": n, **_figures(times, 1)}
        for (precision, n), times in _timed(work, runs).items()
    ]


def _frame(engine: Engine, pictures: NDArray[np.uint8], ready: QuestionSet) -> object:
    return engine.answer(engine.look(pictures), ready)


def _noise(engine: Engine, batch: int) -> NDArray[np.uint8]:
    import numpy as np  # noqa: PLC0415  keeps --help light

    width, height = engine.input_size
    return np.random.default_rng(0).integers(0, 256, (batch, height, width, 3), np.uint8)


def _bound(call: Callable[..., object], *given: object) -> Callable[[], object]:
    return lambda: call(*given)


def _timed(
    work: Mapping[_Case, Callable[[], object]], runs: int
) -> dict[_Case, list[tuple[float, float]]]:
    """Seconds of wall time and of processor time of every run; the cases take turns."""
    times: dict[_Case, list[tuple[float, float]]] = {case: [] for case in work}
    for n in range(_WARM_UP + runs):
        for case, do in work.items():
            begun_s, busy_s = time.perf_counter(), time.process_time()
            do()
            if n >= _WARM_UP:
                taken = time.perf_counter() - begun_s, time.process_time() - busy_s
                times[case].append(taken)
    return times


def _figures(times: Sequence[tuple[float, float]], n_pictures: int) -> dict[str, float]:
    import numpy as np  # noqa: PLC0415  keeps --help light

    wall_s, busy_s = np.array(times).T
    p50, p95, p99 = (float(np.percentile(wall_s, p)) for p in (50, 95, 99))
    return {
        "p50_ms": round(p50 * 1e3, 3),
        "p95_ms": round(p95 * 1e3, 3),
        "p99_ms": round(p99 * 1e3, 3),
        "busy_ms": round(float(np.median(busy_s)) * 1e3, 3),
        "pictures_per_s": round(n_pictures / p50, 1),
    }


def _machine() -> dict[str, Any]:
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 2),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def _resident_mib() -> float:
    """Memory of this process.  Source: proc(5), statm, the second number, in pages."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _tell(figures: dict[str, Any], out: str | None) -> None:
    if out == "-":
        print(json.dumps(figures, ensure_ascii=False))
        return
    _print(figures)
    if out:
        try:
            Path(out).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        except OSError as exc:
            hint = "name a file that can be written"
            raise UsageError(str(exc.strerror), where=f"--json {out}", hint=hint) from exc


def _print(figures: dict[str, Any]) -> None:
    from rich.console import Console  # noqa: PLC0415  keeps --help light
    from rich.table import Table  # noqa: PLC0415

    console = Console(highlight=False)
    machine = figures["machine"]
    console.print(
        f"{figures['bundle']} {figures['version']} on {figures['backend']}, "
        f"{figures['threads']} threads, {machine['processor']}, load {machine['load']}"
    )
    for part, key, title in (
        ("look", "batch", "looking, by pictures in a batch"),
        ("frame", "questions", "a whole frame, by questions"),
    ):
        table = Table(
            "precision", key, "p50 ms", "p95 ms", "p99 ms", "busy ms", "pictures/s", title=title
        )
        for row in sorted(figures[part], key=lambda row: str(row["precision"])):
            times = (f"{row[name]:.2f}" for name in ("p50_ms", "p95_ms", "p99_ms", "busy_ms"))
            table.add_row(row["precision"], str(row[key]), *times, f"{row['pictures_per_s']:.0f}")
        console.print(table)
    taken = ", ".join(f"{name} {mib:.0f} MiB" for name, mib in figures["memory_mib"].items())
    console.print(f"memory taken when opened: {taken}")
