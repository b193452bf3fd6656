from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from itertools import count
from random import Random
from threading import Event as Flag
from threading import Thread
from typing import Any

import pytest
from typing_extensions import Self

from edge_daemon.config.load import parse_settings
from edge_daemon.errors import SourceUnavailableError
from edge_daemon.logs import FaultLog
from edge_daemon.metrics import Metrics
from edge_daemon.pipeline.board import Board
from edge_daemon.pipeline.camera import Camera
from edge_daemon.pipeline.mailbox import Mailboxes
from edge_daemon.pipeline.pulse import Pulse
from edge_daemon.retry import Retry
from edge_daemon.types import Frame, Reason
from tests.stuck_source import Driver, StuckSource, red_frames
from tests.unit.pipeline.test_board import ORIGIN, Notes

log = logging.getLogger(__name__)


def settings_of(source: str = "rtsp://camera/1", **more: Any) -> Any:
    questions = [{"id": "red", "ask": "Is it red?"}]
    camera = {"id": "gate", "source": source, "sample": {"every": 1}, **more}
    cameras = [{**camera, "questions": questions}]
    return parse_settings({"version": 1, "cameras": cameras}, where="test").cameras[0]


class CountedRetry(Retry):
    """Counts how often it began anew."""

    n_resets = -1  # it begins with one

    def reset(self) -> None:
        super().reset()
        self.n_resets += 1


class Brief:
    """A source that gives two frames and hangs up."""

    live = True

    def __init__(self, camera: str) -> None:
        self.camera = camera

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def __iter__(self) -> Iterator[Frame]:
        yield from red_frames(self.camera, 2)
        raise SourceUnavailableError("closed by the camera", where=f"camera {self.camera}")


