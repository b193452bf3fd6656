"""Damaged graphs, each with a manifest that vouches for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edge_daemon.errors import BundleError, EngineRunError
from tests.data import tiny_bundle
from tests.data.tiny_bundle import COLUMNS, ROWS, edit_manifest, painted, replace_graph, scaled
from tests.integration.engine.opened import RED, opened

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def refused(directory: Path, backend: str = "onnxruntime") -> str:
    with pytest.raises(BundleError) as caught:
        opened(directory, backend=backend)
    said = str(caught.value)
    assert "\n" not in said
    return said.removeprefix(f"{directory}/")


@pytest.mark.parametrize(
    ("which", "constant", "output"),
    [("image", "luma", "tokens"), ("question", "table", "vectors"), ("answer", "no_yes", "logits")],
)
@pytest.mark.parametrize("factor", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused_at_opening(
    tiny: Path, backend: str, which: str, constant: str, output: str, factor: float
) -> None:
    with np.errstate(invalid="ignore"):
        replace_graph(tiny, which, scaled(which, constant, factor))

    assert refused(tiny, backend) == (
        f"{which}.fp32.onnx: {output}: not finite numbers, weights or input are damaged"
        " -- copy the bundle again"
    )


def test_numbers_that_end_on_one_picture_are_no_answer(tiny: Path) -> None:
    divided = tiny_bundle.model(
        [
            *tiny_bundle.image_graph().graph.node[:-1],
            helper.make_node("Transpose", ["rows"], ["found"], perm=[0, 2, 1]),
            helper.make_node("ReduceMean", ["unit"], ["mean"], keepdims=0),
            helper.make_node("Sub", ["unity", "mean"], ["left"]),  # 0 for a white picture
            helper.make_node("Div", ["found", "left"], ["tokens"]),
        ],
        list(tiny_bundle.image_graph().graph.input),
        list(tiny_bundle.image_graph().graph.output),
        {c.name: numpy_helper.to_array(c) for c in tiny_bundle.image_graph().graph.initializer},
    )
    replace_graph(tiny, "image", divided.SerializeToString())
    engine = opened(tiny)

    with pytest.raises(EngineRunError, match=r"image\.fp32\.onnx: tokens: not finite numbers"):
        engine.look(painted((255, 255, 255))[None])
    assert np.isfinite(engine.look(painted(RED)[None])).all()


def test_a_failure_of_the_runtime_on_one_picture_is_said_and_passes(
    tiny: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    original = tiny_bundle.image_graph().graph
    picky = tiny_bundle.model(
        [
            *original.node[:-1],
            helper.make_node("Cast", ["unit"], ["whole"], to=TensorProto.INT64),
            helper.make_node("ReduceMax", ["whole"], ["at"], keepdims=0),  # 1 where anything is 255
            helper.make_node("Gather", ["only_zero", "at"], ["nothing"]),
            helper.make_node("Add", ["rows", "nothing"], ["moved"]),
            helper.make_node("Transpose", ["moved"], ["tokens"], perm=[0, 2, 1]),
        ],
        list(original.input),
        list(original.output),
        {c.name: numpy_helper.to_array(c) for c in original.initializer}
        | {"only_zero": np.zeros(1, np.float32)},
    )
    replace_graph(tiny, "image", picky.SerializeToString())
    engine = opened(tiny)

    with pytest.raises(
        EngineRunError, match=r"indices element out of data bounds.* -- free memory"
    ):
        engine.look(painted((255, 0, 0))[None])

    assert engine.look(painted(RED)[None]).shape == (1, ROWS * COLUMNS, 6)
    assert capfd.readouterr() == ("", "")


def value(name: str, dtype: int, shape: Sequence[int | str]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, dtype, shape)


def stand_in(
    takes: list[onnx.ValueInfoProto], gives: onnx.ValueInfoProto, node: onnx.NodeProto
) -> bytes:
    return tiny_bundle.model([node], takes, [gives], {}).SerializeToString()


T, F, I64, U8 = ROWS * COLUMNS, TensorProto.FLOAT, TensorProto.INT64, TensorProto.UINT8


@pytest.mark.parametrize(
    ("graph", "said"),
    [
        (
            stand_in(
                [value("ids", F, ["Q", 16])],
                value("vectors", F, ["Q", 16]),
                helper.make_node("Identity", ["ids"], ["vectors"]),
            ),
            "ids is float32 instead of int64",
        ),
        (
            stand_in(
                [value("ids", I64, ["Q", 32])],
                value("vectors", F, ["Q", 32]),
                helper.make_node("Cast", ["ids"], ["vectors"], to=F),
            ),
            "ids is (Q, 32) instead of (Q, 16)",
        ),
        (
            stand_in(
                [value("ids", I64, [1, 16])],
                value("vectors", F, [1, 16]),
                helper.make_node("Cast", ["ids"], ["vectors"], to=F),
            ),
            "ids is (1, 16) instead of (Q, 16)",
        ),
        (
            stand_in(
                [value("ids", I64, ["Q", 16])],
                value("vectors", F, ["Q", 16]),
                helper.make_node("Cast", ["ids"], ["vectors"], to=F),
            ),
            "vectors is (Q, 16) instead of (Q, any, any)",
        ),
        (
            stand_in(
                [value("words", I64, ["Q", 16])],
                value("vectors", F, ["Q", 16]),
                helper.make_node("Cast", ["words"], ["vectors"], to=F),
            ),
            "has words instead of ids",
        ),
        (
            stand_in(
                [value("ids", I64, ["Q", 16]), value("more", I64, ["Q"])],
                value("vectors", F, ["Q", 16]),
                helper.make_node("Cast", ["ids"], ["vectors"], to=F),
            ),
            "has ids, more instead of ids",
        ),
    ],
)
def test_a_graph_that_does_not_fit_is_named_with_what_it_should_be(
    tiny: Path, backend: str, graph: bytes, said: str
) -> None:
    replace_graph(tiny, "question", graph)
    found = refused(tiny, backend)

    if backend == "onnxruntime":  # others have no names for sizes that are open
        assert found == f"question.fp32.onnx: {said} -- export the bundle again"
    assert found.startswith("question.fp32.onnx: ")


def test_a_grid_the_graphs_do_not_have_is_refused(tiny: Path) -> None:
    edit_manifest(tiny, grid={"columns": 8, "rows": 9})

    assert refused(tiny).startswith(
        "image.fp32.onnx: tokens is (B, 144, 6) instead of (B, 72, any)"
    )


def test_graphs_that_do_not_fit_each_other_are_refused(tiny: Path) -> None:
    narrow = stand_in(
        [value("ids", I64, ["Q", 16])],
        value("vectors", F, ["Q", "K", "D"]),
        helper.make_node("Unsqueeze", ["floats", "one"], ["vectors"]),
    )
    model = onnx.load_from_string(narrow)
    model.graph.node.insert(0, helper.make_node("Cast", ["ids"], ["floats"], to=F))
    model.graph.initializer.append(numpy_helper.from_array(np.array([1]), "one"))
    replace_graph(tiny, "question", model.SerializeToString())

    assert refused(tiny).startswith("answer.fp32.onnx: ")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"no model",
        b"\x18\0\0\0ORTM\0\0\0\0",
        helper.make_model(onnx.GraphProto()).SerializeToString(),
    ],
)
def test_a_file_that_is_no_model_is_one_clear_line_and_nothing_on_stderr(
    tiny: Path, backend: str, raw: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    replace_graph(tiny, "image", raw)

    assert refused(tiny, backend).startswith("image.fp32.onnx: ")
    assert capfd.readouterr() == ("", "")


def test_a_graph_with_an_operator_the_runtime_lacks_says_so(tiny: Path) -> None:
    node = helper.make_node("Telepathy", ["ids"], ["vectors"], domain="org.example")
    gives = value("vectors", F, ["Q", "K", "D"])
    model = onnx.load_from_string(stand_in([value("ids", I64, ["Q", 16])], gives, node))
    model.opset_import.append(helper.make_opsetid("org.example", 1))
    replace_graph(tiny, "question", model.SerializeToString())

    said = refused(tiny)

    assert said.startswith("question.fp32.onnx: cannot be opened: ")
    assert "Telepathy" in said
    assert said.endswith(" -- export the bundle again, or upgrade onnxruntime")


def test_weights_outside_the_bundle_are_never_read(tiny: Path, tmp_path: Path) -> None:
    graph = tiny_bundle.question_graph()
    (table,) = (c for c in graph.graph.initializer if c.name == "table")
    (tmp_path / "outside.bin").write_bytes(table.raw_data)
    table.ClearField("raw_data")
    table.data_location = TensorProto.EXTERNAL
    table.external_data.add(key="location", value=str(tmp_path / "outside.bin"))
    replace_graph(tiny, "question", graph.SerializeToString())

    assert refused(tiny).startswith("question.fp32.onnx: keeps weights in another file -- ")
