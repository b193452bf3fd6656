"""One question's verdict: two thresholds, a hold time, and UNKNOWN whenever it is not known."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from edge_daemon.types import Reason, Verdict


@dataclass(frozen=True, slots=True)
class Change:
    """A change of verdict at at_s; the one before had lasted duration_s."""

    verdict: Verdict
    previous: Verdict
    reason: Reason | None
    p_yes: float | None
    at_s: float
    duration_s: float


@dataclass(slots=True)
class Hysteresis:
    """p_yes in, changes of verdict out.

    A verdict is said when every answer for hold_s leant its way; between the thresholds the
    leaning stands, unless every answer for unsure_after_s fell there: that is UNKNOWN(low_margin),
    and a verdict afterwards needs its whole hold_s.  Without an answer for unknown_after_s it is
    UNKNOWN(stale), and an unsure answer after that has nothing to lean on.  Times are seconds of
    one clock that does not go backwards: stream time for files, else monotonic.
    """

    yes_above: float
    no_below: float
    hold_s: float
    unknown_after_s: float
    unsure_after_s: float | None = None
    said: Verdict = field(default=Verdict.UNKNOWN, init=False)
    reason: Reason | None = field(default=Reason.STARTING, init=False)
    p_yes: float | None = field(default=None, init=False)
    judged_s: float | None = field(default=None, init=False)
    since_s: float | None = field(default=None, init=False)
    _leaning: Verdict | None = field(default=None, init=False)
    _leaning_since_s: float = field(default=0.0, init=False)
    _unsure_since_s: float | None = field(default=None, init=False)

    def judge(self, p_yes: float, at_s: float) -> tuple[Change, ...]:
        """Take an answer; return the changes it brings, at most two: stale, then a verdict."""
        late, is_gap = self.expire(at_s), self._is_too_late(at_s)
        self.p_yes, self.judged_s = p_yes, at_s
        if self._too_long_unsure(p_yes, at_s):
            return (*late, *self.lose(Reason.LOW_MARGIN, at_s))
        leaning = self._lean(p_yes, None if is_gap else self._leaning)
        if leaning is not self._leaning:
            self._leaning, self._leaning_since_s = leaning, at_s
        if leaning is None:
            self.reason = Reason.LOW_MARGIN
        elif at_s - self._leaning_since_s >= self.hold_s:
            return (*late, *self._say(leaning, None, at_s))
        return late

    def expire(self, at_s: float) -> tuple[Change, ...]:
        """Say UNKNOWN(stale), dated when the last answer became too old, if it is by now."""
        if self.judged_s is None or self.said is Verdict.UNKNOWN or not self._is_too_late(at_s):
            return ()
        return self.lose(Reason.STALE, self.judged_s + self.unknown_after_s)

    def lose(self, reason: Reason, at_s: float) -> tuple[Change, ...]:
        """Say UNKNOWN at once; what was leant to so far no longer counts."""
        self._leaning = None
        return self._say(Verdict.UNKNOWN, reason, at_s)

    def _is_too_late(self, at_s: float) -> bool:
        return self.judged_s is not None and at_s > self.judged_s + self.unknown_after_s

    def _too_long_unsure(self, p_yes: float, at_s: float) -> bool:
        if not self.no_below < p_yes < self.yes_above:
            self._unsure_since_s = None
        elif self._unsure_since_s is None:
            self._unsure_since_s = at_s
        since_s, limit_s = self._unsure_since_s, self.unsure_after_s
        return since_s is not None and limit_s is not None and at_s - since_s >= limit_s

    def _lean(self, p_yes: float, before: Verdict | None) -> Verdict | None:
        if p_yes >= self.yes_above:
            return Verdict.YES
        if p_yes <= self.no_below:
            return Verdict.NO
        return before

    def _say(self, verdict: Verdict, reason: Reason | None, at_s: float) -> tuple[Change, ...]:
        self.reason = reason
        if self.since_s is None:
            self.since_s = at_s
        if verdict is self.said:
            return ()
        duration_s = max(0.0, at_s - self.since_s)
        change = Change(verdict, self.said, reason, self.p_yes, at_s, duration_s)
        self.said, self.since_s = verdict, at_s
        return (change,)


def first_verdict(p_yes: float, yes_above: float, no_below: float) -> tuple[Verdict, Reason | None]:
    """Return what one answer alone says, without history.  NaN: UNKNOWN(unsupported)."""
    if math.isnan(p_yes):
        return Verdict.UNKNOWN, Reason.UNSUPPORTED
    machine = Hysteresis(yes_above, no_below, hold_s=0.0, unknown_after_s=math.inf)
    machine.judge(p_yes, 0.0)
    return machine.said, machine.reason
