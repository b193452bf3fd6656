from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_daemon.recording.captions import CaptionFile, CaptionTrack, escaped, timestamp

Cue = tuple[float, float, str]


def cues(path: Path) -> list[Cue]:
    """Read WebVTT as strictly as it is written."""
    header, *blocks = path.read_text("utf-8").split("\n\n")
    assert header == "WEBVTT"
    assert blocks[-1] == ""
    found = []
    for block in blocks[:-1]:
        times, _, text = block.partition("\n")
        match = re.fullmatch(r"(\d\d):(\d\d):(\d\d\.\d{3}) --> (\d\d):(\d\d):(\d\d\.\d{3})", times)
        assert match, times
        h, m, s, hh, mm, ss = map(float, match.groups())
        found.append((3600 * h + 60 * m + s, 3600 * hh + 60 * mm + ss, text))
    return found


@pytest.fixture
def file(tmp_path: Path) -> Iterator[CaptionFile]:
    opened = CaptionFile(tmp_path / "a.vtt")
    yield opened
    opened.close()


def test_captions_follow_what_is_said(file: CaptionFile) -> None:
    file.say("NO", 0.0)
    file.advance(2.0)
    file.say("YES\nNO", 3.25)
    file.advance(5.0)
    file.say("YES\nNO", 6.0)
    file.end(7.5)

    assert cues(file.path) == [(0, 3.25, "NO"), (3.25, 7.5, "YES\nNO")]


def test_captions_are_whole_after_every_step(file: CaptionFile) -> None:
    assert cues(file.path) == []
    for n in range(5):
        file.say(f"{n}", n)
        file.advance(n + 0.5)

        assert [text for _start, _end, text in cues(file.path)] == [str(k) for k in range(n + 1)]
        assert cues(file.path)[-1][1] == n + 0.5


def test_late_answer_moves_only_the_last_change(file: CaptionFile) -> None:
    file.say("NO", 0.0)
    file.end(10.0)
    file.say("YES", 9.2)

    assert cues(file.path) == [(0, 9.2, "NO"), (9.2, 10.0, "YES")]


def test_answer_from_before_a_cue_replaces_it(file: CaptionFile) -> None:
    file.say("NO", 0.0)
    file.advance(3.0)
    file.say("A longer one", 0.0)

    assert cues(file.path) == [(0, 3, "A longer one")]


def test_what_is_said_of_no_picture_leaves_no_cue(file: CaptionFile) -> None:
    file.say("NO", 0.0)
    file.say("UNKNOWN", 4.0)
    file.end(4.0)

    assert cues(file.path) == [(0, 4, "NO")]


def test_nothing_said_shows_nothing(file: CaptionFile) -> None:
    file.say("", 0.0)
    file.say("YES", 1.0)
    file.say("", 2.0)
    file.end(3.0)

    assert cues(file.path) == [(1, 2, "YES")]


@given(st.lists(st.tuples(st.floats(0, 50), st.sampled_from(["a", "b", "", "ccc"]), st.booleans())))
def test_captions_never_overlap(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[float, str, bool]]
) -> None:
    path = tmp_path_factory.mktemp("vtt") / "a.vtt"
    file = CaptionFile(path)
    for at_s, text, is_said in steps:
        if is_said:
            file.say(text, at_s)
        else:
            file.advance(at_s)
    found = cues(path)
    file.close()

    assert all(start < end for start, end, _text in found)
    assert all(a[1] <= b[0] for a, b in pairwise(found))


def track(*said: tuple[float, str], end_s: float) -> list[Cue]:
    told: list[Cue] = []
    captions = CaptionTrack(lambda text, start, end: told.append((start, end, text)))
    for at_s, text in said:
        captions.advance(at_s)
        captions.say(text, at_s)
    captions.end(end_s)
    return told


def test_track_tells_pieces_that_touch() -> None:
    assert track((0, "NO"), (2.5, "YES"), (3.0, "YES"), end_s=6.5) == [
        (0, 2, "NO"),
        (2, 2.5, "NO"),
        (2.5, 4.5, "YES"),
        (4.5, 6.5, "YES"),
    ]


def test_track_takes_an_answer_that_comes_a_little_late() -> None:
    told: list[Cue] = []
    captions = CaptionTrack(lambda text, start, end: told.append((start, end, text)))
    captions.say("NO", 0.0)
    captions.advance(5.9)
    captions.say("YES", 4.1)
    captions.end(6.0)

    assert told == [(0, 2, "NO"), (2, 4, "NO"), (4, 4.1, "NO"), (4.1, 6, "YES")]


def test_track_keeps_what_was_told() -> None:
    told: list[Cue] = []
    captions = CaptionTrack(lambda text, start, end: told.append((start, end, text)))
    captions.say("NO", 0.0)
    captions.advance(8.0)
    captions.say("YES", 1.0)
    captions.end(8.0)

    assert told == [(0, 2, "NO"), (2, 4, "NO"), (4, 6, "NO"), (6, 8, "YES")]


def test_questions_cannot_break_the_format() -> None:
    assert escaped("Is a --> b?\n\nWEBVTT <b>&") == "Is a --&gt; b? WEBVTT &lt;b&gt;&amp;"


def test_timestamps_have_one_length() -> None:
    assert [timestamp(s) for s in (0, 1.0004, 3599.9996, 359_999)] == [
        "00:00:00.000",
        "00:00:01.000",
        "01:00:00.000",
        "99:59:59.000",
    ]
