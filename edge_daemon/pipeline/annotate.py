"""One recorded file from its first frame to its last: answers and, drawn on it, video."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from edge_daemon.pipeline.board import Board, Origin
from edge_daemon.pipeline.masked import PrivacyMasks
from edge_daemon.sampling import Sampler

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from edge_daemon.config.models import CameraConfig
    from edge_daemon.engine.base import Engine
    from edge_daemon.types import Frame, QuestionId, QuestionState


class Sink(Protocol):
    """Where frames go with what is said at their time."""

    def write(
        self,
        frame: Frame,
        states: Mapping[QuestionId, QuestionState],
        evidence: NDArray[np.float32] | None,
    ) -> None:
        """Take a frame.  evidence, float32 (rows, columns), is that of the question shown."""
        ...


def annotate(
    camera: CameraConfig, frames: Iterable[Frame], engine: Engine, sink: Sink | None
) -> Iterator[dict[str, Any] | None]:
    """Ask the camera's questions of a file, frame by frame, in the order of the file.

    Yields once a decoded frame: the row of its answers as in the public contract, or None where
    the frame was not sampled.  Raises EngineRunError, and what frames and sink raise.
    """
    board = Board(camera, Origin("local", engine.info, lambda: True), ())
    zones = [camera.zones[q.zone] if q.zone else None for q in camera.questions]
    questions = engine.prepare([q.ask for q in camera.questions], zones)
    sampler, masks = Sampler(camera.sample), PrivacyMasks(camera.privacy_masks)
    tinted_by = camera.record.burned.evidence
    board.connected()
    for raw in frames:
        frame = replace(raw, picture=masks.apply(raw.picture)) if masks else raw
        row = None
        if sampler.wants(frame):
            picture = frame.picture.resized(*engine.input_size)
            answers = engine.answer(engine.look(picture[None]), questions)
            board.look(frame, picture)
            board.judged(frame, answers.p_yes[0], answers.evidence[0])
            row = _row(camera, frame, answers.p_yes[0].tolist(), board.states())
        if sink is not None:
            sink.write(frame, board.states(), board.evidence(tinted_by) if tinted_by else None)
        yield row


def _row(
    camera: CameraConfig,
    frame: Frame,
    p_yes: list[float],
    states: Mapping[QuestionId, QuestionState],
) -> dict[str, Any]:
    return {
        "frame": frame.index,
        "pts_s": round(frame.pts_s, 3),
        "answers": [
            {
                "question": question.ask,
                "p_yes": None if np.isnan(p) else round(p, 4),
                "verdict": states[question.id].verdict.value,
                "reason": reason.value if (reason := states[question.id].reason) else None,
            }
            for question, p in zip(camera.questions, p_yes)
        ],
    }
