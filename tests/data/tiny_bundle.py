"""A complete bundle that is understood to the last number, written in a moment.

Pictures are 128 x 72, the grid is 16 x 9 tokens of 8 x 8 pixels.  A token holds, from the mean
colour r, g, b (each 0 to 1) of its cell:

    red    = r - max(g, b)          yellow = min(r, g) - b
    green  = g - max(r, b)          light  = 0.299 r + 0.587 g + 0.114 b
    blue   = b - max(r, g)          one    = 1

A question's words are looked up and summed.  "red", "green", "blue" and "yellow" ask whether
that number is above 0.3, "bright" whether light is above 0.6, "dark" whether it is below 0.4:

    score  = 20 (number - limit)    per token; for dark 20 (0.4 - light)
    logit  = mean of the scores in the zone, or their maximum with the words "any" or "there"
    p_yes  = 1 / (1 + exp(-logit / temperature))       evidence = 1 / (1 + exp(-score))

So "Is it red?" about a zone in (200, 20, 20) is 20 (0.706 - 0.3) = 8.1, p_yes 0.9997; about grey
it is -6, p_yes 0.0025; and "Is there red?" is YES when a single cell in the zone is red.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import yaml
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from onnx import ModelProto

WIDTH, HEIGHT = 128, 72
COLUMNS, ROWS = 16, 9
MAX_LENGTH = 16
FEATURES = ("red", "green", "blue", "yellow", "light", "one")
GAIN = 20.0
LIMITS = {"red": 0.3, "green": 0.3, "blue": 0.3, "yellow": 0.3, "bright": 0.6, "dark": 0.4}
PLAIN_WORDS = ("is", "it", "a", "the", "are", "there", "any", "this", "zone", "light", "picture")
WORDS = (*PLAIN_WORDS, *LIMITS)
VOCAB = ("[PAD]", "[UNK]", "[CLS]", *WORDS)

LEFT = [[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]]
RIGHT = [[0.5, 0.0], [1.0, 0.0], [1.0, 1.0], [0.5, 1.0]]


def write_tiny_bundle(
    directory: Path,
    *,
    precisions: Sequence[str] = ("fp32",),
    temperature: float = 1.0,
    with_goldens: bool = True,
) -> Path:
    """Write the bundle and return its directory.  Every precision gets the same graphs."""
    (directory / "goldens").mkdir(parents=True)
    graphs = {"image": image_graph(), "question": question_graph(), "answer": answer_graph()}
    manifest: dict[str, Any] = {
        "schema": "edge-daemon/bundle/1",
        "name": "tiny",
        "version": "0.1.0",
        "kind": "grounded",
        "licence": "Apache-2.0",
        "provenance": {"weights": "written by hand", "data": []},
        "input": {"width": WIDTH, "height": HEIGHT, "fit": "stretch"},
        "grid": {"columns": COLUMNS, "rows": ROWS},
        "temperature": temperature,
        "graphs": {
            precision: {
                which: put(directory, f"{which}.{precision}.onnx", model.SerializeToString())
                for which, model in graphs.items()
            }
            for precision in precisions
        },
        "tokenizer": put(directory, "tokenizer.json", json.dumps(TOKENIZER).encode()),
        "concepts": list(LIMITS),
    }
    if with_goldens:
        manifest["goldens"] = put_goldens(directory, _goldens(temperature), z1=LEFT, z2=RIGHT)
    (directory / "manifest.yaml").write_text(yaml.safe_dump(manifest, sort_keys=False))
    return directory


TOKENIZER: dict[str, Any] = {
    "kind": "wordpiece",
    "lowercase": True,
    "max_length": MAX_LENGTH,
    "vocab": list(VOCAB),
    "known_words": list(WORDS),
}


def painted(*colours: tuple[int, int, int]) -> NDArray[np.uint8]:
    """A picture of the model's size in upright stripes of equal width, uint8 RGB."""
    stripes = np.array_split(np.arange(WIDTH), len(colours))
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for columns, colour in zip(stripes, colours):
        picture[:, columns] = colour
    return picture


def stripes(n: int, seed: int) -> NDArray[np.uint8]:
    """Pictures of four random colours each, uint8 RGB (n, HEIGHT, WIDTH, 3)."""
    rng = np.random.default_rng(seed)
    return np.stack([painted(*rng.integers(0, 256, (4, 3)).tolist()) for _ in range(n)])


def p_yes_of(word: str, colour: tuple[int, int, int], temperature: float = 1.0) -> float:
    """What the bundle must say of a zone in one colour, by the formula above."""
    r, g, b = (c / 255 for c in colour)
    light = 0.299 * r + 0.587 * g + 0.114 * b
    number = {
        "red": r - max(g, b),
        "green": g - max(r, b),
        "blue": b - max(r, g),
        "yellow": min(r, g) - b,
        "bright": light,
        "dark": 2 * LIMITS["dark"] - light,
    }[word]
    return 1 / (1 + math.exp(-GAIN * (number - LIMITS[word]) / temperature))


