from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_daemon.types import Reason, Verdict
from edge_daemon.verdicts.episodes import Episodes
from edge_daemon.verdicts.hysteresis import Hysteresis

YES, NO, UNKNOWN = Verdict.YES, Verdict.NO, Verdict.UNKNOWN


def question(hold_s: float = 2.0, unknown_after_s: float = 10.0) -> Hysteresis:
    return Hysteresis(0.7, 0.4, hold_s, unknown_after_s)


def feed(machine: Hysteresis, *answers: tuple[float, float]) -> list[Verdict]:
    return [change.verdict for at_s, p in answers for change in machine.judge(p, at_s)]


def test_verdict_starts_unknown_and_starting() -> None:
    machine = question()

    assert (machine.said, machine.reason) == (UNKNOWN, Reason.STARTING)


def test_verdict_is_said_only_after_hold() -> None:
    machine = question()

    assert feed(machine, (0.0, 0.9), (1.0, 0.9)) == []
    assert feed(machine, (2.0, 0.9)) == [YES]


def test_verdict_flicker_shorter_than_hold_is_not_said() -> None:
    machine = question()
    feed(machine, (0.0, 0.1), (2.0, 0.1))

    assert feed(machine, (3.0, 0.9), (4.0, 0.1), (5.0, 0.9), (6.0, 0.1)) == []
    assert machine.said is NO


def test_verdict_between_thresholds_keeps_its_leaning() -> None:
    machine = question(hold_s=0.0)
    feed(machine, (0.0, 0.9))

    assert feed(machine, (1.0, 0.5), (2.0, 0.41)) == []
    assert feed(machine, (3.0, 0.4)) == [NO]


def test_verdict_never_clear_is_unknown_for_low_margin() -> None:
    machine = question()

    assert feed(machine, (0.0, 0.5), (5.0, 0.5)) == []
    assert (machine.said, machine.reason) == (UNKNOWN, Reason.LOW_MARGIN)


def test_verdict_is_not_said_on_an_unsure_answer_after_its_limit() -> None:
    machine = question(hold_s=2.0, unknown_after_s=10.0)
    feed(machine, (0.0, 0.9))

    assert feed(machine, (60.0, 0.5), (63.0, 0.5)) == []
    assert (machine.said, machine.reason) == (UNKNOWN, Reason.LOW_MARGIN)


def test_verdict_is_said_though_answers_come_less_often_than_its_limit() -> None:
    machine = question(hold_s=1.0, unknown_after_s=10.0)

    assert feed(machine, (0.0, 0.9), (20.0, 0.9), (40.0, 0.9)) == [YES, UNKNOWN]


def test_verdict_without_answers_expires_at_its_limit() -> None:
    machine = question(hold_s=0.0)
    feed(machine, (0.0, 0.9))

    assert machine.expire(10.0) == ()
    (change,) = machine.expire(10.5)
    assert (change.verdict, change.reason, change.at_s) == (UNKNOWN, Reason.STALE, 10.0)
    assert machine.expire(11.0) == ()


def test_verdict_after_a_gap_is_stale_before_it_is_anything_else() -> None:
    machine = question(hold_s=0.0)
    feed(machine, (0.0, 0.9))

    assert feed(machine, (60.0, 0.1)) == [UNKNOWN, NO]


def test_verdict_hold_does_not_bridge_a_gap() -> None:
    machine = question(hold_s=2.0, unknown_after_s=5.0)
    feed(machine, (0.0, 0.9), (2.0, 0.9))

    assert feed(machine, (20.0, 0.9)) == [UNKNOWN]
    assert feed(machine, (22.0, 0.9)) == [YES]


@pytest.mark.parametrize("reason", list(Reason))
def test_verdict_lost_is_unknown_at_once_with_its_reason(reason: Reason) -> None:
    machine = question(hold_s=0.0)
    feed(machine, (0.0, 0.9))
    (change,) = machine.lose(reason, 1.0)

    assert (change.verdict, change.previous, change.reason) == (UNKNOWN, YES, reason)
    assert change.duration_s == 1.0
    assert machine.lose(reason, 2.0) == ()


STEP = st.tuples(
    st.sampled_from(["judge", "expire", "lose"]),
    st.floats(0, 1),
    st.floats(0, 30),
    st.sampled_from(list(Reason)),
)


