"""The tiny bundle, whose every number is known, on every runtime that is here."""

from __future__ import annotations

import hashlib
from itertools import islice, product
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from tests.data.tiny_bundle import (
    COLUMNS,
    HEIGHT,
    LIMITS,
    ROWS,
    WIDTH,
    p_yes_of,
    painted,
    write_tiny_bundle,
)
from tests.integration.engine.opened import BLUE, GREEN, GREY, LEFT, RED, RIGHT, ask, opened

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_daemon.engine.base import Engine


@pytest.mark.parametrize("colour", [RED, GREEN, BLUE, GREY, (250, 250, 250), (200, 200, 20)])
def test_answers_are_those_of_the_formula(engine: Engine, colour: tuple[int, int, int]) -> None:
    found = ask(engine, [painted(colour)], [f"Is it {word}?" for word in LIMITS])

    expected = [p_yes_of(word, colour) for word in LIMITS]
    np.testing.assert_allclose(found.p_yes[0], expected, atol=1e-4)


def test_a_temperature_makes_answers_less_sure(tmp_path: Path, backend: str) -> None:
    warm = opened(write_tiny_bundle(tmp_path / "warm", temperature=4.0), backend=backend)

    found = ask(warm, [painted(RED)], ["Is it red?"])

    assert found.p_yes[0, 0] == pytest.approx(p_yes_of("red", RED, 4.0), abs=1e-4)


def test_the_engine_says_which_model_answers(engine: Engine, pristine: Path, backend: str) -> None:
    manifest = (pristine / "manifest.yaml").read_bytes()

    assert engine.info.bundle == "tiny"
    assert engine.info.sha256 == hashlib.sha256(manifest).hexdigest()
    assert (engine.info.backend, engine.info.precision) == (backend, "fp32")
    assert (engine.input_size, engine.grid) == ((WIDTH, HEIGHT), (COLUMNS, ROWS))


def test_one_question_is_answered_the_same_among_sixty_four(engine: Engine) -> None:
    texts = [f"Is {'there ' * (n % 2)}{word}?" for n in range(11) for word in LIMITS][:64]
    zones = [(None, LEFT, RIGHT)[n % 3] for n in range(64)]
    picture = painted(RED, GREEN, BLUE)

    together = ask(engine, [picture], texts, zones)
    alone = [ask(engine, [picture], [t], [z]) for t, z in zip(texts, zones)]

    np.testing.assert_allclose(together.p_yes[0], [a.p_yes[0, 0] for a in alone], atol=1e-6)
    np.testing.assert_allclose(together.evidence[0], [a.evidence[0, 0] for a in alone], atol=1e-6)


def test_a_batch_of_three_equals_three_singles(engine: Engine) -> None:
    noise = np.random.default_rng(7).integers(0, 256, (3, HEIGHT, WIDTH, 3), np.uint8)
    texts = [f"Is there {word}?" for word in LIMITS]

    together = ask(engine, noise, texts)
    singles = [ask(engine, [picture], texts) for picture in noise]

    np.testing.assert_allclose(together.p_yes, [s.p_yes[0] for s in singles], atol=1e-5)
    np.testing.assert_allclose(together.evidence, [s.evidence[0] for s in singles], atol=1e-5)


@pytest.mark.parametrize(("width", "height"), [(640, 360), (400, 400), (360, 640)])
def test_a_zone_drawn_on_the_original_picture_masks_the_right_tokens(
    engine: Engine, width: int, height: int
) -> None:
    original = np.full((height, width, 3), GREY, np.uint8)
    x1, x2, y1, y2 = int(width * 0.70), int(width * 0.95), int(height * 0.60), int(height * 0.90)
    original[y1:y2, x1:x2] = RED
    picture = cv2.resize(original, engine.input_size, interpolation=cv2.INTER_AREA)
    zone = tuple((x / width, y / height) for x, y in ((x1, y1), (x2, y1), (x2, y2), (x1, y2)))
    mirrored = tuple((1 - x, y) for x, y in zone)

    found = ask(
        engine, [picture], ["Is it red?", "Is there red?"] * 2, [zone, zone, mirrored, LEFT]
    )

    assert found.p_yes[0, 0] > 0.95
    assert found.p_yes[0, 1] > 0.99
    assert found.p_yes[0, 2:].max() < 0.01


