"""A project as small as can be around our real scripts, so that setting up takes no network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import REPO

if TYPE_CHECKING:
    from collections.abc import Callable

PYPROJECT = """\
[build-system]
requires = []
build-backend = "setup"
backend-path = ["."]

[tool.ruff]
line-length = 100
"""
# Wheels by hand: with no packages to fetch, pip needs no index.
BACKEND = """\
import pathlib, zipfile

TAG = "edge_daemon-1.0"

def _wheel(folder, files):
    info = f"{TAG}.dist-info"
    extras = "".join(f"Provides-Extra: {name}\\n" for name in ("demo", "test", "dev"))
    files |= {
        f"{info}/METADATA": "Metadata-Version: 2.1\\nName: edge-daemon\\nVersion: 1.0\\n" + extras,
        f"{info}/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        f"{info}/entry_points.txt": "[console_scripts]\\nedge-daemon = edge_daemon:main\\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{n},,\\n" for n in [*files, f"{info}/RECORD"])
    name = f"{TAG}-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder, name), "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
    return name

def build_wheel(folder, config_settings=None, metadata_directory=None):
    source = pathlib.Path("edge_daemon/__init__.py")
    return _wheel(folder, {source.as_posix(): source.read_text()})

def build_editable(folder, config_settings=None, metadata_directory=None):
    return _wheel(folder, {"edge_daemon.pth": str(pathlib.Path().resolve())})
"""
MODULE = """\
import os, sys

def main():
    print("edge-daemon", *sys.argv[1:], "in", os.getcwd())
    return 3
"""
PYTEST = "import os, sys; print('pytest', *sys.argv[1:], 'in', os.getcwd())"


@dataclass
class Project:
    """A checkout with our scripts, and a way to call them."""

    root: Path
    env: dict[str, str]

    def call(
        self, script: str, *args: str, cwd: Path | None = None, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a script of the project; its code, stdout and stderr come back."""
        return subprocess.run(
            [self.root / "scripts" / script, *args],
            capture_output=True,
            text=True,
            check=False,
            cwd=cwd or self.root,
            env={**self.env, **env},
        )


@pytest.fixture(scope="module")
def make_project(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Project]:
    """Projects in folders whose name has a space, with pip kept from every index."""

    def make() -> Project:
        root = tmp_path_factory.mktemp("checkout") / "edge daemon"
        files = {
            "pyproject.toml": PYPROJECT,
            "setup.py": BACKEND,
            "README.md": "A small project.",
            "LICENSE": "None.",
            "CHANGELOG.md": "None.",
            "DESIGN.md": "Small.",
            "CONTRIBUTING.md": "None.",
            "docs/mqtt.md": "None.",
            "pytest.py": PYTEST,
            "edge_daemon/__init__.py": MODULE,
            "engines/street/manifest.yaml": "name: street",
            "configs/pi-usb-camera.yaml": "for: a Pi\n",
            "configs/jetson-four-cameras.yaml": "for: a Jetson\n",
        }
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        for folder in ("scripts", "systemd"):
            shutil.copytree(REPO / folder, root / folder)
        plain = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "PYTHON"))}
        return Project(root, {**plain, "PIP_NO_INDEX": "1", "PYTHON": sys.executable})

    return make


@pytest.fixture
def stub(tmp_path: Path) -> Callable[[str, str], str]:
    """Put a program of that name and text before all others; return the PATH that does it."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def put(name: str, text: str) -> str:
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
        return f"{folder}:{os.environ['PATH']}"

    return put
