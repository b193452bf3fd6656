"""What the interpreter keeps of the files that come and go: CPython 3.12.0 to 3.12.5 forgets no
interned string (gh-113993), and pathlib interns each part of every path it is given."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.data.colours import BLUE, RED, write_colours
from tests.e2e.conftest import MakeConfig
from tests.e2e.daemon import write_config

# A daemon that writes down what pathlib has interned; pathlib looks sys.intern up at each call.
LISTENING = """
import sys
interned, intern = set(), sys.intern
def listen(text):
    interned.add(text)
    return intern(text)
sys.intern = listen
from edge_daemon.cli import main
code = main(["run", "--config", sys.argv[1]])
open(sys.argv[2], "w").write("\\n".join(interned))
sys.exit(code)
"""
LIMITED = {
    "segment": "2s",
    "max_size": "20KB",
    "events": {"max_size": "200KB"},
    "clips": {"before": "1s", "after": "1s"},
}


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="pathlib interns nothing any more")
@pytest.mark.parametrize("record", [{"mode": "soft", **LIMITED}, {"mode": "burned", **LIMITED}])
def test_no_name_of_a_recording_or_of_an_event_stays(
    tmp_path: Path, make_config: MakeConfig, record: dict[str, Any]
) -> None:
    clip = write_colours(tmp_path / "clip.mp4", [(RED, 1.5), (BLUE, 1.5)] * 4)
    path = write_config(tmp_path / "c.yaml", make_config(str(clip), record=record))
    noted = tmp_path / "interned"
    command = [sys.executable, "-c", LISTENING, str(path), str(noted)]
    subprocess.run(command, check=True, timeout=60)
    interned = noted.read_text().splitlines()

    for kind in ("recordings", "clips", "snapshots", "evidence"):
        assert list((tmp_path / "data" / kind).glob("gate/*/??-??-??Z*")), kind
    assert clip.name in interned
    assert [name for name in interned if re.search(r"\d\d-\d\d-\d\dZ", name)] == []
