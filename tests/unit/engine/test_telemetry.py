from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.conftest import REPO
from tests.data.tiny_bundle import write_tiny_bundle

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """\
import sys
from edge_daemon.config.models import EngineConfig
from edge_daemon.engine.open import open_engine

open_engine(EngineConfig(bundle=sys.argv[1])).close()
"""


def test_opening_an_engine_leaves_no_trace_of_its_maker(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path / "tiny")
    home = tmp_path / "home"
    home.mkdir()
    env = {
        k: v for k, v in os.environ.items() if k not in ("XDG_CACHE_HOME", "ORT_DISABLE_TELEMETRY")
    }
    call = [sys.executable, "-c", PROGRAM, tmp_path / "tiny"]
    done = subprocess.run(
        call, capture_output=True, text=True, check=False, cwd=REPO, env={**env, "HOME": str(home)}
    )

    assert done.returncode == 0, done.stderr
    assert list(home.rglob("*")) == []
