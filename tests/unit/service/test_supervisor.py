from __future__ import annotations

import time
from threading import Event as Flag
from threading import Thread

import pytest

from edge_daemon.service.supervisor import Supervisor, n_left_behind


def test_supervisor_tells_a_bug_in_a_thread(caplog: pytest.LogCaptureFixture) -> None:
    supervisor = Supervisor()
    supervisor.start("part", lambda: {}["no such key"])

    assert supervisor.join("part", 5)
    assert supervisor.has_bug
    assert "part: a bug" in caplog.text


def test_supervisor_waits_for_the_end_of_a_thread() -> None:
    go, supervisor = Flag(), Supervisor()
    supervisor.start("part", lambda: (go.wait(5), None)[1])

    assert not supervisor.join("part", 0.01)
    go.set()
    assert supervisor.join("part", 5)


def test_supervisor_notices_a_part_that_breaks_its_promise() -> None:
    supervisor = Supervisor()
    late, early, idle = (supervisor.pulse(name) for name in ("late", "early", "idle"))
    late.expect(-1.0)
    early.expect(60.0)
    idle.expect(-1.0)
    idle.rest()

    assert supervisor.hanging() == ["late"]


def test_supervisor_waits_for_many_no_longer_than_for_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    go, supervisor = Flag(), Supervisor()
    for n in range(8):
        supervisor.start(f"part{n}", lambda: (go.wait(20), None)[1])
    supervisor.start("ready", lambda: None)
    begun_s = time.monotonic()
    left = supervisor.join_all([*(f"part{n}" for n in range(8)), "ready", "unknown"], 0.2)
    took_s = time.monotonic() - begun_s
    go.set()

    assert left == [f"part{n}" for n in range(8)]
    assert took_s < 1.0
    assert "part7: does not end within 0.2 s, it is left behind" in caplog.text


def test_threads_of_a_camera_beyond_those_at_work_are_left_behind() -> None:
    go = Flag()
    names = ["camera x1", "camera x1", "source x1", "source x1", "source x1", "camera x11"]
    threads = [Thread(target=go.wait, name=name) for name in names]
    for thread in threads:
        thread.start()
    found = [n_left_behind(camera) for camera in ("x1", "x11", "x2")]
    go.set()
    for thread in threads:
        thread.join(5)

    assert found == [3, 0, 0]
    assert n_left_behind("x1") == 0
