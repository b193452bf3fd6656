from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.conftest import REPO
from tests.data.tiny_bundle import write_tiny_bundle
from tests.integration.engine.opened import need

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """\
import sys
from edge_daemon.config.models import EngineConfig
from edge_daemon.engine.open import open_engine

open_engine(EngineConfig(bundle=sys.argv[1], backend=sys.argv[2])).close()
assert not sys.modules.get("openvino_telemetry")
"""


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_opening_an_engine_leaves_no_trace_of_its_maker(tmp_path: Path, backend: str) -> None:
    need(backend)
    write_tiny_bundle(tmp_path / "tiny")
    home = tmp_path / "home"
    home.mkdir()
    env = {
        k: v for k, v in os.environ.items() if k not in ("XDG_CACHE_HOME", "ORT_DISABLE_TELEMETRY")
    }
    call = [sys.executable, "-c", PROGRAM, tmp_path / "tiny", backend]
    done = subprocess.run(
        call, capture_output=True, text=True, check=False, cwd=REPO, env={**env, "HOME": str(home)}
    )

    assert done.returncode == 0, done.stderr
    assert list(home.rglob("*")) == []
