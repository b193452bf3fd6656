"""Delivery to a real mosquitto: in order, nothing lost, the present state always right."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from edge_daemon.publish.mqtt import Patience
from edge_daemon.publish.payloads import CameraHealth, event_json, state_json
from edge_daemon.types import QuestionState, Reason, Verdict
from tests.conftest import REPO
from tests.integration.mosquitto import first_of_each
from tests.integration.publishing import QUICK, publishing
from tests.processes import wait_until
from tests.publish_samples import NOON, STATE, UNKNOWN, camera, nth

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.mosquitto import Ear, Gate, Heard, Mosquitto

ROOT = "edge/porch-pi"
QUESTIONS = ("car", "dog", "bus")
JPEG = b"\xff\xd8" + bytes(100_000) + b"\xff\xd9"


def test_events_arrive_in_order_as_they_were_written(broker, data_dir, new_ear) -> None:
    ear = new_ear(broker.port, f"{ROOT}/#")
    with publishing(data_dir, broker.url) as at_work:
        for n in range(1, 201):
            at_work.event(nth(n))
        assert at_work.publisher.drain(30)
        heard = ear.wait("/event", 200)

        assert [one.payload for one in heard] == [event_json(nth(n)) for n in range(1, 201)]
        assert not any(one.retained for one in heard)
        assert at_work.outcomes == {"acknowledged": 201}
        assert len(at_work.outbox) == 0


def test_events_of_the_first_moment_are_not_late(broker, data_dir, new_ear) -> None:
    ear = new_ear(broker.port, f"{ROOT}/#")
    with publishing(data_dir, broker.url, is_awaited=False) as at_work:
        at_work.event(nth(1))
        (heard,) = ear.wait("/event")

    assert heard.json()["replayed"] is False


def test_state_comes_before_the_event_and_the_picture_after_it(broker, data_dir, new_ear) -> None:
    ear = new_ear(broker.port, f"{ROOT}/gate/#")
    with publishing(data_dir, broker.url) as at_work:
        at_work.event(nth(1), STATE)
        at_work.publisher.publish_snapshot("gate", "pedestrian", JPEG)
        ear.wait("/snapshot")

    assert [one.topic.rpartition("/")[2] for one in ear.heard()] == [
        "verdict",
        "state",
        "event",
        "snapshot",
    ]
    assert ear.heard("/snapshot")[0].payload == JPEG


def test_everything_but_events_is_retained(broker, data_dir, new_ear) -> None:
    health = CameraHealth("online", None, 25.0, 0, 0, NOON)
    with publishing(data_dir, broker.url) as at_work:
        publisher = at_work.publisher
        at_work.event(nth(1), STATE)
        publisher.publish_snapshot("gate", "pedestrian", JPEG)
        publisher.publish_enabled("gate", "pedestrian", enabled=True)
        publisher.publish_camera_status("gate", online=True)
        publisher.publish_health("gate", health)
        assert publisher.drain(30)
        late = new_ear(broker.port, f"{ROOT}/#")
        found = {one.topic: one.payload for one in late.wait("", 7)}

    assert found.pop(f"{ROOT}/gate/health").startswith(b'{"state": "online"')
    assert found == {
        f"{ROOT}/status": b"online",
        f"{ROOT}/gate/status": b"online",
        f"{ROOT}/gate/pedestrian/verdict": b"YES",
        f"{ROOT}/gate/pedestrian/state": state_json(STATE),
        f"{ROOT}/gate/pedestrian/snapshot": JPEG,
        f"{ROOT}/gate/pedestrian/enabled": b"ON",
    }
    assert all(one.retained for one in late.heard() if one.payload != b"offline")


def test_close_says_offline_after_the_last_state(broker, data_dir, new_ear) -> None:
    ear = new_ear(broker.port, f"{ROOT}/#")
    with publishing(data_dir, broker.url) as at_work:
        at_work.publisher.publish_state("gate", "pedestrian", UNKNOWN)
    ear.wait_for("porch-pi/status", b"offline")
    last = [(one.topic.rpartition("/")[2], one.payload) for one in ear.heard()][-3:]

    assert last == [
        ("verdict", b"UNKNOWN"),
        ("state", state_json(UNKNOWN)),
        ("status", b"offline"),
    ]


def test_no_event_is_lost_though_the_broker_is_killed_under_load(
    broker: Mosquitto, gate: Gate, data_dir: Path, new_ear: Callable[..., Ear]
) -> None:
    """20 kills; what mosquitto acknowledged counts as delivered, so the ear must keep up with it.

    It writes to its subscribers before it acknowledges; what an ear that lags has not taken yet
    waits in mosquitto's memory, and dies with it.
    """
    ear = new_ear(broker.port, f"{ROOT}/+/+/event", qos=0)

    def heard_up_to(seq: int) -> bool:
        return any(event.json()["seq"] >= seq for event in ear.heard("/car/event")[-5:])

    with publishing(data_dir, gate.url) as at_work:
        for seq in range(1, 201):
            for question in QUESTIONS:
                at_work.event(nth(seq, question), STATE)
            if seq % 10 == 0:
                wait_until(lambda seq=seq: heard_up_to(seq - 4))
                n_subscribed = ear.n_subscribed
                gate.shut()
                broker.kill()
                broker.start()
                wait_until(lambda n=n_subscribed: ear.n_subscribed > n)
                gate.open()
        assert at_work.publisher.drain(20), at_work.faults
        wait_until(lambda: len(first_of_each(ear.heard())) >= 600)
        heard = ear.heard()

    assert seqs_by_question(heard) == {question: list(range(1, 201)) for question in QUESTIONS}
    assert at_work.outcomes["interrupted"] > 0
    assert at_work.n_dropped == len(at_work.outbox) == 0


def test_no_event_is_lost_though_the_connection_is_cut_under_load(
    gate: Gate, broker: Mosquitto, data_dir: Path, new_ear: Callable[..., Ear]
) -> None:
    ear = new_ear(broker.port, f"{ROOT}/#")
    with publishing(data_dir, gate.url) as at_work:
        for seq in range(1, 401):
            for question in QUESTIONS:
                at_work.event(nth(seq, question))
            if seq % 20 == 0:
                gate.cut()
        assert at_work.publisher.drain(20), at_work.faults
        heard = ear.wait("/event", 1200)

    assert seqs_by_question(heard) == {question: list(range(1, 401)) for question in QUESTIONS}


def seqs_by_question(heard: list[Heard]) -> dict[str, list[int]]:
    """Return the numbers of each question's events, in the order in which each came first."""
    found: dict[str, list[int]] = {}
    for event in first_of_each(heard):
        found.setdefault(event["question"], []).append(event["seq"])
    return found


