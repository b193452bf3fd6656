from __future__ import annotations

import pytest

from edge_daemon.pipeline.pulse import LeftBehindError, Pulse


def test_pulse_that_keeps_its_promise_is_not_given_up() -> None:
    pulse = Pulse("part")
    pulse.expect(60.0)

    assert not pulse.overdue()
    assert not pulse.give_up()
    pulse.rest()


def test_pulse_at_rest_owes_nothing_and_is_not_given_up() -> None:
    pulse = Pulse("part")
    pulse.expect(-1.0)
    pulse.rest()

    assert not pulse.give_up()
    pulse.expect(60.0)


@pytest.mark.parametrize("sign", ["expect", "rest"])
def test_pulse_given_up_tells_its_thread_at_the_next_sign_of_life(sign: str) -> None:
    pulse = Pulse("part")
    pulse.expect(-1.0)

    assert pulse.give_up()
    assert not pulse.overdue()  # nobody waits for it any more
    with pytest.raises(LeftBehindError):
        pulse.expect(1.0) if sign == "expect" else pulse.rest()


def test_pulse_can_be_given_up_before_it_is_overdue() -> None:
    pulse = Pulse("part")

    assert pulse.give_up(at_once=True)
    with pytest.raises(LeftBehindError):
        pulse.rest()
