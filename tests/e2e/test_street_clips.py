"""The shipped bundle on real street video, from file and from a camera server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import MakeConfig
from tests.e2e.daemon import Daemon, Subscriber, write_config
from tests.integration.rtsp_server import RtspServer

CLIPS = ("intel_one_by_one_person", "nl_motorway", "pedestrian_surveillance")
ASKED = {"pedestrian": "Is there a pedestrian?", "car": "Is there a car?"}


@pytest.fixture
def clips(shared_data: Path) -> dict[str, Path]:
    return {name: shared_data / "videos" / f"{name}.mp4" for name in CLIPS}


def config_of(sources: dict[str, str], make_config: MakeConfig) -> dict[str, Any]:
    config = make_config("test:street")
    config["engine"] = {"bundle": "street"}
    config["cameras"] = [
        {
            "id": name.partition("_")[0],
            "source": source,
            "sample": {"every": 5},
            "questions": [{"id": q, "ask": text} for q, text in ASKED.items()],
        }
        for name, source in sources.items()
    ]
    return config


def verdicts(events: list[dict[str, Any]], camera: str, question: str) -> list[str]:
    mine = [e for e in events if (e["camera"], e["question"]) == (camera, question)]
    assert [e["seq"] for e in mine] == list(range(1, len(mine) + 1))
    return [e["verdict"] for e in mine]


def test_street_bundle_tells_what_three_real_clips_show(
    tmp_path: Path, clips: dict[str, Path], make_config: MakeConfig, subscriber: Subscriber
) -> None:
    config = config_of({name: str(path) for name, path in clips.items()}, make_config)
    with Daemon(write_config(tmp_path / "c.yaml", config)) as daemon:
        assert daemon.ended(100) == 0, daemon.log.read_text()
    subscriber.wait(lambda s: s.last("box/status") == b"offline")
    events = subscriber.events()

    people = Counter(verdicts(events, "intel", "pedestrian"))
    assert people["YES"] >= 5  # one person at a time comes and goes
    assert people["NO"] >= 5
    assert verdicts(events, "intel", "car")[:1] == ["NO"]
    assert verdicts(events, "nl", "car") == ["YES", "UNKNOWN"]
    assert verdicts(events, "pedestrian", "pedestrian") == ["YES", "UNKNOWN"]


@pytest.fixture
def server(clips: dict[str, Path]) -> Iterator[RtspServer]:
    with RtspServer(clips, credentials=("viewer", "p@ss")) as running:
        yield running


def test_street_bundle_tells_the_same_through_a_camera_server(
    tmp_path: Path, server: RtspServer, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    sources = {name: server.url(name, "viewer:p%40ss") for name in CLIPS}
    config = config_of(sources, make_config)
    with Daemon(write_config(tmp_path / "c.yaml", config)) as daemon:
        subscriber.wait(lambda s: "YES" in verdicts(s.events(), "nl", "car"), 30)
        subscriber.wait(lambda s: "YES" in verdicts(s.events(), "pedestrian", "pedestrian"), 30)
        subscriber.wait(lambda s: verdicts(s.events(), "intel", "pedestrian"), 30)

        assert not daemon.said("p@ss")
        assert not daemon.said("p%40ss")
