"""What recordings write down of judgements: a row, and a caption."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from edge_daemon.recording.beside import Moment, Note
from edge_daemon.recording.captions import escaped
from edge_daemon.types import Reason, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_daemon.config.models import CameraConfig
    from edge_daemon.types import Frame, QuestionId, QuestionState

_MOST_LINES: Final = 8  # of a caption, before it leaves out what is NO
_UNASKED: Final = (Reason.PAUSED, Reason.UNSUPPORTED, Reason.CAMERA_BLIND)


def note_of(
    camera: CameraConfig, frame: Frame | None, states: Mapping[QuestionId, QuestionState]
) -> Note:
    """Return what a recording writes down of a judgement; frame None: of what is said without."""
    moment = row = None
    if frame is not None:
        moment = Moment.of(frame)
        row = {
            "frame": frame.index,
            "pts_s": round(frame.pts_s, 3),
            "captured_at": frame.captured_at.isoformat(timespec="milliseconds"),
            "answers": [_answer(q.id, q.ask, states[q.id]) for q in camera.questions],
        }
    asked = {q.id: q.ask for q in camera.questions}
    return Note(moment, row, caption_of([(asked[name], state) for name, state in states.items()]))


def _answer(name: QuestionId, ask: str, state: QuestionState) -> dict[str, Any]:
    p_yes = None if state.reason in _UNASKED else state.p_yes
    return {
        "id": name,
        "question": ask,
        "p_yes": None if p_yes is None else round(p_yes, 4),
        "verdict": state.verdict.value,
        "reason": None if state.reason is None else state.reason.value,
    }


def caption_of(said: list[tuple[str, QuestionState]]) -> str:
    """Return a line per question: YES  Is there a car?  Where they are many, NO is left out."""
    shown = said
    if len(said) > _MOST_LINES:
        shown = [(ask, state) for ask, state in said if state.verdict is not Verdict.NO]
    lines = [_line(ask, state) for ask, state in shown[:_MOST_LINES]]
    n_more = len(said) - len(lines)
    return "\n".join([*lines, f"and {n_more} more"] if n_more else lines)


def _line(ask: str, state: QuestionState) -> str:
    why = f" ({state.reason})" if state.verdict is Verdict.UNKNOWN and state.reason else ""
    return f"{state.verdict}{why}  {escaped(ask)}"
