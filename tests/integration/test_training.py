"""A bundle from nothing: a few steps of training, export, and an engine that opens the result."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import tarfile
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from edge_daemon.engine.anatomy import dissect
from edge_daemon.engine.bundle import load_bundle
from edge_daemon.engine.goldens import verify_goldens
from edge_daemon.engine.open import open_backend
from edge_daemon.errors import BundleError
from edge_daemon.training.__main__ import main
from edge_daemon.training.pack import pack
from edge_daemon.training.pictures import open_pictures
from edge_daemon.training.settings import Settings
from tests.conftest import missing
from tests.data.tiny_bundle import edit_manifest

if TYPE_CHECKING:
    from pathlib import Path

try:
    import torch
    from safetensors.torch import save_file

    from edge_daemon.training.batches import Batches
    from edge_daemon.training.data import open_material
    from edge_daemon.training.export import load_network
    from edge_daemon.training.loop import build_network, in_order
    from edge_daemon.training.network import ImageEncoder
    from edge_daemon.training.warm_start import start_from
except ModuleNotFoundError:
    torch = None

pytestmark = pytest.mark.train


@pytest.fixture(autouse=True, scope="module")
def _torch() -> None:
    if torch is None:
        missing("no torch: pip install 'edge-daemon[train]'", "REQUIRE_TORCH")


SETTINGS = """\
seed: 3
workers: 0
threads: 1
checkpoint_every: 2
data: {{root: {root}, cache: {cache}, rendered_share: 0.0}}
model: {{width: 64, height: 64, dim: 72, question_width: 16, question_layers: 1}}
optim: {{steps: 4, batch: 2, questions: 6, reading_steps: 3, warm_up: 1}}
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight small pictures, their labels and starting weights; the cache comes beside them."""
    folder = tmp_path_factory.mktemp("training")
    root = folder / "data"
    (root / "init").mkdir(parents=True)
    rng = np.random.default_rng(0)
    rows = []
    with tarfile.open(root / "pictures-00.tar", "w") as archive:
        for n in range(8):
            key = f"highway_5cls/{n:02d}"
            pixels = rng.integers(0, 255, (64, 64, 3), np.uint8)
            encoded = cv2.imencode(".png", pixels)[1].tobytes()
            member = tarfile.TarInfo(f"{key}.png")
            member.size = len(encoded)
            archive.addfile(member, io.BytesIO(encoded))
            human = [[0.2, 0.2, 0.7, 0.9, ("person", "car")[n % 2]]]
            split = "val" if n > 5 else "train"
            rows.append(
                {
                    "key": key, "dataset": "highway_5cls", "licence": "CC BY 4.0", "split": split,
                    "scene": [], "human": human, "detector": [], "brightness": 90.0,
                    "shard": "pictures-00.tar",
                }
            )  # fmt: skip
    with gzip.open(root / "labels.jsonl.gz", "wt") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in rows)
    _write_starting_weights(root / "init" / "mobilenet_v2_1.0_224.safetensors")
    return folder


@pytest.fixture
def settings_file(data: Path, tmp_path: Path) -> Path:
    """Settings of a run of four steps."""
    path = tmp_path / "settings.yaml"
    path.write_text(SETTINGS.format(root=data / "data", cache=data / "cache"))
    return path


@pytest.fixture(scope="module")
def made_once(data: Path) -> Path:
    """A folder in which such a run was trained and exported."""
    path = data / "settings.yaml"
    path.write_text(SETTINGS.format(root=data / "data", cache=data / "cache"))
    assert _run("train", path, data) == 0
    assert _run("export", path, data) == 0
    return data


@pytest.fixture
def made(made_once: Path, tmp_path: Path) -> Path:
    """The test's own copy of run and bundle."""
    for name in ("run", "tiny"):
        shutil.copytree(made_once / name, tmp_path / name)
    return tmp_path


def _write_starting_weights(path: Path) -> None:
    """Random weights under the names of the MobileNetV2 file."""
    encoder = ImageEncoder(72)
    stages = [encoder.stem, *encoder.blocks]
    tensors = {}
    for n, stage in enumerate(stages):
        convolutions = [m for m in stage.modules() if isinstance(m, torch.nn.Conv2d)]
        for k, convolution in enumerate(convolutions):
            name = f"f.{n}.c" if n == 0 else f"f.{n}.b.{k}.c"
            tensors[f"{name}.weight"] = convolution.weight.detach().half()
            tensors[f"{name}.bias"] = convolution.bias.detach().half()
    save_file(tensors, path)


