from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from edge_daemon.engine.onnxfile import _MAY_HOLD_TENSORS, refuse_external_data, with_constants
from edge_daemon.errors import BundleError
from tests.data.tiny_bundle import answer_graph, image_graph, question_graph

if TYPE_CHECKING:
    from collections.abc import Callable


def outside(name: str = "w") -> onnx.TensorProto:
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[4])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/hostname")
    return tensor


def wrapped(nodes: list[onnx.NodeProto], held: list[onnx.TensorProto]) -> onnx.ModelProto:
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    return helper.make_model(helper.make_graph(nodes, "g", [], [y], held))


def in_a_constant() -> onnx.ModelProto:
    return wrapped([helper.make_node("Constant", [], ["y"], value=outside())], [])


def in_a_branch() -> onnx.ModelProto:
    yes = numpy_helper.from_array(np.array(1, np.bool_), "yes")
    branch = wrapped([helper.make_node("Identity", ["w"], ["y"])], [outside()]).graph
    node = helper.make_node("If", ["yes"], ["y"], then_branch=branch, else_branch=branch)
    return wrapped([node], [yes])


def in_a_function() -> onnx.ModelProto:
    body = [helper.make_node("Constant", [], ["y"], value=outside())]
    model = wrapped([helper.make_node("f", [], ["y"], domain="own")], [])
    opset = [helper.make_opsetid("", 17)]
    model.functions.append(helper.make_function("own", "f", [], ["y"], body, opset))
    return model


def in_a_sparse_tensor() -> onnx.ModelProto:
    model = wrapped([helper.make_node("Identity", ["w"], ["y"])], [])
    model.graph.sparse_initializer.add().values.CopyFrom(outside())
    return model


@pytest.mark.parametrize("graph", [image_graph, question_graph, answer_graph])
def test_a_graph_that_stands_alone_passes(graph: object) -> None:
    raw = graph().SerializeToString()

    assert refuse_external_data(raw, where="g.onnx") is None  # and nothing is raised


@pytest.mark.parametrize(
    "make",
    [
        lambda: wrapped([helper.make_node("Identity", ["w"], ["y"])], [outside()]),
        in_a_constant,
        in_a_branch,
        in_a_function,
        in_a_sparse_tensor,
    ],
    ids=["initializer", "constant", "branch", "function", "sparse"],
)
def test_weights_in_another_file_are_refused_wherever_they_hide(make: object) -> None:
    with pytest.raises(BundleError) as caught:
        refuse_external_data(make().SerializeToString(), where="g.onnx")

    assert str(caught.value) == (
        "g.onnx: keeps weights in another file"
        " -- export the bundle again with its weights inside the graphs"
    )


def test_every_message_that_can_hold_a_tensor_is_looked_into() -> None:
    messages = onnx.onnx_ml_pb2.DESCRIPTOR.message_types_by_name
    holders = {"TensorProto"}
    for _ in messages:
        holders |= {
            name
            for name, message in messages.items()
            if any(f.message_type and f.message_type.name in holders for f in message.fields)
        }
    fields = {
        name: {
            field.number: field.message_type.name
            for field in messages[name].fields
            if field.message_type and field.message_type.name in holders
        }
        for name in holders
    }

    assert fields == _MAY_HOLD_TENSORS


@pytest.mark.parametrize("raw", [b"no model", b"\x3a\xff\xff\xff\xff\x0f", b"\x38\x01", b"\x80"])
def test_what_is_no_protobuf_is_refused(raw: bytes) -> None:
    with pytest.raises(BundleError, match=r"^g\.onnx: is not an ONNX model -- "):
        refuse_external_data(raw, where="g.onnx")


@given(st.binary(max_size=200))
def test_any_bytes_end_in_an_answer(raw: bytes) -> None:
    try:
        refuse_external_data(raw, where="g.onnx")
    except BundleError as exc:
        assert str(exc).startswith("g.onnx: ")  # noqa: PT017  either end is fine


@pytest.mark.parametrize("graph", [answer_graph, image_graph, question_graph])
def test_nothing_made_constant_is_the_same_file(graph: Callable[[], onnx.ModelProto]) -> None:
    raw = graph().SerializeToString()

    assert with_constants(raw, {}) == raw


def test_inputs_become_constants_as_the_onnx_library_reads_them() -> None:
    mask = np.arange(300, dtype=np.float32).reshape(1, 300)
    found = onnx.load_from_string(
        with_constants(answer_graph().SerializeToString(), {"mask": mask})
    )
    wanted = answer_graph()
    wanted.graph.input.remove(next(v for v in wanted.graph.input if v.name == "mask"))
    (held,) = (c for c in found.graph.initializer if c.name == "mask")
    found.graph.initializer.remove(held)

    np.testing.assert_array_equal(numpy_helper.to_array(held), mask)
    assert found == wanted
