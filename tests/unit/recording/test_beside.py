from __future__ import annotations

import json
import resource
from pathlib import Path

import pytest

from edge_daemon.errors import RecordingError
from edge_daemon.recording.beside import Beside, Note


def test_a_line_that_is_cut_off_leaves_nothing_behind(tmp_path: Path) -> None:
    beside = Beside(str(tmp_path / "a.mp4"), None)
    rows = [Note(None, {"frame": n, "answers": "x" * 100}, "") for n in range(3)]
    beside.note(rows[0], 0.0)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (beside.size_bytes + 50, before[1]))
    try:
        with pytest.raises(RecordingError):
            beside.note(rows[1], 1.0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    beside.note(rows[2], 2.0)
    beside.close()
    lines = (tmp_path / "a.jsonl").read_text().splitlines()

    assert [json.loads(line)["frame"] for line in lines] == [0, 2]
