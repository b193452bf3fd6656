"""What two places of a configuration make together."""

from __future__ import annotations

import pytest

from edge_daemon.config.load import parse_settings
from edge_daemon.errors import ConfigError


def test_questions_that_home_assistant_takes_for_one_are_refused() -> None:
    cameras = [
        {"id": camera, "source": "a.mp4", "questions": [{"id": question, "ask": "Is it?"}]}
        for camera, question in (("gate", "left_dog"), ("gate_left", "dog"))
    ]
    broker = {"url": "mqtt://broker"}
    with pytest.raises(ConfigError) as refused:
        parse_settings({"version": 1, "cameras": cameras, "mqtt": broker}, where="c")
    without = {**broker, "discovery_prefix": None}
    for mqtt in (None, without):
        parse_settings({"version": 1, "cameras": cameras, "mqtt": mqtt}, where="c")
    cameras[1]["questions"] = [{"id": "cat", "ask": "Is it?"}]
    parse_settings({"version": 1, "cameras": cameras, "mqtt": broker}, where="c")

    assert refused.value.faults == (
        "c: cameras.1.questions.0.id: Home Assistant would take it for cameras.0.questions.0"
        " ('gate_left_dog') -- choose another id, or set mqtt.discovery_prefix: null",
    )
