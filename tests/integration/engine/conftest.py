"""The tiny bundle: whole, to be damaged, and opened."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.data.tiny_bundle import write_tiny_bundle
from tests.integration.engine.opened import need, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_daemon.engine.base import Engine


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Never written to."""
    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture
def tiny(pristine: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(pristine, tmp_path / "tiny"))


@pytest.fixture(scope="module", params=["onnxruntime", "openvino", "torch"])
def backend(request: pytest.FixtureRequest) -> str:
    """Each runtime that needs no GPU."""
    name = str(request.param)
    need(name)
    return name


@pytest.fixture(scope="module")
def engine(pristine: Path, backend: str) -> Iterator[Engine]:
    """The whole one, on each runtime."""
    engine = opened(pristine, backend=backend)
    yield engine
    engine.close()
