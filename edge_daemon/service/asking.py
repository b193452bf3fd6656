"""Answers a question that is asked once, about a camera's last frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_daemon.publish.payloads import answer_json, refusal_json
from edge_daemon.types import Reason, Verdict
from edge_daemon.verdicts.hysteresis import first_verdict

if TYPE_CHECKING:
    from edge_daemon.config.models import QuestionConfig
    from edge_daemon.pipeline.camera import Camera
    from edge_daemon.pipeline.inference import Inference
    from edge_daemon.publish.commands import AskRequest


def answer_once(
    request: AskRequest, camera: Camera, inference: Inference, shared: QuestionConfig
) -> bytes:
    """Return the answer, or why there is none, as JSON.  Raises EngineRunError.

    shared has the thresholds of a question that names none.
    """
    zone = camera.settings.zones.get(request.zone) if request.zone else None
    if request.zone and zone is None:
        hint = f"use null or one of: {', '.join(camera.settings.zones) or 'it has none yet'}"
        return refusal_json(error=f"no zone is called '{request.zone}'", where="zone", hint=hint)
    p_yes = inference.ask(request.camera, request.question, zone)
    verdict, reason = (
        (Verdict.UNKNOWN, Reason.CAMERA_OFFLINE)
        if p_yes is None or not camera.up
        else (Verdict.UNKNOWN, Reason.CAMERA_BLIND)
        if camera.board.blindness
        else first_verdict(p_yes, shared.yes_above, shared.no_below)
    )
    return answer_json(
        camera=request.camera,
        question=request.question,
        zone=request.zone,
        verdict=verdict,
        reason=reason,
        p_yes=p_yes,
        captured_at=camera.last_frame_at,
    )
