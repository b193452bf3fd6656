"""The engine on TensorRT as it runs, on a driver and a runtime whose GPU is the processor.

cuda-bindings is the real one.  What NVIDIA's own code does on a GPU is tests/device.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.conftest import REPO, missing
from tests.data.tiny_bundle import write_tiny_bundle
from tests.data.tiny_single import write_tiny_single

PROLOGUE = """
import json, logging, sys, threading, time
from pathlib import Path
import numpy as np
sys.modules["tensorrt"] = __import__("tests.data.host_tensorrt", fromlist=["x"])
trt = sys.modules["tensorrt"]
from edge_daemon.engine.bundle import load_bundle
from edge_daemon.engine.goldens import verify_goldens
from edge_daemon.engine.ort import OnnxRuntime
from edge_daemon.engine.tensorrt.engine import TensorRTEngine
from edge_daemon.engine.tensorrt.open import PlanShelf, Rebuild, fingerprint, open_tensorrt
from edge_daemon.engine.tensorrt.place import open_place
from edge_daemon.engine.tensorrt.plans import Plan
from edge_daemon.errors import EdgeError
from tests.data.tiny_bundle import stripes
logging.basicConfig(level="INFO", format="%(levelname)s %(message)s", stream=sys.stdout)
bundle, plans = load_bundle(Path(sys.argv[1])), Path(sys.argv[2])
place = open_place()
wanted = fingerprint(place.trt, place.driver.device, bundle, "fp16")
plan = Plan(bundle.graph("fp32", bundle.main_graph), {"largest_batch": 8, "dla_core": None})
shelf = PlanShelf(plans)
"""


@pytest.fixture(scope="module")
def cuda(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of a libcuda.so.1 for a GPU that is the processor."""
    if find_spec("cuda") is None:
        missing("no cuda-bindings: pip install cuda-bindings", "REQUIRE_CUDA_BINDINGS")
    folder = tmp_path_factory.mktemp("cuda")
    source = REPO / "tests" / "data" / "host_cuda.c"
    call = ["gcc", "-shared", "-fPIC", "-O1", str(source), "-Wl,-soname,libcuda.so.1", "-o"]
    try:
        subprocess.run([*call, str(folder / "libcuda.so.1"), "-ldl"], check=True)
    except FileNotFoundError:
        missing("no gcc: apt-get install gcc libc6-dev", "REQUIRE_CUDA_BINDINGS")
    return folder


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_tiny_bundle(tmp_path / "tiny")


