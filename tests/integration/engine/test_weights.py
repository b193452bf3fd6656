"""Files of torch in the place of a bundle's weights."""

from __future__ import annotations

import hashlib
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edge_daemon.config.models import EngineConfig
from edge_daemon.engine.bundle import load_bundle
from edge_daemon.engine.goldens import verify_goldens
from edge_daemon.engine.open import open_engine
from edge_daemon.errors import BundleError
from tests.data.tiny_bundle import p_yes_of, painted, word_table, write_tiny_bundle
from tests.data.tiny_single import write_tiny_single
from tests.e2e.daemon import edge_daemon
from tests.integration.engine.opened import BLUE, RED, need

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge_daemon.engine.base import Engine

State = dict[str, Any]


def opened(bundle: str | Path, weights: Path) -> Engine:
    return open_engine(EngineConfig(bundle=str(bundle), backend="torch", weights=weights))


@pytest.fixture(scope="module")
def state() -> State:
    """The state dict that street's graphs were exported from, by the names its network has."""
    need("torch")
    import onnx  # noqa: PLC0415  comes with torch's extra
    import torch  # noqa: PLC0415

    found, bundle = {}, load_bundle("street")
    for which in bundle.graph_names:
        graph = onnx.load_from_string(bundle.graph("fp32", which)).graph
        for held in graph.initializer:
            tensor = torch.from_numpy(np.array(onnx.numpy_helper.to_array(held)))
            name = held.name.removeprefix("head.")
            if name.startswith("onnx::Add"):
                name, tensor = "roles", tensor[0]
            if name.endswith(".T"):
                name, tensor = name[:-2], tensor.T.contiguous()
            if not name.startswith(("/", "onnx::")):
                found[f"{which}.{name}"] = tensor
    return found


def saved(state: object, path: Path) -> Path:
    import torch  # noqa: PLC0415
    from safetensors.torch import save_file  # noqa: PLC0415

    if path.suffix == ".safetensors":
        assert isinstance(state, dict)
        save_file(state, path)
    else:
        torch.save(state, path)
    return path


def test_a_checkpoints_weights_answer_as_the_bundle_does(state: State, tmp_path: Path) -> None:
    """Each form once: of torch.save within a checkpoint, and safetensors."""
    bundle = load_bundle("street")
    checkpoint = {"average": state, "vocab": ["is"], "step": 3}
    for path in (
        saved(checkpoint, tmp_path / "checkpoint.pt"),
        saved(state, tmp_path / "weights.safetensors"),
    ):
        engine = opened("street", path)

        assert max(r.difference for r in verify_goldens(engine, bundle)) < 1e-4
        assert engine.info.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        engine.close()


def test_other_weights_give_other_answers_also_once_questions_are_folded_in(
    state: State, tmp_path: Path
) -> None:
    other = {**state, "answer.logits.bias": state["answer.logits.bias"].flip(0) * 2}
    engine = opened("street", saved(other, tmp_path / "other.pt"))
    width, height = engine.input_size
    tokens = engine.look(np.full((1, height, width, 3), 90, np.uint8))
    questions = engine.prepare(["Is there a car?", "Is there a dog?"], [None, None])

    said = [engine.answer(tokens, questions).p_yes[0] for _ in range(18)]

    np.testing.assert_allclose(said[-1], said[0], atol=1e-6)
    assert max(r.difference for r in verify_goldens(engine, load_bundle("street"))) > 0.05


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda s: s.pop("image.stem.1.weight"),
         "has no stem.1.weight, the image graph has"),
        (lambda s: s.update({"image.stem.2.running_mean": s["image.stem.1.bias"]}),
         "has stem.2.running_mean, the image graph has not"),
        (lambda s: s.update({"image.out.bias": s["image.stem.1.bias"]}),
         "out.bias is (32,), in the graph it is (160,)"),
        (lambda s: [s.pop(name) for name in list(s) if name.startswith("question.")],
         "has no weights of the question graph (question.NAME)"),
    ],
)  # fmt: skip
def test_a_state_dict_of_another_model_is_refused(
    state: State, tmp_path: Path, change: Callable[[State], object], told: str
) -> None:
    changed = dict(state)
    change(changed)
    path = saved(changed, tmp_path / "other.pt")

    with pytest.raises(BundleError) as caught:
        opened("street", path)

    hint = "name a state dict or TorchScript file of the bundle's own model"
    assert str(caught.value) == f"{path}: {told} -- {hint}"


class Harm:
    """What a pickle may do: make a file."""

    def __init__(self, at: Path) -> None:
        self.at = at

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self.at).touch, (self.at,))


def test_nothing_but_tensors_is_unpickled(tmp_path: Path) -> None:
    need("torch")
    path = saved({"average": Harm(tmp_path / "harm")}, tmp_path / "harmful.pt")

    with pytest.raises(BundleError, match="is not a state dict: it holds more than tensors"):
        opened("street", path)

    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize(
    ("name", "raw", "told"),
    [
        ("weights.pt", b"junk", "is not a state dict: it holds more than tensors, or is damaged"),
        ("weights.pt", b"", "is not a state dict: it holds more than tensors, or is damaged"),
        ("weights.pt", b"PK junk", "is not a state dict: it holds more than tensors, or is"),
        ("weights.safetensors", b"junk", "is not a safetensors file"),
        ("absent.pt", None, "cannot be read (No such file or directory)"),
    ],
)
def test_a_file_that_is_none_is_told(
    tmp_path: Path, name: str, raw: bytes | None, told: str
) -> None:
    need("torch")
    if raw is not None:
        (tmp_path / name).write_bytes(raw)

    with pytest.raises(BundleError) as caught:
        opened("street", tmp_path / name)

    assert str(caught.value).startswith(f"{tmp_path / name}: {told}")