def test_a_broker_that_lost_everything_gets_the_present_state(broker, data_dir, new_ear) -> None:
    with publishing(data_dir, broker.url, cameras=[camera()]) as at_work:
        at_work.event(nth(1), STATE)
        at_work.publisher.publish_snapshot("gate", "pedestrian", JPEG)
        at_work.publisher.publish_camera_status("gate", online=True)
        assert at_work.publisher.drain(30)
        broker.kill()
        at_work.publisher.publish_state("gate", "pedestrian", UNKNOWN)
        at_work.publisher.publish_camera_status("gate", online=False)
        wait_until(lambda: not at_work.publisher.connected)
        broker.start()
        assert at_work.publisher.wait_connected(30)
        assert at_work.publisher.drain(30)
        ear = new_ear(broker.port, f"{ROOT}/#", "homeassistant/#")
        found = {one.topic.removeprefix(f"{ROOT}/"): one.payload for one in ear.wait("", 6)}

    assert found.pop("gate/pedestrian/state") == state_json(UNKNOWN)
    assert found.pop("homeassistant/device/porch-pi_gate/config").startswith(b"{")
    assert found == {
        "status": b"online",
        "gate/status": b"offline",
        "gate/pedestrian/verdict": b"UNKNOWN",
        "gate/pedestrian/snapshot": JPEG,
    }


