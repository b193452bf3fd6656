"""The daemon on files: from configuration to events on a real broker, and its own end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import pytest

from tests.data.colours import BLUE, GREY, RED, lined, write_colours, write_pictures
from tests.e2e.conftest import MakeConfig
from tests.e2e.daemon import Daemon, Subscriber, write_config

PARTS = [(GREY, 1.5), (RED, 3.0), (BLUE, 2.0), (RED, 2.0)]
TIMES_AND_IDS = ("id", "episode", "captured_at", "decided_at", "snapshot")
Story = list[tuple[str, float, str | None]]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_colours(tmp_path / "clip.mp4", PARTS)


def story(events: list[dict[str, Any]]) -> Story:
    return [(e["verdict"], round(e["pts_s"], 1), e["reason"]) for e in events]


def run(tmp_path: Path, config: dict[str, Any]) -> Daemon:
    with Daemon(write_config(tmp_path / "config.yaml", config)) as daemon:
        assert daemon.ended() == 0, daemon.log.read_text()
    return daemon


def test_daemon_tells_what_a_file_shows_then_ends(
    tmp_path: Path, clip: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    run(tmp_path, make_config(str(clip)))
    subscriber.wait(lambda s: s.last("box/status") == b"offline")

    assert story(subscriber.events("red")) == [
        ("NO", 0.5, None),
        ("YES", 2.0, None),
        ("NO", 5.0, None),
        ("YES", 7.0, None),
        ("UNKNOWN", 8.4, "camera_offline"),
    ]
    assert story(subscriber.events("blue")) == [
        ("NO", 0.5, None),
        ("YES", 5.0, None),
        ("NO", 7.0, None),
        ("UNKNOWN", 8.4, "camera_offline"),
    ]
    assert [e["seq"] for e in subscriber.events("red")] == [1, 2, 3, 4, 5]
    assert subscriber.events("red")[2]["duration_s"] == pytest.approx(3.0)
    assert subscriber.last("box/gate/red/verdict") == b"UNKNOWN"
    assert subscriber.last("box/gate/status") == b"offline"


def test_daemon_says_low_margin_where_a_question_asks_for_it(
    tmp_path: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    red, faint = lined(RED), lined((164, 80, 80), lines=(250, 250, 250))
    clip = write_pictures(tmp_path / "faint.mp4", [(red, 2.0), (faint, 3.0), (red, 1.0)])
    config = make_config(str(clip))
    asked = config["cameras"][0]["questions"][0]
    config["cameras"][0]["questions"] = [
        {**asked, "unsure_after": "1s", "yes_above": 0.9, "no_below": 0.1},
        {**asked, "id": "kept", "yes_above": 0.9, "no_below": 0.1},
    ]
    run(tmp_path, config)
    subscriber.wait(lambda s: s.last("box/status") == b"offline")

    assert story(subscriber.events("red")) == [
        ("YES", 0.5, None),
        ("UNKNOWN", 3.0, "low_margin"),
        ("YES", 5.5, None),
        ("UNKNOWN", 5.9, "camera_offline"),
    ]
    assert [e["verdict"] for e in subscriber.events("kept")] == ["YES", "UNKNOWN"]
    assert 0.1 < subscriber.events("red")[1]["p_yes"] < 0.9


def test_daemon_ties_events_into_episodes(
    tmp_path: Path, clip: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    run(tmp_path, make_config(str(clip)))
    subscriber.wait(lambda s: len(s.events("red")) == 5)

    no, yes, ended, again, lost = subscriber.events("red")
    assert no["episode"] is None
    assert yes["episode"] == ended["episode"] == yes["id"]
    assert again["episode"] == lost["episode"] == again["id"]


def test_daemon_repeats_a_file_but_for_times_and_ids(
    tmp_path: Path, clip: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    runs = []
    for n in (1, 2):
        config = make_config(str(clip))
        run(tmp_path, {**config, "data_dir": str(tmp_path / f"data{n}")})
        subscriber.wait(lambda s, n=n: len(s.events()) == 9 * n)
        heard = subscriber.events()[-9:]
        runs.append([{k: v for k, v in e.items() if k not in TIMES_AND_IDS} for e in heard])

    assert runs[0] == runs[1]


def test_daemon_numbers_on_after_a_restart(
    tmp_path: Path, clip: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    for _ in range(2):
        run(tmp_path, make_config(str(clip)))
    subscriber.wait(lambda s: len(s.events("red")) == 10)

    assert [e["seq"] for e in subscriber.events("red")] == list(range(1, 11))


def test_daemon_asks_inside_the_zone_only(
    tmp_path: Path, clip: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    config = make_config(str(clip), privacy_masks=[[[0, 0], [0.5, 0], [0.5, 1], [0, 1]]])
    (camera,) = config["cameras"]
    camera["zones"] = {
        "masked": [[0, 0], [0.4, 0], [0.4, 1], [0, 1]],
        "open": [[0.6, 0], [1, 0], [1, 1], [0.6, 1]],
    }
    camera["questions"] = [
        {"id": name, "ask": "Is it red?", "zone": name, "hold": None} for name in camera["zones"]
    ]
    run(tmp_path, config)
    subscriber.wait(lambda s: s.last("box/status") == b"offline")

    assert [e["verdict"] for e in subscriber.events("masked")] == ["NO", "UNKNOWN"]
    assert [e["verdict"] for e in subscriber.events("open")] == [
        "NO",
        "YES",
        "NO",
        "YES",
        "UNKNOWN",
    ]


def test_daemon_burns_answers_into_a_recording(
    tmp_path: Path, clip: Path, make_config: MakeConfig
) -> None:
    run(tmp_path, make_config(str(clip), record={"mode": "burned", "segment": "1h"}))

    (segment,) = (tmp_path / "data" / "recordings" / "gate").rglob("*.mp4")
    with av.open(str(segment)) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(pictures) == 85
    red = pictures[40][..., 0].astype(float)  # of a plain picture
    assert red.std() > 10  # drawn on
    assert red[-10:, -10:].std() < 3  # not everywhere


def test_daemon_never_guesses_what_its_bundle_does_not_know(
    tmp_path: Path, clip: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    config = make_config(str(clip))
    config["cameras"][0]["questions"][1]["ask"] = "Is there an elephant?"
    daemon = run(tmp_path, config)
    subscriber.wait(lambda s: s.last("box/status") == b"offline")

    assert subscriber.events("blue") == []
    assert daemon.said(
        "'Is there an elephant?' stays UNKNOWN, this bundle cannot answer it: "
        "unknown 'an', 'elephant'"
    )


def test_a_file_that_may_not_be_looked_at_leaves_the_other_cameras_alone(
    tmp_path: Path, clip: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    config = make_config(str(clip))
    config["cameras"].append({**config["cameras"][0], "id": "yard", "source": "a" * 300 + ".mp4"})
    with Daemon(write_config(tmp_path / "config.yaml", config)) as daemon:
        assert daemon.ended() == 69
    subscriber.wait(lambda s: s.last("box/status") == b"offline")
    gate = [e for e in subscriber.events("red") if e["camera"] == "gate"]

    assert [e["verdict"] for e in gate] == ["NO", "YES", "NO", "YES", "UNKNOWN"]
    assert daemon.said("camera yard: aaa")
    assert daemon.said("File name too long -- check the path")
    assert "Traceback" not in daemon.log.read_text()


def test_daemon_whose_file_is_missing_tells_it_and_ends_with_69(
    tmp_path: Path, make_config: MakeConfig
) -> None:
    config = write_config(tmp_path / "c.yaml", make_config(str(tmp_path / "none.mp4")))
    with Daemon(config) as daemon:
        assert daemon.ended() == 69

    assert daemon.said("none.mp4")
    assert "Traceback" not in daemon.log.read_text()