def grounded_program() -> Any:
    """The tiny bundle's formula for questions without "any", as a TorchScript module."""
    import torch  # noqa: PLC0415
    from torch import Tensor, nn  # noqa: PLC0415

    class Image(nn.Module):
        def forward(self, pixels: Tensor) -> Tensor:
            cells = nn.functional.avg_pool2d(pixels.permute(0, 3, 1, 2) / 255.0, 8)
            r, g, b = cells.flatten(2).unbind(1)  # (B, T) each
            light = 0.299 * r + 0.587 * g + 0.114 * b
            red, green = r - torch.maximum(g, b), g - torch.maximum(r, b)
            blue, yellow = b - torch.maximum(r, g), torch.minimum(r, g) - b
            return torch.stack([red, green, blue, yellow, light, torch.ones_like(r)], -1)

    class Question(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("table", torch.from_numpy(word_table()))

        def forward(self, ids: Tensor) -> Tensor:
            words = self.table[ids].sum(1)
            return torch.stack([words, torch.zeros_like(words)], 1)

    class Answer(nn.Module):
        def forward(self, tokens: Tensor, vectors: Tensor, mask: Tensor) -> dict[str, Tensor]:
            scores = (tokens @ vectors[:, 0].transpose(0, 1)).transpose(1, 2)  # (B, Q, T)
            logit = (scores * mask).sum(-1) / mask.sum(-1)
            logits = torch.stack([-logit / 2, logit / 2], -1)
            return {"evidence": torch.sigmoid(scores) * mask, "logits": logits}

    return torch.nn.ModuleDict({"image": Image(), "question": Question(), "answer": Answer()})


def single_program() -> Any:
    """The tiny single bundle's formula for "red" and "blue"."""
    import torch  # noqa: PLC0415
    from torch import Tensor, nn  # noqa: PLC0415

    class Single(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("table", torch.from_numpy(word_table()))

        def forward(self, pixel_values: Tensor, input_ids: Tensor, mask: Tensor) -> Tensor:
            r, g, b = (pixel_values.mean((2, 3)) / 2 + 0.5).unbind(1)
            zero, one = torch.zeros_like(r), torch.ones_like(r)
            red, blue = r - torch.maximum(g, b), b - torch.maximum(r, g)
            seen = torch.stack([red, zero, blue, zero, zero, one], 1)  # (B, 6)
            read = (self.table[input_ids] * mask[:, :, None]).sum(1)
            score = (seen * read).sum(1)
            return torch.stack([-score / 2, score / 2], 1)

    return Single()


def scripted(module: Any, path: Path) -> Path:
    import torch  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit is deprecated
        torch.jit.save(torch.jit.script(module), str(path))
    return path


@pytest.mark.parametrize("kind", ["grounded", "single"])
def test_a_torchscript_file_answers_in_place_of_the_graphs(tmp_path: Path, kind: str) -> None:
    need("torch")
    write, make = {
        "grounded": (write_tiny_bundle, grounded_program),
        "single": (write_tiny_single, single_program),
    }[kind]
    program = scripted(make(), tmp_path / "tiny.pt")
    engine = opened(write(tmp_path / "tiny"), program)
    questions = engine.prepare(["Is it red?", "Is it blue?"], [None, None])
    pictures = np.stack([painted(RED), painted(BLUE)])

    found = [engine.answer(engine.look(pictures), questions).p_yes for _ in range(20)]

    expected = [[p_yes_of(word, colour) for word in ("red", "blue")] for colour in (RED, BLUE)]
    for p_yes in found:
        np.testing.assert_allclose(p_yes, expected, atol=1e-4)
    assert engine.info.sha256 == hashlib.sha256(program.read_bytes()).hexdigest()


def test_a_program_without_the_parts_of_a_bundle_is_refused(tmp_path: Path) -> None:
    need("torch")
    program = scripted(single_program(), tmp_path / "single.pt")

    with pytest.raises(BundleError, match="has no module 'image' -- name a state dict or"):
        opened(write_tiny_bundle(tmp_path / "tiny"), program)


def test_the_command_line_takes_weights_for_torch_alone(tmp_path: Path) -> None:
    need("torch")
    bundle = write_tiny_single(tmp_path / "tiny")
    program = scripted(single_program(), tmp_path / "single.pt")
    picture, asked = str(bundle / "goldens/red.png"), ("-q", "Is it red?", "--bundle", str(bundle))
    found = edge_daemon("ask", picture, *asked, "--backend", "torch", "--weights", str(program))
    refused = edge_daemon("ask", picture, *asked, "--weights", str(program))

    assert found.stdout.startswith("YES"), found.stderr
    assert refused.returncode == 2
    assert refused.stderr == (
        "--weights: weights are for torch -- use backend torch or torch-cuda\n"
    )
