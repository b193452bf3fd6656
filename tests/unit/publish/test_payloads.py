"""Topics and JSON: exactly as in the public contract."""

from __future__ import annotations

import json
import math
from dataclasses import fields, replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_daemon.publish.payloads import (
    CameraHealth,
    Topics,
    answer_json,
    as_replayed,
    event_json,
    health_json,
    is_topic,
    refusal_json,
    state_json,
)
from edge_daemon.types import Event, QuestionState, Reason, Verdict
from tests.publish_samples import EVENT, MODEL, NOON, STATE, UNKNOWN, camera

TOPICS = Topics("edge", "porch-pi")
ANY_NUMBER = st.none() | st.floats()
ANY_TIME = st.datetimes(timezones=st.just(timezone.utc)) | st.datetimes(
    min_value=NOON.replace(tzinfo=None), timezones=st.just(timezone(timedelta(hours=14)))
)


def test_event_json_is_the_contracts() -> None:
    text = event_json(EVENT).decode()

    assert text == (
        '{"schema": "edge-daemon/event/1", "id": "0195-yes", "episode": "0195-yes", "seq": 1,'
        ' "device": "porch-pi", "camera": "gate", "question": "pedestrian",'
        ' "ask": "Is there a pedestrian?", "verdict": "YES", "previous": "UNKNOWN",'
        ' "reason": null, "p_yes": 0.876543, "yes_above": 0.7, "no_below": 0.4, "frame": 25,'
        ' "pts_s": 1.0, "captured_at": "2026-03-01T12:00:00.250Z",'
        ' "decided_at": "2026-03-01T12:00:00.290Z", "clock_synced": true, "duration_s": 0.5,'
        ' "model": {"bundle": "street", "sha256": "' + "ab" * 32 + '",'
        ' "backend": "onnxruntime", "precision": "int8"},'
        ' "snapshot": null, "clip": null, "replayed": false}'
    )


def test_event_json_leaves_out_no_field() -> None:
    keys = set(json.loads(event_json(EVENT)))

    assert keys == {field.name for field in fields(Event)} | {"schema"}


def test_as_replayed_changes_nothing_else() -> None:
    late = as_replayed(event_json(EVENT))

    assert late == event_json(replace(EVENT, replayed=True))


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"{}", b"\xff"])
def test_as_replayed_refuses_what_is_no_event(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r"Expecting|not an event|codec"):
        as_replayed(payload)


def test_state_json_is_the_contracts() -> None:
    assert state_json(STATE) == (
        b'{"verdict": "YES", "reason": null, "p_yes": 0.9, "since": "2026-03-01T12:00:00.250Z",'
        b' "judged_at": "2026-03-01T12:00:00.250Z", "event_id": "0195-yes"}'
    )
    assert json.loads(state_json(UNKNOWN))["reason"] == "camera_offline"


def test_health_json_is_the_contracts() -> None:
    health = CameraHealth("offline", "stalled", 24.9876, 3, 1, NOON)

    assert health_json(health) == (
        b'{"state": "offline", "reason": "stalled", "fps_measured": 24.99, "frames_dropped": 3,'
        b' "reconnects": 1, "last_frame_at": "2026-03-01T12:00:00.250Z"}'
    )


def test_answer_json_says_what_was_asked() -> None:
    answer = answer_json(
        camera="gate", question="Is it wet?", zone=None, verdict=Verdict.NO, reason=None,
        p_yes=0.1, captured_at=NOON,
    )  # fmt: skip

    assert answer == (
        b'{"camera": "gate", "question": "Is it wet?", "zone": null, "verdict": "NO",'
        b' "reason": null, "p_yes": 0.1, "captured_at": "2026-03-01T12:00:00.250Z"}'
    )


def test_refusal_json_has_the_three_parts() -> None:
    refusal = refusal_json(error="too long", where="mqtt", hint="shorten it")

    assert json.loads(refusal) == {"error": "too long", "where": "mqtt", "hint": "shorten it"}


def test_times_without_a_zone_are_a_bug() -> None:
    with pytest.raises(ValueError, match="naive"):
        event_json(replace(EVENT, captured_at=datetime(2026, 1, 1)))  # noqa: DTZ001


