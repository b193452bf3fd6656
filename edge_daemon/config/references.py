"""Faults that lie between keys: ids given twice or taken for one another, zones that do not exist.

Looked for in the raw data, so that they are told together with every other fault.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def reference_faults(data: dict[str, Any]) -> Iterator[str]:
    """Yield ``path: what -- what to do``; what is malformed otherwise is passed over."""
    cameras = list(_mappings(data.get("cameras")))
    yield from _duplicates("cameras", cameras)
    for n, camera in cameras:
        at = f"cameras.{n}.questions"
        questions = list(_mappings(camera.get("questions")))
        yield from _duplicates(at, questions)
        zones = camera.get("zones")
        names = [str(name) for name in zones] if isinstance(zones, dict) else []
        for k, question in questions:
            zone = question.get("zone")
            if isinstance(zone, str) and zone not in names:
                hint = f"name one of: {', '.join(names)}" if names else "add it under zones"
                yield f"{at}.{k}.zone: no zone is called '{zone}' -- {hint}"
        asked = [str(question.get("id")) for _, question in questions]
        evidence = _below(camera, "record", "burned").get("evidence")
        if isinstance(evidence, str) and evidence not in asked:
            hint = f"name one of: {', '.join(asked)}"
            path = f"cameras.{n}.record.burned.evidence"
            yield f"{path}: no question is called '{evidence}' -- {hint}"
    mqtt = data.get("mqtt")
    if isinstance(mqtt, dict) and mqtt.get("discovery_prefix", "") is not None:
        yield from _confusions(cameras)


def _confusions(cameras: list[tuple[int, dict[str, Any]]]) -> Iterator[str]:
    """Yield questions of two cameras that Home Assistant would take for one, by its unique_id."""
    first: dict[str, tuple[object, str]] = {}
    for n, camera in cameras:
        for k, question in _mappings(camera.get("questions")):
            name, at = f"{camera.get('id')}_{question.get('id')}", f"cameras.{n}.questions.{k}"
            owner, other = first.setdefault(name, (camera.get("id"), at))
            if owner != camera.get("id"):
                hint = "choose another id, or set mqtt.discovery_prefix: null"
                yield f"{at}.id: Home Assistant would take it for {other} ('{name}') -- {hint}"


def _below(found: Any, *keys: str) -> dict[str, Any]:  # noqa: ANN401  raw YAML
    """Return the mapping at that path; an empty one where there is none."""
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _mappings(found: object) -> Iterator[tuple[int, dict[str, Any]]]:
    if isinstance(found, list):
        yield from ((n, item) for n, item in enumerate(found) if isinstance(item, dict))


def _duplicates(at: str, found: list[tuple[int, dict[str, Any]]]) -> Iterator[str]:
    first: dict[str, int] = {}
    for n, item in found:
        name = item.get("id")
        if isinstance(name, str) and first.setdefault(name, n) != n:
            yield f"{at}.{n}.id: '{name}' is taken by {at}.{first[name]} -- choose another id"
