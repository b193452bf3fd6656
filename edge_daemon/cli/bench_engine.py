"""edge-daemon bench engine: how fast a bundle looks and answers here."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from edge_daemon.cli.bench_plot import draw
from edge_daemon.cli.options import BACKENDS_HELP
from edge_daemon.errors import EngineMissingError, PlanError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edge_daemon.engine.base import Engine, QuestionSet
    from edge_daemon.engine.bundle import Bundle

_BATCHES: Final = (1, 2, 4, 8, 16, 32)
_QUESTIONS: Final = (1, 4, 16, 64)
_LOOP_QUESTIONS: Final = (1, 4)  # of the loop, whose time is a multiple of the first
_WARM_UP: Final = 3
_STANDING: Final = 20  # frames after which questions count as standing ones
LOOP: Final = "torch, a run a question"

_Case = tuple[str, str, int]  # backend, precision, and how many pictures or questions
_Opened = dict[tuple[str, str], "Engine"]  # by backend and precision


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("bundle", nargs="?", default="street", metavar="BUNDLE", help="(street)")
    parser.add_argument(
        "--backend", nargs="+", default=["auto"], metavar="NAME",
        help=f"one or several of {BACKENDS_HELP}; all: each that is here",
    )  # fmt: skip
    parser.add_argument(
        "--precision", nargs="+", metavar="P", help="one or several that the bundle has (all)"
    )
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="cores to use (1)")
    parser.add_argument("--runs", type=int, default=50, metavar="N", help="of each case (50)")
    parser.add_argument("--json", metavar="OUT", help="write all figures there; - for the screen")
    parser.add_argument(
        "--largest-batch", type=int, default=32, metavar="N", help="pictures together (32)"
    )
    parser.add_argument("--plot", metavar="OUT.png", help="draw them; needs edge-daemon[plot]")
    parser.add_argument(
        "--loop", action="store_true",
        help="time the loop people write first beside it: torch in fp32, a run for each question",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Time all cases in turns, so that a slow moment of the machine meets them all.

    busy_ms is processor time: what stays the same while others use the machine as well.
    """
    from edge_daemon import __version__  # noqa: PLC0415  keeps --help light
    from edge_daemon.engine.bundle import load_bundle  # noqa: PLC0415

    if args.runs < 1:
        raise UsageError("must be at least 1", where="--runs", hint="--runs 50")
    if args.largest_batch < 1:
        raise UsageError("must be at least 1", where="--largest-batch", hint="--largest-batch 8")
    bundle = load_bundle(args.bundle)
    engines, memory = _opened(bundle, args)
    loop = _loop(bundle, args.threads) if args.loop else None
    texts = _texts(bundle)
    figures = {
        "bundle": bundle.name,
        "version": bundle.manifest.version,
        "sha256": bundle.sha256,
        "edge_daemon": __version__,
        "backends": sorted({backend for backend, _ in engines}),
        "threads": args.threads,
        "runs": args.runs,
        "measured_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": _machine(),
        "memory": memory,
        "look": _by_batch(engines, args.runs, args.largest_batch),
        "frame": _by_questions(engines, texts, args.runs, loop),
    }
    for engine in [*engines.values(), *([loop] if loop else [])]:
        engine.close()
    _tell(figures, args.json)
    if args.plot:
        draw(figures, Path(args.plot))
    return 0


def _opened(bundle: Bundle, args: argparse.Namespace) -> tuple[_Opened, list[dict[str, Any]]]:
    """Engines, and the memory each took to open and warm up."""
    from edge_daemon.cli.options import engine_settings  # noqa: PLC0415  keeps --help light
    from edge_daemon.engine.open import BACKENDS, choose_backend, open_backend  # noqa: PLC0415

    every = "all" in args.backend
    engines: _Opened = {}
    memory: list[dict[str, Any]] = []
    for wanted in BACKENDS if every else args.backend:
        for precision in args.precision or bundle.precisions:
            chosen = {"bundle": str(bundle.path), "backend": wanted, "precision": precision}
            engine_settings(argparse.Namespace(threads=args.threads, **chosen))  # names that are
            backend = choose_backend(wanted).backend
            before, before_gpu = _resident_mib(), _gpu_mib()
            try:
                engine = open_backend(backend, bundle, precision, args.threads)
            except (EngineMissingError, PlanError) as exc:
                if not every:
                    raise
                print(f"skipped: {exc}", file=sys.stderr)
                break
            precision = engine.info.precision  # noqa: PLW2901  of "auto"
            engines[backend, precision] = engine
            host, gpu = _resident_mib() - before, _gpu_mib() - before_gpu
            row = {"backend": backend, "precision": precision, "host_mib": round(host, 1)}
            memory.append({**row, "gpu_mib": round(gpu, 1)})
    return engines, memory


