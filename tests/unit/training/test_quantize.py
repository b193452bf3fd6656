"""INT8: the rewrite for processors changes no number, and the gate counts what turned."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from edge_daemon.training.quantize import agreement, unsigned


def _signed_model() -> onnx.ModelProto:
    """x -> quantised to symmetric int8 -> back."""
    scale = numpy_helper.from_array(np.float32(0.05), "scale")
    zero = numpy_helper.from_array(np.int8(0), "zero")
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["y"]),
    ]
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [None]) for n in ("x", "y")]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], [scale, zero])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def _run(model: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(["y"], {"x": x})[0]


def test_unsigned_rewrite_gives_the_same_numbers() -> None:
    x = np.linspace(-9, 9, 101, dtype=np.float32)
    before = _run(_signed_model(), x)
    model = unsigned(_signed_model())

    onnx.checker.check_model(model)
    kinds = {i.name: i.data_type for i in model.graph.initializer}
    assert kinds[model.graph.node[0].input[2]] == TensorProto.UINT8
    np.testing.assert_array_equal(_run(model, x), before)


def test_agreement_counts_verdicts_that_fp32_was_sure_of() -> None:
    fp32 = np.array([[0.9, 0.9, 0.1, 0.5]])
    int8 = np.array([[0.8, 0.5, 0.9, 0.9]])
    report = agreement(fp32, int8)

    assert report["verdicts"] == pytest.approx(1 / 3)
    assert report["contrary"] == pytest.approx(1 / 3)
    assert report["p_yes_mean"] == pytest.approx((0.1 + 0.4 + 0.8 + 0.4) / 4)
