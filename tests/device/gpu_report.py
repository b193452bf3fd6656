# ruff: noqa: PLC0415  what is missing is a line of the table, not the end
"""Everything that needs a GPU, in one table: run it alone on a machine with one.

    python -m tests.device.gpu_report [--rtx PARTS] [--bundle street] [--json OUT]
    python -m tests.device.gpu_report --pack PARTS     on a machine with network, without a GPU

A part that is not there is one line of the table.  --pack fetches TensorRT for RTX (for Python
3.12) and cuts it into two parts below 60 MiB; --rtx unpacks them, so that a GPU machine without
network or TensorRT can build and run plans.  Packing takes minutes, the report less than eight.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from edge_daemon.errors import EngineMissingError
from tests.device.rtx_parts import pack, unpacked

ENOUGH_S = 420.0  # of the eight minutes; what is left over is skipped with a line

Row = tuple[str, str, str]


class Report:
    """Rows of the table, printed as they come."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._begun_s = time.monotonic()

    def say(self, part: str, what: str, result: str) -> None:
        self.rows.append((part, what, result))
        print(f"{part:<22} {what:<34} {result}", flush=True)

    def section(self, part: str, work: Callable[[], None]) -> None:
        """Run one part; whatever goes wrong is its line."""
        if time.monotonic() - self._begun_s > ENOUGH_S:
            self.say(part, "skipped", "no time left")
            return
        try:
            work()
        except (EngineMissingError, ModuleNotFoundError) as exc:
            self.say(part, "not here", str(exc))
        except Exception as exc:  # noqa: BLE001  the table tells it, and goes on
            self.say(part, "FAILED", f"{type(exc).__name__}: {' '.join(str(exc).split())[:300]}")
            traceback.print_exc(limit=4)


