"""The shipped clip: its truth is that of DEMO_SCENE, and it is worth watching."""

from __future__ import annotations

import json
from itertools import groupby

import pytest

from edge_daemon.scenes import DEMO_SCENE
from edge_daemon.scenes.options import parse_scene
from edge_daemon.scenes.street import Street
from tests.conftest import REPO

DEMO = REPO / "edge_daemon" / "demo"


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    return [json.loads(line) for line in (DEMO / "street.jsonl").read_text().splitlines()]


def seen(row: dict, kind: str) -> bool:
    return any(box["kind"] == kind and box["visible"] > 0.3 for box in row["boxes"])


def test_truth_has_a_row_for_each_frame(rows: list[dict]) -> None:
    options = parse_scene(DEMO_SCENE)

    assert [row["frame"] for row in rows] == list(range(options.n_frames))
    assert rows[-1]["pts_s"] == pytest.approx((options.n_frames - 1) / options.fps)


def test_truth_is_that_of_the_scene(rows: list[dict]) -> None:
    street = Street(parse_scene(DEMO_SCENE))
    for index in range(0, len(rows), 60):
        truth = street.frame(index)[1]

        assert truth.light == rows[index]["light"]
        assert sorted(box.kind for box in truth.boxes) == sorted(
            box["kind"] for box in rows[index]["boxes"]
        )


@pytest.mark.parametrize("kind", ["person", "car", "bus"])
def test_each_kind_comes_and_goes(rows: list[dict], kind: str) -> None:
    stretches = [(yes, len(list(run))) for yes, run in groupby(seen(row, kind) for row in rows)]
    lasting = [yes for yes, frames in stretches if frames >= 15]

    assert lasting.count(True) >= 2
    assert lasting.count(False) >= 2


def test_the_light_changes(rows: list[dict]) -> None:
    lamps = [lamp for lamp, _ in groupby(row["light"] for row in rows)]

    assert lamps == ["red", "green", "yellow", "red", "green", "yellow", "red"]
