"""More frames than the model can answer: every camera is served, and no answer grows old."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from typing_extensions import Self

from edge_daemon.config.load import parse_settings
from edge_daemon.config.models import EngineConfig
from edge_daemon.engine.base import Engine
from edge_daemon.engine.open import open_engine
from edge_daemon.service.commands import Command
from edge_daemon.service.daemon import Daemon
from edge_daemon.service.parts import Parts
from edge_daemon.sources.open import open_source
from edge_daemon.types import Frame
from tests.data.colours import RED, write_colours
from tests.processes import wait_until
from tests.unit.pipeline.test_board import Notes


class SlowEngine:
    """An engine on a machine that is too small."""

    def __init__(self, engine: Engine, picture_s: float) -> None:
        self._engine, self._picture_s = engine, picture_s
        self.info, self.input_size, self.grid = engine.info, engine.input_size, engine.grid
        self.batches: list[int] = []

    def look(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.batches.append(len(pictures))
        time.sleep(self._picture_s * len(pictures))
        return self._engine.look(pictures)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


class AsLive:
    """A file's frames as a camera sends them, whose late ones are dropped."""

    live = True

    def __init__(self, file: Any) -> None:
        self._file, self.camera = file, file.camera

    def __enter__(self) -> Self:
        self._file.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.__exit__(*exc)

    def __iter__(self) -> Iterator[Frame]:
        return iter(self._file)


class Crowd:
    """A daemon of eight files and four live cameras at 20 fps, on a slow engine."""

    def __init__(self, folder: Path, bundle: Path, picture_s: float, unknown_after: str) -> None:
        clip = str(write_colours(folder / "clip.mp4", [(RED, 20.0)], fps=20))
        asked = [{"id": "red", "ask": "Is it red?", "hold": None, "unknown_after": unknown_after}]
        paced = {"source": clip, "loop": True, "pace": "realtime"}
        plain = {"sample": {"every": 1}, "questions": asked}
        cameras = [{**plain, **paced, "id": f"file{n}"} for n in range(8)]
        self._file = parse_settings(self._data(folder, bundle, cameras[:1]), where="test").cameras[
            0
        ]
        cameras += [{**plain, "id": f"live{n}", "source": "rtsp://camera/1"} for n in range(4)]
        settings = parse_settings(self._data(folder, bundle, cameras), where="test")
        self.names = [camera["id"] for camera in cameras]
        self.engine = SlowEngine(
            open_engine(EngineConfig(bundle=str(bundle), threads=1)), picture_s
        )
        self.notes = Notes()
        self.daemon = Daemon(
            settings,
            where="test",
            reread=lambda: settings,
            listeners=[self.notes],
            parts=Parts(engine=self.engine, open_source=self.open),
        )
        self.thread = Thread(target=self.daemon.run)
        self.thread.start()

    def _data(self, folder: Path, bundle: Path, cameras: list[Any]) -> dict[str, Any]:
        engine = {"bundle": str(bundle)}
        data_dir = str(folder / "data")
        return {"version": 1, "data_dir": data_dir, "http": None, "engine": engine,
                "cameras": cameras}  # fmt: skip

    def open(self, settings: Any, stop: Flag, **counters: Any) -> Any:
        if settings.id.startswith("file"):
            return open_source(settings, stop, **counters)
        return AsLive(open_source(self._file.model_copy(update={"id": settings.id}), stop))

    def value(self, name: str, camera: str, **more: str) -> float:
        value = self.daemon.metrics.registry.get_sample_value
        return value(name, {"camera": camera, **more}) or 0.0

    def served(self) -> dict[str, float]:
        return {n: self.value("edge_judgements_total", n, question="red") for n in self.names}

    def ages_s(self) -> dict[str, float]:
        return {n: self.value("edge_answer_age_seconds", n, question="red") for n in self.names}

    def watch(self, turns: int) -> tuple[dict[str, float], dict[str, float]]:
        """Return how often each was served in so many turns each, and its greatest age."""
        wait_until(lambda: min(self.served().values()) >= 2, 60)
        before, oldest_s = self.served(), dict.fromkeys(self.names, 0.0)

        def watched() -> bool:
            for name, age_s in self.ages_s().items():
                oldest_s[name] = max(oldest_s[name], age_s)
            return min(self.served().values()) >= min(before.values()) + turns

        wait_until(watched, 60)
        return {name: n - before[name] for name, n in self.served().items()}, oldest_s

    def end(self) -> None:
        self.daemon.request(Command.STOP)
        self.thread.join(20)


@pytest.fixture
def new_crowd(tmp_path: Path, tiny_bundle: Path) -> Iterator[Callable[..., Crowd]]:
    started: list[Crowd] = []

    def new(picture_s: float, unknown_after: str = "5s") -> Crowd:
        started.append(Crowd(tmp_path, tiny_bundle, picture_s, unknown_after))
        return started[-1]

    yield new
    for crowd in started:
        crowd.end()


def test_every_camera_is_served_alike_though_all_want_four_times_what_there_is(
    new_crowd: Callable[..., Crowd],
) -> None:
    """240 frames a second are wanted, 66 can be had: 0.18 s a round."""
    crowd = new_crowd(picture_s=0.015)
    served, oldest_s = crowd.watch(turns=12)

    assert max(served.values()) <= 1.5 * min(served.values()), served
    assert max(oldest_s.values()) < 3.0, oldest_s  # five rounds, and a busy machine
    assert not any(math.isnan(age_s) for age_s in oldest_s.values())
    assert all(crowd.value("edge_frames_total", f"live{n}", outcome="dropped") for n in range(4))
    assert {e.verdict.value for e in crowd.notes.events} == {"YES"}


def test_batch_is_cut_where_answers_would_grow_old_in_it(new_crowd: Callable[..., Crowd]) -> None:
    """Eight pictures would take 1.6 s, and each answer be older than that when it comes."""
    crowd = new_crowd(picture_s=0.2, unknown_after="4s")
    wait_until(lambda: min(crowd.served().values()) >= 1, 60)

    assert max(crowd.engine.batches[1:]) <= 5, crowd.engine.batches
