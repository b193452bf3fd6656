"""Real parts for the integration tests."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from tests.integration.mosquitto import Ear, Gate, Mosquitto

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def new_broker(tmp_path: Path) -> Iterator[Callable[..., Mosquitto]]:
    """Starts a real mosquitto as wanted; REQUIRE_BROKER=1 (CI) forbids the skip."""
    with contextlib.ExitStack() as stack:

        def new(*lines: str, **more: object) -> Mosquitto:
            directory = tmp_path / "broker"
            directory.mkdir(exist_ok=True)
            broker = Mosquitto(directory, lines, **more)  # type: ignore[arg-type]
            stack.callback(broker.stop)
            return broker.start()

        yield new


@pytest.fixture
def broker(new_broker: Callable[..., Mosquitto]) -> Mosquitto:
    """A real mosquitto on a free loopback port: anyone may do anything, nothing is kept."""
    return new_broker()


@pytest.fixture
def gate(broker: Mosquitto) -> Iterator[Gate]:
    """A way to the broker that can be shut and cut."""
    gate = Gate(broker.port)
    yield gate
    gate.close()


@pytest.fixture
def new_ear() -> Iterator[Callable[..., Ear]]:
    """Makes ears, by Ear's arguments, that hang up at the end of the test."""
    with contextlib.ExitStack() as stack:

        def new(*args: object, **more: object) -> Ear:
            ear = Ear(*args, **more)  # type: ignore[arg-type]
            stack.callback(ear.close)
            return ear

        yield new


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """The daemon's directory."""
    path = tmp_path / "data"
    path.mkdir()
    return path