class Stage:
    """A camera with everything around it, and the threads that run it."""

    def __init__(
        self,
        driver: Driver,
        source: str = "rtsp://camera/1",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.driver, self.notes, self.metrics = driver, Notes(), Metrics()
        self.mailboxes = Mailboxes(on_drop=lambda _: None)
        self.mailboxes.open("gate", 10.0)
        settings = settings_of(source)
        self.board = Board(settings, ORIGIN, [self.notes])
        self.threads: list[Thread] = []
        self.answered: list[Frame] = []
        self.model = Thread(target=self.answer)
        self.retry = CountedRetry(0.01, 0.02, rng=Random(0))
        self.camera = Camera(
            settings,
            open_source=driver,
            retry=self.retry,
            mailboxes=self.mailboxes,
            board=self.board,
            recorder=None,
            metrics=self.metrics,
            faults=FaultLog(log),
            pulse=Pulse("gate"),
            patience_s=0.05,
            clock=clock,
        )

    def run(self) -> Thread:
        self.threads.append(Thread(target=self.camera.run, daemon=True))
        self.threads[-1].start()
        return self.threads[-1]

    def answer(self) -> None:
        """Take what comes, as the inference thread does."""
        while frames := self.mailboxes.take(1):
            self.answered += frames
            self.mailboxes.done(frames)

    def wait(self, met: Callable[[], Any]) -> None:
        until_s = time.monotonic() + 10
        while not met():
            assert time.monotonic() < until_s
            time.sleep(0.002)

    def count(self, name: str) -> float:
        return self.metrics.registry.get_sample_value(name, {"camera": "gate"}) or 0.0

    def end(self) -> None:
        self.camera.stop()
        self.driver.let_all_go()
        self.mailboxes.close()
        for thread in self.threads:
            thread.join(10)
        if self.model.is_alive():
            self.model.join(10)


@pytest.fixture
def new_stage() -> Iterator[Callable[..., Stage]]:
    stages: list[Stage] = []

    def new(
        how: Callable[[int, str, Flag], Any],
        source: str = "rtsp://camera/1",
        *,
        with_model: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> Stage:
        stages.append(Stage(Driver(how), source, clock))
        if with_model:
            stages[-1].model.start()
        return stages[-1]

    yield new
    for stage in stages:
        stage.end()


def stuck_first(n: int, camera: str, stop: Flag) -> StuckSource:
    """The first source hangs at once, the next one after two frames."""
    return StuckSource(camera, red_frames(camera, 2 if n else 0), stop=stop)


def test_camera_that_hangs_in_native_code_is_noticed_left_behind_and_replaced(
    new_stage: Callable[..., Stage], caplog: pytest.LogCaptureFixture
) -> None:
    stage = new_stage(stuck_first)
    stage.run()
    stage.wait(stage.camera.hangs)
    stage.camera.renew(Pulse("gate"))
    stage.run()
    stage.wait(lambda: stage.answered)

    assert stage.threads[0].is_alive()
    assert stage.count("edge_stalls_total") == 1
    assert "camera gate: hangs in native code, its thread is left behind -- " in caplog.text


def test_camera_left_behind_says_unknown_while_it_hangs(new_stage: Callable[..., Stage]) -> None:
    stage = new_stage(lambda n, camera, stop: StuckSource(camera, red_frames(camera, 1 - n)))
    stage.run()
    stage.wait(stage.camera.hangs)
    stage.camera.renew(Pulse("gate"))
    stage.run()
    stage.wait(lambda: stage.notes.ups == [True, False])

    assert stage.board.states()["red"].reason is Reason.CAMERA_OFFLINE
    assert not stage.camera.up


@pytest.mark.parametrize("hangs_in", ["open", "read", "close"])
def test_late_frames_of_a_thread_left_behind_reach_nobody(
    new_stage: Callable[..., Stage], hangs_in: str
) -> None:
    def how(n: int, camera: str, stop: Flag) -> StuckSource:
        frames = red_frames(camera, 0 if hangs_in == "open" else 1)
        return StuckSource(camera, frames, stop=stop, hangs_in="read" if n else hangs_in)

    stage = new_stage(how)
    first = stage.run()
    stage.wait(stage.camera.hangs)
    stage.camera.renew(Pulse("gate"))
    stage.run()
    stage.wait(lambda: len(stage.driver.opened) == 2)
    stage.driver.opened[1].is_stuck.wait(10)
    ups, n_frames = list(stage.notes.ups), stage.camera.n_frames
    stage.driver.opened[0].let_go()
    first.join(10)

    assert not first.is_alive()
    assert stage.driver.opened[0].is_closed.is_set()
    assert (stage.notes.ups, stage.camera.n_frames) == (ups, n_frames)
    assert stage.driver.opened[0].stop.is_set()
    assert not stage.camera.finished


def test_camera_that_waits_for_the_model_does_not_hang(new_stage: Callable[..., Stage]) -> None:
    """A file waits for its turn, however long the others take."""
    stage = new_stage(
        lambda n, camera, stop: StuckSource(camera, red_frames(camera, 2), live=False),
        "clip.mp4",
        with_model=False,
    )
    stage.run()
    stage.wait(lambda: stage.camera.n_frames == 2)  # the second waits for its place
    twice_the_patience_s = time.monotonic() + 0.1
    stage.wait(lambda: time.monotonic() > twice_the_patience_s)

    assert not stage.camera.hangs()


def test_file_that_hangs_is_given_up_and_said_why(new_stage: Callable[..., Stage]) -> None:
    stage = new_stage(lambda n, camera, stop: StuckSource(camera, live=False), "clip.mp4")
    stage.run()
    stage.wait(stage.camera.hangs)
    stage.camera.renew(Pulse("gate"))
    stage.run().join(10)

    assert stage.camera.finished
    assert "hangs in native code" in str(stage.camera.failed)
    assert len(stage.driver.opened) == 1


def test_camera_that_is_left_for_good_says_so(new_stage: Callable[..., Stage]) -> None:
    stage = new_stage(lambda n, camera, stop: StuckSource(camera, red_frames(camera)))
    thread = stage.run()
    stage.wait(lambda: stage.driver.opened and stage.driver.opened[0].is_stuck.is_set())
    stage.camera.stop()
    stage.camera.leave()
    stage.driver.let_all_go()
    thread.join(10)

    assert stage.notes.ups == [True, False]
    assert stage.camera.n_frames == 1
    assert "hangs in native code" in stage.camera.why_down()


def test_camera_is_tried_again_for_as_long_as_it_is_away(new_stage: Callable[..., Stage]) -> None:
    def away(n: int, camera: str, stop: Flag) -> StuckSource:
        if n < 20:
            raise SourceUnavailableError("no answer", where=camera)
        return StuckSource(camera, red_frames(camera))

    stage = new_stage(away)
    stage.run()
    stage.wait(lambda: stage.camera.up)

    assert stage.driver.n_calls == 21
    assert stage.count("edge_reconnects_total") == 20


@pytest.mark.parametrize(("turn_s", "n_resets"), [(0.1, 0), (11.0, 5)])
def test_camera_is_asked_soon_again_only_if_its_frames_kept_coming(
    new_stage: Callable[..., Stage], turn_s: float, n_resets: int
) -> None:
    """The clock is looked at when frames begin to arrive, and when they end."""
    ticks = count()

    def how(n: int, camera: str, stop: Flag) -> Any:
        return Brief(camera) if n < 5 else StuckSource(camera, red_frames(camera))

    stage = new_stage(how, clock=lambda: next(ticks) * turn_s)
    stage.run()
    stage.wait(lambda: stage.driver.n_calls == 6)

    assert stage.retry.n_resets == n_resets


def test_camera_that_sends_a_few_frames_and_hangs_up_is_told_twice_a_minute(
    new_stage: Callable[..., Stage], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    stage = new_stage(lambda n, camera, stop: Brief(camera))
    stage.run()
    stage.wait(lambda: stage.driver.n_calls > 20)

    told = [message for message in caplog.messages if "gate" in message]
    closed, again = "camera gate: closed by the camera", "camera gate: frames arrive again"
    assert told == [closed, again, closed]
