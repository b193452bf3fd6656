"""Bundles of kind single, on every runtime that is here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_daemon.engine.bundle import load_bundle
from edge_daemon.engine.goldens import verify_goldens
from edge_daemon.errors import BundleError
from tests.data.tiny_bundle import (
    HEIGHT,
    LIMITS,
    WIDTH,
    edit_manifest,
    p_yes_of,
    painted,
    replace_graph,
)
from tests.data.tiny_single import single_graph, write_tiny_single
from tests.e2e.daemon import edge_daemon
from tests.integration.engine.opened import BLUE, GREEN, GREY, LEFT, RED, RIGHT, ask, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge_daemon.engine.base import Engine


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_single(tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture(scope="module")
def engine(single: Path, backend: str) -> Iterator[Engine]:
    engine = opened(single, backend=backend)
    yield engine
    engine.close()


@pytest.mark.parametrize("colour", [RED, GREEN, BLUE, GREY, (250, 250, 250)])
def test_answers_are_those_of_the_formula(engine: Engine, colour: tuple[int, int, int]) -> None:
    found = ask(engine, [painted(colour)], [f"Is it {word}?" for word in LIMITS])

    np.testing.assert_allclose(found.p_yes[0], [p_yes_of(w, colour) for w in LIMITS], atol=1e-4)


def test_many_questions_about_many_pictures_are_each_answered_as_alone(engine: Engine) -> None:
    texts = [f"Is {'the ' * (n % 3)}picture {word}?" for n in range(4) for word in LIMITS]
    pictures = [painted(RED, GREEN), painted(BLUE)]

    together = ask(engine, pictures, texts)  # 24 questions: two runs a picture

    alone = [[ask(engine, [p], [t]).p_yes[0, 0] for t in texts] for p in pictures]
    np.testing.assert_allclose(together.p_yes, alone, atol=1e-6)


def test_a_zone_keeps_what_is_outside_from_being_seen(engine: Engine) -> None:
    picture = painted(BLUE, RED)

    found = ask(engine, [picture], ["Is it blue?"] * 3, [LEFT, RIGHT, None]).p_yes[0]

    assert found[0] > 0.1 > found[1]
    assert found[2] < found[0]


def test_an_unknown_word_is_no_answer_and_there_is_no_map(engine: Engine) -> None:
    found = ask(engine, [painted(RED)], ["Is the zebra red?", "Is it red?"])

    assert np.isnan(found.p_yes[0, 0])
    assert found.p_yes[0, 1] > 0.99
    assert found.evidence.shape == (1, 2, 1, 1)
    assert not found.evidence.any()


def test_nothing_seen_or_asked_is_an_empty_answer(engine: Engine) -> None:
    nothing = engine.look(np.zeros((0, HEIGHT, WIDTH, 3), np.uint8))

    assert engine.answer(nothing, engine.prepare(["Is it red?"], [None])).p_yes.shape == (0, 1)
    assert ask(engine, [painted(RED)], []).p_yes.shape == (1, 0)


def test_the_golden_answers_are_repeated(engine: Engine, single: Path) -> None:
    assert all(r.ok for r in verify_goldens(engine, load_bundle(single)))


def test_a_graph_of_another_shape_is_named(tmp_path: Path) -> None:
    directory = write_tiny_single(tmp_path / "tiny")
    model = single_graph()
    model.graph.input[1].name = "ids"
    for node in model.graph.node:
        node.input[:] = ["ids" if name == "input_ids" else name for name in node.input]
    replace_graph(directory, "model", model.SerializeToString())

    with pytest.raises(BundleError) as caught:
        opened(directory)

    assert str(caught.value) == (
        f"{directory}/model.fp32.onnx: has pixel_values, ids, attention_mask instead of "
        "pixel_values, input_ids, attention_mask -- export the bundle again"
    )


@pytest.mark.parametrize("std", [[0.5, 0.5], [0.5, 0.5, 0.0]])
def test_a_normalisation_that_cannot_be_is_refused(tmp_path: Path, std: list[float]) -> None:
    directory = write_tiny_single(tmp_path / "tiny")
    shape = {"width": WIDTH, "height": HEIGHT, "fit": "stretch"}
    edit_manifest(directory, input={**shape, "mean": [0.5] * 3, "std": std})

    with pytest.raises(BundleError, match=r"manifest\.yaml: input\.std"):
        load_bundle(directory)


def test_the_command_line_asks_inspects_and_verifies_a_single_bundle(
    single: Path, tmp_path: Path
) -> None:
    picture = str(single / "goldens/red.png")
    asked = edge_daemon("ask", picture, "-q", "Is it red?", "--bundle", str(single))
    explained = edge_daemon(
        "ask", picture, "-q", "Is it red?", "--bundle", str(single),
        "--explain", str(tmp_path / "out.png"),
    )  # fmt: skip
    inspected = edge_daemon("engine", "inspect", str(single))
    verified = edge_daemon("engine", "verify", str(single))

    assert asked.stdout.startswith("YES")
    assert explained.returncode == 2
    assert explained.stderr == (
        "--explain: tiny-single has no map of where it sees what it says"
        " -- leave it out, or use a bundle of kind grounded\n"
    )
    assert "single" in inspected.stdout, inspected.stderr
    assert verified.returncode == 0, verified.stderr
