"""What every kind of test needs: where the checkout is, and what to do when a part is missing."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, settings

# How busy the machine is decides no test.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")

# A shell's background jobs ignore it, and what they start does too.
signal.signal(signal.SIGINT, signal.default_int_handler)

REPO = Path(__file__).resolve().parent.parent


def missing(what: str, variable: str) -> NoReturn:
    """Skip the test for want of a part; where the variable is set to 1, as in CI, fail it."""
    if os.environ.get(variable, "0") not in ("", "0"):
        pytest.fail(f"{what} ({variable} is set)", pytrace=False)
    pytest.skip(what)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Street pictures and clips that lie beside a developer's checkout."""
    path = REPO.parent / "shared" / "data"
    if not path.is_dir():
        missing("no shared pictures and clips beside the checkout", "REQUIRE_SHARED_DATA")
    return path
