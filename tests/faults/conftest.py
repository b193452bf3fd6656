"""Faults made on purpose, on real parts: the fixtures of the other kinds of test, together."""

from __future__ import annotations

from tests.e2e.conftest import base, make_config, subscriber, tiny_bundle  # noqa: F401  fixtures
from tests.integration.conftest import broker, gate, new_broker, new_ear  # noqa: F401  fixtures
