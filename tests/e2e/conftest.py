from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.data.tiny_bundle import write_tiny_bundle
from tests.e2e.daemon import Subscriber
from tests.integration.conftest import broker, new_broker, new_ear  # noqa: F401  fixtures
from tests.processes import free_port

MakeConfig = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture
def base(request: pytest.FixtureRequest) -> str:
    """A first topic level of each test's own, so that retained messages do not mix."""
    return f"edge-{abs(hash(request.node.nodeid)) % 10**8}"


@pytest.fixture
def subscriber(broker: Any, base: str) -> Iterator[Subscriber]:  # noqa: F811
    with Subscriber(broker.port, base) as heard:
        yield heard


@pytest.fixture
def make_config(tmp_path: Path, tiny_bundle: Path, broker: Any, base: str) -> MakeConfig:  # noqa: F811
    """A configuration of one camera on a real broker, asked for red and blue."""

    def make(source: str, **camera: Any) -> dict[str, Any]:
        asked = [
            {"id": "red", "ask": "Is it red?", "hold": "500ms", "unknown_after": "5s"},
            {"id": "blue", "ask": "Is it blue?", "hold": "500ms", "unknown_after": "5s"},
        ]
        return {
            "version": 1,
            "device": {"id": "box"},
            "data_dir": str(tmp_path / "data"),
            "engine": {"bundle": str(tiny_bundle), "threads": 1},
            "mqtt": {"url": f"mqtt://127.0.0.1:{broker.port}", "base_topic": base},
            "http": {"listen": f"127.0.0.1:{free_port()}"},
            "log": {"format": "text"},
            "cameras": [
                {
                    "id": "gate",
                    "source": source,
                    "sample": {"every": 1},
                    "questions": asked,
                    **camera,
                }
            ],
        }

    return make
