"""Batches: as large as fits, pays, and ends in time."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_daemon.engine.runtime import GraphTooLargeError
from edge_daemon.pipeline.pace import Pace
from edge_daemon.types import EngineInfo

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Looker:
    """Takes a fixed time a run and one a picture, and has room for so many pictures."""

    input_size = (4, 2)
    info = EngineInfo("tiny", "0" * 64, "onnxruntime", "fp32")

    def __init__(self, *, run_s: float = 0.0, picture_s: float = 0.0, room: int = 1000) -> None:
        self._run_s, self._picture_s, self.room = run_s, picture_s, room
        self.sizes: list[int] = []

    def look(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.sizes.append(len(pictures))
        if len(pictures) > self.room:
            raise GraphTooLargeError("out of memory", where="image.onnx", hint="free memory")
        time.sleep(self._run_s + self._picture_s * len(pictures))
        return pictures.reshape(len(pictures), -1, 3).astype(np.float32)


def pictures(n: int) -> NDArray[np.uint8]:
    return np.random.default_rng(n).integers(0, 256, (n, 2, 4, 3), np.uint8)


def test_a_batch_grows_where_more_pictures_cost_no_more() -> None:
    pace, looker = Pace(8), Looker(run_s=0.005)

    pace.look(looker, pictures(2))

    assert pace.together == 8


def test_a_batch_stays_one_where_every_picture_costs_the_same() -> None:
    pace, looker = Pace(32), Looker(picture_s=0.004)
    seen = pictures(5)

    found = pace.look(looker, seen)

    assert pace.together == 1
    assert looker.sizes[-5:] == [1] * 5
    np.testing.assert_array_equal(found, seen.reshape(5, 8, 3))


def test_another_runtime_is_tried_anew() -> None:
    pace, looker = Pace(8), Looker(picture_s=0.004)
    pace.look(looker, pictures(2))
    assert pace.together == 1
    looker.info = replace(looker.info, backend="tensorrt")  # its plan is ready
    looker._run_s, looker._picture_s = 0.005, 0.0
    pace.look(looker, pictures(2))

    assert pace.together == 8


def test_one_camera_pays_for_no_trial() -> None:
    pace, looker = Pace(32), Looker()

    pace.look(looker, pictures(1))

    assert looker.sizes == [1]


def test_what_does_not_fit_is_halved_until_it_does_and_from_then_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    pace, looker = Pace(8), Looker(run_s=0.002)
    pace.look(looker, pictures(2))
    looker.room, seen = 3, pictures(8)

    found = pace.look(looker, seen)

    np.testing.assert_array_equal(found, seen.reshape(8, 8, 3))
    assert pace.together == 2
    assert "looking at 2 pictures at a time from now on" in caplog.messages[-1]


def test_one_picture_that_does_not_fit_is_a_fault() -> None:
    pace, looker = Pace(8), Looker(room=0)

    with pytest.raises(GraphTooLargeError):
        pace.look(looker, pictures(1))


def test_the_trial_ends_where_memory_ends() -> None:
    pace, looker = Pace(32), Looker(run_s=0.002, room=4)

    pace.look(looker, pictures(4))

    assert pace.together == 4
    assert max(looker.sizes) == 8


def test_a_turn_takes_a_second_at_most() -> None:
    pace = Pace(8)
    assert pace.fitting() == 8

    pace.learn(0.4)

    assert pace.fitting() == 2