def _run(step: str, settings: Path, folder: Path, *more: str, run: str = "run") -> int:
    places = ["--run", str(folder / run), "--bundle", str(folder / "tiny")]
    return main([step, "--settings", str(settings), *places, *more])


def test_training_goes_on_where_it_stopped(settings_file: Path, made: Path) -> None:
    assert _run("train", settings_file, made, "--steps", "6") == 0

    state = torch.load(made / "run" / "checkpoint.pt", weights_only=True)
    assert state["step"] == 6


def test_a_run_in_pieces_ends_as_one_in_one_go(settings_file: Path, tmp_path: Path) -> None:
    assert _run("train", settings_file, tmp_path, "--steps", "5", run="whole") == 0
    for _ in range(4):  # each stops after one step, for lack of time
        assert _run("train", settings_file, tmp_path, "--steps", "5", "--minutes", "0") == 0
    with (tmp_path / "run" / "curves.jsonl").open("a") as curves:
        curves.write('{"step": 5}\n')  # as a run does that is killed before its checkpoint
    assert _run("train", settings_file, tmp_path, "--steps", "5", "--minutes", "9") == 0
    states = [torch.load(tmp_path / run / "checkpoint.pt") for run in ("whole", "run")]
    lines = (tmp_path / "run" / "curves.jsonl").read_text().splitlines()

    assert [json.loads(line)["step"] for line in lines] == [1, 2, 3, 4, 5]
    assert "loss" in json.loads(lines[4])
    for name in ("network", "average"):
        for key, value in states[0][name].items():
            assert torch.equal(value, states[1][name][key]), key
    first, second = (state["optimiser"]["state"] for state in states)
    assert all(torch.equal(first[n]["exp_avg"], second[n]["exp_avg"]) for n in first)


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # more workers than cores
def test_batches_are_the_same_whoever_makes_them(settings_file: Path) -> None:
    settings = Settings.read(settings_file)
    material = open_material(settings)
    batches = Batches(
        settings, material.train, material.pictures, material.cutouts, material.tokenizer
    )
    loader = in_order(batches, range(1, 4), workers=2)
    made = [(batch.plans[0].views, batch.ids.tolist()) for batch in loader]

    assert [ids for _, ids in made] == [batches[n].ids.tolist() for n in range(1, 4)]
    assert made[1][0][0].window == batches[2].plans[0].views[0].window


def test_workers_are_no_copies_of_the_process_that_trains() -> None:
    """A fork of one with native threads may hang, or crash, in a lock that nobody gives back."""
    parents = list(in_order(_Parents(), range(2), workers=1))

    assert len(parents) == 2
    assert os.getpid() not in parents


class _Parents:
    """In place of batches: who started the process that makes them."""

    def __getitem__(self, number: int) -> int:
        return os.getppid()

    def __len__(self) -> int:
        return 2


def test_an_exported_bundle_opens_and_repeats_its_goldens(made: Path) -> None:
    bundle = load_bundle(made / "tiny")
    engine = open_backend("onnxruntime", bundle, "fp32", 1)
    results = verify_goldens(engine, bundle)
    engine.close()
    graph = dissect(bundle.graph("fp32", "answer"), where="answer")

    assert graph.metadata["graph"] == "answer"
    assert graph.metadata["bundle"] == "tiny"
    assert "Softplus" not in graph.operators
    assert "head.middle.weight.T" in {tensor.name for tensor in graph.tensors}
    assert results
    assert [r for r in results if not r.ok] == []
    assert bundle.drift() is not None


def test_an_exported_bundle_keeps_the_words_of_its_checkpoint(
    settings_file: Path, made: Path
) -> None:
    path = made / "run" / "checkpoint.pt"
    state = torch.load(path, weights_only=True)
    at = state["vocab"].index("sidewalk")
    state["vocab"][at] = "pavements"  # as if the grammar had changed since
    torch.save(state, path)
    assert _run("export", settings_file, made) == 0
    tokenizer = load_bundle(made / "tiny").tokenizer

    assert tokenizer.vocab == state["vocab"]
    assert "sidewalk" not in tokenizer.known_words
    assert not tokenizer.supports("Is there a car on the sidewalk?")


