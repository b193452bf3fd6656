"""Answers a question that is asked once, about a camera's last frame."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from edge_daemon.publish.payloads import answer_json, refusal_json
from edge_daemon.types import Reason, Verdict
from edge_daemon.verdicts.hysteresis import first_verdict

if TYPE_CHECKING:
    from edge_daemon.config.models import QuestionConfig
    from edge_daemon.pipeline.camera import Camera
    from edge_daemon.pipeline.inference import Inference, OneAnswer
    from edge_daemon.publish.commands import AskRequest


def answer_once(
    request: AskRequest, camera: Camera, inference: Inference, shared: QuestionConfig
) -> bytes:
    """Return the answer, or why there is none, as JSON.  Raises EngineRunError.

    shared has the thresholds of a question that names none, and how old a frame may be.
    """
    zone = camera.settings.zones.get(request.zone) if request.zone else None
    if request.zone and zone is None:
        hint = f"use null or one of: {', '.join(camera.settings.zones) or 'it has none yet'}"
        return refusal_json(error=f"no zone is called '{request.zone}'", where="zone", hint=hint)
    found = inference.ask(request.camera, request.question, zone)
    verdict, reason = _judged(found, camera, shared)
    return answer_json(
        camera=request.camera,
        question=request.question,
        zone=request.zone,
        verdict=verdict,
        reason=reason,
        p_yes=found.p_yes if found else None,
        captured_at=found.captured_at if found else None,
    )


def _judged(
    found: OneAnswer | None, camera: Camera, shared: QuestionConfig
) -> tuple[Verdict, Reason | None]:
    """Return what one answer says, as a standing question would have it."""
    if not camera.up:
        return Verdict.UNKNOWN, Reason.CAMERA_OFFLINE
    if found is None:
        return Verdict.UNKNOWN, Reason.STARTING
    if found.is_blind or camera.board.sees_nothing:
        return Verdict.UNKNOWN, Reason.CAMERA_BLIND
    if time.monotonic() - found.mono_s > shared.unknown_after:
        return Verdict.UNKNOWN, Reason.STALE
    return first_verdict(found.p_yes, shared.yes_above, shared.no_below)
