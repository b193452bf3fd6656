from __future__ import annotations

import json
import logging
import os
import subprocess
import sys

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


def flap(faults: FaultLog, clock: Clock, seconds: range) -> None:
    """Fail and be well again each second."""
    for second in seconds:
        clock.now_s = second + 0.0
        faults.tell("gate", SourceUnavailableError("away", where="gate"))
        clock.now_s = second + 0.5
        faults.over("gate", "well")


def test_part_that_fails_and_is_well_in_turns_costs_two_lines_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    clock = Clock()
    flap(FaultLog(logging.getLogger("t"), clock), clock, range(121))

    assert caplog.messages == [
        "gate: away",
        "gate: well",
        "gate: away",
        "gate: well",
        "gate: away (again, 60 times in the last 60 s)",
        "gate: well",
    ]


def test_faults_of_a_part_that_was_well_in_between_are_counted_when_it_fails_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    faults = FaultLog(logging.getLogger("t"), clock)
    flap(faults, clock, range(3))
    clock.now_s = 600.0
    faults.tell("gate", SourceUnavailableError("away", where="gate"))

    again = "gate: away (again, 2 times in the last 599 s)"
    assert caplog.messages == ["gate: away", "gate: away", again]


def test_fault_that_comes_back_and_stays_is_the_last_word(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    clock = Clock()
    faults = FaultLog(logging.getLogger("t"), clock)
    for second, is_away in ((0.0, True), (10.0, False), (40.0, True)):
        clock.now_s = second
        if is_away:
            faults.tell("gate", SourceUnavailableError("away", where="gate"))
        else:
            faults.over("gate", "well")

    assert caplog.messages[-1] == "gate: away"


def test_fault_that_comes_back_once_in_a_while_is_told_like_a_new_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    clock = Clock()
    flap(FaultLog(logging.getLogger("t"), clock), clock, range(0, 400, 100))

    assert caplog.messages == ["gate: away", "gate: well"] * 4


def test_part_that_fails_twice_in_a_minute_is_told_to_be_well_when_that_has_lasted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    clock = Clock()
    faults = FaultLog(logging.getLogger("t"), clock)
    flap(faults, clock, range(1))
    faults.tell("gate", SourceUnavailableError("refused", where="gate"))
    for second in range(1, 100):
        clock.now_s = float(second)
        faults.over("gate", "well")

    assert caplog.messages == ["gate: away", "gate: well", "gate: refused", "gate: well"]


def test_faults_of_a_flapping_part_that_never_repeat_take_no_more_room(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    faults = FaultLog(logging.getLogger("t"), clock)
    for n in range(10_000):
        clock.now_s = n / 10
        faults.tell("gate", SourceUnavailableError(f"away {n}", where="gate"))
        faults.over("gate", "well")

    assert len(caplog.messages) <= 8 * 17
    assert all(len(part.told) <= 8 for part in faults._parts.values())


SAY = """
import logging
from edge_daemon.logs import set_up_logging
set_up_logging("info", "auto")
logging.warning("disk full")
"""


@pytest.mark.parametrize(("is_the_journals", "begin"), [(True, "<4>"), (False, "{")])
def test_a_log_is_the_journals_where_it_goes_there(is_the_journals: bool, begin: str) -> None:
    """What runs below a service inherits the variable, wherever its output goes."""
    read, write = os.pipe()
    with os.fdopen(read) as told, os.fdopen(write, "w") as out:
        found = os.fstat(write)
        stream = f"{found.st_dev}:{found.st_ino + (not is_the_journals)}"
        environ = {**os.environ, "JOURNAL_STREAM": stream}
        subprocess.run([sys.executable, "-c", SAY], env=environ, stderr=out, check=True)
        out.close()
        line = told.read()

    assert line.startswith(begin)


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
