"""edge-daemon engine build: a TensorRT plan of a bundle for this GPU."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_daemon.errors import EngineMissingError, PlanError, UsageError

if TYPE_CHECKING:
    import argparse

    from edge_daemon.engine.base import Engine
    from edge_daemon.engine.bundle import Bundle
    from edge_daemon.engine.goldens import GoldenResult

_MOST_AT_ONCE: Final = 256
_PRESETS: Final = ("nano-jp5", "xavier", "orin-nano", "orin-nx", "agx-orin", "thor", "desktop")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("bundle", metavar="BUNDLE", nargs="?", default="street",
                        help="name or path (street)")  # fmt: skip
    parser.add_argument(
        "--precision", default="auto", choices=("auto", "fp32", "fp16", "int8"),
        help="auto: what the preset says",
    )  # fmt: skip
    parser.add_argument(
        "--preset", default="auto", choices=("auto", *_PRESETS),
        help="the device; auto: as it says of itself",
    )  # fmt: skip
    parser.add_argument("--largest-batch", type=int, metavar="N", help="pictures at once")
    parser.add_argument(
        "--dla", type=int, metavar="CORE", nargs="?", const=0,
        help="let the deep learning accelerator take what it can, in fp16 (core 0)",
    )  # fmt: skip
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--data-dir", metavar="DIR", help="of the daemon that will use the plan")
    place.add_argument("--plans", metavar="DIR", help="where plans are kept (~/.cache/edge-daemon)")
    parser.add_argument("--nice", type=int, default=0, metavar="N", help="lower the priority (0)")
    parser.add_argument("--json", action="store_true", help="the result as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Build, try on the golden pictures, keep.  Raises EngineError, UsageError."""
    from edge_daemon.engine.bundle import load_bundle  # noqa: PLC0415  keeps --help light
    from edge_daemon.engine.tensorrt.available import unavailable  # noqa: PLC0415

    _check(args)
    bundle = load_bundle(args.bundle)
    why = unavailable()
    if why is not None:
        hint = "build on the machine that will run it; ONNX Runtime needs no plan"
        raise EngineMissingError(f"no TensorRT: {why}", where="engine build", hint=hint)
    with suppress(OSError):  # a service may not be let
        os.nice(args.nice)
    _tell(_build(args, bundle), as_json=args.json)
    return 0


def _build(args: argparse.Namespace, bundle: Bundle) -> dict[str, object]:
    from edge_daemon.engine.tensorrt.engine import TensorRTEngine  # noqa: PLC0415
    from edge_daemon.engine.tensorrt.make import make_plan  # noqa: PLC0415
    from edge_daemon.engine.tensorrt.open import default_plans  # noqa: PLC0415
    from edge_daemon.engine.tensorrt.place import (  # noqa: PLC0415
        fingerprint,
        open_place,
        precision_of,
    )
    from edge_daemon.engine.tensorrt.plans import PlanShelf  # noqa: PLC0415

    place = open_place(args.preset)
    precision = precision_of(bundle, args.precision, place.preset)
    folder = Path(args.data_dir) / "plans" if args.data_dir else Path(args.plans or default_plans())
    shelf, begun_s = PlanShelf(folder), time.monotonic()
    plan, times = make_plan(
        place,
        bundle,
        precision,
        largest_batch=args.largest_batch,
        dla_core=args.dla,
        timing_cache=shelf.timing_cache(),
    )
    built_s = time.monotonic() - begun_s
    engine = TensorRTEngine(bundle, precision, 1, place)
    engine.take(plan, f"bundle {bundle.path}")
    results = verify_plan(engine, bundle)
    engine.close()
    made = fingerprint(place.trt, place.driver.device, bundle, precision)
    path = shelf.save(bundle.name, made, plan)
    shelf.save_timing_cache(times)
    return {
        "plan": str(path),
        "bytes": len(plan.data),
        "built_s": round(built_s, 1),
        "goldens": len(results),
        "difference_max": max((r.difference for r in results), default=None),
        **asdict(made),
        **plan.choices,
    }


def verify_plan(engine: Engine, bundle: Bundle) -> list[GoldenResult]:
    """Ask the golden questions.  Raises PlanError where an answer is beyond its tolerance."""
    from edge_daemon.engine.goldens import verify_goldens  # noqa: PLC0415  keeps --help light

    results = verify_goldens(engine, bundle)
    wrong = [result for result in results if not result.ok]
    if wrong:
        first, hint = wrong[0], "nothing was kept; use another precision, or backend onnxruntime"
        what = (
            f"the plan gives {len(wrong)} of {len(results)} golden answers wrongly, "
            f'"{first.question}": {first.found:.3f} instead of {first.expected:.3f}'
        )
        raise PlanError(what, where=f"bundle {bundle.path} in {engine.info.precision}", hint=hint)
    return results


def _check(args: argparse.Namespace) -> None:
    """Raise UsageError."""
    if args.largest_batch is not None and not 1 <= args.largest_batch <= _MOST_AT_ONCE:
        hint = f"give 1 to {_MOST_AT_ONCE}"
        raise UsageError(f"{args.largest_batch} pictures at once", where="--largest-batch",
                         hint=hint)  # fmt: skip
    if args.dla is not None and args.precision not in ("auto", "fp16"):
        hint = "use it with --precision fp16"
        raise UsageError(f"takes no {args.precision}", where="--dla", hint=hint)


def _tell(built: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(built))
        return
    print(
        f"{built['plan']}: {built['precision']} for {built['gpu']} and {built['runtime']}, batches "
        f"to {built['largest_batch']}, {built['bytes']} bytes, built in {built['built_s']} s; "
        f"{built['goldens']} golden answers within tolerance"
    )
