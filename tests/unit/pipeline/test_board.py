from __future__ import annotations

import math
import weakref
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest

from edge_daemon.config.load import parse_settings
from edge_daemon.config.models import CameraConfig
from edge_daemon.pipeline.board import Board, Origin
from edge_daemon.publish.said import Said
from edge_daemon.types import EngineInfo, Event, QuestionState, Reason, Verdict
from edge_daemon.verdicts.sight import Blindness
from tests.data.colours import BLUE, GREY, lined
from tests.unit.pipeline.conftest import MakeFrame

ORIGIN = Origin("porch", EngineInfo("tiny", "0" * 64, "onnxruntime", "fp32"), lambda: True)


class Notes:
    """A listener that keeps what it hears."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.states: list[tuple[str, QuestionState]] = []
        self.ups: list[bool] = []

    def on_said(
        self, camera: str, question: str, state: QuestionState, events: Sequence[Event]
    ) -> None:
        self.events.extend(events)
        self.states.append((question, state))

    def on_camera(self, camera: str, *, up: bool) -> None:
        self.ups.append(up)


def camera(source: str = "clip.mp4", **more: Any) -> CameraConfig:
    shared: dict[str, Any] = {"hold": None, "unknown_after": "10s"}
    questions = [{"id": q, "ask": f"Is there a {q}?", **shared} for q in ("person", "car")]
    cameras = [{"id": "gate", "source": source, "questions": questions, **more}]
    return parse_settings({"version": 1, "cameras": cameras}, where="test").cameras[0]


def answer(board: Board, frame: Any, *p_yes: float) -> None:
    board.judged(frame, np.asarray(p_yes, np.float32), np.zeros((len(p_yes), 2, 2), np.float32))


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def board(notes: Notes) -> Board:
    return Board(camera(), ORIGIN, [notes])


def test_board_tells_an_event_with_all_that_is_known(
    board: Board, notes: Notes, frame: MakeFrame
) -> None:
    answer(board, frame(pts_s=2.0, index=20), 0.9, 0.5)

    (event,) = notes.events
    assert (event.camera, event.question, event.ask) == ("gate", "person", "Is there a person?")
    assert (event.verdict, event.previous, event.reason) == (Verdict.YES, Verdict.UNKNOWN, None)
    assert (event.frame, event.pts_s, event.seq) == (20, 2.0, 1)
    assert event.episode == event.id
    assert event.p_yes == pytest.approx(0.9)


def test_board_of_a_file_counts_stream_time(board: Board, notes: Notes, frame: MakeFrame) -> None:
    answer(board, frame(pts_s=1.0), 0.9, 0.9)
    answer(board, frame(pts_s=5.0), 0.1, 0.9)

    assert notes.events[-1].duration_s == pytest.approx(4.0)


def test_board_of_a_file_says_stale_when_stream_time_outran_its_answers(
    board: Board, notes: Notes, frame: MakeFrame
) -> None:
    answer(board, frame(pts_s=0.0), 0.9, 0.5)
    board.expire()  # wall time has no say
    assert len(notes.events) == 1
    answer(board, frame(pts_s=11.0), 0.9, 0.5)

    assert [e.verdict for e in notes.events[1:]] == [Verdict.UNKNOWN, Verdict.YES]
    assert notes.events[1].reason is Reason.STALE


def test_board_goes_on_in_stream_time_after_a_new_connection(
    board: Board, notes: Notes, frame: MakeFrame
) -> None:
    answer(board, frame(pts_s=4.0), 0.9, 0.5)
    board.connected()
    answer(board, frame(pts_s=1.0), 0.1, 0.5)

    assert notes.events[-1].duration_s == pytest.approx(1.0)


def test_board_that_lost_its_camera_knows_nothing(
    board: Board, notes: Notes, frame: MakeFrame
) -> None:
    answer(board, frame(), 0.9, 0.1)
    board.tell_camera(up=False)

    assert [e.verdict for e in notes.events[-2:]] == [Verdict.UNKNOWN] * 2
    assert {s.reason for s in board.states().values()} == {Reason.CAMERA_OFFLINE}
    assert notes.ups == [False]


def test_board_never_guesses_what_is_unsupported(
    board: Board, notes: Notes, frame: MakeFrame
) -> None:
    answer(board, frame(), math.nan, 0.9)

    state = board.states()["person"]
    assert (state.verdict, state.reason, state.p_yes) == (
        Verdict.UNKNOWN,
        Reason.UNSUPPORTED,
        None,
    )
    assert [e.question for e in notes.events] == ["car"]
    assert list(board.overdue()) == []  # no time brings an answer to it


def test_board_of_a_live_camera_says_nothing_by_an_answer_that_comes_too_late(
    notes: Notes, frame: MakeFrame
) -> None:
    board = Board(camera("rtsp://camera/1"), ORIGIN, [notes])
    answer(board, frame(pts_s=-11.0), 0.9, 0.1)  # decoded so long ago
    assert notes.events == []
    answer(board, frame(), 0.9, 0.1)

    assert [e.verdict for e in notes.events] == [Verdict.YES, Verdict.NO]


def see(board: Board, frame: Any, picture: Any, *p_yes: float) -> None:
    board.look(frame, picture)
    answer(board, frame, *p_yes)


def test_an_answer_of_a_file_that_shows_nothing_any_more_grows_too_old(
    board: Board, notes: Notes, frame: MakeFrame
) -> None:
    see(board, frame(pts_s=0.0), lined(BLUE), 0.9, 0.1)
    see(board, frame(pts_s=1.0), np.zeros((36, 64, 3), np.uint8), 0.1, 0.1)
    assert [e.verdict for e in notes.events] == [Verdict.YES, Verdict.NO]
    board = Board(camera(blind_after="60s"), ORIGIN, [notes])
    see(board, frame(pts_s=0.0), lined(BLUE), 0.9, 0.1)
    see(board, frame(pts_s=11.0), np.zeros((36, 64, 3), np.uint8), 0.1, 0.1)

    assert {s.reason for s in board.states().values()} == {Reason.STALE}


def test_a_board_tells_which_questions_were_answered(board: Board, frame: MakeFrame) -> None:
    nothing = np.zeros((2, 2, 2), np.float32)
    assert board.judged(frame(), np.array([0.9, math.nan], np.float32), nothing) == [True, False]
    board.pause("person", paused=True)

    assert board.judged(frame(), np.array([0.9, 0.9], np.float32), nothing) == [False, True]


def test_a_board_whose_place_another_takes_is_silent(
    board: Board, notes: Notes, frame: MakeFrame
) -> None:
    answer(board, frame(pts_s=0.0), 0.9, 0.9)
    n_states = len(notes.states)
    board.retire()
    answer(board, frame(pts_s=1.0), 0.1, 0.1)
    board.lose(Reason.CAMERA_OFFLINE)

    assert (len(notes.events), len(notes.states)) == (2, n_states)


def test_a_paused_question_keeps_no_picture(board: Board, frame: MakeFrame) -> None:
    last = frame()
    picture = weakref.ref(last.picture._rgb)
    answer(board, last, 0.9, 0.9)
    board.pause("person", paused=True)
    del last

    assert picture() is None


def test_board_of_a_covered_camera_knows_nothing_until_it_sees_again(
    board: Board, notes: Notes, frame: MakeFrame
) -> None:
    black, lines = np.zeros((72, 128, 3), np.uint8), lined(BLUE, GREY)
    for s in range(8):
        see(board, frame(pts_s=s, index=s), lines if s == 0 else black, 0.9, math.nan)
    assert board.blindness is Blindness.BLIND
    assert board.states()["person"].reason is Reason.CAMERA_BLIND
    assert board.states()["car"].reason is Reason.UNSUPPORTED
    see(board, frame(pts_s=8.0, index=8), lines, 0.9, math.nan)

    said = [(e.verdict, e.reason, e.pts_s) for e in notes.events]
    assert said == [
        (Verdict.YES, None, 0.0),
        (Verdict.UNKNOWN, Reason.CAMERA_BLIND, 7.0),  # black from 1 s on, blind_after 5 s
        (Verdict.YES, None, 8.0),
    ]
    assert board.blindness is None


def test_board_believes_no_answer_about_a_picture_that_shows_nothing(
    board: Board, notes: Notes, frame: MakeFrame
) -> None:
    see(board, frame(pts_s=0.0), lined(BLUE, GREY), 0.9, 0.9)
    see(board, frame(pts_s=1.0), np.zeros((72, 128, 3), np.uint8), 0.1, 0.1)

    assert [e.verdict for e in notes.events] == [Verdict.YES] * 2
    assert board.states()["person"].verdict is Verdict.YES


def test_board_counts_no_answer_of_a_blind_camera_as_fresh(frame: MakeFrame) -> None:
    board = Board(camera(), ORIGIN, [])
    see(board, frame(pts_s=0.0), lined(BLUE, GREY), 0.9, 0.9)
    before_s = board.age_s("person")
    for s in (10.0, 20.0, 30.0):
        see(board, frame(pts_s=s), np.zeros((72, 128, 3), np.uint8), 0.9, 0.9)

    assert board.age_s("person") >= before_s


@pytest.mark.parametrize(
    ("source", "found"), [("rtsp://camera/1", Blindness.FROZEN), ("clip.mp4", None)]
)
def test_board_of_a_live_camera_alone_minds_a_picture_that_never_changes(
    frame: MakeFrame, source: str, found: Blindness | None
) -> None:
    board, still = Board(camera(source), ORIGIN, []), lined(BLUE, GREY)
    for s in range(0, 70, 5):
        see(board, frame(pts_s=float(s)), still, 0.9, 0.9)

    assert board.blindness is found


def test_board_of_pictures_minds_no_blank_one(frame: MakeFrame) -> None:
    board = Board(camera("pictures/"), ORIGIN, [])
    for s in range(30):
        see(board, frame(pts_s=float(s)), np.zeros((72, 128, 3), np.uint8), 0.9, 0.9)

    assert board.blindness is None


def test_board_pauses_one_question_and_goes_on(
    board: Board, notes: Notes, frame: MakeFrame
) -> None:
    answer(board, frame(pts_s=0.0), 0.9, 0.9)
    board.pause("person", paused=True)
    answer(board, frame(pts_s=1.0), 0.9, 0.1)

    assert board.states()["person"].reason is Reason.PAUSED
    assert board.states()["car"].verdict is Verdict.NO
    board.pause("person", paused=False)
    answer(board, frame(pts_s=2.0), 0.9, 0.1)
    assert board.states()["person"].verdict is Verdict.YES


def test_board_ends_what_a_killed_daemon_left_open_and_numbers_on(
    notes: Notes, frame: MakeFrame
) -> None:
    since = datetime.now(timezone.utc) - timedelta(hours=1)
    left = {
        "person": Said(41, Verdict.YES, None, "old", "old", since),
        "car": Said(7, Verdict.UNKNOWN, Reason.CAMERA_OFFLINE, None, "x", since),
    }
    board = Board(camera(), ORIGIN, [notes], left.get)
    board.begin()

    (event,) = notes.events
    assert (event.question, event.seq, event.episode) == ("person", 42, "old")
    assert (event.verdict, event.previous, event.reason) == (
        Verdict.UNKNOWN,
        Verdict.YES,
        Reason.STARTING,
    )
    assert event.duration_s == pytest.approx(3600, abs=60)
    answer(board, frame(), 0.9, 0.9)
    assert [(e.question, e.seq) for e in notes.events[1:]] == [("person", 43), ("car", 8)]


def test_board_goes_on_pausing_what_was_paused_in_an_earlier_life(
    notes: Notes, frame: MakeFrame
) -> None:
    since = datetime.now(timezone.utc)
    left = {
        "person": Said(41, Verdict.UNKNOWN, Reason.PAUSED, None, "old", since),
        "car": Said(0, Verdict.UNKNOWN, Reason.PAUSED, None, "", since),
    }
    board = Board(camera(), ORIGIN, [notes], left.get)
    board.begin()
    answer(board, frame(), 0.9, 0.9)

    assert {s.reason for s in board.states().values()} == {Reason.PAUSED}
    assert board.states()["car"].event_id is None
    assert (notes.events, list(board.overdue())) == ([], [])
    board.pause("person", paused=False)
    answer(board, frame(), 0.9, 0.9)
    assert [(e.question, e.seq, e.verdict) for e in notes.events] == [("person", 42, Verdict.YES)]


def test_board_age_is_unknown_before_the_first_answer(board: Board, frame: MakeFrame) -> None:
    assert math.isnan(board.age_s("car"))
    assert list(board.overdue()) == ["person", "car"]


def test_board_begins_by_telling_every_state(board: Board, notes: Notes) -> None:
    board.begin()

    assert [(q, s.verdict, s.reason) for q, s in notes.states] == [
        ("person", Verdict.UNKNOWN, Reason.STARTING),
        ("car", Verdict.UNKNOWN, Reason.STARTING),
    ]


def test_board_says_at_once_that_no_frames_arrive_yet(board: Board, notes: Notes) -> None:
    board.begin()

    assert notes.ups == [False]


def test_board_asked_for_what_it_does_already_says_nothing(
    board: Board, notes: Notes, frame: MakeFrame
) -> None:
    answer(board, frame(pts_s=1.0), 0.9, 0.9)
    n_events = len(notes.events)
    board.pause("person", paused=False)

    assert len(notes.events) == n_events


def test_board_of_a_file_counts_a_pause_in_stream_time(
    board: Board, notes: Notes, frame: MakeFrame
) -> None:
    answer(board, frame(pts_s=1.0), 0.9, 0.9)
    board.pause("person", paused=True)
    answer(board, frame(pts_s=8.0), 0.9, 0.9)
    board.pause("person", paused=False)
    answer(board, frame(pts_s=9.0), 0.9, 0.9)

    (last,) = [event for event in notes.events if event.question == "person"][-1:]
    assert (last.verdict, last.previous) == (Verdict.YES, Verdict.UNKNOWN)
    assert last.duration_s == pytest.approx(8.0)
