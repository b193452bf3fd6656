"""The demo as a newcomer sees it: no verdict on the shipped clip may be wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import av
import numpy as np
import pytest

from edge_daemon.cli.demo import CLIP
from edge_daemon.types import polygon_mask
from tests.e2e.daemon import edge_daemon

Row = dict[str, Any]
CROSSING = ((0.69, 0.62), (0.33, 0.91), (0.21, 0.68), (0.21, 0.55), (0.54, 0.39), (0.69, 0.5))
_INSIDE = polygon_mask(CROSSING, 100, 100)
SETTLED_S = 2.5  # hold 1 s, sampling 0.2 s, and things that enter or leave


def of_kind(kind: str) -> Callable[[Row], bool | None]:
    """YES from half of one visible, NO when none is; in between it is nobody's fault."""

    def truth(row: Row) -> bool | None:
        seen = [b["visible"] for b in row["boxes"] if b["kind"] == kind]
        return True if max(seen, default=0) >= 0.5 else None if seen else False

    return truth


def on_crossing(row: Row) -> bool | None:
    people = [b for b in row["boxes"] if b["kind"] == "person"]
    feet = [((b["x1"] + b["x2"]) / 2, b["y2"]) for b in people]
    middles = [((b["x1"] + b["x2"]) / 2, (b["y1"] + b["y2"]) / 2) for b in people]
    inside = [_INSIDE[min(int(y * 100), 99), min(int(x * 100), 99)] for x, y in (*feet, *middles)]
    return True if people and all(inside) else None if any(inside) else False


def is_red(row: Row) -> bool | None:
    return row["light"] == "red"


TRUTHS = {
    "pedestrian": of_kind("person"),
    "crossing": on_crossing,
    "car": of_kind("car"),
    "bus": of_kind("bus"),
    "red_light": is_red,
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Row], Path]:
    """The events of one run, and where its video is."""
    done = edge_daemon("demo", "--json", "--out", str(tmp_path_factory.mktemp("demo")))
    assert done.returncode == 0, done.stderr
    (link,) = (line for line in done.stderr.splitlines() if line.startswith("file://"))
    video = Path(unquote(urlsplit(link).path))
    return [json.loads(line) for line in done.stdout.splitlines()], video


@pytest.fixture(scope="module")
def truth() -> list[Row]:
    return [json.loads(line) for line in CLIP.with_suffix(".jsonl").read_text().splitlines()]


@pytest.mark.parametrize("question", TRUTHS)
def test_demo_says_nothing_wrong(
    question: str, demo: tuple[list[Row], Path], truth: list[Row]
) -> None:
    events = [e for e in demo[0] if e["question"] == question]
    says = [TRUTHS[question](row) for row in truth]
    at_s = np.array([row["pts_s"] for row in truth])
    wrong = []
    for n, t in enumerate(at_s):
        lately = {says[k] for k in np.flatnonzero((at_s >= t - SETTLED_S) & (at_s <= t))}
        if t < SETTLED_S or len(lately) > 1 or None in lately:
            continue
        said = [e["verdict"] for e in events if e["pts_s"] <= t and e["reason"] is None]
        wanted = "YES" if says[n] else "NO"
        if said[-1:] != [wanted]:
            wrong.append((float(t), wanted, said[-1:]))

    assert wrong == []
    assert len(events) >= 3  # it does change, and ends


def test_demo_leaves_a_video_that_plays(demo: tuple[list[Row], Path], truth: list[Row]) -> None:
    with av.open(str(demo[1])) as container:
        frames = sum(1 for _ in container.decode(video=0))

    assert frames == len(truth)


def test_demo_of_a_source_that_is_away_says_so_and_fails(tmp_path: Path) -> None:
    done = edge_daemon("demo", str(tmp_path / "none.mp4"), "--out", str(tmp_path))

    assert done.returncode == 69
    assert "none.mp4: no such file -- check the path" in done.stderr
    assert "Traceback" not in done.stderr


def test_demo_takes_a_source_and_questions(tmp_path: Path) -> None:
    done = edge_daemon("demo", str(CLIP), "-q", "Is there a bus?", "--out", str(tmp_path), "--json")

    assert done.returncode == 0, done.stderr
    assert {json.loads(line)["ask"] for line in done.stdout.splitlines()} == {"Is there a bus?"}
    assert len(list(tmp_path.glob("*.mp4"))) == 1


@pytest.mark.parametrize("out", ["file", "file/below"])
def test_demo_is_told_before_its_work_that_results_cannot_go_there(
    out: str, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    done = edge_daemon("demo", str(CLIP), "--out", str(tmp_path / out))

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"--out: {tmp_path / out}: ")
    assert done.stderr.endswith(" -- name a directory that can be written to\n")
