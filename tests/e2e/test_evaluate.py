from __future__ import annotations

import json
import resource
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import cv2
import pytest

from tests.conftest import missing
from tests.data.colours import BLUE, RED
from tests.data.tiny_bundle import painted
from tests.e2e.daemon import edge_daemon


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    for name, colour in (("red", RED), ("blue", BLUE)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), painted(colour)[..., ::-1])
    found = [
        {"image": "red.png", "question": "Is it red?", "answer": "YES", "note": "kept"},
        {"image": "blue.png", "question": "Is it red?", "answer": False},
        {"image": "red.png", "question": "Is it blue?", "answer": True},  # wrong label
        {"image": "blue.png", "question": "Is there an elephant?", "answer": False},
    ]
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(map(json.dumps, found)))
    return file


def test_evaluate_tells_figures_and_predictions(rows: Path, tiny_bundle: Path) -> None:
    out = rows.with_name("out.jsonl")
    done = edge_daemon(
        "evaluate", str(rows), "--bundle", str(tiny_bundle), "--json", "--predictions", str(out)
    )
    figures = json.loads(done.stdout)
    predicted = [json.loads(line) for line in out.read_text().splitlines()]

    assert done.returncode == 0, done.stderr
    assert figures["questions"]["Is it red?"]["accuracy"] == 1.0
    assert figures["questions"]["Is it red?"]["auroc"] == 1.0
    assert figures["questions"]["Is it blue?"]["accuracy"] == 0.0
    assert figures["questions"]["Is there an elephant?"]["auroc"] is None
    assert figures["all"]["abstained"] == pytest.approx(0.25)
    assert {(p["question"], p["verdict"], p["reason"]) for p in predicted} == {
        ("Is it red?", "YES", None),
        ("Is it red?", "NO", None),
        ("Is it blue?", "NO", None),
        ("Is there an elephant?", "UNKNOWN", "unsupported"),
    }
    assert predicted[0]["note"] == "kept"


@pytest.fixture
def plot(tmp_path: Path) -> Path:
    """Where one may be drawn to."""
    if find_spec("matplotlib") is None:
        missing("no matplotlib: pip install 'edge-daemon[plot]'", "REQUIRE_PLOT")
    return tmp_path / "reliability.png"


def test_evaluate_tells_figures_by_family_and_condition(
    plot: Path, rows: Path, tiny_bundle: Path
) -> None:
    found = [json.loads(line) for line in rows.read_text().splitlines()]
    kinds = [("colour", "day"), ("colour", "night"), ("colour", "night"), ("other", None)]
    for row, (family, condition) in zip(found, kinds):
        row.update({"family": family} | ({"condition": condition} if condition else {}))
    rows.write_text("\n".join(map(json.dumps, found)))
    told = edge_daemon(
        "evaluate", str(rows), "--bundle", str(tiny_bundle), "--json", "--plot", str(plot)
    )
    table = edge_daemon("evaluate", str(rows), "--bundle", str(tiny_bundle)).stdout
    figures, drawn = json.loads(told.stdout), cv2.imread(str(plot))

    assert told.returncode == 0, told.stderr
    assert {name: f["rows"] for name, f in figures["families"].items()} == {"colour": 3, "other": 1}
    assert figures["conditions"]["day"]["accuracy"] == 1.0
    assert figures["conditions"]["night"]["accuracy"] == 0.5
    assert all(name in table for name in ("colour", "night", "all"))

    assert drawn is not None
    assert drawn.std() > 5


def test_evaluate_tells_where_a_plot_cannot_be_written(
    plot: Path, rows: Path, tiny_bundle: Path
) -> None:
    out = plot.with_name("nowhere") / plot.name
    done = edge_daemon("evaluate", str(rows), "--bundle", str(tiny_bundle), "--plot", str(out))

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith("name a .png you may write")


@pytest.mark.parametrize("name", ["none/out.jsonl", "", "rows.jsonl/out.jsonl"])
def test_evaluate_is_told_before_its_work_where_predictions_cannot_go(
    name: str, rows: Path, tmp_path: Path
) -> None:
    out = tmp_path / name
    done = edge_daemon("evaluate", str(rows), "--bundle", "none", "--predictions", str(out))

    assert done.returncode == 2
    assert done.stderr.startswith(f"{out}: ")
    assert done.stderr.endswith(" -- name a file that you may write\n")


def test_evaluate_tells_its_figures_though_the_disk_is_full(rows: Path, tiny_bundle: Path) -> None:
    args = ["evaluate", str(rows), "--bundle", str(tiny_bundle), "--json", "--predictions"]
    done = edge_daemon(*args, "/dev/full")

    assert done.returncode == 69
    assert json.loads(done.stdout)["all"]["rows"] == 4
    hint = "free some space, or name another file"
    assert done.stderr == f"/dev/full: No space left on device -- {hint}\n"


def test_evaluate_writes_predictions_into_a_pipe(rows: Path, tiny_bundle: Path) -> None:
    args = ["evaluate", str(rows), "--bundle", str(tiny_bundle), "--json"]
    done = edge_daemon(*args, "--predictions", "/dev/stdout")

    assert done.returncode == 0, done.stderr
    assert sum('"p_yes"' in line for line in done.stdout.splitlines()) == 4


def test_evaluate_leaves_no_predictions_half_written(
    rows: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("of last time\n")
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (64, 64))
    args = ["evaluate", str(rows), "--bundle", str(tiny_bundle), "--predictions", str(out)]
    done = edge_daemon(*args, preexec_fn=limit)

    assert done.returncode == 69
    assert done.stderr.startswith(f"{out}: File too large -- ")
    assert out.read_text() == "of last time\n"
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds no rows"),
        ("{", ":1: is not such a row"),
        ('{"image": "a", "question": "b"}', ":1: is not such a row"),
        ('{"image": "a", "question": "b", "answer": "maybe"}', ":1: answer must be YES or NO"),
        (
            '{"image": "a", "question": "b", "answer": true, "family": 3}',
            ":1: family must be text",
        ),
    ],
)
def test_evaluate_tells_the_line_that_is_wrong(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(text)
    done = edge_daemon("evaluate", str(file))

    assert done.returncode == 2
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