def test_evidence_shows_where_and_stays_in_the_zone(engine: Engine) -> None:
    found = ask(engine, [painted(RED, GREY)], ["Is there red?"] * 2, [None, RIGHT])

    whole, right = found.evidence[0]
    assert found.evidence.shape == (1, 2, ROWS, COLUMNS)
    assert whole[:, :8].min() > 0.99
    assert whole[:, 8:].max() < 0.01
    assert right[:, :8].max() == 0


def test_questions_asked_again_and_again_are_answered_as_at_first(engine: Engine) -> None:
    texts = [f"Is there {word}?" for word in LIMITS]
    questions = engine.prepare(texts, [None, LEFT, RIGHT, None, LEFT, RIGHT])
    noise = np.random.default_rng(8).integers(0, 256, (40, HEIGHT, WIDTH, 3), np.uint8)
    tokens = engine.look(noise)

    again = [engine.answer(tokens[n : n + 1], questions) for n in range(40)]

    at_first = engine.answer(tokens, engine.prepare(texts, [None, LEFT, RIGHT, None, LEFT, RIGHT]))
    np.testing.assert_allclose([a.p_yes[0] for a in again], at_first.p_yes, atol=1e-5)
    np.testing.assert_allclose([a.evidence[0] for a in again], at_first.evidence, atol=1e-5)


def test_an_unsupported_question_gets_no_answer_and_disturbs_none(engine: Engine) -> None:
    texts = ["Is the zebra red?", "Is it red?", "", "Is it \u7ea2?", "Is " + "it " * 15 + "red?"]

    questions = engine.prepare(texts, [None] * 5)
    found = engine.answer(engine.look(painted(RED)[None]), questions)

    assert questions.supported.tolist() == [False, True, False, False, False]
    assert not questions.vectors[[0, 2, 3, 4]].any()
    assert np.isnan(found.p_yes[0]).tolist() == [True, False, True, True, True]
    assert found.p_yes[0, 1] > 0.99
    assert not found.evidence[0, [0, 2, 3, 4]].any()


@pytest.mark.parametrize(("n_pictures", "n_questions"), [(0, 2), (2, 0), (0, 0)])
def test_nothing_asked_or_nothing_seen_is_an_empty_answer(
    engine: Engine, n_pictures: int, n_questions: int
) -> None:
    pictures = np.zeros((n_pictures, HEIGHT, WIDTH, 3), np.uint8)

    tokens = engine.look(pictures)
    found = engine.answer(
        tokens, engine.prepare(["Is it red?"] * n_questions, [None] * n_questions)
    )

    assert tokens.shape == (n_pictures, ROWS * COLUMNS, 6)
    assert found.p_yes.shape == (n_pictures, n_questions)
    assert found.evidence.shape == (n_pictures, n_questions, ROWS, COLUMNS)


@pytest.mark.parametrize(
    "pictures",
    [
        np.zeros((1, HEIGHT, WIDTH, 3), np.float32),
        np.zeros((1, WIDTH, HEIGHT, 3), np.uint8),
        np.zeros((HEIGHT, WIDTH, 3), np.uint8),
    ],
)
def test_pictures_of_another_shape_are_a_bug(engine: Engine, pictures: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match=r"^need uint8 \(B, 72, 128, 3\), got "):
        engine.look(pictures)


def test_more_questions_than_are_kept_are_still_answered_right(engine: Engine) -> None:
    words = islice(product(("is", "it"), repeat=11), 1100)
    fillers = [" ".join([*some, "green"]) for some in words]

    engine.prepare(fillers, [None] * len(fillers))
    found = ask(engine, [painted(RED)], ["Is it red?", fillers[0], fillers[-1]])

    assert found.p_yes[0, 0] > 0.99
    assert found.p_yes[0, 1:].max() < 0.01
