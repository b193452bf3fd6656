"""The daemon on a live source: signals, reload, health, commands."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np

from edge_daemon.engine.bundle import load_bundle
from edge_daemon.engine.drift import features, fit_reference
from edge_daemon.engine.open import open_backend
from edge_daemon.recording.evidence import Pack, read_pack
from edge_daemon.sources.images import write_picture
from tests.data.colours import BLUE, GREY, RED, lined, write_colours, write_pictures
from tests.data.tiny_bundle import edit_manifest
from tests.e2e.conftest import MakeConfig
from tests.e2e.daemon import Daemon, Subscriber, write_config
from tests.faults.flood import kept
from tests.processes import wait_until


def endless(tmp_path: Path, make_config: MakeConfig, **camera: Any) -> dict[str, Any]:
    clip = write_colours(tmp_path / "clip.mp4", [(RED, 30.0)])
    return make_config(str(clip), loop=True, pace="realtime", **camera)


def get(config: dict[str, Any], path: str, token: str = "") -> tuple[int, str]:
    request = urllib.request.Request(f"http://{config['http']['listen']}{path}")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()
    except (urllib.error.URLError, ConnectionError):
        return 0, ""


def value(config: dict[str, Any], row: str) -> float:
    """Return a metric by its name and labels as the page has them; 0 where there is none yet."""
    rows = dict(line.rsplit(" ", 1) for line in get(config, "/metrics")[1].splitlines())
    return float(rows.get(row, 0.0))


def test_daemon_drains_says_unknown_and_ends_at_sigterm(
    tmp_path: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    with Daemon(write_config(tmp_path / "c.yaml", endless(tmp_path, make_config))) as daemon:
        subscriber.wait(lambda s: s.last("box/gate/red/verdict") == b"YES")
        assert subscriber.last("box/status") == b"online"
        daemon.send(signal.SIGTERM)
        assert daemon.ended(10) == 0
    subscriber.wait(lambda s: s.last("box/status") == b"offline")

    health = json.loads(subscriber.last("box/gate/health") or b"{}")

    assert subscriber.events("red")[-1]["verdict"] == "UNKNOWN"
    assert (health["state"], health["reason"]) == ("offline", "ended")
    assert subscriber.last("box/gate/red/verdict") == b"UNKNOWN"


def test_who_hears_an_event_has_heard_the_state_it_led_to(
    tmp_path: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    clip = write_colours(tmp_path / "clip.mp4", [(RED, 1.5), (BLUE, 1.5)] * 3)
    config = make_config(str(clip), pace="realtime")
    with Daemon(write_config(tmp_path / "c.yaml", config)) as daemon:
        assert daemon.ended() == 0
    subscriber.wait(lambda s: s.last("box/status") == b"offline")
    said, apart, n = {}, [], 0
    for topic, payload in subscriber.messages:
        name, _, what = topic.removeprefix(subscriber.base).rpartition("/")
        if what == "verdict":
            said[name] = payload.decode()
        elif what == "event":
            n += 1
            if said.get(name) != (verdict := json.loads(payload)["verdict"]):
                apart.append((name, said.get(name), verdict))

    assert n >= 12
    assert apart == []


def test_daemon_killed_is_told_offline_and_ends_the_episode_when_it_is_back(
    tmp_path: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    config = write_config(tmp_path / "c.yaml", endless(tmp_path, make_config))
    with Daemon(config) as daemon:
        subscriber.wait(lambda s: s.last("box/gate/red/verdict") == b"YES")
        daemon.send(signal.SIGKILL)
    subscriber.wait(lambda s: s.last("box/status") == b"offline")
    with Daemon(config):
        subscriber.wait(lambda s: len(s.events("red")) >= 3)

    yes, lost, again = subscriber.events("red")[:3]
    assert (lost["verdict"], lost["reason"], lost["episode"]) == ("UNKNOWN", "starting", yes["id"])
    assert (again["verdict"], again["seq"]) == ("YES", 3)


def test_daemon_keeps_its_configuration_when_the_new_one_is_bad(
    tmp_path: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    config = endless(tmp_path, make_config)
    file = write_config(tmp_path / "c.yaml", config)
    with Daemon(file) as daemon:
        subscriber.wait(lambda s: s.last("box/gate/red/verdict") == b"YES")
        write_config(file, {**config, "cameras": []})
        daemon.send(signal.SIGHUP)
        wait_until(lambda: daemon.said("the running configuration is kept"))

        assert get(config, "/readyz")[0] == 200
        assert daemon.process.poll() is None


def test_daemon_reload_restarts_only_the_camera_that_changed(
    tmp_path: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    config = endless(tmp_path, make_config)
    config["cameras"].append({**config["cameras"][0], "id": "yard"})
    file = write_config(tmp_path / "c.yaml", config)
    with Daemon(file) as daemon:
        subscriber.wait(lambda s: s.last("box/gate/red/verdict") == b"YES")
        subscriber.wait(lambda s: s.last("box/yard/red/verdict") == b"YES")
        config["cameras"][1] = {**config["cameras"][1], "id": "street"}
        config["cameras"][1]["questions"] = config["cameras"][1]["questions"][:1]
        write_config(file, config)
        daemon.send(signal.SIGHUP)
        subscriber.wait(lambda s: s.last("box/street/red/verdict") == b"YES")
        subscriber.wait(lambda s: s.last("box/yard/red/verdict") == b"")

        gate = [e["verdict"] for e in subscriber.events("red") if e["camera"] == "gate"]
        assert gate == ["YES"]


def test_daemon_reload_of_a_shared_section_starts_all_again(
    tmp_path: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    config = endless(tmp_path, make_config)
    file = write_config(tmp_path / "c.yaml", config)
    with Daemon(file) as daemon:
        subscriber.wait(lambda s: s.last("box/gate/red/verdict") == b"YES")
        write_config(file, {**config, "device": {"id": "crate"}})
        daemon.send(signal.SIGHUP)
        subscriber.wait(lambda s: s.last("crate/gate/red/verdict") == b"YES")
        subscriber.wait(lambda s: s.last("box/gate/red/verdict") == b"")

        assert b"offline" in [p for t, p in subscriber.messages if t.endswith("box/status")]


def test_daemon_tells_its_health_and_metrics(
    tmp_path: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    config = endless(tmp_path, make_config)
    with Daemon(write_config(tmp_path / "c.yaml", config)):
        subscriber.wait(lambda s: s.last("box/gate/red/verdict") == b"YES")
        metrics = get(config, "/metrics")[1]

        assert get(config, "/healthz") == (200, '{"status":"ok"}')
        assert get(config, "/readyz")[0] == 200
        assert 'edge_verdict{camera="gate",question="red"} 1.0' in metrics
        assert 'edge_verdict{camera="gate",question="blue"} 0.0' in metrics
        assert 'edge_camera_up{camera="gate"} 1.0' in metrics
        assert 'edge_stalls_total{camera="gate"} 0.0' in metrics  # so that the first is a rise
        assert 'edge_events_total{camera="gate",question="red",verdict="NO"} 0.0' in metrics
        assert (
            'edge_engine_info{backend="onnxruntime",bundle="tiny",precision="fp32"} 1.0' in metrics
        )
        assert get(config, "/nowhere")[0] == 404
        assert set(json.loads(get(config, "/nowhere")[1])) == {"error", "where", "hint"}


def test_daemon_tells_how_unlike_training_its_pictures_are(
    tmp_path: Path, make_config: MakeConfig, tiny_bundle: Path, subscriber: Subscriber
) -> None:
    bundle = Path(shutil.copytree(tiny_bundle, tmp_path / "tiny"))
    grey = np.stack([lined(GREY, lines=(n, n, n)) for n in range(0, 100, 4)])
    engine = open_backend("onnxruntime", load_bundle(bundle), "fp32", 1)
    usual = features(engine.look(grey))
    engine.close()
    raw = json.dumps(fit_reference(usual, usual).model_dump()).encode()
    (bundle / "drift.json").write_bytes(raw)
    pinned = {"file": "drift.json", "sha256": hashlib.sha256(raw).hexdigest()}
    edit_manifest(bundle, drift=pinned)
    config = endless(tmp_path, make_config)  # red, of which training saw nothing
    config["engine"]["bundle"] = str(bundle)
    with Daemon(write_config(tmp_path / "c.yaml", config)):
        subscriber.wait(lambda s: s.last("box/gate/red/verdict") == b"YES")

        assert value(config, 'edge_drift{camera="gate"}') > 2


def test_daemon_whose_pictures_vanish_says_so_until_they_are_back(
    tmp_path: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    pictures, away = tmp_path / "pictures", tmp_path / "away"
    pictures.mkdir()
    for n in range(3):
        write_picture(pictures / f"{n}.png", lined(RED))
    config = make_config(str(pictures), loop=True, pace="realtime")
    with Daemon(write_config(tmp_path / "c.yaml", config)) as daemon:
        subscriber.wait(lambda s: s.last("box/gate/red/verdict") == b"YES")
        pictures.rename(away)
        subscriber.wait(lambda s: s.last("box/gate/red/verdict") == b"UNKNOWN")
        away.rename(pictures)
        subscriber.wait(lambda s: len(s.events("red")) == 3)

    assert [e["reason"] for e in subscriber.events("red")] == [None, "camera_offline", None]
    assert len(daemon.log.read_text().splitlines()) < 20


def test_daemon_whose_camera_is_covered_says_so_until_it_sees_again(
    tmp_path: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    black = np.zeros((72, 128, 3), np.uint8)
    clip = write_pictures(tmp_path / "clip.mp4", [(lined(RED), 2.0), (black, 4.0)])
    config = make_config(str(clip), loop=True, pace="realtime", blind_after="1s")

    def health() -> dict[str, Any]:
        return json.loads(subscriber.last("box/gate/health") or b"{}")

    with Daemon(write_config(tmp_path / "c.yaml", config)) as daemon:
        subscriber.wait(lambda s: s.last("box/gate/red/verdict") == b"YES")
        subscriber.wait(lambda s: [e["reason"] for e in s.events("red")][-1:] == ["camera_blind"])
        wait_until(lambda: (health().get("reason") or "").startswith("blind: "))
        ready = wait_until(lambda: (page := get(config, "/readyz"))[0] == 503 and page[1])
        n_blinded = value(config, 'edge_blinded_total{camera="gate",why="blind"}')
        subscriber.wait(lambda s: len(s.events("red")) >= 3)
        wait_until(lambda: daemon.said("sight of gate: is back"))
        wait_until(lambda: "reason" in health() and health()["reason"] is None)

    assert json.loads(ready)["cameras"]["gate"].startswith("blind: ")
    assert n_blinded >= 1
    assert [e["verdict"] for e in subscriber.events("red")][:3] == ["YES", "UNKNOWN", "YES"]


def test_daemon_with_a_token_answers_nobody_else(
    tmp_path: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    config = endless(tmp_path, make_config)
    config["http"]["token_file"] = str(tmp_path / "token")
    with Daemon(write_config(tmp_path / "c.yaml", config)) as daemon:
        subscriber.wait(lambda s: s.last("box/gate/red/verdict") == b"YES")

        assert get(config, "/healthz")[0] == 200
        assert get(config, "/metrics")[0] == 401
        assert get(config, "/metrics", "wrong")[0] == 401
        assert get(config, "/metrics", "s3cret")[0] == 200
        assert not daemon.said("s3cret")


def test_daemon_pauses_and_resumes_a_question_on_command(
    tmp_path: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    with Daemon(write_config(tmp_path / "c.yaml", endless(tmp_path, make_config))):
        subscriber.wait(lambda s: s.last("box/gate/red/verdict") == b"YES")
        subscriber.publish("box/gate/red/set", "OFF")
        subscriber.wait(lambda s: s.last("box/gate/red/verdict") == b"UNKNOWN")
        subscriber.wait(lambda s: s.last("box/gate/red/enabled") == b"OFF")
        subscriber.wait(lambda s: s.events("red")[-1]["reason"] == "paused")
        subscriber.publish("box/gate/red/set", "ON")
        subscriber.wait(lambda s: s.last("box/gate/red/verdict") == b"YES")

        assert [e["verdict"] for e in subscriber.events("blue")] == ["NO"]


def test_camera_of_which_nothing_is_asked_takes_no_inference_but_is_recorded_and_may_be_asked(
    tmp_path: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    clip = write_colours(tmp_path / "clip.mp4", [(RED, 2.0), (BLUE, 2.0)])
    record = {"mode": "burned", "segment": "1s"}
    config = make_config(str(clip), loop=True, pace="realtime", record=record)

    def n_looks() -> float:
        return value(config, 'edge_stage_seconds_count{stage="infer"}')

    def n_sampled() -> float:
        return value(config, 'edge_frames_total{camera="gate",outcome="sampled"}')

    def answer() -> str:
        subscriber.publish("box/gate/ask", json.dumps({"question": "Is it blue?"}))
        return str(json.loads(subscriber.last("box/gate/answer") or b'{"verdict": ""}')["verdict"])

    def n_segments() -> int:
        return len(list((tmp_path / "data").rglob("*.mp4")))

    with Daemon(write_config(tmp_path / "c.yaml", config)):
        subscriber.wait(lambda s: s.last("box/gate/red/verdict") == b"YES")
        for question in ("red", "blue"):
            subscriber.publish(f"box/gate/{question}/set", "OFF")
        subscriber.wait(lambda s: s.last("box/gate/blue/enabled") == b"OFF")
        before, n_recorded, n_before = n_looks(), n_segments(), n_sampled()
        wait_until(lambda: answer() == "YES")
        wait_until(lambda: answer() == "NO")  # the newest frame, then
        wait_until(lambda: n_segments() >= n_recorded + 2)
        after, n_passed_over = n_looks(), n_sampled() - n_before
        begun_s = time.monotonic()
        subscriber.publish("box/gate/blue/set", "ON")
        wait_until(lambda: n_looks() > after)
        resumed_s = time.monotonic() - begun_s
        subscriber.wait(lambda s: s.last("box/gate/blue/verdict") in (b"YES", b"NO"))

    assert after - before <= 1  # one may have been at work
    assert n_passed_over > 20
    assert resumed_s < 1.0


def test_daemon_that_was_killed_goes_on_pausing_what_was_paused(
    tmp_path: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    config = write_config(tmp_path / "c.yaml", endless(tmp_path, make_config))
    with Daemon(config) as daemon:
        subscriber.wait(lambda s: s.last("box/gate/red/verdict") == b"YES")
        subscriber.publish("box/gate/red/set", "OFF")
        subscriber.wait(lambda s: s.last("box/gate/red/enabled") == b"OFF")
        daemon.send(signal.SIGHUP)
        wait_until(lambda: daemon.said("reload: nothing changed"))
        daemon.send(signal.SIGKILL)
    subscriber.wait(lambda s: s.last("box/status") == b"offline")
    subscriber.messages.clear()
    with Daemon(config):
        subscriber.wait(lambda s: s.last("box/gate/blue/verdict") == b"NO")
        state = json.loads(subscriber.last("box/gate/red/state") or b"{}")
        enabled = [p for t, p in subscriber.messages if t.endswith("/gate/red/enabled")]
        subscriber.publish("box/gate/red/set", "ON")
        subscriber.wait(lambda s: s.last("box/gate/red/verdict") == b"YES")

    assert (state["verdict"], state["reason"]) == ("UNKNOWN", "paused")
    assert enabled == [b"OFF"]


def test_daemon_without_a_broker_goes_on_from_what_it_said_when_it_was_killed(
    tmp_path: Path, make_config: MakeConfig
) -> None:
    config = endless(tmp_path, make_config) | {"mqtt": None}
    file = write_config(tmp_path / "c.yaml", config)
    red_is_yes = 'edge_verdict{camera="gate",question="red"}'
    written = 'edge_stage_seconds_count{stage="publish"}'
    with Daemon(file) as daemon:
        wait_until(lambda: value(config, red_is_yes) == 1.0 and value(config, written))
        wait_until(lambda: len(packs(tmp_path, "red")) == 1)
        daemon.send(signal.SIGKILL)
    with Daemon(file) as daemon:
        wait_until(lambda: value(config, red_is_yes) == 1.0)
        wait_until(lambda: len(packs(tmp_path, "red")) == 2)
        daemon.send(signal.SIGTERM)
        assert daemon.ended(10) == 0
    first, second = (pack.event for pack in packs(tmp_path, "red"))

    assert (first["seq"], first["previous"]) == (1, "UNKNOWN")
    assert (second["seq"], second["previous"]) == (3, "UNKNOWN")  # 2: UNKNOWN(starting)
    assert (kept(config)[0], kept(config)[1]["red"]) == (0, 4)


def packs(tmp_path: Path, question: str) -> list[Pack]:
    """Return the evidence of a question's events, the oldest first; not what is half written."""
    paths = sorted((tmp_path / "data/evidence").rglob(f"[0-9]*-{question}-*.zip"))
    found = [read_pack(path) for path in paths]
    return sorted(found, key=lambda pack: int(pack.event["seq"]))


