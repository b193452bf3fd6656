"""Cameras that are killed, hang, fall silent or lose their cable, beside one that is well."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import missing
from tests.data.colours import RED, write_colours
from tests.e2e.daemon import Daemon, Subscriber, write_config
from tests.faults.cameras import STALL_AFTER_S, tell
from tests.faults.flood import metric
from tests.integration.rtsp_server import RtspServer
from tests.processes import wait_until


def test_cameras_that_fail_are_unknown_in_time_and_answer_again(
    tmp_path: Path, make_config: Callable[..., dict[str, Any]], subscriber: Subscriber
) -> None:
    story = tell(tmp_path, make_config, subscriber, away_s=4.0)

    assert {"killed", "stopped", "silent"} <= set(story.reasons)
    assert set(story.reasons.values()) == {"camera_offline"}
    assert max(story.unknown_after_s.values()) < STALL_AFTER_S + 1.0, story.unknown_after_s
    assert max(story.answers_after_s.values()) < 5.0, story.answers_after_s
    assert all(
        "connected, but no picture for 2 s" in story.healths[n] for n in ("silent", "stopped")
    )
    assert (story.other_events, story.other_age_s < STALL_AFTER_S) == ([], True)
    assert story.frozen[:4] == [
        ("YES", None),
        ("UNKNOWN", "camera_blind"),
        ("NO", None),
        ("UNKNOWN", "camera_blind"),
    ]
    assert all(n_frames > 20 and n_counted > 0 for n_frames, n_counted in story.torn), story.torn
    for name, loss in story.lossy.items():
        assert loss.oldest_s < STALL_AFTER_S, (name, loss)  # answers went on
        assert "UNKNOWN" not in loss.verdicts, (name, loss)
        assert (loss.frames > 20, loss.reconnects) == (True, 0), (name, loss)
    assert "Traceback" not in story.log
    if "pulled" not in story.reasons or len(story.lossy) < 2:
        missing("may not make network namespaces: as root, iproute2, nftables", "REQUIRE_NETNS")


def test_camera_whose_packets_make_no_picture_is_stalled_and_tried_again(
    tmp_path: Path, make_config: Callable[..., dict[str, Any]], subscriber: Subscriber
) -> None:
    clip = write_colours(tmp_path / "gate.mp4", [(RED, 30.0)])
    with RtspServer({"gate": clip}, keyless=True) as camera:
        config = make_config(camera.url("gate"), stall_after=f"{STALL_AFTER_S}s")
        with Daemon(write_config(tmp_path / "c.yaml", config)) as daemon:
            subscriber.wait(lambda s: b"makes a picture" in (s.last("box/gate/health") or b""))
            wait_until(lambda: metric(config, "edge_stalls_total") >= 2)
            verdict = subscriber.last("box/gate/red/verdict")
            camera.keyless = False
            subscriber.wait(lambda s: s.last("box/gate/red/verdict") == b"YES", 5.0)

    assert verdict == b"UNKNOWN"
    assert daemon.said("sends, but nothing that makes a picture, for 2 s -- does it send key")
    assert not daemon.said("Traceback")
