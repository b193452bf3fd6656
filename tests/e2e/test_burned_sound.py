"""What a daemon that records burned lets be heard."""

from __future__ import annotations

import signal
from pathlib import Path

import av
import numpy as np
import pytest

from tests.data.flashes import beeps, flashes, write_flashes
from tests.e2e.conftest import MakeConfig
from tests.e2e.daemon import Daemon, write_config
from tests.integration.rtsp_server import RtspServer
from tests.processes import wait_until

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


def test_sound_of_a_live_camera_is_heard_in_step(tmp_path: Path, make_config: MakeConfig) -> None:
    clip = write_flashes(
        tmp_path / "a.mov", seconds=30.0, sound="pcm_alaw", sound_rate=8_000, size=(160, 90)
    )
    with RtspServer({"gate": clip}) as server:
        config = make_config(server.url("gate"), record={"mode": "burned", "segment": "1h"})
        with Daemon(write_config(tmp_path / "c.yaml", config)) as daemon:
            recordings = tmp_path / "data" / "recordings"
            (found,) = wait_until(lambda: list(recordings.rglob("*.mp4")), 60)
            wait_until(lambda: pictures(found) >= 70, 60)
            daemon.send(signal.SIGTERM)
            assert daemon.ended() == 0
    seen, heard = np.array(flashes(found)), np.array(beeps(found))
    late = [float(np.abs(heard - at).min()) for at in seen]

    assert len(late) >= 2
    assert max(late) < 0.04


def pictures(path: Path) -> int:
    """Return how many can be played of a file that grows; none before its first fragment."""
    try:
        with av.open(str(path)) as file:
            return sum(packet.size > 0 for packet in file.demux(video=0))
    except av.InvalidDataError:
        return 0
