"""Golden answers: repeated, or found to be wrong."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import cv2
import pytest

from edge_daemon.engine.bundle import load_bundle
from edge_daemon.engine.goldens import verify_goldens
from edge_daemon.errors import BundleError
from tests.data.tiny_bundle import edit_manifest, replace_graph, scaled, write_tiny_bundle
from tests.integration.engine.opened import opened

if TYPE_CHECKING:
    from pathlib import Path

    from edge_daemon.engine.base import Engine


def test_the_golden_answers_are_repeated(engine: Engine, pristine: Path) -> None:
    results = verify_goldens(engine, load_bundle(pristine))

    assert [r.question for r in results] == ["Is it red?", "Is it blue?", "Is it blue?"]
    assert [round(r.found) for r in results] == [1, 0, 1]
    assert all(r.ok and r.difference < 1e-4 for r in results)


def test_other_weights_fail_the_golden_answers(tiny: Path) -> None:
    replace_graph(tiny, "question", scaled("question", "table", -1))
    bundle = load_bundle(tiny)

    results = verify_goldens(opened(bundle.path), bundle)

    assert [r.ok for r in results] == [False, False, False]


def test_a_golden_question_the_bundle_never_learned_is_not_ok(tiny: Path) -> None:
    row = {"image": "goldens/red.png", "question": "Is it a zebra?", "zone": None, "p_yes": 0.5}
    raw = json.dumps({"tolerance": 0.5, "rows": [row]}).encode()
    (tiny / "goldens/goldens.json").write_bytes(raw)
    pinned = {"file": "goldens/goldens.json", "sha256": hashlib.sha256(raw).hexdigest()}
    edit_manifest(tiny, goldens=pinned)
    bundle = load_bundle(tiny)

    (result,) = verify_goldens(opened(bundle.path), bundle)

    assert not result.ok


def test_a_bundle_without_goldens_has_nothing_to_verify(engine: Engine, tmp_path: Path) -> None:
    bundle = load_bundle(write_tiny_bundle(tmp_path / "bare", with_goldens=False))

    assert verify_goldens(engine, bundle) == []


@pytest.mark.parametrize("raw", [b"", b"no picture"])
def test_a_damaged_golden_picture_is_named(tiny: Path, engine: Engine, raw: bytes) -> None:
    (tiny / "goldens/red.png").write_bytes(raw)

    with pytest.raises(BundleError) as caught:
        verify_goldens(engine, load_bundle(tiny))

    assert str(caught.value) == f"{tiny}/goldens/red.png: is not a picture -- copy the bundle again"


def test_a_golden_picture_of_another_size_is_stretched(tiny: Path, engine: Engine) -> None:
    large = cv2.imread(str(tiny / "goldens/halves.png"))
    cv2.imwrite(str(tiny / "goldens/halves.png"), cv2.resize(large, (640, 640)))

    assert all(r.ok for r in verify_goldens(engine, load_bundle(tiny)))
