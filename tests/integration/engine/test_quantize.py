"""Bundles in int8: made of the tiny bundle, whose numbers are known, and of the shipped one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest

from edge_daemon.engine.agreement import Limits
from edge_daemon.engine.bundle import Bundle, load_bundle
from edge_daemon.engine.goldens import verify_goldens
from edge_daemon.engine.onnxfile import signed_bytes
from edge_daemon.engine.processor import fits_sixteen_bits, sums_bytes_exactly
from edge_daemon.engine.quantize import AGREEMENT, Frames, quantize_bundle, standing_questions
from edge_daemon.errors import BundleError, UsageError
from edge_daemon.scenes import random_scene
from tests.conftest import REPO
from tests.data.tiny_bundle import replace_graph, stripes, write_tiny_bundle
from tests.data.tiny_single import write_tiny_single
from tests.integration.engine.opened import opened

if TYPE_CHECKING:
    from numpy.typing import NDArray


@pytest.fixture
def tiny(tmp_path: Path) -> Bundle:
    return load_bundle(write_tiny_bundle(tmp_path / "tiny"))


@pytest.fixture
def frames() -> Frames:
    return Frames(stripes(16, 1), stripes(16, 2))


def quantized(bundle: Bundle, frames: Frames, out: Path, **limits: float) -> Bundle:
    quantize_bundle(
        bundle,
        frames,
        out,
        questions=standing_questions(bundle),
        limits=replace(Limits(), **limits),
        float_first=0,
        float_last=0,
    )
    return load_bundle(out)


def test_an_int8_bundle_holds_eight_bit_weights_and_answers_alike(
    tiny: Bundle, frames: Frames, tmp_path: Path
) -> None:
    made = quantized(tiny, frames, tmp_path / "made")
    graph = onnx.load_model_from_string(made.graph("int8", "image"))
    (weight,) = [held for held in graph.graph.initializer if held.name == "luma_whole"]

    assert weight.data_type == onnx.TensorProto.INT8
    assert made.pinned_graph("int8", "answer") == tiny.pinned_graph("fp32", "answer")
    assert opened(made.path).info.precision == "int8"  # which gains on every processor
    assert all(result.ok for result in verify_goldens(opened(made.path, "int8"), made))
    assert all(result.ok for result in verify_goldens(opened(made.path, "fp32"), made))


def test_the_report_of_an_int8_bundle_tells_figures_and_frames(
    tiny: Bundle, frames: Frames, tmp_path: Path
) -> None:
    made = quantized(tiny, frames, tmp_path / "made")
    report = json.loads(made.read(AGREEMENT))

    assert made.manifest.agreement is not None
    assert report["figures"]["agreement"] >= 0.99
    assert report["figures"]["answers"] == 16 * len(standing_questions(tiny))
    assert report["calibration"]["frames"] == report["replay"]["frames"] == 16
    assert report["calibration"]["sha256"] != report["replay"]["sha256"]


def test_a_bundle_that_falls_short_leaves_nothing_behind(
    tiny: Bundle, frames: Frames, tmp_path: Path
) -> None:
    with pytest.raises(BundleError, match=r"p_yes differs by .* more than 1e-12 -- calibrate on"):
        quantized(tiny, frames, tmp_path / "made", difference=1e-12)

    assert [path.name for path in tmp_path.iterdir() if "made" in path.name] == []


def test_quantizing_without_onnx_names_the_extra_to_install(tiny: Bundle, tmp_path: Path) -> None:
    hide = "import sys; sys.modules['onnx'] = None; from edge_daemon.cli import main; "
    call = ["engine", "quantize", str(tiny.path), "--pictures", str(tmp_path), "--out", "made"]
    for n, picture in enumerate(stripes(16, 3)):
        cv2.imwrite(str(tmp_path / f"{n:02}.png"), picture[..., ::-1])
    done = subprocess.run(
        [sys.executable, "-c", f"{hide} sys.exit(main({call}))"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPO)},
    )

    assert done.returncode == 69
    assert done.stderr == ("engine quantize: needs 'onnx' -- pip install 'edge-daemon[quantize]'\n")


def test_an_existing_directory_is_left_alone(tiny: Bundle, frames: Frames) -> None:
    with pytest.raises(UsageError, match="exists already -- name a directory to be made"):
        quantized(tiny, frames, tiny.path)


def test_a_graph_without_layers_to_quantise_is_refused(
    tiny: Bundle, frames: Frames, tmp_path: Path
) -> None:
    with pytest.raises(BundleError, match="image graph: no convolution to quantise"):
        quantize_bundle(tiny, frames, tmp_path / "made", questions=standing_questions(tiny))


def test_a_bundle_of_kind_single_is_refused(frames: Frames, tmp_path: Path) -> None:
    single = load_bundle(write_tiny_single(tmp_path / "single"))

    with pytest.raises(BundleError, match="is of kind single, only image graphs are quantised"):
        quantize_bundle(single, frames, tmp_path / "made", questions=standing_questions(single))

    elsewhere = write_tiny_single(tmp_path / "elsewhere", precisions=("fp32", "int8"))
    assert opened(elsewhere).info.precision == "int8"


def test_the_shipped_bundle_agrees_in_int8_and_looks_at_batches_alike(tmp_path: Path) -> None:
    street = load_bundle("street")
    rng = np.random.default_rng(4)
    pictures = np.stack([random_scene(rng, *street.input_size)[0] for _ in range(8)])
    out = tmp_path / "street"
    quantize_bundle(
        street,
        Frames(pictures[:4], pictures[4:]),
        out,
        questions=standing_questions(street),
        limits=Limits(0.95, 0.01, 0.02),  # four frames are few to calibrate on
    )
    engine = opened(out, "int8")
    together, alone = engine.look(pictures[:2]), engine.look(pictures[1:2])

    assert (out / "image.int8.onnx").stat().st_size < 0.4 * len(street.graph("fp32", "image"))
    np.testing.assert_allclose(together[1:], alone, atol=1e-4)
    graph = load_bundle(out).graph("int8", "image")
    held = list(signed_bytes(graph))
    assert all(map(fits_sixteen_bits, held))
    assert max(int(np.abs(w.astype(int)).max(initial=0)) for w in held) == 127
    fast, exact = (tokens(graph, pictures[:2], precision) for precision in ("0", "1"))
    np.testing.assert_array_equal(fast, exact)


def tokens(graph: bytes, pictures: NDArray[np.uint8], precision: str) -> NDArray[np.float32]:
    """By ONNX Runtime: "0" the fast way, which saturates without VNNI, "1" the exact one."""
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.x64quantprecision", precision)
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(["tokens"], {"pixels": pictures})[0])


def test_weights_that_leave_sixteen_bits_are_not_taken_by_themselves_without_vnni(
    tiny: Bundle, frames: Frames, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = quantized(tiny, frames, tmp_path / "made")
    model = onnx.load_model_from_string(made.graph("int8", "image"))
    for held in model.graph.initializer:
        if held.name == "luma_whole":
            wide = np.array([100, 100, 27], np.int8).reshape(1, 3, 1, 1)
            held.CopyFrom(onnx.numpy_helper.from_array(wide, held.name))
    replace_graph(made.path, "image", model.SerializeToString(), "int8")
    caplog.set_level("INFO")
    engine = opened(made.path)

    told = "int8 is left alone, this processor has no VNNI and would sum it the slow way"
    assert engine.info.precision == ("int8" if sums_bytes_exactly() else "fp32")
    assert (told in caplog.text) is not sums_bytes_exactly()
    assert opened(made.path, "int8").info.precision == "int8"