@given(
    numbers=st.tuples(ANY_NUMBER, st.floats(), st.floats(), ANY_NUMBER, st.floats()),
    times=st.tuples(st.none() | ANY_TIME, ANY_TIME),
    words=st.tuples(st.text(), st.text(), st.none() | st.text()),
    reason=st.none() | st.sampled_from(Reason),
    verdict=st.sampled_from(Verdict),
)
def test_any_event_is_json_without_nan(numbers, times, words, reason, verdict) -> None:
    p_yes, yes_above, no_below, pts_s, duration_s = numbers
    event = replace(
        EVENT, p_yes=p_yes, yes_above=yes_above, no_below=no_below, pts_s=pts_s,
        duration_s=duration_s, captured_at=times[0], decided_at=times[1], id=words[0],
        ask=words[1], snapshot=words[2], reason=reason, verdict=verdict,
    )  # fmt: skip

    found = json.loads(event_json(event), parse_constant=pytest.fail)

    assert found["p_yes"] is None or math.isclose(found["p_yes"], p_yes, abs_tol=1e-6)
    assert found["decided_at"].endswith("Z")
    assert found["verdict"] == verdict.value
    assert json.loads(as_replayed(event_json(event))) == {**found, "replayed": True}


@given(p_yes=ANY_NUMBER, since=ANY_TIME, judged_at=st.none() | ANY_TIME, event_id=st.text())
def test_any_state_is_json_without_nan(p_yes, since, judged_at, event_id) -> None:
    state = QuestionState(Verdict.NO, None, p_yes, since, judged_at, event_id)

    found = json.loads(state_json(state), parse_constant=pytest.fail)

    assert (found["judged_at"] is None) == (judged_at is None)


def test_topics_are_the_contracts() -> None:
    assert TOPICS.status == "edge/porch-pi/status"
    assert TOPICS.camera_status("gate") == "edge/porch-pi/gate/status"
    assert TOPICS.health("gate") == "edge/porch-pi/gate/health"
    assert TOPICS.ask("gate") == "edge/porch-pi/gate/ask"
    assert TOPICS.answer("gate") == "edge/porch-pi/gate/answer"
    for name in ("verdict", "state", "event", "snapshot", "enabled", "set"):
        topic = getattr(TOPICS, name)("gate", "pedestrian")
        assert topic == f"edge/porch-pi/gate/pedestrian/{name}"


def test_retained_topics_of_a_camera_are_all_but_event_and_commands() -> None:
    found = list(TOPICS.retained(camera("gate", "car")))

    assert found == [
        "edge/porch-pi/gate/status",
        "edge/porch-pi/gate/health",
        "edge/porch-pi/gate/car/verdict",
        "edge/porch-pi/gate/car/state",
        "edge/porch-pi/gate/car/snapshot",
        "edge/porch-pi/gate/car/enabled",
    ]


@pytest.mark.parametrize(
    ("topic", "owner"),
    [
        ("edge/porch-pi/gate/car/state", ("gate", "car")),
        ("edge/porch-pi/gate/status", None),
        ("edge/porch-pi/status", None),
        ("edge/porch-pie/gate/car/state", None),
        ("homeassistant/device/porch-pi_gate/config", None),
    ],
)
def test_question_of_a_topic_is_found(topic: str, owner: tuple[str, str] | None) -> None:
    assert TOPICS.question_of(topic) == owner


@pytest.mark.parametrize("text", ["a", "edge/porch-pi/gate/car/event", "/", "Tür 1", "x" * 65_535])
def test_topics_that_may_be_published_to(text: str) -> None:
    assert is_topic(text)


@pytest.mark.parametrize(
    "text", ["", "a/+", "#", "a\0b", "a\x14b", "\x85", "\ud800", "\ufffe", "ü" * 32_768]
)
def test_topics_that_a_broker_may_hang_up_on(text: str) -> None:
    assert not is_topic(text)


def test_model_is_part_of_every_event() -> None:
    found = json.loads(event_json(EVENT))["model"]

    assert found == {field.name: getattr(MODEL, field.name) for field in fields(MODEL)}