def said(cuda: Path, bundle: Path, program: str, **device: str) -> list[str]:
    """Lines that a program prints on the host's GPU; it must end well."""
    env = {**os.environ, **device, "LD_LIBRARY_PATH": str(cuda), "PYTHONPATH": str(REPO)}
    call = [sys.executable, "-c", PROLOGUE + program, str(bundle), str(bundle.parent / "plans")]
    done = subprocess.run(call, capture_output=True, text=True, check=False, env=env, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


SAME = """
from edge_daemon.engine.open import open_backend
shelf.save(bundle.name, wanted, plan)
engine = open_tensorrt(bundle, "auto", 1, plans=plans)
plain = open_backend("onnxruntime", bundle, "fp32", 1)
pictures = stripes(19, 1)
same = [bool(np.array_equal(engine.look(p), plain.look(p))) for p in
        (pictures, pictures[:1], pictures[:8], *[pictures[n : n + 2] for n in range(6)])]
print(all(same), len(same), engine.info.backend, engine.info.precision)
print(trt.opened[0].batches[:6], engine.plan.captured)
print(all(r.ok for r in verify_goldens(engine, bundle)))
found = []
threads = [threading.Thread(target=lambda: found.append(engine.look(pictures[:2]))) for _ in "ab"]
for t in threads: t.start(); t.join()
print(all(np.array_equal(f, plain.look(pictures[:2])) for f in found), len(found))
engine.close()
"""


@pytest.mark.parametrize("integrated", ["0", "1"])
def test_a_plan_looks_as_onnx_runtime_does(cuda: Path, bundle: Path, integrated: str) -> None:
    lines = said(cuda, bundle, SAME, HOST_CUDA_INTEGRATED=integrated)

    assert lines[0] == "True 9 tensorrt fp16"
    assert lines[1] == "[8, 8, 8, 3, 1, 8] True"  # one to warm up, then 19 as 8, 8, 3
    assert lines[2] == "True"
    assert lines[3] == "True 2"


def test_a_plan_of_a_single_bundle_answers_as_onnx_runtime_does(cuda: Path, tmp_path: Path) -> None:
    program = """
from edge_daemon.engine.open import open_backend
from edge_daemon.engine.tensorrt.graphs import tensorrt_graph
from tests.data.tiny_bundle import LIMITS
from tests.integration.engine.opened import LEFT, ask
raw = tensorrt_graph(bundle.graph("fp32", "model"), "fp32", strong=True, where="")
shelf.save(bundle.name, wanted, Plan(raw, {}))
engine = open_tensorrt(bundle, "auto", 1, plans=plans)
plain = open_backend("onnxruntime", bundle, "fp32", 1)
texts = [f"Is {'the ' * (n % 3)}picture {word}?" for n in range(4) for word in LIMITS]
zones = [(None, LEFT)[n % 2] for n in range(24)]
found, expected = (ask(e, stripes(3, 1), texts, zones).p_yes for e in (engine, plain))
apart = float(np.abs(found - expected).max())
print(engine.info.backend, engine.info.precision, found.shape, apart < 1e-5 or apart)
print(trt.opened[0].batches[:5], all(r.ok for r in verify_goldens(engine, bundle)))
engine.close()
"""
    lines = said(cuda, write_tiny_single(tmp_path / "single"), program)

    assert lines[0] == "tensorrt fp16 (3, 24) True"
    assert lines[1] == "[8, 8, 8, 8, 8] True"  # one to warm up, then 24 as 16 and 8: 8, 8, 8


def test_memory_that_is_short_makes_batches_smaller(cuda: Path, bundle: Path) -> None:
    program = """
shelf.save(bundle.name, wanted, plan)
engine = open_tensorrt(bundle, "auto", 1, plans=plans)
print(engine.look(stripes(9, 1)).shape, engine.plan.largest_batch)
"""
    picture, tokens = 128 * 72 * 3, 16 * 9 * 6 * 4
    lines = said(cuda, bundle, program, HOST_CUDA_BYTES=str(2 * 3 * (picture + tokens)))

    assert lines[0].startswith("WARNING ")
    assert lines[0].endswith("the GPU has memory for batches of 2, not 8")
    assert lines[-1] == "(9, 144, 6) 2"


def test_no_memory_at_all_leaves_onnx_runtime_answering(cuda: Path, bundle: Path) -> None:
    program = """
shelf.save(bundle.name, wanted, plan)
engine = open_tensorrt(bundle, "auto", 1, plans=plans, without_plan="build")
print(engine.info.backend, engine.look(stripes(2, 1)).shape)
try:
    open_tensorrt(bundle, "auto", 1, plans=plans)
except EdgeError as exc:
    print(exc)
"""
    lines = said(cuda, bundle, program, HOST_CUDA_BYTES="1000")

    what = "GPU: out of memory in cuMemHostAlloc -- free memory, or build with a smaller"
    assert lines[0].startswith(f"WARNING {what}")
    assert lines[1] == "onnxruntime (2, 144, 6)"
    assert lines[2].startswith(what)


def test_faults_in_a_row_give_the_gpu_up(cuda: Path, bundle: Path) -> None:
    program = """
shelf.save(bundle.name, wanted, plan)
engine = open_tensorrt(bundle, "auto", 1, plans=plans)
trt.opened[0].broken = True
engine.plan._captures = False
for n in range(4):
    try:
        print(engine.look(stripes(3, 1)).shape, engine.info.backend)
    except EdgeError as exc:
        print(exc.what)
"""
    lines = said(cuda, bundle, program)

    assert lines[:3] == ["TensorRT failed to run"] * 2 + [lines[2]]
    assert lines[2].startswith("ERROR ")
    assert "failed 3 times in a row, ONNX Runtime answers from now on" in lines[2]
    assert lines[3:] == ["TensorRT failed to run", "(3, 144, 6) onnxruntime"]


@pytest.mark.parametrize("fails", [False, True])
def test_a_plan_for_another_gpu_is_built_anew_while_onnx_runtime_answers(
    cuda: Path, bundle: Path, fails: bool
) -> None:
    program = """
from dataclasses import replace
import edge_daemon.engine.tensorrt.open as opening
shelf.save(bundle.name, replace(wanted, gpu="Thor"), replace(plan, choices={"largest_batch": 4}))
other = PlanShelf(Path(str(plans) + "-made"))
made = other.save(bundle.name, wanted, plan)
script = Path(str(plans) + "-build.py")
script.write_text(f'''
import sys, shutil
assert sys.argv[1:] == [{str(bundle.path)!r}, "--precision", "fp16", "--plans", {str(plans)!r},
                        "--nice", "10", "--largest-batch", "4"], sys.argv
if FAILS: sys.exit("engine build: the reason -- the remedy")
shutil.copy({str(made)!r}, {str(plans)!r})
''')
opening.Rebuild.__init__.__kwdefaults__["command"] = (sys.executable, str(script))
engine = open_tensorrt(bundle, "auto", 1, plans=plans, without_plan="build")
print(engine.info.backend, engine.look(stripes(2, 1)).shape)
engine._on_close.__self__.wait(60)
print(engine.info.backend, engine.look(stripes(2, 1)).shape)
engine.close()
""".replace("FAILS", str(fails))
    lines = said(cuda, bundle, program)

    told = "was made for GPU Thor instead of Host processor -- it is built anew, ONNX Runtime"
    assert told in lines[0]
    assert lines[1] == "onnxruntime (2, 144, 6)"
    if fails:
        assert lines[2] == (
            "ERROR tiny: no TensorRT plan, ONNX Runtime goes on answering: engine build: the reason"
            " -- the remedy"
        )
        assert lines[3] == "onnxruntime (2, 144, 6)"
    else:
        assert lines[2] == "INFO tiny: the TensorRT plan is ready and answers"
        assert lines[3] == "tensorrt (2, 144, 6)"


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        ("b'junk'", "does not take the plan: Serialization assertion failed"),
        ('bundle.graph("fp32", "question")', "has ids instead of pixels"),
    ],
)
def test_a_plan_that_does_not_fit_is_told_in_one_line(
    cuda: Path, bundle: Path, plan: str, told: str
) -> None:
    program = f"""
shelf.save(bundle.name, wanted, Plan({plan}, {{}}))
try:
    open_tensorrt(bundle, "auto", 1, plans=plans)
except EdgeError as exc:
    print(type(exc).__name__, exc)
"""
    lines = said(cuda, bundle, program)

    assert len(lines) == 1
    assert lines[0].startswith("PlanError ")
    assert told in lines[0]
    assert lines[0].endswith("-- build it again: edge-daemon engine build")


def test_a_command_without_a_plan_names_the_one_that_builds_it(cuda: Path, bundle: Path) -> None:
    program = """
try:
    open_tensorrt(bundle, "auto", 1, plans=plans)
except EdgeError as exc:
    print(exc)
"""
    (line,) = said(cuda, bundle, program)

    hint = f"build it: edge-daemon engine build tiny --plans {bundle.parent / 'plans'}"
    assert line.endswith(f": no plan was built yet -- {hint}")


def test_a_driver_without_a_gpu_is_told(cuda: Path, bundle: Path) -> None:
    env = {**os.environ, "LD_LIBRARY_PATH": str(cuda), "HOST_CUDA_DEVICES": "0"}
    call = [sys.executable, "-m", "edge_daemon", "engine", "build", str(bundle)]
    done = subprocess.run(call, capture_output=True, text=True, check=False, env=env, cwd=REPO)

    assert done.returncode == 69
    assert done.stderr == (
        "engine build: no TensorRT: the NVIDIA driver sees no GPU"
        " -- build on the machine that will run it; ONNX Runtime needs no plan\n"
    )
