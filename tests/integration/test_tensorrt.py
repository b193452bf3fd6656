"""NVIDIA's own parser, builder and bindings, without a GPU."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest

from edge_daemon.engine.bundle import load_bundle
from edge_daemon.engine.tensorrt.graphs import tensorrt_graph
from tests.conftest import REPO
from tests.data.tensorrt_wheels import bindings, members_used, rtx, with_tensorrt
from tests.data.tiny_single import single_graph

if TYPE_CHECKING:
    from pathlib import Path

# Oldest and newest of each line, and those of JetPack 6 and 7.
RELEASES = (
    "tensorrt-cu12-bindings==10.0.1",
    "tensorrt-cu12-bindings==10.3.0",
    "tensorrt-cu13-bindings==10.16.1.11",
    "tensorrt-cu13-bindings==11.0.0.114",
    "tensorrt-cu13-bindings==11.4.0.106",
)

LOOK = """
import json, os, sys
from functools import reduce
sys.setdlopenflags(os.RTLD_LAZY)  # the stubs have the names alone that loading wants
from edge_daemon.engine.tensorrt import builder
import tensorrt_bindings.tensorrt as trt
def has(name):
    try:
        reduce(getattr, name.split("."), trt)
    except AttributeError:
        return False
    return True
print(json.dumps({
    "missing": [name for name in sys.argv[1].split() if not has(name)],
    "strong": builder.has_strong_types(trt),
    "flags": builder._network_flags(trt),
    "log": builder.build_log(trt).first,
}))
"""

BUILD = """
import json, sys
from pathlib import Path
from edge_daemon.engine.tensorrt.available import load_tensorrt
from edge_daemon.engine.tensorrt.builder import Recipe, build_plan, has_strong_types
from edge_daemon.errors import PlanError
trt, told = load_tensorrt(), {}
for path in map(Path, sys.argv[1:]):
    precision, core = path.name.partition(".")[0], 0 if "dla" in path.name else None
    recipe = Recipe(precision, 8, 1 << 30, core)
    try:
        junk = b"junk" if precision == "fp32" else b""  # a damaged cache begins anew
        built = build_plan(trt, path.read_bytes(), recipe, timing_cache=junk, where=path.name)
        told[path.name] = {"bytes": len(built.plan), "cache": len(built.timing_cache)}
    except PlanError as exc:
        told[path.name] = {"error": str(exc)}
