"""TensorRT's files and choices: graphs, lint, plans on disk, presets; no GPU, no TensorRT."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edge_daemon.engine.cuda.driver import Device
from edge_daemon.engine.tensorrt import builder
from edge_daemon.engine.tensorrt.graphs import tensorrt_graph
from edge_daemon.engine.tensorrt.lint import faults
from edge_daemon.engine.tensorrt.plans import Fingerprint, Plan, PlanShelf
from edge_daemon.engine.tensorrt.presets import PRESETS, preset_for
from edge_daemon.errors import BundleError, PlanError
from tests.data import tiny_bundle, tiny_single

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Fingerprint("tensorrt 10.3.0", "Orin", "8.7", "12.6", "a" * 64, "fp16")
PLAN = Plan(b"the plan", {"largest_batch": 4, "dla_core": None})


def quantized(zero: int, dtype: Any = np.int8, scale: float = 0.1, name: str = "zero") -> Any:
    """x -> Q -> DQ -> y."""
    held = [
        numpy_helper.from_array(np.array(scale, np.float32), "scale"),
        numpy_helper.from_array(np.array(zero, dtype), name),
    ]
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "scale", name], ["q"], "first"),
        helper.make_node("DequantizeLinear", ["q", "scale", name], ["y"], "second"),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "g", [value("x", TensorProto.FLOAT, [2])], [value("y", TensorProto.FLOAT, [2])], held
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize(
    ("model", "fault"),
    [
        (quantized(3), "first: zero point is not zero"),
        (quantized(0, np.uint8), "first: zero point is UINT8, not INT8"),
        (quantized(0, scale=0.0), "first: scale is not above zero"),
        (quantized(0, scale=np.nan), "scale: not finite numbers"),
    ],
)
def test_lint_names_what_the_parser_refuses(model: Any, fault: str) -> None:
    assert faults(model)[0] == fault


def test_lint_passes_signed_bytes() -> None:
    assert faults(quantized(0)) == []


def test_lint_names_operators_of_other_formats() -> None:
    model = quantized(0)
    model.graph.node[0].op_type = "DynamicQuantizeLinear"
    model.graph.node[1].domain = "com.microsoft"

    assert faults(model) == [
        "first: DynamicQuantizeLinear instead of QuantizeLinear and DequantizeLinear",
        "second: com.microsoft.DequantizeLinear is no ONNX operator",
    ]


def test_nan_weights_are_refused_in_one_line() -> None:
    model = tiny_bundle.image_graph()
    luma = next(held for held in model.graph.initializer if held.name == "luma")
    luma.CopyFrom(numpy_helper.from_array(np.full((1, 3, 1, 1), np.nan, np.float32), "luma"))

    with pytest.raises(BundleError) as caught:
        tensorrt_graph(model.SerializeToString(), "fp16", strong=True, where="image.onnx")

    assert str(caught.value) == (
        "image.onnx: not for TensorRT: luma: not finite numbers -- export the bundle again"
    )


def test_pictures_are_cast_before_they_are_transposed() -> None:
    graph = helper.make_graph(
        [
            helper.make_node("Transpose", ["pixels"], ["planes"], perm=[0, 3, 1, 2]),
            helper.make_node("Cast", ["planes"], ["tokens"], to=TensorProto.FLOAT),
        ],
        "g",
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["B", 2, 2, 3])],
        [helper.make_tensor_value_info("tokens", TensorProto.FLOAT, ["B", 3, 2, 2])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    raw = tensorrt_graph(model.SerializeToString(), "fp32", strong=True, where="")

    nodes = onnx.load_model_from_string(raw).graph.node
    assert [node.op_type for node in nodes] == ["Cast", "Transpose"]


def test_word_pieces_are_taken_as_int32() -> None:
    model = tiny_single.single_graph()
    raw = tensorrt_graph(model.SerializeToString(), "fp16", strong=True, where="")

    graph = onnx.load_model_from_string(raw).graph
    types = {value.name: value.type.tensor_type.elem_type for value in graph.input}
    wide = {n.input[0] for n in graph.node if n.op_type == "Cast" and n.attribute[0].i == 7}
    assert types == {"pixel_values": 1, "input_ids": 6, "attention_mask": 6}
    assert wide == {"input_ids", "attention_mask"}


def test_a_plan_comes_back_with_its_choices(tmp_path: Path) -> None:
    shelf = PlanShelf(tmp_path / "plans")
    path = shelf.save("street", HERE, PLAN)

    assert shelf.find("street", HERE) == PLAN
    assert shelf.find("other", HERE) is None
    assert (tmp_path / "plans").stat().st_mode & 0o077 == 0
    assert [p.name for p in (tmp_path / "plans").iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"gpu": "Thor", "capability": "11.0"},
         "was made for GPU Orin instead of Thor; compute capability 8.7 instead of 11.0"),
        ({"runtime": "tensorrt 11.4.0"},
         "was made for runtime tensorrt 10.3.0 instead of tensorrt 11.4.0"),
        ({"graph": "b" * 64}, "was made for graph aaaaaaaaaaaa instead of bbbbbbbbbbbb"),
        ({"driver": "13.0"}, "was made for driver 12.6 instead of 13.0"),
    ],
)  # fmt: skip
def test_a_plan_for_something_else_is_told(
    tmp_path: Path, change: dict[str, str], told: str
) -> None:
    shelf = PlanShelf(tmp_path)
    path = shelf.save("street", HERE, PLAN)
    with pytest.raises(PlanError) as caught:
        shelf.find("street", replace(HERE, **change))

    assert str(caught.value) == f"{path}: {told} -- build it again: edge-daemon engine build"


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[:-1],
        lambda raw: raw[:20],
        lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]),
        lambda raw: b"",
        lambda raw: b"edge-daemon/plan/1\n[]\nplan",
        lambda raw: raw.replace(b"{", b"(", 1),
    ],
)
def test_a_damaged_plan_is_told(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    shelf = PlanShelf(tmp_path)
    path = shelf.save("street", HERE, PLAN)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(PlanError) as caught:
        shelf.find("street", HERE)

    assert str(caught.value) == f"{path}: is damaged -- build it again: edge-daemon engine build"


def test_a_new_plan_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    shelf, elsewhere = PlanShelf(tmp_path), replace(HERE, gpu="Thor")
    shelf.save("street", elsewhere, PLAN)
    shelf.save("street", replace(HERE, precision="int8"), PLAN)
    kept = shelf.save("street", HERE, PLAN)

    assert not shelf.path("street", elsewhere).exists()
    assert kept.exists()
    assert len(list(tmp_path.iterdir())) == 2
    assert shelf.choices("street", "fp16") == PLAN.choices


def test_a_place_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "plans").write_text("in the way")
    shelf = PlanShelf(tmp_path / "plans")

    with pytest.raises(PlanError, match=r"cannot be read .* let the daemon's user read and write"):
        shelf.find("street", HERE)
    assert shelf.choices("street", "fp16") == {}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is led elsewhere")
def test_root_follows_no_link_in_the_daemons_directory(tmp_path: Path) -> None:
    theirs, data_dir = tmp_path / "theirs", tmp_path / "data"
    theirs.mkdir()
    data_dir.mkdir()
    os.chown(data_dir, 12_345, 12_346)
    (data_dir / "plans").symlink_to(theirs)

    with pytest.raises(PlanError, match="cannot be written"):
        PlanShelf(data_dir / "plans").save("street", HERE, PLAN)
    assert (theirs.stat().st_uid, list(theirs.iterdir())) == (0, [])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_plans_that_root_builds_are_the_daemons(tmp_path: Path) -> None:
    os.chown(tmp_path, 12_345, 12_346)
    path = PlanShelf(tmp_path / "plans").save("street", HERE, PLAN)

    owners = {(p.stat().st_uid, p.stat().st_gid) for p in (path, path.parent)}
    assert owners == {(12_345, 12_346)}


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PlanError, match=r"cannot be written .* -- name another --data-dir"):
        PlanShelf(tmp_path / "file" / "plans").save("street", HERE, PLAN)


@pytest.mark.parametrize(
    ("capability", "integrated", "board", "preset"),
    [
        ((9, 0), False, "", "desktop"),
        ((8, 7), True, "NVIDIA Jetson AGX Orin Developer Kit", "agx-orin"),
        ((8, 7), True, "NVIDIA Jetson Orin NX Engineering Reference", "orin-nx"),
        ((8, 7), True, "NVIDIA Jetson Orin Nano Developer Kit", "orin-nano"),
        ((7, 2), True, "NVIDIA Jetson Xavier NX", "xavier"),
        ((11, 0), True, "NVIDIA Jetson AGX Thor", "thor"),
        ((5, 3), True, "NVIDIA Jetson Nano", "nano-jp5"),
    ],
)
def test_a_device_gets_its_preset(
    capability: tuple[int, int], integrated: bool, board: str, preset: str
) -> None:
    device = Device("GPU", capability, "12.6", 1 << 33, integrated)

    assert preset_for(device, board) == preset
    assert preset in PRESETS


def test_weak_types_are_asked_for_by_flags_and_strong_ones_by_the_network() -> None:
    """8.6, 10 and 11 by the names they have: tests/data/tensorrt_8_6.json, and the bindings."""
    weak = SimpleNamespace(
        NetworkDefinitionCreationFlag=SimpleNamespace(EXPLICIT_BATCH=0),
        BuilderFlag=SimpleNamespace(FP16="FP16", INT8="INT8", TF32="TF32"),
    )
    both = SimpleNamespace(
        NetworkDefinitionCreationFlag=SimpleNamespace(EXPLICIT_BATCH=0, STRONGLY_TYPED=1),
        BuilderFlag=weak.BuilderFlag,
    )
    newest = SimpleNamespace(
        NetworkDefinitionCreationFlag=SimpleNamespace(),
        BuilderFlag=SimpleNamespace(TF32="TF32"),
    )

    assert [builder.has_strong_types(trt) for trt in (weak, both, newest)] == [False, True, True]
    assert [builder._network_flags(trt) for trt in (weak, both, newest)] == [1, 3, 0]
    assert [asked_of(weak, p) for p in ("fp32", "fp16", "int8")] == [
        ["-TF32"], ["FP16"], ["INT8", "FP16"],
    ]  # fmt: skip
    assert [asked_of(both, p) for p in ("fp32", "fp16", "int8")] == [["-TF32"], [], []]


def asked_of(trt: Any, precision: Any) -> list[str]:
    asked: list[str] = []
    config = SimpleNamespace(
        set_flag=asked.append, clear_flag=lambda flag: asked.append(f"-{flag}")
    )
    builder._set_precision(trt, config, precision)
    return asked
