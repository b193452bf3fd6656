"""Soft recordings of a daemon that is killed.  Fifty kills: benchmarks/soak/recordings.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.make_data import write_clip
from tests.data.tiny_bundle import write_tiny_bundle
from tests.faults.recordings import survive
from tests.integration.rtsp_server import RtspServer

N_FRAMES = 500


@pytest.mark.parametrize("captions", ["vtt", "mkv"])
def test_soft_recordings_survive_sigkill(tmp_path: Path, captions: str) -> None:
    clip = write_clip(tmp_path / "clip.mp4", n_frames=N_FRAMES, gop=25)
    with RtspServer({"gate": clip}) as server:
        config = {
            "version": 1,
            "data_dir": str(tmp_path / "data"),
            "engine": {"bundle": str(write_tiny_bundle(tmp_path / "tiny")), "threads": 1},
            "http": None,
            "cameras": [
                {
                    "id": "gate",
                    "source": server.url("gate"),
                    "questions": [{"id": "red", "ask": "Is it red?"}],
                    "record": {"mode": "soft", "segment": "2s", "captions": captions},
                }
            ],
        }
        toll = survive(
            config, tmp_path / "c.yaml", tmp_path / "data", n=3, n_numbers=N_FRAMES, seed=1
        )

    assert toll.faults == []
    assert toll.n_pictures > 20
