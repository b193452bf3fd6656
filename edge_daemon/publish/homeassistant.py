"""Home Assistant's device discovery: one retained payload per camera.  Pure functions.

Source: home-assistant.io, "MQTT", section "Device discovery payload"; tried on Home Assistant
2025.4, held against the schemas of 2026.11 (components/mqtt: schemas.py and the four platforms).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from edge_daemon import __version__
from edge_daemon.types import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge_daemon.config.models import CameraConfig, DeviceConfig, QuestionConfig
    from edge_daemon.publish.payloads import Topics
    from edge_daemon.types import CameraId, QuestionId

# Home Assistant shows a binary sensor that gets "None" as unknown.
_UNKNOWN_IS_NONE: Final = "{{ 'None' if value == 'UNKNOWN' else value }}"
_VERDICT_IS_TYPE: Final = "{{ dict(value_json, event_type=value_json.verdict) | to_json }}"
_PLATFORMS: Final = {
    "verdict": "binary_sensor",
    "event": "event",
    "snapshot": "image",
    "enabled": "switch",
}


def birth_topic(prefix: str) -> str:
    """Where Home Assistant says ``online`` when it has started."""
    return f"{prefix}/status"


def discovery_topic(prefix: str, device: str, camera: CameraId) -> str:
    """Where a camera's discovery payload is kept; an empty one removes the camera."""
    return f"{prefix}/device/{device}_{camera}/config"


def discovery_json(
    camera: CameraConfig,
    device: DeviceConfig,
    topics: Topics,
    *,
    gone: Iterable[QuestionId] = (),
) -> bytes:
    """Return a camera's discovery payload; entities of questions that are gone are removed."""
    found = {
        "dev": {
            "identifiers": [f"{device.id}_{camera.id}"],
            "name": f"{device.name or device.id} {camera.id}",
            "manufacturer": "edge-daemon",
            "model": "Standing questions",
            "sw_version": __version__,
        },
        "o": {"name": "edge-daemon", "sw_version": __version__},
        "qos": 1,
        "availability": [{"topic": topics.status}],
        "cmps": {
            **{
                f"{question}_{kind}": {"p": platform}  # nothing but the platform: removed
                for question in gone
                for kind, platform in _PLATFORMS.items()
            },
            **{
                f"{question.id}_{kind}": {
                    "p": _PLATFORMS[kind],
                    "unique_id": f"{device.id}_{camera.id}_{question.id}_{kind}",
                    **entity,
                }
                for question in camera.questions
                for kind, entity in _entities(question, camera.id, topics).items()
            },
        },
    }
    return json.dumps(found, ensure_ascii=False).encode()


def _entities(
    question: QuestionConfig, camera: CameraId, topics: Topics
) -> dict[str, dict[str, Any]]:
    """Return what Home Assistant shows of a question.

    The binary sensor is unavailable without the camera; the others only without the daemon, so
    that the event which says that a camera went away is seen.
    """
    where = (camera, question.id)
    return {
        "verdict": {
            "name": question.ask,
            "state_topic": topics.verdict(*where),
            "value_template": _UNKNOWN_IS_NONE,
            "payload_on": Verdict.YES.value,
            "payload_off": Verdict.NO.value,
            "json_attributes_topic": topics.state(*where),
            "availability": [{"topic": topics.status}, {"topic": topics.camera_status(camera)}],
            "availability_mode": "all",
        },
        "event": {
            "name": f"{question.ask} (change)",
            "state_topic": topics.event(*where),
            "value_template": _VERDICT_IS_TYPE,
            "event_types": [verdict.value for verdict in Verdict],
        },
        "snapshot": {
            "name": f"{question.ask} (picture)",
            "image_topic": topics.snapshot(*where),
            "content_type": "image/jpeg",
        },
        "enabled": {
            "name": f"{question.ask} (asked)",
            "state_topic": topics.enabled(*where),
            "command_topic": topics.set(*where),
            "entity_category": "config",
        },
    }
