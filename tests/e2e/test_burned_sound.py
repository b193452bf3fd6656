"""What a daemon that records burned lets be heard."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from tests.data.flashes import beeps, flashes, write_flashes
from tests.e2e.conftest import MakeConfig
from tests.e2e.daemon import Daemon, write_config

CORNER = [[0.9, 0.4], [1.0, 0.4], [1.0, 0.5]]


@pytest.mark.parametrize("masks", [[], [CORNER]])
def test_burned_recording_is_heard_unless_something_is_masked(
    tmp_path: Path, make_config: MakeConfig, masks: list[object]
) -> None:
    clip = write_flashes(tmp_path / "a.mp4", seconds=6.0)
    config = make_config(str(clip), privacy_masks=masks, record={"mode": "burned"})
    with Daemon(write_config(tmp_path / "c.yaml", config)) as daemon:
        assert daemon.ended(120) == 0, daemon.log.read_text()
    (found,) = (tmp_path / "data" / "recordings").rglob("*.mp4")
    with av.open(str(found)) as file:
        n_tracks = len(file.streams.audio)

    assert n_tracks == (0 if masks else 1)
    if not masks:
        apart = np.array(beeps(found)) - np.array(flashes(found))
        assert len(apart) == 3
        assert np.abs(apart).max() < 0.025  # AAC answers to 21 ms at once
