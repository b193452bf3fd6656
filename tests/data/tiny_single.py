"""The tiny bundle's twin of kind single: the same words, tokenizer and formula, one graph.

pixel_values are (rgb / 255 - 0.5) / 0.5.  The graph takes the mean colour of the whole picture,
makes the six numbers of tiny_bundle of it, and scores them by the words of the question:

    score = sum over the words of 20 (number - limit)       p_yes = 1 / (1 + exp(-score))

A zone paints what is outside grey (0.5), and so thins the colour that is inside.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import yaml
from onnx import TensorProto, helper

from tests.data.tiny_bundle import (
    FEATURES,
    HEIGHT,
    MAX_LENGTH,
    TOKENIZER,
    WIDTH,
    above,
    model,
    p_yes_of,
    painted,
    put,
    put_goldens,
    word_table,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from onnx import ModelProto

MEAN = STD = 0.5


def write_tiny_single(directory: Path, *, precisions: Sequence[str] = ("fp32",)) -> Path:
    """Write the bundle and return its directory."""
    (directory / "goldens").mkdir(parents=True)
    raw = single_graph().SerializeToString()
    red = (200, 20, 20)
    goldens = [
        ("red.png", painted(red), "Is it red?", p_yes_of("red", red)),
        ("red.png", painted(red), "Is it blue?", p_yes_of("blue", red)),
    ]
    normalised = {"mean": [MEAN] * 3, "std": [STD] * 3}
    manifest = {
        "schema": "edge-daemon/bundle/1",
        "name": "tiny-single",
        "version": "0.1.0",
        "kind": "single",
        "licence": "Apache-2.0",
        "provenance": {"weights": "written by hand", "data": []},
        "input": {"width": WIDTH, "height": HEIGHT, "fit": "stretch", **normalised},
        "temperature": 1.0,
        "graphs": {p: {"model": put(directory, f"model.{p}.onnx", raw)} for p in precisions},
        "tokenizer": put(directory, "tokenizer.json", json.dumps(TOKENIZER).encode()),
        "concepts": ["red", "green", "blue", "yellow"],
        "goldens": put_goldens(directory, goldens),
    }
    (directory / "manifest.yaml").write_text(yaml.safe_dump(manifest, sort_keys=False))
    return directory


def single_graph() -> ModelProto:
    """pixel_values (B, 3, H, W), input_ids and attention_mask (B, L) -> logits (B, 2)."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["pixel_values"], ["mean"]),
        helper.make_node("Mul", ["mean", "half"], ["halved"]),
        helper.make_node("Add", ["halved", "half"], ["c"]),  # (B, 3, 1, 1), 0 to 1
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
        helper.make_node("Flatten", ["features"], ["seen"]),  # (B, 6)
        helper.make_node("Gather", ["table", "input_ids"], ["words"], axis=0),  # (B, L, 6)
        helper.make_node("Cast", ["attention_mask"], ["kept"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["kept", "last"], ["column"]),
        helper.make_node("Mul", ["words", "column"], ["read"]),
        helper.make_node("ReduceSum", ["read", "second"], ["weights"], keepdims=0),  # (B, 6)
        helper.make_node("Mul", ["seen", "weights"], ["scores"]),
        helper.make_node("ReduceSum", ["scores", "last"], ["score"], keepdims=1),  # (B, 1)
        helper.make_node("Mul", ["score", "no_yes"], ["logits"]),
    ]
    constants = {
        "half": np.float32(0.5),
        "unity": np.float32(1),
        "luma": np.array([0.299, 0.587, 0.114], np.float32).reshape(1, 3, 1, 1),
        "table": word_table(),
        "last": np.array([-1]),
        "second": np.array([1]),
        "no_yes": np.array([-0.5, 0.5], np.float32),
    }
    value = helper.make_tensor_value_info
    takes = [
        value("pixel_values", TensorProto.FLOAT, ["B", 3, HEIGHT, WIDTH]),
        value("input_ids", TensorProto.INT64, ["B", MAX_LENGTH]),
        value("attention_mask", TensorProto.INT64, ["B", MAX_LENGTH]),
    ]
    return model(nodes, takes, [value("logits", TensorProto.FLOAT, ["B", 2])], constants)