print(json.dumps({"strong": has_strong_types(trt), "module": trt.__name__, "told": told}))
"""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("wheel", RELEASES)
def test_all_that_building_and_running_names_is_in_the_bindings(wheel: str) -> None:
    found = with_tensorrt(bindings(wheel), LOOK, " ".join(sorted(members_used())))
    major = int(wheel.partition("==")[2].partition(".")[0])

    assert found["missing"] == []
    assert found["strong"] is True
    assert found["flags"] & 1 == (1 if major < 11 else found["flags"] & 1)
    assert found["log"] == "it does not say why"


def test_all_that_building_and_running_names_is_in_release_8_6() -> None:
    known = json.loads((REPO / "tests" / "data" / "tensorrt_8_6.json").read_text())["members"]
    names = {f"{kind}.{member}" for kind, members in known.items() for member in members}
    used = {name for name in members_used() if name.split(".")[0] in known}

    assert used - names - set(known) == set()
    assert len(used) > 30
    assert {"BuilderFlag.FP16", "BuilderFlag.INT8"} <= names
    assert "NetworkDefinitionCreationFlag.EXPLICIT_BATCH" in names
    assert "NetworkDefinitionCreationFlag.STRONGLY_TYPED" not in names


@pytest.mark.timeout(400)
def test_nvidias_parser_and_builder_take_street_in_every_precision(tmp_path: Path) -> None:
    folder, bundle = rtx(), load_bundle("street")
    forms: tuple[tuple[Any, Any, bool], ...] = (
        ("fp32", "fp32", True), ("fp16", "fp32", True), ("int8", "int8", True),
        ("int8", "int8", False),  # for TensorRT 8
    )  # fmt: skip
    for precision, held, strong in forms:
        raw = tensorrt_graph(bundle.graph(held, "image"), precision, strong=strong, where="")
        (tmp_path / f"{precision}.{strong}.onnx").write_bytes(raw)
    found = with_tensorrt(folder, BUILD, *sorted(tmp_path.iterdir()))

    assert found["strong"] is True
    assert found["module"] == "tensorrt_rtx_bindings"
    assert len(found["told"]) == 4
    assert all(said.get("bytes", 0) > 1_000_000 for said in found["told"].values()), found
    assert all(said["cache"] > 0 for said in found["told"].values())


@pytest.mark.timeout(300)
def test_nvidias_parser_and_builder_take_a_bundle_of_kind_single(tmp_path: Path) -> None:
    folder, raw = rtx(), single_graph().SerializeToString()
    for precision in ("fp32", "fp16"):
        graph = tensorrt_graph(raw, precision, strong=True, where="")
        (tmp_path / f"{precision}.onnx").write_bytes(graph)
    told = with_tensorrt(folder, BUILD, *sorted(tmp_path.iterdir()))["told"]

    assert {name: said.get("bytes", 0) > 1000 for name, said in told.items()} == {
        "fp16.onnx": True, "fp32.onnx": True,
    }, told  # fmt: skip


@pytest.mark.timeout(300)
def test_what_the_parser_refuses_is_told_in_one_line(tmp_path: Path) -> None:
    folder, bundle = rtx(), load_bundle("street")
    good = tensorrt_graph(bundle.graph("fp32", "image"), "fp16", strong=True, where="")
    files = {
        "int8.onnx": bundle.graph("int8", "image"),  # unsigned, with int32 biases
        "fp32.onnx": b"nothing of the kind",
        "fp16.dla.onnx": good,
    }
    for name, raw in files.items():
        (tmp_path / name).write_bytes(raw)
    told = with_tensorrt(folder, BUILD, *(tmp_path / name for name in files))["told"]

    assert {name: "error" in said for name, said in told.items()} == dict.fromkeys(files, True)
    assert "does not take the graph" in told["int8.onnx"]["error"]
    assert "Int32" in told["int8.onnx"]["error"]
    assert "Failed to parse the ONNX model" in told["fp32.onnx"]["error"]
    assert told["fp16.dla.onnx"]["error"] == (
        "fp16.dla.onnx: this device has 0 DLA cores that TensorRT can use -- build without --dla"
    )
    assert all("\n" not in said["error"] for said in told.values())


def tokens(graph: bytes, pictures: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    # ONNX Runtime's own fusions of half scales are wrong (1.31.1: 6 dB instead of 26).
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(["tokens"], {"pixels": pictures})[0])


@pytest.mark.parametrize(
    ("precision", "strong", "least_db"),
    [("fp32", True, 100), ("fp16", True, 50), ("fp16", False, 50), ("int8", True, 20),
     ("int8", False, 20)],
)  # fmt: skip
def test_graphs_for_tensorrt_compute_what_the_bundle_does(
    precision: Any, strong: bool, least_db: float
) -> None:
    version = tuple(map(int, onnxruntime.__version__.split(".")[:2]))
    if precision == "int8" and strong and version < (1, 30):
        # The last for Python 3.10 is 1.23.2: 11.6 dB; 1.28.0 too little as well, 1.31.1: 26 dB.
        pytest.skip("ONNX Runtime before 1.30 computes half scales of int8 wrongly")
    bundle = load_bundle("street")
    size = bundle.manifest.input.width, bundle.manifest.input.height
    pictures = np.stack(
        [golden_picture(bundle.read(f"goldens/street-{n}.png"), size) for n in range(3)]
    )
    held = "int8" if precision == "int8" else "fp32"
    graph = tensorrt_graph(bundle.graph(held, "image"), precision, strong=strong, where="")
    expected, found = tokens(bundle.graph("fp32", "image"), pictures), tokens(graph, pictures)
    noise = float(((found - expected) ** 2).mean()) + 1e-30

    assert 10 * np.log10(float((expected**2).mean()) / noise) > least_db
    opset = {e.domain: e.version for e in onnx.load_model_from_string(graph).opset_import}
    assert opset == {"": 19 if precision == "int8" and strong else 17}


def golden_picture(raw: bytes, size: tuple[int, int]) -> np.ndarray[Any, Any]:
    bgr = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR)
    assert bgr is not None
    small = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_BGR2RGB)
