"""edge-daemon engine and bench, as they are called."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest

from edge_daemon.engine.open import BACKENDS
from edge_daemon.engine.quantize import AGREEMENT
from tests.data.tiny_bundle import edit_manifest, stripes, write_tiny_bundle
from tests.data.tiny_single import write_tiny_single
from tests.e2e.daemon import edge_daemon


@pytest.fixture
def painted_files(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for n, picture in enumerate(stripes(24, 3)):
        cv2.imwrite(str(folder / f"{n:02}.png"), picture[..., ::-1])
    return folder


def test_quantize_on_the_command_line_reads_pictures_and_tells_what_came_out(
    tiny_bundle: Path, painted_files: Path, tmp_path: Path
) -> None:
    out = tmp_path / "made"
    done = edge_daemon(
        "engine", "quantize", str(tiny_bundle), "--pictures", str(painted_files),
        "--out", str(out), "--float-first", "0", "--float-last", "0", "-q", "Is it yellow?",
    )  # fmt: skip
    report = json.loads((out / AGREEMENT).read_text())

    assert done.returncode == 0, done.stderr
    assert "int8 agrees with fp32 in" in done.stdout
    assert {"question": "Is it yellow?", "zone": None} in report["questions"]
    assert report["calibration"]["frames"] == 12


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (["--max-difference", "0"], 69, "more than 0 -- calibrate on more frames"),
        (["-q", "Is it a zebra?"], 2, "the bundle never learned: zebra"),
        (["--pictures", "rtsp://127.0.0.1:1/x"], 69, "127.0.0.1"),
        (["--replay-on", "3"], 2, "3 to replay -- give more: 8 of each at least"),
    ],
)
def test_quantize_says_what_is_wrong_in_one_line(
    more: list[str], code: int, said: str, tiny_bundle: Path, painted_files: Path, tmp_path: Path
) -> None:
    out = tmp_path / "made"
    done = edge_daemon(
        "engine", "quantize", str(tiny_bundle), "--pictures", str(painted_files),
        "--out", str(out), "--float-first", "0", "--float-last", "0", *more,
    )  # fmt: skip

    assert done.returncode == code
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not out.exists()


def test_inspect_tells_what_a_bundle_is(tiny_bundle: Path) -> None:
    done = edge_daemon("engine", "inspect", str(tiny_bundle), "--json")
    found = json.loads(done.stdout)

    assert done.returncode == 0, done.stderr
    assert (found["name"], found["version"], found["words"]) == ("tiny", "0.1.0", 17)
    assert found["input"] == {"width": 128, "height": 72, "fit": "stretch"}
    assert found["graphs"]["fp32"]["image"]["operators"]["Conv"] == 1
    assert found["agreement"] is None


def test_inspect_shows_a_table_of_graphs_and_their_largest_tensors() -> None:
    done = edge_daemon("engine", "inspect", "street")

    assert done.returncode == 0, done.stderr
    assert "concepts: person, cyclist" in done.stdout
    assert "blocks.16.project.weight" in done.stdout


def test_inspect_takes_several_bundles_and_tells_what_auto_takes_here(
    tiny_bundle: Path, tmp_path: Path
) -> None:
    other = write_tiny_single(tmp_path / "single")
    done = edge_daemon("engine", "inspect", str(tiny_bundle), str(other), "--json")
    grounded, single = map(json.loads, done.stdout.splitlines())

    assert done.returncode == 0, done.stderr
    assert (grounded["kind"], single["kind"]) == ("grounded", "single")
    assert single["grid"] is None
    assert list(single["graphs"]["fp32"]) == ["model"]
    assert grounded["graphs"]["fp32"]["question"]["bytes_by_type"]["float32"] > 0
    assert grounded["auto"]["backend"] in BACKENDS
    assert grounded["auto"]["precision"] in (None, "fp32", "fp16")  # it has no int8
    assert grounded["auto"]["why"].startswith("auto")


def test_verify_compares_every_backend_here_on_frames_too(
    tiny_bundle: Path, painted_files: Path
) -> None:
    done = edge_daemon(
        "engine", "verify", str(tiny_bundle), "--backend", "all", "--json",
        "--pictures", str(painted_files), "--frames", "10",
    )  # fmt: skip
    found = [json.loads(line) for line in done.stdout.splitlines()]

    assert done.returncode == 0, done.stderr
    assert "onnxruntime" in {row["engine"]["backend"] for row in found}
    assert all(row["ok"] and row["compared"]["frames"] == 10 for row in found)
    assert all(row["compared"]["difference_max"] < 1e-4 for row in found)
    assert all(line.startswith("skipped: engine backend ") for line in done.stderr.splitlines())


def test_verify_repeats_the_golden_answers(tiny_bundle: Path) -> None:
    done = edge_daemon("engine", "verify", str(tiny_bundle), "--json")
    found = json.loads(done.stdout)

    assert done.returncode == 0, done.stderr
    assert found["ok"] is True
    assert [row["ok"] for row in found["goldens"]] == [True, True, True]
    assert found["engine"]["precision"] == "fp32"


def test_verify_names_the_worst_answer_where_one_differs(tmp_path: Path) -> None:
    bundle = write_tiny_bundle(tmp_path / "tiny")
    edit_manifest(bundle, temperature=4.0)
    done = edge_daemon("engine", "verify", str(bundle))

    assert done.returncode == 69
    assert "golden answers are beyond 0.01, the worst" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_verify_says_when_there_is_nothing_to_verify(tmp_path: Path) -> None:
    done = edge_daemon(
        "engine", "verify", str(write_tiny_bundle(tmp_path / "bare", with_goldens=False))
    )

    assert done.returncode == 69
    assert "has no golden answers -- use one that has them" in done.stderr


def test_bench_engine_times_every_precision_by_batch_and_by_questions(tmp_path: Path) -> None:
    bundle = write_tiny_bundle(tmp_path / "tiny", precisions=("fp32", "int8"))
    out = tmp_path / "bench.json"
    done = edge_daemon("bench", "engine", str(bundle), "--runs", "5", "--json", str(out))
    found = json.loads(out.read_text())

    assert done.returncode == 0, done.stderr
    assert "a whole frame, by questions" in done.stdout
    assert {(row["precision"], row["batch"]) for row in found["look"]} == {
        (precision, batch) for precision in ("fp32", "int8") for batch in (1, 2, 4, 8, 16, 32)
    }
    assert [row["questions"] for row in found["frame"]] == [1, 1, 4, 4, 16, 16, 64, 64]
    assert all(row["busy_ms"] > 0 for row in found["look"])
    assert all(row["p50_ms"] <= row["p95_ms"] <= row["p99_ms"] for row in found["look"])
    assert [row["precision"] for row in found["memory"]] == ["fp32", "int8"]
