"""What an installed program has of the checkout: every module, the demo's clip, the bundles."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING
from zipfile import ZipFile

from tests.conftest import REPO

if TYPE_CHECKING:
    from pathlib import Path

PARTS = ("pyproject.toml", "setup.py", "README.md", "LICENSE", "edge_daemon", "engines")


def test_wheel_carries_everything_the_program_reads(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    leave_out = shutil.ignore_patterns("__pycache__")
    for name in PARTS:
        if (REPO / name).is_dir():
            shutil.copytree(REPO / name, source / name, ignore=leave_out)
        else:
            shutil.copy(REPO / name, source)
    wanted = {
        path.relative_to(source).as_posix()
        for folder in ("edge_daemon", "engines")
        for path in (source / folder).rglob("*")
        if path.is_file()
    }
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    call = [*pip, "--wheel-dir", tmp_path, source]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("edge_daemon-*.whl")
    carried = {
        name.replace("edge_daemon/_engines/", "engines/") for name in ZipFile(wheel).namelist()
    }

    assert wanted - carried == set()
    assert "edge_daemon/cli/demo.py" in carried
