"""Soft recordings of the daemon, as somebody who plays them sees them."""

from __future__ import annotations

import json
import signal
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from tests.data.colours import BLUE, RED, write_colours
from tests.e2e.conftest import MakeConfig
from tests.e2e.daemon import Daemon, edge_daemon, write_config
from tests.integration.http_camera import HttpCamera
from tests.integration.rtsp_server import RtspServer
from tests.processes import wait_until


def segments(tmp_path: Path, ending: str = ".mp4") -> list[Path]:
    found = (tmp_path / "data" / "recordings").rglob(f"*{ending}")
    return sorted(found, key=lambda path: (path.parent, path.stem[:9], len(path.stem), path.stem))


def reddest(segment: Path) -> dict[int, bool]:
    """Which picture, by its millisecond in the file, is red."""
    with av.open(str(segment)) as file:
        return {
            round(1000 * (frame.time or 0.0)): bool(means[0] > means[2])
            for frame in file.decode(video=0)
            for means in [frame.to_ndarray(format="rgb24").mean(axis=(0, 1))]
        }


def rows(segment: Path) -> list[dict[str, Any]]:
    beside = segment.with_suffix(".jsonl")
    return [json.loads(row) for row in beside.read_text().splitlines()] if beside.exists() else []


def test_live_answers_stand_beside_the_pictures_they_are_about(
    tmp_path: Path, make_config: MakeConfig
) -> None:
    clip = write_colours(tmp_path / "clip.mp4", [(RED, 0.8), (BLUE, 0.8)])
    with RtspServer({"gate": clip}) as server:
        config = make_config(server.url("gate"), record={"mode": "soft", "segment": "2s"})
        with Daemon(write_config(tmp_path / "c.yaml", config)) as daemon:
            wait_until(lambda: len([s for s in segments(tmp_path) if rows(s)]) >= 4, 60)
            daemon.send(signal.SIGTERM)
            assert daemon.ended(20) == 0, daemon.log.read_text()
    n_rows = 0
    for segment in segments(tmp_path):
        is_red = reddest(segment)
        for row in rows(segment):
            at_ms = min(is_red, key=lambda ms, row=row: abs(ms - 1000 * row["at_s"]))
            assert abs(at_ms - 1000 * row["at_s"]) <= 1
            assert (row["answers"][0]["p_yes"] > 0.5) is is_red[at_ms]
            n_rows += 1
        captions = segment.with_suffix(".vtt").read_text()
        assert captions.startswith("WEBVTT\n\n")
        assert "Is it red?" in captions

    assert n_rows >= 20
    assert "Traceback" not in daemon.log.read_text()


def test_camera_without_packets_is_recorded_burned_and_told(
    tmp_path: Path, make_config: MakeConfig
) -> None:
    with HttpCamera(tmp_path).serving() as camera:
        url = camera.url("mjpeg")
        config = make_config(url, record={"mode": "soft", "segment": "1h"})
        with Daemon(write_config(tmp_path / "c.yaml", config)) as daemon:
            wait_until(lambda: daemon.said("it is recorded burned"), 30)
            wait_until(lambda: sum(len(rows(s)) for s in segments(tmp_path)) > 5, 30)
            daemon.send(signal.SIGTERM)
            assert daemon.ended(20) == 0
    (segment,) = segments(tmp_path)

    assert daemon.log.read_text().count("it is recorded burned") == 1
    assert len(reddest(segment)) > 5
    assert not segment.with_suffix(".vtt").exists()


def test_masked_camera_is_recorded_burned_and_check_says_so(
    tmp_path: Path, make_config: MakeConfig
) -> None:
    clip = write_colours(tmp_path / "clip.mp4", [(RED, 2.0)])
    left = [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]
    config = make_config(str(clip), privacy_masks=[left], record={"mode": "soft"})
    file = write_config(tmp_path / "c.yaml", config)
    said = edge_daemon("check", "--config", str(file)).stdout
    with Daemon(file) as daemon:
        assert daemon.ended(60) == 0
    (segment,) = segments(tmp_path)
    with av.open(str(segment)) as video:
        last = list(video.decode(video=0))[-1].to_ndarray(format="rgb24")

    assert "recording burned: soft would show what its privacy masks hide" in said
    assert np.median(last[:, : last.shape[1] // 2 - 8]) < 30
    assert rows(segment)


def test_soft_is_refused_where_a_source_has_no_packets(
    tmp_path: Path, make_config: MakeConfig
) -> None:
    config = make_config("test:street", record={"mode": "soft"})
    done = edge_daemon("check", "--config", str(write_config(tmp_path / "c.yaml", config)))

    assert done.returncode == 78
    assert (
        "cameras.0: record.mode soft keeps a camera's own H.264 or H.265, and this source has none"
        " -- use burned" in done.stderr
    )


def test_files_that_follow_each_other_are_recorded_one_by_one(
    tmp_path: Path, make_config: MakeConfig
) -> None:
    for n, colour in enumerate((RED, BLUE)):
        write_colours(tmp_path / f"{n}.mp4", [(colour, 1.0)])
    config = make_config(str(tmp_path / "?.mp4"), record={"mode": "soft", "captions": "mkv"})
    with Daemon(write_config(tmp_path / "c.yaml", config)) as daemon:
        assert daemon.ended(60) == 0
    found = segments(tmp_path, ".mkv")

    assert [set(reddest(segment).values()) for segment in found] == [{True}, {False}]
    for segment in found:
        with av.open(str(segment)) as file:
            assert file.streams.subtitles[0].time_base == Fraction(1, 1000)
            assert any(b"Is it red?" in bytes(p) for p in file.demux(file.streams.subtitles[0]))