def test_daemon_answers_a_question_asked_once_and_disturbs_nothing(
    tmp_path: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    with Daemon(write_config(tmp_path / "c.yaml", endless(tmp_path, make_config))):
        subscriber.wait(lambda s: s.last("box/gate/red/verdict") == b"YES")
        subscriber.publish("box/gate/ask", '{"question": "Is it green?"}')
        answer = json.loads(subscriber.wait(lambda s: s.last("box/gate/answer")))

        assert (answer["verdict"], answer["question"]) == ("NO", "Is it green?")
        assert [e["question"] for e in subscriber.events()] == ["red", "blue"]


def test_daemon_never_loads_torch_and_stays_small(
    tmp_path: Path, make_config: MakeConfig, subscriber: Subscriber
) -> None:
    clip = write_colours(tmp_path / "hd.mp4", [(RED, 4.0), (BLUE, 4.0)], size=(1920, 1080), fps=25)
    config = make_config(str(clip), loop=True, pace="realtime", sample={"every": 5})
    with Daemon(write_config(tmp_path / "c.yaml", config)) as daemon:
        subscriber.wait(lambda s: len(s.events("red")) >= 3, 30)
        process = Path(f"/proc/{daemon.process.pid}")
        loaded, status = (process / "maps").read_text(), (process / "status").read_text()
        rss_kib = next(int(line.split()[1]) for line in status.splitlines() if "VmRSS" in line)

        assert "torch" not in loaded
        assert rss_kib < 300 * 1024
