from __future__ import annotations

from collections import Counter

import onnx
import pytest

from edge_daemon.engine.anatomy import dissect
from edge_daemon.engine.bundle import load_bundle
from edge_daemon.errors import BundleError


@pytest.mark.parametrize("which", ["image", "question", "answer"])
def test_anatomy_is_what_the_onnx_library_reads(which: str) -> None:
    raw = load_bundle("street").graph("fp32", which)
    model = onnx.load_model_from_string(raw)
    found = dissect(raw, where="graph")
    held = {t.name: tuple(t.dims) for t in model.graph.initializer}

    assert found.n_bytes == len(raw)
    assert found.opset == model.opset_import[0].version
    assert found.operators == Counter(node.op_type for node in model.graph.node)
    assert {t.name: t.shape for t in found.tensors} == held
    assert found.tensors[0].dtype == "float32"
    assert found.tensors[0].n_bytes == max(4 * t.n_values for t in found.tensors)


@pytest.mark.parametrize("raw", [b"\x3a\xff", b"\x3a\x02\x2a\x05", b"not a model"])
def test_what_is_no_onnx_file_is_refused(raw: bytes) -> None:
    with pytest.raises(BundleError, match="is not an ONNX model -- export the bundle again"):
        dissect(raw, where="graph")
