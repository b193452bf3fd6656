from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest

from edge_daemon.config.models import EngineConfig
from edge_daemon.engine import ort
from edge_daemon.engine.open import (
    BACKENDS,
    choose_backend,
    default_threads,
    open_chosen,
    open_engine,
)
from edge_daemon.errors import BundleError, EngineError, EngineRunError
from tests.conftest import missing
from tests.data.tiny_bundle import write_tiny_bundle

OPEN = """
import sys
from edge_daemon.config.models import EngineConfig
from edge_daemon.engine.open import open_engine
from edge_daemon.errors import EngineMissingError
try:
    open_engine(EngineConfig())
except EngineMissingError as exc:
    print(exc)
"""


def python(code: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    return ran.stdout.strip()


def test_a_runtime_that_is_not_installed_is_named_with_its_remedy() -> None:
    said = python("import sys; sys.modules['onnxruntime'] = None\n" + OPEN)

    assert said == "engine backend onnxruntime: needs 'onnxruntime' -- pip install 'onnxruntime'"


def test_every_backend_of_the_configuration_can_be_chosen() -> None:
    offered = EngineConfig.model_json_schema()["properties"]["backend"]["enum"]

    assert set(offered) == {"auto", *BACKENDS}


def test_choosing_an_engine_loads_no_runtime() -> None:
    loaded = python("import sys, edge_daemon.engine.open; print(*sys.modules)").split()

    assert "edge_daemon.engine.bundle" in loaded
    assert not {"onnxruntime", "cv2", "torch", "onnx"} & set(loaded)


NEVER_MISSING = """
import sys
from edge_daemon.engine.bundle import load_bundle
from edge_daemon.engine.open import open_backend
open_backend("auto", load_bundle("street"), "auto", 1)
print(*sys.modules)
"""


def test_auto_loads_no_torch() -> None:
    loaded = python(NEVER_MISSING).split()

    assert "onnxruntime" in loaded
    assert not {"torch", "onnx"} & set(loaded)


def test_auto_says_what_it_took_and_what_it_passed_by() -> None:
    choice = choose_backend("auto")

    assert choice.backend in BACKENDS
    assert choice.why.startswith("auto")
    if choice.backend == "onnxruntime":
        assert "onnxruntime-cuda: onnxruntime " in choice.why
        assert "here is built without CUDA" in choice.why


@pytest.mark.filterwarnings("ignore:Specified provider")
def test_auto_goes_on_where_the_fastest_turns_out_to_be_of_no_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ort, "cuda_missing", lambda: None)  # there, but it does not start
    bundle = write_tiny_bundle(tmp_path / "tiny")
    with caplog.at_level("INFO"):
        engine = open_engine(EngineConfig(bundle=str(bundle), threads=1))
    engine.close()

    assert engine.info.backend != "onnxruntime-cuda"
    assert "onnxruntime-cuda: CUDAExecutionProvider could not be started" in caplog.text


@pytest.mark.parametrize("fault", [EngineRunError, BundleError])
def test_auto_goes_on_where_the_fastest_has_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: type[EngineError]
) -> None:
    def full(*_: object, **__: object) -> NoReturn:
        raise fault("out of memory", where="GPU")

    monkeypatch.setattr(ort, "cuda_missing", lambda: None)
    monkeypatch.setattr(ort.OnnxRuntimeCuda, "open", full)
    bundle = write_tiny_bundle(tmp_path / "tiny")
    engine, choice = open_chosen(EngineConfig(bundle=str(bundle), threads=1))
    engine.close()

    assert choice.backend == "onnxruntime"
    assert "onnxruntime-cuda: out of memory" in choice.why


@pytest.mark.parametrize(
    ("backend", "package", "extra"),
    [
        ("openvino", "openvino", "edge-daemon[openvino]"),
        ("torch", "torch", "edge-daemon[torch]"),
        ("torch", "onnx", "edge-daemon[torch]"),
    ],
)
def test_a_backend_without_its_library_names_the_extra(
    backend: str, package: str, extra: str
) -> None:
    hide = f"import sys; sys.modules['{package}'] = None\n"
    if package != "torch" and backend == "torch" and find_spec("torch") is None:
        missing("no torch: pip install 'edge-daemon[torch]'", "REQUIRE_TORCH")
    said = python(hide + OPEN.replace("EngineConfig()", f"EngineConfig(backend='{backend}')"))

    assert said == f"engine backend {backend}: needs '{package}' -- pip install '{extra}'"


@pytest.mark.parametrize("n_cores", [1, 2])
def test_one_core_is_left_to_decoding_of_those_the_process_may_use(n_cores: int) -> None:
    allowed = os.sched_getaffinity(0)
    if len(allowed) < n_cores:
        pytest.skip(f"this machine has fewer than {n_cores} cores")
    os.sched_setaffinity(0, set(list(allowed)[:n_cores]))
    try:
        assert default_threads() == 1
    finally:
        os.sched_setaffinity(0, allowed)