@given(st.lists(STEP, max_size=60), st.floats(0, 5), st.floats(0.1, 20))
def test_verdict_laws_hold_for_any_history(
    steps: list[tuple[str, float, float, Reason]], hold_s: float, unknown_after_s: float
) -> None:
    machine, episodes = Hysteresis(0.7, 0.4, hold_s, unknown_after_s), Episodes()
    at_s, last, dated, seqs = 0.0, UNKNOWN, 0.0, []
    for kind, p, wait_s, reason in steps:
        at_s += wait_s
        if kind == "judge":
            changes = machine.judge(p, at_s)
        else:
            changes = machine.expire(at_s) if kind == "expire" else machine.lose(reason, at_s)
        for change in changes:
            assert change.previous is last
            assert change.verdict is not last
            assert (change.reason is None) == (change.verdict is not UNKNOWN)
            assert change.duration_s >= 0
            assert dated <= change.at_s <= at_s
            last, dated = change.verdict, change.at_s
            seqs.append(episodes.add(str(len(seqs)), change.verdict).seq)
        fresh = machine.judged_s is not None and at_s - machine.judged_s <= unknown_after_s
        if kind in ("judge", "expire") and not fresh:
            assert machine.said is UNKNOWN
    assert machine.said is last
    assert seqs == list(range(1, len(seqs) + 1))


def test_episode_runs_from_yes_to_the_verdict_that_ends_it() -> None:
    episodes = Episodes()
    verdicts = [NO, YES, UNKNOWN, NO, YES, NO]

    places = [episodes.add(f"e{n}", verdict) for n, verdict in enumerate(verdicts)]

    assert [p.episode for p in places] == [None, "e1", "e1", None, "e4", "e4"]
    assert [p.seq for p in places] == [1, 2, 3, 4, 5, 6]


def unsure(after_s: float | None, hold_s: float = 0.0) -> Hysteresis:
    return Hysteresis(0.7, 0.4, hold_s, unknown_after_s=10.0, unsure_after_s=after_s)


def test_verdict_long_between_thresholds_becomes_unknown_where_asked_for() -> None:
    machine = unsure(3.0)
    feed(machine, (0.0, 0.9), (1.0, 0.5), (3.0, 0.6))
    kept = machine.said
    (change,) = machine.judge(0.5, 4.0)

    assert kept is YES
    assert (change.verdict, change.previous, change.reason) == (UNKNOWN, YES, Reason.LOW_MARGIN)
    assert (change.at_s, change.duration_s, change.p_yes) == (4.0, 4.0, 0.5)
    assert feed(machine, (5.0, 0.5), (20.0, 0.5)) == []


@pytest.mark.parametrize("clear", [0.7, 0.4])
def test_verdict_unsure_time_starts_over_with_every_clear_answer(clear: float) -> None:
    machine = unsure(3.0, hold_s=100.0)
    machine.said = YES

    assert feed(machine, (0.0, 0.5), (2.0, 0.5), (2.5, clear), (3.0, 0.5), (5.9, 0.5)) == []
    assert feed(machine, (6.0, 0.5)) == [UNKNOWN]


def test_verdict_after_low_margin_needs_its_whole_hold() -> None:
    machine = unsure(2.0, hold_s=2.0)
    feed(machine, (0.0, 0.9), (2.0, 0.9), (3.0, 0.5), (5.0, 0.5))

    assert feed(machine, (6.0, 0.9), (7.5, 0.9)) == []
    assert feed(machine, (8.0, 0.9)) == [YES]


def test_verdict_from_before_a_restart_does_not_outlive_unsure_answers() -> None:
    machine = unsure(3.0)
    machine.said = NO

    assert feed(machine, (0.0, 0.5), (2.0, 0.5)) == []
    assert feed(machine, (3.0, 0.5)) == [UNKNOWN]


@given(
    st.lists(st.tuples(st.floats(0.0, 5.0), st.floats(0.0, 1.0)), max_size=40),
    st.floats(0.0, 20.0),
)
def test_verdict_without_unsure_after_is_as_with_an_endless_one(
    steps: list[tuple[float, float]], hold_s: float
) -> None:
    off, endless = unsure(None, hold_s), unsure(1e9, hold_s)
    at_s = 0.0
    for wait_s, p_yes in steps:
        at_s += wait_s
        assert off.judge(p_yes, at_s) == endless.judge(p_yes, at_s)


@given(st.lists(st.floats(0.41, 0.69), min_size=8, max_size=8))
def test_verdict_is_never_kept_longer_than_asked_while_unsure(answers: list[float]) -> None:
    machine = unsure(3.0)
    machine.judge(0.9, 0.0)
    for second, p_yes in enumerate(answers, start=1):
        machine.judge(p_yes, float(second))

        assert (machine.said is UNKNOWN) == (second >= 4)
