from __future__ import annotations

import json
import logging

import pytest

from edge_daemon.errors import SourceUnavailableError
from edge_daemon.logs import FaultLog, set_up_logging


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_fault_is_told_once_then_once_a_minute_with_its_count(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, fault = Clock(), SourceUnavailableError("away", where="gate")
    faults = FaultLog(logging.getLogger("t"), clock)
    for second in range(121):
        clock.now_s = float(second)
        faults.tell("gate", fault)

    assert caplog.messages == [
        "gate: away",
        "gate: away (again, 60 times in the last 60 s)",
        "gate: away (again, 60 times in the last 60 s)",
    ]


def test_fault_of_another_kind_is_told_at_once(caplog: pytest.LogCaptureFixture) -> None:
    faults = FaultLog(logging.getLogger("t"), Clock())
    faults.tell("gate", SourceUnavailableError("away", where="gate"))
    faults.tell("gate", SourceUnavailableError("refused", where="gate"))

    assert caplog.messages == ["gate: away", "gate: refused"]


def test_faults_that_take_turns_are_folded_each(caplog: pytest.LogCaptureFixture) -> None:
    faults = FaultLog(logging.getLogger("t"), Clock())
    for n in range(100):
        faults.tell("gate", SourceUnavailableError(("away", "refused")[n % 2], where="gate"))

    assert caplog.messages == ["gate: away", "gate: refused"]


def test_faults_that_never_repeat_are_counted_beyond_a_few_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    faults = FaultLog(logging.getLogger("t"), clock)
    for n in range(100):
        faults.tell("gate", SourceUnavailableError(f"away {n}", where="gate"))
    clock.now_s = 61.0
    faults.tell("gate", SourceUnavailableError("refused", where="gate"))

    assert caplog.messages[:8] == [f"gate: away {n}" for n in range(8)]
    assert caplog.messages[8:] == ["gate: refused (and 92 others that were not told)"]


def test_fault_that_is_over_is_told_only_if_there_was_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    faults = FaultLog(logging.getLogger("t"), Clock())
    faults.over("gate", "well")
    faults.tell("gate", SourceUnavailableError("away", where="gate"))
    faults.over("gate", "well")

    assert caplog.messages == ["gate: away", "gate: well"]


@pytest.mark.parametrize("form", ["text", "json", "journald"])
def test_log_line_has_the_form_asked_for(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = logging.getLogger().handlers[:]
    try:
        set_up_logging("info", form)
        logging.getLogger("edge").warning("disk %s", "full")
    finally:
        logging.captureWarnings(capture=False)
        logging.getLogger().handlers[:] = before
    line = capsys.readouterr().err

    if form == "json":
        assert json.loads(line)["message"] == "disk full"
    else:
        assert line.endswith("WARNING disk full\n" if form == "text" else "<4>disk full\n")
