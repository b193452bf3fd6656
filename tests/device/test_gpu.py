"""What the report of a GPU finds wrong."""

from __future__ import annotations

import pytest

from edge_daemon.engine.cuda.probe import no_gpu
from tests.conftest import missing
from tests.device.gpu_report import report


@pytest.mark.needs_cuda
@pytest.mark.needs_trt
@pytest.mark.timeout(540)
def test_nothing_in_the_report_of_a_gpu_is_wrong() -> None:
    why = no_gpu()
    if why is not None:
        missing(why, "REQUIRE_CUDA")

    assert report("street", None) == 0
