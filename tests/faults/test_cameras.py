"""Cameras that are killed, hang, fall silent or lose their cable, beside one that is well."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import missing
from tests.e2e.daemon import Subscriber
from tests.faults.cameras import STALL_AFTER_S, tell


def test_cameras_that_fail_are_unknown_in_time_and_answer_again(
    tmp_path: Path, make_config: Callable[..., dict[str, Any]], subscriber: Subscriber
) -> None:
    story = tell(tmp_path, make_config, subscriber, away_s=4.0)

    assert {"killed", "stopped", "silent"} <= set(story.reasons)
    assert set(story.reasons.values()) == {"camera_offline"}
    assert max(story.unknown_after_s.values()) < STALL_AFTER_S + 1.0, story.unknown_after_s
    assert max(story.answers_after_s.values()) < 5.0, story.answers_after_s
    assert all(
        "connected, but no picture for 2 s" in story.healths[n] for n in ("silent", "stopped")
    )
    assert (story.other_events, story.other_age_s < STALL_AFTER_S) == ([], True)
    assert story.frozen[:4] == [
        ("YES", None),
        ("UNKNOWN", "camera_blind"),
        ("NO", None),
        ("UNKNOWN", "camera_blind"),
    ]
    assert all(n_frames > 20 and n_counted > 0 for n_frames, n_counted in story.torn), story.torn
    assert "Traceback" not in story.log
    if "pulled" not in story.reasons:
        missing("may not make a network namespace to pull a cable in", "REQUIRE_NETNS")
