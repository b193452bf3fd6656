"""Soft recordings of a daemon that is killed.  Fifty kills: benchmarks/soak/recordings.py."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.data.make_data import write_clip
from tests.data.tiny_bundle import write_tiny_bundle
from tests.faults.recordings import Toll, survive
from tests.integration.rtsp_server import RtspServer

N_FRAMES = 500


def test_soft_recordings_survive_sigkill(tmp_path: Path) -> None:
    """With captions of both kinds: two daemons at once, each killed at moments of its own."""
    clip = write_clip(tmp_path / "clip.mp4", n_frames=N_FRAMES, gop=25)
    bundle = write_tiny_bundle(tmp_path / "tiny")
    with RtspServer({"gate": clip}) as server, ThreadPoolExecutor() as pool:
        runs = [
            pool.submit(killed, tmp_path / captions, bundle, server.url("gate"), captions)
            for captions in ("vtt", "mkv")
        ]
        tolls = [run.result() for run in runs]

    for toll in tolls:
        assert toll.faults == []
        assert toll.n_pictures > 20


def killed(folder: Path, bundle: Path, source: str, captions: str) -> Toll:
    """Kill a daemon three times that records soft."""
    folder.mkdir()
    config = {
        "version": 1,
        "data_dir": str(folder / "data"),
        "engine": {"bundle": str(bundle), "threads": 1},
        "http": None,
        "cameras": [
            {
                "id": "gate",
                "source": source,
                "questions": [{"id": "red", "ask": "Is it red?"}],
                "record": {"mode": "soft", "segment": "2s", "captions": captions},
            }
        ],
    }
    return survive(config, folder / "c.yaml", folder / "data", n=3, n_numbers=N_FRAMES, seed=1)