def test_drift_is_measured_anew_for_a_bundle_that_has_none(settings_file: Path, made: Path) -> None:
    before = (made / "tiny" / "manifest.yaml").read_text()
    edit_manifest(made / "tiny", drift=None)
    assert _run("drift", settings_file, made) == 0

    assert (made / "tiny" / "manifest.yaml").read_text() == before


def test_a_bundle_gives_back_the_weights_it_was_exported_from(
    settings_file: Path, made: Path
) -> None:
    settings, tokenizer = Settings.read(settings_file), load_bundle(made / "tiny").tokenizer
    trained = load_network(settings, made / "run" / "checkpoint.pt", tokenizer).state_dict()
    fresh = build_network(settings, len(tokenizer.vocab), tokenizer.max_length)
    new_words = start_from(fresh, made / "tiny", tokenizer.vocab)

    assert not new_words.any()
    for name, value in fresh.state_dict().items():
        if not name.startswith("meaning."):
            assert torch.equal(value, trained[name]), name


def test_a_run_starts_from_the_mean_of_others(
    settings_file: Path, made: Path, tmp_path: Path
) -> None:
    settings, tokenizer = Settings.read(settings_file), load_bundle(made / "tiny").tokenizer
    first, second = made / "run" / "checkpoint.pt", tmp_path / "checkpoint.pt"
    state = torch.load(first, weights_only=True)
    torch.save({**state, "average": {k: 3 * v for k, v in state["average"].items()}}, second)
    fresh = build_network(settings, len(tokenizer.vocab), tokenizer.max_length)
    start_from(fresh, (first, second), tokenizer.vocab)

    for name, value in fresh.state_dict().items():
        torch.testing.assert_close(value, 2 * state["average"][name])
    torch.save({**state, "vocab": state["vocab"][:-1]}, second)
    with pytest.raises(BundleError, match="not of the same words and sizes as"):
        start_from(fresh, (first, second), tokenizer.vocab)


def test_a_run_without_steps_teaches_reading_alone(settings_file: Path, made: Path) -> None:
    before = torch.load(made / "run" / "checkpoint.pt", weights_only=True)["average"]
    text = settings_file.read_text().replace("steps: 4", f"start_from: {made / 'tiny'}, steps: 0")
    settings_file.write_text(text)
    assert _run("train", settings_file, made, run="reread") == 0
    state = torch.load(made / "reread" / "checkpoint.pt", weights_only=True)
    changed = {k.split(".")[0] for k, v in state["average"].items() if not v.equal(before[k])}

    assert state["step"] == 0
    assert changed == {"question", "meaning"}


def test_packed_data_are_read_like_the_whole(data: Path, tmp_path: Path) -> None:
    packed = tmp_path / "packed"
    paths = pack(data / "data", packed, 60_000)
    archives = sorted(packed.glob("pictures-*.tar"))
    whole = open_pictures(tmp_path / "whole.u8", [data / "data" / "pictures-00.tar"])
    parts = open_pictures(tmp_path / "parts.u8", archives)

    assert set(archives) < set(paths)
    assert len(archives) > 1
    assert all(path.stat().st_size <= 60_000 for path in archives)
    assert all(
        (whole[f"highway_5cls/{n:02d}"] == parts[f"highway_5cls/{n:02d}"]).all() for n in range(8)
    )


def test_settings_of_a_gpu_replace_those_of_a_cpu(settings_file: Path) -> None:
    text = settings_file.read_text() + "cuda: {steps: 9, batch: 4}\n"
    settings_file.write_text(text.replace("workers: 0\n", ""))
    settings = Settings.read(settings_file)

    assert settings.on("cpu").optim.batch == 2
    assert settings.on("cpu").workers == 1
    assert settings.on("cuda").optim.batch == 4
    assert settings.on("cuda", steps=7).optim.steps == 7


def test_settings_name_the_key_that_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("data: {root: a, cache: b}\noptim: {steps: -1}\n")

    assert _run("train", bad, tmp_path) == 78
    assert "optim.steps" in capsys.readouterr().err