def test_status_comes_after_the_state_it_vouches_for(broker, gate, data_dir, new_ear) -> None:
    with publishing(data_dir, gate.url) as at_work:
        at_work.publisher.publish_state("gate", "pedestrian", STATE)
        assert at_work.publisher.drain(30)
        ear = new_ear(broker.port, f"{ROOT}/#")
        ear.wait("", 3)
        gate.cut()
        ear.wait("porch-pi/status", 3)
        after = [(one.topic.rpartition("/")[2], one.payload) for one in ear.heard()][3:]

    assert after == [
        ("status", b"offline"),  # the will
        ("verdict", b"YES"),
        ("state", state_json(STATE)),
        ("status", b"online"),
    ]


def test_events_of_an_outage_are_replayed_and_say_so(broker, gate, data_dir, new_ear) -> None:
    ear = new_ear(broker.port, f"{ROOT}/#")
    with publishing(data_dir, gate.url) as at_work:
        at_work.event(nth(1))
        assert at_work.publisher.drain(30)
        gate.shut()
        gate.cut()
        wait_until(lambda: any("before its greeting" in fault for fault in at_work.faults))
        for n in (2, 3):
            at_work.event(nth(n))
        assert not at_work.publisher.connected
        assert not at_work.publisher.drain(0.05)
        gate.open()
        assert at_work.publisher.drain(30)
        at_work.event(nth(4))
        events = [one.json() for one in ear.wait("/event", 4)]

    assert [(event["seq"], event["replayed"]) for event in events] == [
        (1, False),
        (2, True),
        (3, True),
        (4, False),
    ]


def test_a_broker_absent_at_start_is_found_when_it_comes(new_broker, data_dir, new_ear) -> None:
    broker = new_broker()
    broker.stop()
    with publishing(data_dir, broker.url, is_awaited=False) as at_work:
        at_work.publisher.publish_state("gate", "pedestrian", STATE)
        wait_until(lambda: at_work.faults)
        assert not at_work.publisher.connected
        broker.start()

        assert at_work.publisher.wait_connected(30)
        assert at_work.publisher.drain(30)


def test_a_broker_that_hangs_delays_no_caller_and_is_left(broker, data_dir) -> None:
    patience = Patience(first_wait_s=0.05, longest_wait_s=0.2, greeting_s=0.5, mqtt5_s=0.5,
                        keepalive_s=1)  # fmt: skip
    with publishing(data_dir, broker.url, patience=patience) as at_work:
        assert at_work.publisher.drain(30)
        broker.signal(signal.SIGSTOP)
        begun_s = time.monotonic()
        for n in range(1, 301):
            at_work.event(nth(n), STATE)
            at_work.publisher.publish_snapshot("gate", "pedestrian", JPEG)
        took_s = time.monotonic() - begun_s
        wait_until(lambda: any("does not answer" in fault for fault in at_work.faults))
        broker.signal(signal.SIGCONT)
        assert at_work.publisher.drain(30)

    assert took_s < 3.0  # 300 events with a picture each, on disk; 0.4 s where it was measured


def crash(broker: Mosquitto, data_dir: Path, n: int, every_s: float = 0.0) -> subprocess.Popen:
    """Start a process that publishes events and waits to be killed."""
    command = [sys.executable, "-m", "tests.integration.publishing", str(broker.port)]
    return subprocess.Popen(
        [*command, str(data_dir), str(n), str(every_s)], cwd=REPO, stdout=subprocess.PIPE, text=True
    )


def test_the_last_will_says_offline_when_the_daemon_is_killed(broker, data_dir, new_ear) -> None:
    ear = new_ear(broker.port, f"{ROOT}/status")
    with crash(broker, data_dir, 1) as process:
        ear.wait_for("/status", b"online")
        process.kill()
        ear.wait_for("/status", b"offline")
    with publishing(data_dir, broker.url):
        ear.wait_for("/status", b"online")
        said = [message.payload for message in ear.heard("/status")]

    assert said.index(b"online") < said.index(b"offline") < len(said) - 1


def test_events_survive_a_daemon_killed_again_and_again(
    broker: Mosquitto, data_dir: Path, new_ear: Callable[..., Ear]
) -> None:
    ear = new_ear(broker.port, f"{ROOT}/#")
    n_announced = 0
    for turn in range(4):
        with crash(broker, data_dir, 1000, every_s=0.001) as process:
            for _ in range(20 + 40 * turn):
                n_announced = int(process.stdout.readline())
            process.kill()
    with publishing(data_dir, broker.url) as at_work:
        assert at_work.publisher.drain(30)
        last_seq = at_work.outbox.last_seq("gate", "pedestrian")
        wait_until(lambda: len(first_of_each(ear.heard("/event"))) >= last_seq)

    seqs = [event["seq"] for event in first_of_each(ear.heard("/event"))]
    assert seqs == list(range(1, last_seq + 1))
    assert last_seq >= n_announced


