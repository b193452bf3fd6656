"""Simplified graphs compute the same with less."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from edge_daemon.engine.bundle import load_bundle
from edge_daemon.training.simplify import name_weights, simplify
from tests.conftest import missing

try:
    import torch
except ModuleNotFoundError:
    torch = None

pytestmark = pytest.mark.train


def made(
    nodes: list[onnx.NodeProto], held: dict[str, np.ndarray], shape: tuple[str, ...] = ("N", "M")
) -> onnx.ModelProto:
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 4])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)
    constants = [numpy_helper.from_array(value, name) for name, value in held.items()]
    graph = helper.make_graph(nodes, "made", [x], [y], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def run(model: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return np.asarray(session.run(None, {"x": x})[0])


def test_softplus_is_said_in_exponentials_and_stays_right_far_out() -> None:
    model = made([helper.make_node("Softplus", ["x"], ["y"])], {})
    x = np.array([[-200, -20, -1, 0], [1e-6, 1, 20, 200]], np.float32)

    found = simplify(model)

    assert "Softplus" not in {node.op_type for node in found.graph.node}
    np.testing.assert_allclose(run(found, x), np.logaddexp(0, x.astype(float)), atol=1e-6)


def test_a_mean_over_a_product_is_taken_before_it() -> None:
    right = np.random.default_rng(0).normal(size=(4, 300)).astype(np.float32)
    nodes = [
        helper.make_node("Sin", ["right"], ["waves"]),
        helper.make_node("MatMul", ["x", "waves"], ["wide"]),
        helper.make_node("ReduceMean", ["wide"], ["y"], axes=[-1], keepdims=0),
    ]
    x = np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)

    found = simplify(made(nodes, {"right": right}, ("N",)))

    np.testing.assert_allclose(run(found, x), (x @ np.sin(right)).mean(-1), atol=1e-6)
    assert run(found, x).shape == (5,)
    assert max(np.prod(c.dims) for c in found.graph.initializer) <= 4


def test_a_product_that_something_else_reads_is_left_alone() -> None:
    nodes = [
        helper.make_node("MatMul", ["x", "right"], ["wide"]),
        helper.make_node("ReduceMean", ["wide"], ["mean"], axes=[-1], keepdims=0),
        helper.make_node("ReduceMax", ["wide"], ["most"], axes=[-1], keepdims=0),
        helper.make_node("Add", ["mean", "most"], ["y"]),
    ]
    right = np.random.default_rng(0).normal(size=(4, 30)).astype(np.float32)
    x = np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)
    wide = x @ right

    found = simplify(made(nodes, {"right": right}, ("N",)))

    np.testing.assert_allclose(run(found, x), wide.mean(-1) + wide.max(-1), atol=1e-5)


@pytest.mark.parametrize("which", ["image", "question", "answer"])
def test_a_shipped_graph_keeps_its_standard_operators_and_its_open_batch(which: str) -> None:
    model = onnx.load_from_string(load_bundle("street").graph("fp32", which))
    size = len(model.graph.node)

    found = simplify(model)

    assert {(o.domain, o.version) for o in found.opset_import} == {("", 17)}
    assert "Constant" not in {node.op_type for node in found.graph.node}
    assert len(found.graph.node) <= size
    assert found.graph.input[0].type.tensor_type.shape.dim[0].dim_param in ("B", "Q")


def test_weights_are_named_as_in_the_state_dict() -> None:
    if torch is None:
        missing("no torch: pip install 'edge-daemon[train]'", "REQUIRE_TORCH")
    layer = torch.nn.Linear(4, 3)
    held = {
        "onnx::MatMul_7": layer.weight.detach().numpy().T.copy(),
        "onnx::Add_8": layer.bias.detach().numpy(),
        "other": np.ones((2, 2), np.float32),
    }
    nodes = [
        helper.make_node("MatMul", ["x", "onnx::MatMul_7"], ["product"]),
        helper.make_node("Add", ["product", "onnx::Add_8"], ["y"]),
    ]

    found = name_weights(made(nodes, held), layer.state_dict())

    assert [c.name for c in found.graph.initializer] == ["weight.T", "bias", "other"]
    assert run(found, np.ones((1, 4), np.float32)).shape == (1, 3)
