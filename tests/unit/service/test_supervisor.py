from __future__ import annotations

from threading import Event as Flag

import pytest

from edge_daemon.service.supervisor import Supervisor


def test_supervisor_tells_a_bug_in_a_thread(caplog: pytest.LogCaptureFixture) -> None:
    told = Flag()
    supervisor = Supervisor(on_bug=told.set)
    supervisor.start("part", lambda: {}["no such key"])

    assert told.wait(5)
    assert "part: a bug" in caplog.text


def test_supervisor_waits_for_the_end_of_a_thread() -> None:
    go, supervisor = Flag(), Supervisor(on_bug=lambda: None)
    supervisor.start("part", lambda: (go.wait(5), None)[1])

    assert not supervisor.join("part", 0.01)
    go.set()
    assert supervisor.join("part", 5)


def test_supervisor_notices_a_part_that_breaks_its_promise() -> None:
    supervisor = Supervisor(on_bug=lambda: None)
    late, early, idle = (supervisor.pulse(name) for name in ("late", "early", "idle"))
    late.expect(-1.0)
    early.expect(60.0)
    idle.expect(-1.0)
    idle.rest()

    assert supervisor.hanging() == ["late"]