def edit_manifest(directory: Path, **changes: object) -> None:
    """Set top-level keys of the manifest; a value of None takes the key away."""
    path = directory / "manifest.yaml"
    manifest = yaml.safe_load(path.read_text()) | changes
    kept = {key: value for key, value in manifest.items() if value is not None}
    path.write_text(yaml.safe_dump(kept, sort_keys=False))


def replace_graph(directory: Path, which: str, model: bytes, precision: str = "fp32") -> None:
    """Put other bytes in a graph's place and let the manifest pin them."""
    manifest = yaml.safe_load((directory / "manifest.yaml").read_text())
    pinned = put(directory, f"{which}.{precision}.onnx", model)
    manifest["graphs"][precision][which] = pinned
    edit_manifest(directory, graphs=manifest["graphs"])


def scaled(which: str, name: str, factor: float) -> bytes:
    """A graph of the bundle with one of its constants multiplied."""
    graph = {"image": image_graph, "question": question_graph, "answer": answer_graph}[which]()
    (held,) = (c for c in graph.graph.initializer if c.name == name)
    held.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(held) * np.float32(factor), name))
    return graph.SerializeToString()


def image_graph() -> ModelProto:
    """pixels uint8 (B, H, W, 3) -> tokens (B, T, 6)."""
    cell = [HEIGHT // ROWS, WIDTH // COLUMNS]
    nodes = [
        helper.make_node("Cast", ["pixels"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["f", "full"], ["unit"]),
        helper.make_node("Transpose", ["unit"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("AveragePool", ["planes"], ["c"], kernel_shape=cell, strides=cell),
        helper.make_node("Split", ["c"], ["r", "g", "b"], axis=1),
        *above("red", "r", "g", "b"),
        *above("green", "g", "r", "b"),
        *above("blue", "b", "r", "g"),
        helper.make_node("Min", ["r", "g"], ["rg"]),
        helper.make_node("Sub", ["rg", "b"], ["yellow"]),
        helper.make_node("Conv", ["c", "luma"], ["light"]),
        helper.make_node("Sub", ["light", "light"], ["zero"]),
        helper.make_node("Add", ["zero", "unity"], ["one"]),
        helper.make_node("Concat", list(FEATURES), ["features"], axis=1),
        helper.make_node("Reshape", ["features", "flat"], ["rows"]),
        helper.make_node("Transpose", ["rows"], ["tokens"], perm=[0, 2, 1]),
    ]
    luma = np.array([0.299, 0.587, 0.114], np.float32).reshape(1, 3, 1, 1)
    constants = {
        "full": np.float32(255),
        "unity": np.float32(1),
        "luma": luma,
        "flat": np.array([0, len(FEATURES), ROWS * COLUMNS]),
    }
    pixels = _value("pixels", TensorProto.UINT8, ["B", HEIGHT, WIDTH, 3])
    tokens = _value("tokens", TensorProto.FLOAT, ["B", ROWS * COLUMNS, len(FEATURES)])
    return model(nodes, [pixels], [tokens], constants)


def word_table() -> NDArray[np.float32]:
    """What a word is worth on each feature, float32 (words, 6)."""
    table = np.zeros((len(VOCAB), len(FEATURES)), np.float32)
    for word, limit in LIMITS.items():
        feature = FEATURES.index(word if word in FEATURES else "light")
        sign = -1 if word == "dark" else 1
        table[VOCAB.index(word), feature] = sign * GAIN
        table[VOCAB.index(word), FEATURES.index("one")] = -sign * GAIN * limit
    return table


def question_graph() -> ModelProto:
    """ids int64 (Q, L) -> vectors (Q, 2, 6): what a token is worth; in [1, 0] any or mean."""
    table = np.stack([word_table(), np.zeros_like(word_table())], axis=1)
    table[[VOCAB.index("any"), VOCAB.index("there")], 1, 0] = 1
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["words"], axis=0),
        helper.make_node("ReduceSum", ["words", "axis"], ["vectors"], keepdims=0),
    ]
    ids = _value("ids", TensorProto.INT64, ["Q", MAX_LENGTH])
    vectors = _value("vectors", TensorProto.FLOAT, ["Q", 2, len(FEATURES)])
    return model(nodes, [ids], [vectors], {"table": table, "axis": np.array([1])})


def answer_graph() -> ModelProto:
    """tokens (B, T, 6), vectors (Q, 2, 6), mask (Q, T) -> logits (B, Q, 2), evidence (B, Q, T)."""
    n_features = len(FEATURES)
    nodes = [
        helper.make_node("Split", ["vectors"], ["w", "how"], axis=1),
        helper.make_node("Reshape", ["w", "as_rows"], ["rows"]),  # (Q, 6)
        helper.make_node("Transpose", ["rows"], ["weights"], perm=[1, 0]),
        helper.make_node("MatMul", ["tokens", "weights"], ["by_token"]),  # (B, T, Q)
        helper.make_node("Transpose", ["by_token"], ["scores"], perm=[0, 2, 1]),
        helper.make_node("Mul", ["scores", "mask"], ["counted"]),
        helper.make_node("ReduceSum", ["counted", "last"], ["sum"], keepdims=0),  # (B, Q)
        helper.make_node("ReduceSum", ["mask", "last"], ["n"], keepdims=0),  # (Q,)
        helper.make_node("Div", ["sum", "n"], ["mean"]),
        helper.make_node("Sub", ["mask", "unity"], ["hole"]),
        helper.make_node("Mul", ["hole", "deep"], ["pit"]),
        helper.make_node("Add", ["scores", "pit"], ["inside"]),
        helper.make_node("ReduceMax", ["inside"], ["max"], axes=[-1], keepdims=0),  # (B, Q)
        helper.make_node("Slice", ["how", "from", "to", "last"], ["flag"]),  # (Q, 1, 1)
        helper.make_node("Reshape", ["flag", "as_list"], ["asked"]),
        helper.make_node("Min", ["asked", "unity"], ["any"]),  # (Q,): 0 mean, 1 any
        helper.make_node("Sub", ["max", "mean"], ["more"]),
        helper.make_node("Mul", ["more", "any"], ["extra"]),
        helper.make_node("Add", ["mean", "extra"], ["logit"]),
        helper.make_node("Unsqueeze", ["logit", "last"], ["column"]),
        helper.make_node("Mul", ["column", "no_yes"], ["logits"]),  # (B, Q, 2)
        helper.make_node("Sigmoid", ["scores"], ["soft"]),
        helper.make_node("Mul", ["soft", "mask"], ["evidence"]),
    ]
    constants = {
        "as_rows": np.array([-1, n_features]),
        "as_list": np.array([-1]),
        "last": np.array([-1]),
        "from": np.array([0]),
        "to": np.array([1]),
        "unity": np.float32(1),
        "deep": np.float32(1e6),
        "no_yes": np.array([-0.5, 0.5], np.float32),
    }
    n_tokens = ROWS * COLUMNS
    takes = [
        _value("tokens", TensorProto.FLOAT, ["B", n_tokens, n_features]),
        _value("vectors", TensorProto.FLOAT, ["Q", 2, n_features]),
        _value("mask", TensorProto.FLOAT, ["Q", n_tokens]),
    ]
    gives = [
        _value("logits", TensorProto.FLOAT, ["B", "Q", 2]),
        _value("evidence", TensorProto.FLOAT, ["B", "Q", n_tokens]),
    ]
    return model(nodes, takes, gives, constants)


def model(nodes: list[Any], takes: list[Any], gives: list[Any], constants: dict[str, Any]) -> Any:
    """An ONNX model of the oldest format the graphs need, for the oldest runtime."""
    held = [numpy_helper.from_array(np.asarray(v), name) for name, v in constants.items()]
    graph = helper.make_graph(nodes, "tiny", takes, gives, held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


_value = helper.make_tensor_value_info


def above(name: str, one: str, other: str, third: str) -> list[Any]:
    """Nodes that give how far one number is above the larger of two others."""
    return [
        helper.make_node("Max", [other, third], [f"{name}_rest"]),
        helper.make_node("Sub", [one, f"{name}_rest"], [name]),
    ]


def put(directory: Path, name: str, raw: bytes) -> dict[str, str]:
    """Write a file and return how the manifest pins it."""
    (directory / name).write_bytes(raw)
    return {"file": name, "sha256": hashlib.sha256(raw).hexdigest()}


def put_goldens(
    directory: Path, asked: Sequence[tuple[str, NDArray[np.uint8], str, float]], **zones: Any
) -> dict[str, str]:
    """Write golden answers: name and pixels of a picture, question, p_yes; zones by place, "z1"."""
    rows = []
    for n, (name, picture, question, p) in enumerate(asked):
        cv2.imwrite(str(directory / "goldens" / name), picture[..., ::-1])
        zone = zones.get(f"z{n}")
        rows.append({"image": f"goldens/{name}", "question": question, "zone": zone, "p_yes": p})
    return put(
        directory,
        "goldens/goldens.json",
        json.dumps({"tolerance": 0.01, "rows": rows}).encode(),
    )


def _goldens(temperature: float) -> list[tuple[str, NDArray[np.uint8], str, float]]:
    red, blue = (200, 20, 20), (20, 20, 200)
    halves = painted(red, blue)
    return [
        ("red.png", painted(red), "Is it red?", p_yes_of("red", red, temperature)),
        ("halves.png", halves, "Is it blue?", p_yes_of("blue", red, temperature)),
        ("halves.png", halves, "Is it blue?", p_yes_of("blue", blue, temperature)),
    ]
