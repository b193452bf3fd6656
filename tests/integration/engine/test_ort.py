"""What is particular to ONNX Runtime, and which precision it takes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_daemon.config.models import EngineConfig
from edge_daemon.engine.bundle import load_bundle
from edge_daemon.engine.open import open_backend, open_engine
from edge_daemon.engine.quantize import standing_questions
from edge_daemon.errors import BundleError
from tests.data.tiny_bundle import painted, write_tiny_bundle
from tests.integration.engine.opened import RED, ask, opened


def test_auto_precision_takes_int8_where_there_is_one(tmp_path: Path, pristine: Path) -> None:
    both = write_tiny_bundle(tmp_path / "both", precisions=("fp32", "int8"))

    assert opened(both, "auto").info.precision == "int8"
    assert opened(both, "fp32").info.precision == "fp32"
    assert opened(pristine, "auto").info.precision == "fp32"


def test_a_precision_the_bundle_lacks_is_refused_with_those_it_has(pristine: Path) -> None:
    with pytest.raises(BundleError) as caught:
        opened(pristine, "int8")

    assert str(caught.value) == (
        f"bundle {pristine}: has no int8 graphs -- use precision auto or one of: fp32"
    )


def test_the_configuration_opens_the_engine(pristine: Path) -> None:
    engine = open_engine(EngineConfig(bundle=str(pristine), backend="auto", threads=2))

    assert engine.info.backend == "onnxruntime"
    assert ask(engine, [painted(RED)], ["Is it red?"]).p_yes[0, 0] > 0.99


def n_threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


def test_one_thread_starts_no_other_and_more_are_those_asked_for(pristine: Path) -> None:
    before = n_threads()

    alone = opened(pristine, threads=1)
    with_one = n_threads() - before
    crowd = opened(pristine, threads=3)
    with_three = n_threads() - before

    assert with_one == 0
    assert with_three == 2  # beside the caller's own; for pictures, not for answers
    np.testing.assert_array_equal(
        ask(alone, [painted(RED)], ["Is it red?"]).p_yes,
        ask(crowd, [painted(RED)], ["Is it red?"]).p_yes,
    )


def test_closing_frees_the_threads(pristine: Path) -> None:
    before = n_threads()
    engine = opened(pristine, threads=3)

    engine.close()

    assert n_threads() == before


@pytest.mark.parametrize("n_questions", [1, 2, 7])
def test_questions_that_become_standing_ones_are_answered_to_the_same_bit(
    n_questions: int,
) -> None:
    street = load_bundle("street")
    asked = standing_questions(street)[:n_questions]
    engine = open_backend("onnxruntime", street, "fp32", 1)
    questions = engine.prepare([text for text, _ in asked], [zone for _, zone in asked])
    tokens = engine.look(np.zeros((1, *engine.input_size[::-1], 3), np.uint8))

    found = {engine.answer(tokens, questions).p_yes.tobytes() for _ in range(40)}

    assert len(found) == 1