class Machine:
    """What all parts use; made by the first of them."""

    def __init__(self, report: Report, bundle: str) -> None:
        from edge_daemon.engine.bundle import load_bundle
        from edge_daemon.engine.open import open_backend

        self.report, self.bundle = report, load_bundle(bundle)
        self.plain = open_backend("onnxruntime", self.bundle, "fp32", 4)
        self.pictures = frames(self.bundle, 64)
        self.expected = np.concatenate(
            [self.plain.look(self.pictures[n : n + 8]) for n in range(0, 64, 8)]
        )
        self.place: Any = None

    def device(self) -> None:
        from edge_daemon.engine.cuda.driver import open_driver

        found = open_driver()
        self.report.say("GPU", found.device.name, f"{found.device} by {type(found).__name__}")

    def memory(self) -> None:
        from edge_daemon.engine.cuda.driver import open_driver
        from edge_daemon.engine.cuda.memory import SharedArray
        from edge_daemon.engine.runtime import GraphTooLargeError

        driver = open_driver()
        with driver.current():
            stream, shared = driver.make_stream(), SharedArray(driver, (8, 1024), "float32")
            shared.host[:] = 3
            shared.upload(8, stream)
            driver.wait(stream)
            shared.host[:] = 0
            graph = driver.capture(stream, lambda: shared.download(8, stream))
            self.report.say("CUDA", "graph of a copy", "captured" if graph else "NOT captured")
            if graph:
                graph.launch()
                driver.wait(stream)
                graph.close()
                self.report.say("CUDA", "what the graph copied", verdict((shared.host == 3).all()))
            try:
                driver.allocate(1 << 50)
                self.report.say("CUDA", "a petabyte", "WRONG: was given")
            except GraphTooLargeError as exc:
                self.report.say("CUDA", "a petabyte", f"ok: {exc}")
            shared.close()
            driver.free_stream(stream)

    def plans(self, precision: Any) -> None:
        from edge_daemon.engine.goldens import verify_goldens
        from edge_daemon.engine.tensorrt.engine import TensorRTEngine
        from edge_daemon.engine.tensorrt.make import make_plan
        from edge_daemon.engine.tensorrt.place import open_place

        part, say = f"TensorRT {precision}", self.report.say
        self.place = self.place or open_place()
        begun_s = time.monotonic()
        plan, times = make_plan(self.place, self.bundle, precision, largest_batch=8)
        built_s = time.monotonic() - begun_s
        say(part, f"built, {self.place.trt.__name__} {self.place.trt.__version__}",
            f"{built_s:.1f} s, {len(plan.data)} bytes, cache {len(times)} bytes")  # fmt: skip
        engine = TensorRTEngine(self.bundle, precision, 4, self.place)
        engine.take(plan, "report")
        results = verify_goldens(engine, self.bundle)
        worst = max(r.difference for r in results)
        say(part, "goldens", f"{verdict(all(r.ok for r in results))}: worst {worst:.4f}")
        found = np.concatenate([engine.look(self.pictures[n : n + 7]) for n in range(0, 64, 7)])
        say(part, "64 frames beside ONNX Runtime", f"{snr_db(self.expected, found):.1f} dB")
        loaded: Any = engine.plan
        for batch in (1, 8):
            for graphs in (True, False):
                loaded._captures, loaded._rows = graphs, 0
                timed = percentiles(lambda n=batch: engine.look(self.pictures[:n]))
                kind = "graph" if loaded.captured else "no graph"
                say(part, f"look at {batch}, {kind}", timed)
        self._threads(part, engine)
        engine.close()

    def single(self) -> None:
        """A bundle of kind single: three inputs, everything on the GPU."""
        from edge_daemon.engine.bundle import load_bundle
        from edge_daemon.engine.goldens import verify_goldens
        from edge_daemon.engine.tensorrt.engine import TensorRTEngine
        from edge_daemon.engine.tensorrt.make import make_plan
        from edge_daemon.engine.tensorrt.place import open_place
        from tests.data.tiny_single import write_tiny_single

        self.place = self.place or open_place()
        with tempfile.TemporaryDirectory() as work:
            bundle = load_bundle(write_tiny_single(Path(work) / "single"))
            plan, _ = make_plan(self.place, bundle, "fp16")
            engine = TensorRTEngine(bundle, "fp16", 4, self.place)
            engine.take(plan, "report")
            results = verify_goldens(engine, bundle)
            engine.close()
        worst = max(r.difference for r in results)
        good = verdict(all(r.ok for r in results))
        self.report.say("TensorRT single", "goldens", f"{good}: worst {worst:.4f}")

    def _threads(self, part: str, engine: Any) -> None:
        lock, found, errors = threading.Lock(), [], []
        once = engine.look(self.pictures[:2])

        def work() -> None:
            for _ in range(20):
                try:
                    with lock:
                        found.append(np.array_equal(engine.look(self.pictures[:2]), once))
                except Exception as exc:  # noqa: BLE001  told below
                    errors.append(exc)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        good = verdict(len(found) == 80 and all(found))
        self.report.say(part, "4 threads, 20 looks each", f"{good} {errors[:1] or ''}")

    def short_memory(self) -> None:
        """Take nearly all memory, then open a plan: smaller batches, or one clear line."""
        from edge_daemon.engine.runtime import GraphTooLargeError
        from edge_daemon.engine.tensorrt.engine import TensorRTEngine
        from edge_daemon.engine.tensorrt.make import make_plan
        from edge_daemon.engine.tensorrt.place import open_place
        from edge_daemon.errors import EngineError

        self.place = self.place or open_place()
        driver, held = self.place.driver, []
        plan, _ = make_plan(self.place, self.bundle, "fp16", largest_batch=256)
        with driver.current():
            for size in (1 << 33, 1 << 30, 1 << 27, 1 << 24):
                try:
                    while True:
                        held.append(driver.allocate(size))
                except GraphTooLargeError:
                    continue
        try:
            engine = TensorRTEngine(self.bundle, "fp16", 4, self.place)
            engine.take(plan, "report")
            loaded: Any = engine.plan
            shape = engine.look(self.pictures[:9]).shape
            self.report.say(
                "memory short", "answers", f"ok {shape}, batches {loaded.largest_batch}"
            )
            engine.close()
        except EngineError as exc:
            self.report.say("memory short", "one clear line", f"ok: {exc}")
        finally:
            with driver.current():
                for address in held:
                    driver.free(address)

    def onnxruntime_cuda(self) -> None:
        from edge_daemon.engine.open import open_backend

        engine = open_backend("onnxruntime-cuda", self.bundle, "fp32", 4)
        self._timed("ONNX Runtime CUDA", engine.look)
        engine.close()

    def torch(self) -> None:
        from edge_daemon.engine.open import open_backend

        engine = open_backend("torch-cuda", self.bundle, "fp32", 4)
        self._timed("torch", engine.look)
        engine.close()

    def torch_compile(self) -> None:
        import torch

        from edge_daemon.engine.pytorch.graph import TorchCuda

        model = self.bundle.graph("fp32", "image")
        opened: Any = TorchCuda().open(model, where="image", which="image", threads=4)

        def forward(pixels: Any) -> Any:
            known = {**opened._held, "pixels": pixels}
            for step in opened._steps:
                opened._take(step, known)
            return known["tokens"]

        compiled = torch.compile(forward, mode="reduce-overhead")

        def look(pictures: Any) -> Any:
            with torch.inference_mode():
                return compiled(torch.from_numpy(pictures).cuda()).cpu().numpy()

        self._timed("torch.compile", look)

    def _timed(self, part: str, look: Callable[[Any], Any]) -> None:
        found = look(self.pictures[:8])
        self.report.say(part, "8 frames beside ONNX Runtime",
                        f"{snr_db(self.expected[:8], found):.1f} dB")  # fmt: skip
        for batch in (1, 8):
            self.report.say(
                part, f"look at {batch}", percentiles(lambda n=batch: look(self.pictures[:n]))
            )