def test_events_no_broker_heard_of_are_replayed_by_the_next_process(
    broker: Mosquitto, data_dir: Path, new_ear: Callable[..., Ear]
) -> None:
    broker.stop()
    with crash(broker, data_dir, 3) as process:
        lines = [process.stdout.readline() for _ in range(4)]
        process.kill()
    broker.start()
    ear = new_ear(broker.port, f"{ROOT}/#")
    with publishing(data_dir, broker.url) as at_work:
        at_work.event(nth(at_work.outbox.last_seq("gate", "pedestrian") + 1))
        events = [one.json() for one in ear.wait("/event", 4)]

    assert lines[-1] == "done\n"
    assert [(event["id"], event["seq"]) for event in events] == [
        (f"pedestrian-{n}", n) for n in (1, 2, 3, 4)
    ]
    assert [event["replayed"] for event in events] == [True, True, True, False]


def test_a_second_daemon_of_the_same_id_is_told(broker, data_dir, tmp_path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    slow = Patience(first_wait_s=0.05, longest_wait_s=60)
    with publishing(data_dir, broker.url, patience=slow) as first, publishing(other, broker.url):
        wait_until(lambda: first.faults)

    assert "device.id" in first.faults[0]  # mosquitto 2.0.11 just closes, later ones say why


def test_the_will_of_an_older_connection_does_not_stand(broker, data_dir, new_ear) -> None:
    ear = new_ear(broker.port, f"{ROOT}/status")
    with publishing(data_dir, broker.url):
        ear.wait_for("/status", b"online")
        ear.say(f"{ROOT}/status", b"offline", retain=True)
        ear.wait("/status", 3)

        assert [one.payload for one in ear.heard()] == [b"online", b"offline", b"online"]


def test_topics_of_cameras_that_are_gone_are_emptied(broker, data_dir, new_ear) -> None:
    with publishing(data_dir, broker.url, cameras=[camera("gate"), camera("yard")]) as at_work:
        for name in ("gate", "yard"):
            at_work.publisher.publish_state(name, "car", STATE)
            at_work.publisher.publish_state(name, "pedestrian", STATE)
            at_work.publisher.publish_camera_status(name, online=True)
        assert at_work.publisher.drain(30)
    with publishing(data_dir, broker.url, cameras=[camera("gate", "car")]) as at_work:
        assert at_work.publisher.drain(30)
        ear = new_ear(broker.port, f"{ROOT}/#", "homeassistant/#")
        retained = {one.topic: one.payload for one in ear.wait("", 5)}
        in_memory = at_work.outbox.topics()

    assert sorted(retained) == [
        f"{ROOT}/gate/car/state",
        f"{ROOT}/gate/car/verdict",
        f"{ROOT}/gate/status",
        f"{ROOT}/status",
        "homeassistant/device/porch-pi_gate/config",
    ]
    assert in_memory == set(retained)
    found = json.loads(retained["homeassistant/device/porch-pi_gate/config"])["cmps"]
    assert found["pedestrian_verdict"] == {"p": "binary_sensor"}
    assert found["car_verdict"]["payload_on"] == "YES"


def test_only_the_last_of_many_states_must_arrive(broker, data_dir, new_ear) -> None:
    ear = new_ear(broker.port, f"{ROOT}/gate/#")
    with publishing(data_dir, broker.url, patience=QUICK) as at_work:
        for n in range(500):
            p_yes = n / 1000
            state = QuestionState(Verdict.UNKNOWN, Reason.STALE, p_yes, NOON, NOON, None)
            at_work.publisher.publish_state("gate", "car", state)
        assert at_work.publisher.drain(30)
        ear.wait_for("/state", state_json(state))

    p_yes = [one.json()["p_yes"] for one in ear.heard("/state")]
    assert p_yes == sorted(p_yes)
