"""What OpenVINO does to the process it runs in."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

from tests.conftest import REPO, missing

CLOSED_ELSEWHERE = """
import signal, threading
from edge_daemon.engine.bundle import load_bundle
from edge_daemon.engine.open import open_backend
told = []
signal.signal(signal.SIGHUP, lambda number, frame: told.append(number))
engine = open_backend("openvino", load_bundle("street"), "fp32", 1)
thread = threading.Thread(target=engine.close)
thread.start()
thread.join()
del thread, engine
signal.raise_signal(signal.SIGHUP)
print(len(told))
"""


def test_a_signal_is_heard_after_another_thread_closed_the_engine() -> None:
    if find_spec("openvino") is None:
        missing("no OpenVINO: pip install 'edge-daemon[openvino]'", "REQUIRE_OPENVINO")
    command = [sys.executable, "-c", CLOSED_ELSEWHERE]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPO)

    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")