def frames(bundle: Any, n: int) -> Any:
    """Golden pictures, shifted, mirrored and darkened: uint8 (n, H, W, 3)."""
    import cv2

    goldens, size = bundle.goldens(), bundle.input_size
    names = sorted({row.image for row in goldens.rows}) if goldens else []
    read = [cv2.imdecode(np.frombuffer(bundle.read(f), np.uint8), cv2.IMREAD_COLOR) for f in names]
    made = []
    for k in range(n):
        picture = cv2.resize(read[k % len(read)], size, interpolation=cv2.INTER_AREA)[..., ::-1]
        picture = np.roll(picture, 7 * (k // len(read)), axis=1)[:, :: -1 if k % 2 else 1]
        made.append((picture * (1 - 0.5 * (k % 5) / 5)).astype(np.uint8))
    return np.stack(made)


def percentiles(work: Callable[[], object], seconds: float = 2.0) -> str:
    """p50 and p99 of a call in milliseconds, after ten to warm up."""
    for _ in range(10):
        work()
    took, end_s = [], time.perf_counter() + seconds
    while time.perf_counter() < end_s or len(took) < 20:
        begun_s = time.perf_counter()
        work()
        took.append((time.perf_counter() - begun_s) * 1e3)
    return (
        f"p50 {np.percentile(took, 50):.3f} ms, p99 {np.percentile(took, 99):.3f} ms, n {len(took)}"
    )


def snr_db(expected: Any, found: Any) -> float:
    """Of tokens, in decibels; 200 when equal."""
    noise = float(((expected - found) ** 2).mean())
    return 10 * float(np.log10(float((expected**2).mean()) / noise)) if noise else 200.0


def verdict(good: Any) -> str:
    return "ok" if good else "WRONG"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--bundle", default="street")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--rtx", type=Path, help="directory of the parts that --pack wrote")
    parser.add_argument("--pack", type=Path)
    args = parser.parse_args()
    if args.pack:
        pack(args.pack)
        return 0
    if args.rtx and list(args.rtx.glob("rtx.[0-9]")):
        with unpacked(args.rtx) as folder:  # libraries are found at the start of a process only
            paths = {
                name: f"{folder}:{os.environ.get(name, '')}"
                for name in ("LD_LIBRARY_PATH", "PYTHONPATH")
            }
            rest = ["--bundle", args.bundle, *(["--json", str(args.json)] if args.json else [])]
            call = [sys.executable, "-m", "tests.device.gpu_report", *rest]
            return subprocess.run(call, env={**os.environ, **paths}, check=False).returncode
    return report(args.bundle, args.json)


def report(bundle: str, out: Path | None) -> int:
    from edge_daemon.engine.cuda.probe import no_gpu
    from edge_daemon.engine.tensorrt.available import unavailable

    table = Report()
    table.say("python", sys.version.split()[0], sys.executable)
    table.say("driver", "libcuda", no_gpu() or "a GPU is there")
    table.say("TensorRT", "usable", unavailable() or "yes")
    machine = Machine(table, bundle)
    table.say("ONNX Runtime CPU", "look at 1", percentiles(lambda: machine.plain.look(
        machine.pictures[:1])))  # fmt: skip
    for part, work in (
        ("GPU", machine.device),
        ("CUDA", machine.memory),
        ("TensorRT fp16", lambda: machine.plans("fp16")),
        ("TensorRT fp32", lambda: machine.plans("fp32")),
        ("TensorRT int8", lambda: machine.plans("int8")),
        ("TensorRT single", machine.single),
        ("memory short", machine.short_memory),
        ("ONNX Runtime CUDA", machine.onnxruntime_cuda),
        ("torch", machine.torch),
        ("torch.compile", machine.torch_compile),
    ):
        table.section(part, work)
    if out is not None:
        out.write_text(json.dumps(table.rows, indent=1) + "\n", encoding="utf-8")
    return int(any(what == "FAILED" or "WRONG" in result for _, what, result in table.rows))


if __name__ == "__main__":
    sys.exit(main())