def _loop(bundle: Bundle, threads: int) -> Engine:
    """The engine of the loop.  Raises EngineMissingError where torch is not installed."""
    from edge_daemon.engine.open import open_backend  # noqa: PLC0415  keeps --help light

    return open_backend("torch", bundle, "fp32", threads)


def _texts(bundle: Bundle) -> list[str]:
    """Questions the bundle can answer.  Raises UsageError when none is known."""
    from edge_daemon.engine.quantize import standing_questions  # noqa: PLC0415  keeps --help light

    texts = [text for text, _ in standing_questions(bundle)]
    if not texts:
        where, hint = f"bundle {bundle.path}", "use a bundle with golden answers"
        raise UsageError("has no question to ask", where=where, hint=hint)
    return texts


def _by_batch(engines: _Opened, runs: int, largest: int) -> list[dict[str, Any]]:
    """Times of looking at a batch of pictures, as large as memory allows."""
    from edge_daemon.engine.runtime import GraphTooLargeError  # noqa: PLC0415  keeps --help light

    work = {}
    for (backend, precision), engine in engines.items():
        for batch in [n for n in _BATCHES if n <= largest]:
            pictures = _noise(engine, batch)
            try:
                engine.look(pictures)
            except GraphTooLargeError as exc:
                print(f"batches end at {batch // 2} on {backend}: {exc}", file=sys.stderr)
                break
            work[backend, precision, batch] = _bound(engine.look, pictures)
    return [
        {"backend": backend, "precision": precision, "batch": batch, **_figures(times, batch)}
        for (backend, precision, batch), times in timed(work, runs).items()
    ]


def _by_questions(
    engines: _Opened, texts: Sequence[str], runs: int, loop: Engine | None
) -> list[dict[str, Any]]:
    """Times of a whole frame: one look, then all answers; and of the loop."""
    work = {}
    for n in _QUESTIONS:
        asked = [texts[k % len(texts)] for k in range(n)]
        for (backend, precision), engine in engines.items():
            ready, picture = engine.prepare(asked, [None] * n), _noise(engine, 1)
            for _ in range(_STANDING):
                engine.answer(engine.look(picture), ready)
            work[backend, precision, n] = _bound(_frame, engine, picture, ready)
        if loop is not None and n in _LOOP_QUESTIONS:
            each = [loop.prepare([text], [None]) for text in asked]
            work[LOOP, "fp32", n] = _bound(_frames, loop, _noise(loop, 1), each)
    return [
        {"backend": backend, "precision": precision, "questions": n, **_figures(times, 1)}
        for (backend, precision, n), times in timed(work, runs).items()
    ]


def _frames(engine: Engine, pictures: NDArray[np.uint8], ready: Sequence[QuestionSet]) -> None:
    for one in ready:
        _frame(engine, pictures, one)


def _frame(engine: Engine, pictures: NDArray[np.uint8], ready: QuestionSet) -> object:
    return engine.answer(engine.look(pictures), ready)


def _noise(engine: Engine, batch: int) -> NDArray[np.uint8]:
    import numpy as np  # noqa: PLC0415  keeps --help light

    width, height = engine.input_size
    return np.random.default_rng(0).integers(0, 256, (batch, height, width, 3), np.uint8)


def _bound(call: Callable[..., object], *given: object) -> Callable[[], object]:
    return lambda: call(*given)


def timed(
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


def _gpu_mib() -> float:
    """Memory in use on the GPU, by everybody; 0 without one."""
    from edge_daemon.engine.cuda.usage import used_bytes  # noqa: PLC0415  keeps --help light

    return used_bytes() / 2**20


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
    from rich.box import SIMPLE  # noqa: PLC0415  keeps --help light
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    console = Console(highlight=False)
    machine, threads = figures["machine"], figures["threads"]
    console.print(
        f"{figures['bundle']} {figures['version']} on {', '.join(figures['backends'])}, "
        f"{threads} thread{'s' * (threads > 1)}, {machine['processor']}, load {machine['load']}"
    )
    for part, key, title in (
        ("look", "batch", "looking, by pictures in a batch"),
        ("frame", "questions", "a whole frame, by questions"),
    ):
        table = Table("", title=title, box=SIMPLE)
        for name in (key, "p50 ms", "p95 ms", "p99 ms", "busy ms", "1/s"):
            table.add_column(name, justify="right", no_wrap=True)
        for row in sorted(figures[part], key=lambda row: (row["backend"], row["precision"])):
            times = (f"{row[name]:.2f}" for name in ("p50_ms", "p95_ms", "p99_ms", "busy_ms"))
            what = f"{row['backend']}, {row['precision']}", str(row[key])
            table.add_row(*what, *times, f"{row['pictures_per_s']:.0f}")
        console.print(table)
    for row in figures["memory"]:
        gpu = f", {row['gpu_mib']:.0f} MiB on the GPU" if row["gpu_mib"] else ""
        told = f"{row['backend']} {row['precision']}: {row['host_mib']:.0f} MiB{gpu}"
        console.print(f"memory taken when opened: {told}")
