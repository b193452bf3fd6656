"""Home Assistant discovery: the payload it wants, entity by entity."""

from __future__ import annotations

import json

import pytest

from edge_daemon import __version__
from edge_daemon.publish.homeassistant import birth_topic, discovery_json, discovery_topic
from edge_daemon.publish.payloads import Topics
from tests.publish_samples import DEVICE, camera

TOPICS = Topics("edge", "porch-pi")
ROOT = "edge/porch-pi"


@pytest.fixture
def found() -> dict:
    return json.loads(discovery_json(camera("gate", "car"), DEVICE, TOPICS))


def test_topics_are_those_that_home_assistant_reads() -> None:
    assert birth_topic("homeassistant") == "homeassistant/status"
    assert discovery_topic("ha", "porch-pi", "gate") == "ha/device/porch-pi_gate/config"


def test_a_camera_is_a_device_of_its_own(found: dict) -> None:
    assert found["dev"] == {
        "identifiers": ["porch-pi_gate"],
        "name": "Porch Pi gate",
        "manufacturer": "edge-daemon",
        "model": "Standing questions",
        "sw_version": __version__,
    }
    assert found["o"] == {"name": "edge-daemon", "sw_version": __version__}


def test_a_question_has_four_entities(found: dict) -> None:
    assert {key: entity["p"] for key, entity in found["cmps"].items()} == {
        "car_verdict": "binary_sensor",
        "car_event": "event",
        "car_snapshot": "image",
        "car_enabled": "switch",
    }


def test_unique_ids_differ_over_all_cameras_and_questions() -> None:
    payloads = [discovery_json(camera(name, "car", "dog"), DEVICE, TOPICS) for name in "ab"]
    ids = [entity["unique_id"] for p in payloads for entity in json.loads(p)["cmps"].values()]

    assert len(set(ids)) == len(ids) == 16


def test_the_binary_sensor_wants_daemon_and_camera_and_knows_unknown(found: dict) -> None:
    assert found["cmps"]["car_verdict"] == {
        "p": "binary_sensor",
        "unique_id": "porch-pi_gate_car_verdict",
        "name": "Is there a car?",
        "state_topic": f"{ROOT}/gate/car/verdict",
        "value_template": "{{ 'None' if value == 'UNKNOWN' else value }}",
        "payload_on": "YES",
        "payload_off": "NO",
        "json_attributes_topic": f"{ROOT}/gate/car/state",
        "availability": [{"topic": f"{ROOT}/status"}, {"topic": f"{ROOT}/gate/status"}],
        "availability_mode": "all",
    }


def test_event_image_and_switch_live_as_long_as_the_daemon(found: dict) -> None:
    components = found["cmps"]

    assert found["availability"] == [{"topic": f"{ROOT}/status"}]
    assert components["car_event"]["event_types"] == ["YES", "NO", "UNKNOWN"]
    assert components["car_snapshot"]["image_topic"] == f"{ROOT}/gate/car/snapshot"
    assert components["car_enabled"]["state_topic"] == f"{ROOT}/gate/car/enabled"
    assert components["car_enabled"]["command_topic"] == f"{ROOT}/gate/car/set"
    assert not any("availability" in components[key] for key in ("car_event", "car_enabled"))


def test_entities_of_a_question_that_is_gone_are_removed() -> None:
    found = json.loads(discovery_json(camera("gate", "car"), DEVICE, TOPICS, gone=["dog"]))

    assert found["cmps"]["dog_verdict"] == {"p": "binary_sensor"}
    assert found["cmps"]["dog_enabled"] == {"p": "switch"}
    assert len(found["cmps"]) == 8
