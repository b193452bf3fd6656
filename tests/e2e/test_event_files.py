"""Pictures and evidence of events: on disk, over MQTT, and asked again."""

from __future__ import annotations

import json
import re
import shutil
import signal
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge_daemon.recording.jpeg import comment_of
from tests.data.colours import BLUE, GREY, RED, write_colours
from tests.e2e.conftest import MakeConfig
from tests.e2e.daemon import Daemon, Subscriber, edge_daemon, write_config
from tests.integration.mosquitto import Ear, Mosquitto
from tests.processes import wait_until

PARTS = [(GREY, 1.5), (RED, 3.0), (BLUE, 2.0)]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_colours(tmp_path / "clip.mp4", PARTS)


def run(tmp_path: Path, config: dict[str, Any]) -> Path:
    path = write_config(tmp_path / "config.yaml", config)
    with Daemon(path) as daemon:
        assert daemon.ended() == 0, daemon.log.read_text()
    return path


def with_picture(subscriber: Subscriber) -> list[dict[str, Any]]:
    subscriber.wait(lambda s: s.last("box/status") == b"offline")
    return [e for e in subscriber.events() if e["frame"] is not None and e["reason"] is None]


def test_every_answer_is_shown_on_disk_and_over_mqtt(
    tmp_path: Path, clip: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    run(tmp_path, make_config(str(clip)))
    events = with_picture(subscriber)
    sent = [p for t, p in subscriber.messages if t.endswith("/snapshot")]

    assert len(events) == 5
    assert [e["snapshot"] for e in subscriber.events() if e not in events] == [None, None]
    for event in events:
        jpeg = (tmp_path / "data" / event["snapshot"]).read_bytes()
        assert comment_of(jpeg) == event["id"]
        assert cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).shape == (72, 128, 3)
    last = {e["question"]: e["id"] for e in events}
    for question, event_id in last.items():
        assert comment_of(subscriber.last(f"box/gate/{question}/snapshot") or b"") == event_id
    assert {comment_of(jpeg) for jpeg in sent} <= {e["id"] for e in events}


def test_every_answer_is_the_same_when_it_is_asked_again(
    tmp_path: Path, clip: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    config = run(tmp_path, make_config(str(clip)))
    events = with_picture(subscriber)
    for event in events:
        done = edge_daemon("replay", event["id"], "--config", str(config), "--json")
        found = json.loads(done.stdout)

        assert (done.returncode, done.stderr) == (0, "")
        assert found["then"] == found["now"]
        assert round(found["now"]["p_yes"], 6) == event["p_yes"]
        assert found["event"] == event
        assert found["differs"] == []


def test_replay_says_what_it_found_for_people(
    tmp_path: Path, clip: Path, make_config: MakeConfig, subscriber: Subscriber, tiny_bundle: Path
) -> None:
    run(tmp_path, make_config(str(clip)))
    (path,) = (tmp_path / "data" / "evidence").rglob("*-red-YES-*.zip")
    shown = tmp_path / "shown.png"
    done = edge_daemon("replay", str(path), "--bundle", str(tiny_bundle), "--show", str(shown))
    what, when, then, now, verdict = done.stdout.splitlines()

    assert what.endswith(": gate, Is it red?")
    assert when.startswith("  NO -> YES, decided 20")
    assert then.split()[1:] == now.split()[1:]
    assert verdict == "the same, to the last bit"
    assert cv2.imread(str(shown)).shape[1] == 640


def test_replay_on_a_bundle_that_answers_otherwise_fails_and_says_why(
    tmp_path: Path, clip: Path, make_config: MakeConfig, subscriber: Subscriber, tiny_bundle: Path
) -> None:
    run(tmp_path, make_config(str(clip)))
    (event,) = (e for e in with_picture(subscriber) if e["verdict"] == "YES" and "red" in e["ask"])
    other = tmp_path / "other"
    shutil.copytree(tiny_bundle, other)
    manifest = (other / "manifest.yaml").read_text()
    (other / "manifest.yaml").write_text(re.sub("temperature: .*", "temperature: 1.5", manifest))
    again = ["replay", event["id"], "--data-dir", str(tmp_path / "data"), "--bundle", str(other)]
    done = edge_daemon(*again)

    assert manifest != (other / "manifest.yaml").read_text()
    assert done.returncode == 69
    assert f"bundle's hash {event['model']['sha256'][:16]} then" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "differs: bundle's hash" in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (
            ["no-id"],
            69,
            "event no-id: no evidence of it in {dir} -- only events with a picture behind them have"
            " some, while record.events.evidence is on; the oldest is removed to make room",
        ),
        (
            ["{dir}/x.zip"],
            69,
            "{dir}/x.zip: no such file -- look below data_dir/evidence; the oldest are removed to"
            " make room",
        ),
        (
            ["no-id", "--data-dir", "{dir}/none"],
            2,
            "{dir}/none: is not a directory -- name the daemon's configuration with --config, or"
            " its data_dir with --data-dir",
        ),
    ],
)
def test_replay_of_what_is_not_there_is_told_in_a_line(
    tmp_path: Path, words: list[str], code: int, line: str
) -> None:
    told = [word.format(dir=tmp_path) for word in words]
    done = edge_daemon("replay", "--data-dir", str(tmp_path), *told)

    assert (done.returncode, done.stderr) == (code, line.format(dir=tmp_path) + "\n")


