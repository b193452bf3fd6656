"""Every configuration we ship is right, and asks only what the shipped bundle knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_daemon.config.load import load_settings
from edge_daemon.engine.bundle import load_bundle
from edge_daemon.engine.tokenizer import Tokenizer

CONFIGS = Path(__file__).resolve().parents[3] / "configs"
ENVIRON = {"CAMERA_PASSWORD": "x"}


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return load_bundle("street").tokenizer


@pytest.mark.parametrize("name", sorted(path.name for path in CONFIGS.glob("*.yaml")))
def test_shipped_configuration_is_right(name: str, tokenizer: Tokenizer) -> None:
    settings = load_settings(CONFIGS / name, ENVIRON)

    asked = {q.ask for camera in settings.cameras for q in camera.questions}
    assert {text: tokenizer.refusal(text) for text in asked} == dict.fromkeys(asked)


def test_shipped_configurations_cover_what_the_readme_promises() -> None:
    assert {path.stem for path in CONFIGS.glob("*.yaml")} >= {
        "demo",
        "pi-usb-camera",
        "jetson-four-cameras",
        "many-cameras-keyframes",
    }