def test_masked_parts_are_in_no_picture_and_no_evidence(
    tmp_path: Path, clip: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    mask = [[0.5, 0.0], [1.0, 0.0], [1.0, 1.0], [0.5, 1.0]]
    config = run(tmp_path, make_config(str(clip), privacy_masks=[mask]))
    events = with_picture(subscriber)
    for event in events:
        jpeg = cv2.imread(str(tmp_path / "data" / event["snapshot"]))
        (path,) = (tmp_path / "data" / "evidence").rglob(f"*{event['id']}.zip")
        shown = tmp_path / "input.png"
        shutil.unpack_archive(path, tmp_path)

        assert jpeg[40:, 70:].max() < 24  # below the panel; JPEG rings at the edge
        picture = cv2.imread(str(shown))
        assert picture[:, picture.shape[1] // 2 :].max() == 0
        assert picture.max() > 0
    assert edge_daemon("replay", events[0]["id"], "--config", str(config)).returncode == 0


def test_no_secret_is_in_any_file_of_an_event(
    tmp_path: Path, clip: Path, make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIP_PASSWORD", "hunter2")
    secret = clip.rename(clip.with_name("hunter2.mp4"))
    run(tmp_path, make_config(f"{secret.parent}/${{CLIP_PASSWORD}}.mp4"))
    files = [p for kind in ("evidence", "snapshots") for p in (tmp_path / "data" / kind).rglob("*")]

    assert len([p for p in files if p.is_file()]) == 10
    for path in files:
        assert "hunter2" not in path.name
        assert not path.is_file() or b"hunter2" not in path.read_bytes()


def test_picture_of_a_question_that_was_removed_is_removed(
    tmp_path: Path,
    clip: Path,
    make_config: MakeConfig,
    broker: Mosquitto,
    base: str,
    new_ear: Any,
) -> None:
    ear: Ear = new_ear(broker.port, f"{base}/box/gate/+/snapshot")
    config = make_config(str(clip), loop=True, pace="realtime")
    path = write_config(tmp_path / "config.yaml", config)
    with Daemon(path) as daemon:
        ear.wait("red/snapshot")
        config["cameras"][0]["questions"] = config["cameras"][0]["questions"][1:]
        write_config(path, config)
        daemon.send(signal.SIGHUP)
        wait_until(lambda: any(not one.payload for one in ear.heard("red/snapshot")))
        wait_until(lambda: daemon.said("restarted gate"))
        late: Ear = new_ear(broker.port, f"{base}/box/gate/+/snapshot")
        found = late.wait("blue/snapshot")
        daemon.send(signal.SIGTERM)
        assert daemon.ended() == 0

    assert found[0].payload
    assert late.heard("red/snapshot") == []
