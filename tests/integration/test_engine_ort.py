"""The tiny bundle on the real ONNX Runtime."""

from __future__ import annotations

import hashlib
import json
import shutil
from itertools import islice, product
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edge_daemon.config.models import EngineConfig
from edge_daemon.engine.base import Answers
from edge_daemon.engine.bundle import load_bundle
from edge_daemon.engine.goldens import verify_goldens
from edge_daemon.engine.open import open_engine
from edge_daemon.engine.ort import OnnxEngine, sums_bytes_exactly
from edge_daemon.errors import BundleError, EngineRunError
from tests.data import tiny_bundle
from tests.data.tiny_bundle import (
    COLUMNS,
    HEIGHT,
    LIMITS,
    ROWS,
    WIDTH,
    edit_manifest,
    p_yes_of,
    painted,
    replace_graph,
    write_tiny_bundle,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from edge_daemon.types import Polygon

RED, GREEN, BLUE, GREY = (200, 20, 20), (20, 200, 20), (20, 20, 200), (128, 128, 128)
LEFT = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
RIGHT = ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0))


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture
def tiny(pristine: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pristine, tmp_path / "tiny"))


@pytest.fixture(scope="module")
def engine(pristine: Path) -> Iterator[OnnxEngine]:
    opened = OnnxEngine(load_bundle(pristine))
    yield opened
    opened.close()


def ask(
    engine: OnnxEngine,
    pictures: Sequence[NDArray[np.uint8]],
    texts: Sequence[str],
    zones: Sequence[Polygon | None] | None = None,
) -> Answers:
    questions = engine.prepare(texts, zones or [None] * len(texts))
    return engine.answer(engine.look(np.stack(pictures)), questions)


@pytest.mark.parametrize("colour", [RED, GREEN, BLUE, GREY, (250, 250, 250), (200, 200, 20)])
def test_answers_are_those_of_the_formula(engine: OnnxEngine, colour: tuple[int, int, int]) -> None:
    found = ask(engine, [painted(colour)], [f"Is it {word}?" for word in LIMITS])

    expected = [p_yes_of(word, colour) for word in LIMITS]
    np.testing.assert_allclose(found.p_yes[0], expected, atol=1e-4)


def test_a_temperature_makes_answers_less_sure(tmp_path: Path) -> None:
    warm = OnnxEngine(load_bundle(write_tiny_bundle(tmp_path / "warm", temperature=4.0)))

    found = ask(warm, [painted(RED)], ["Is it red?"])

    assert found.p_yes[0, 0] == pytest.approx(p_yes_of("red", RED, 4.0), abs=1e-4)


def test_the_engine_says_which_model_answers(engine: OnnxEngine, pristine: Path) -> None:
    manifest = (pristine / "manifest.yaml").read_bytes()

    assert engine.info.bundle == "tiny"
    assert engine.info.sha256 == hashlib.sha256(manifest).hexdigest()
    assert (engine.info.backend, engine.info.precision) == ("onnxruntime", "fp32")
    assert (engine.input_size, engine.grid) == ((WIDTH, HEIGHT), (COLUMNS, ROWS))


def test_one_question_is_answered_the_same_among_sixty_four(engine: OnnxEngine) -> None:
    texts = [f"Is {'there ' * (n % 2)}{word}?" for n in range(11) for word in LIMITS][:64]
    zones = [(None, LEFT, RIGHT)[n % 3] for n in range(64)]
    picture = painted(RED, GREEN, BLUE)

    together = ask(engine, [picture], texts, zones)
    alone = [ask(engine, [picture], [t], [z]) for t, z in zip(texts, zones)]

    np.testing.assert_array_equal(together.p_yes[0], [a.p_yes[0, 0] for a in alone])
    np.testing.assert_array_equal(together.evidence[0], [a.evidence[0, 0] for a in alone])


def test_a_batch_of_three_equals_three_singles(engine: OnnxEngine) -> None:
    noise = np.random.default_rng(7).integers(0, 256, (3, HEIGHT, WIDTH, 3), np.uint8)
    texts = [f"Is there {word}?" for word in LIMITS]

    together = ask(engine, noise, texts)
    singles = [ask(engine, [picture], texts) for picture in noise]

    np.testing.assert_allclose(together.p_yes, [s.p_yes[0] for s in singles], atol=1e-5)
    np.testing.assert_allclose(together.evidence, [s.evidence[0] for s in singles], atol=1e-5)


@pytest.mark.parametrize(("width", "height"), [(640, 360), (400, 400), (360, 640)])
def test_a_zone_drawn_on_the_original_picture_masks_the_right_tokens(
    engine: OnnxEngine, width: int, height: int
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


def test_evidence_shows_where_and_stays_in_the_zone(engine: OnnxEngine) -> None:
    found = ask(engine, [painted(RED, GREY)], ["Is there red?"] * 2, [None, RIGHT])

    whole, right = found.evidence[0]
    assert found.evidence.shape == (1, 2, ROWS, COLUMNS)
    assert whole[:, :8].min() > 0.99
    assert whole[:, 8:].max() < 0.01
    assert right[:, :8].max() == 0


def test_an_unsupported_question_gets_no_answer_and_disturbs_none(engine: OnnxEngine) -> None:
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
    engine: OnnxEngine, n_pictures: int, n_questions: int
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
def test_pictures_of_another_shape_are_a_bug(
    engine: OnnxEngine, pictures: NDArray[np.uint8]
) -> None:
    with pytest.raises(ValueError, match=r"^need uint8 \(B, 72, 128, 3\), got "):
        engine.look(pictures)


def test_more_questions_than_are_kept_are_still_answered_right(engine: OnnxEngine) -> None:
    words = islice(product(("is", "it"), repeat=11), 1100)
    fillers = [" ".join([*some, "green"]) for some in words]

    engine.prepare(fillers, [None] * len(fillers))
    found = ask(engine, [painted(RED)], ["Is it red?", fillers[0], fillers[-1]])

    assert found.p_yes[0, 0] > 0.99
    assert found.p_yes[0, 1:].max() < 0.01


def test_auto_precision_takes_int8_where_there_is_one(tmp_path: Path, pristine: Path) -> None:
    both = write_tiny_bundle(tmp_path / "both", precisions=("fp32", "int8"))

    gains = "int8" if sums_bytes_exactly() else "fp32"

    assert OnnxEngine(load_bundle(both), "auto").info.precision == gains
    assert OnnxEngine(load_bundle(both), "fp32").info.precision == "fp32"
    assert OnnxEngine(load_bundle(pristine), "auto").info.precision == "fp32"


def test_a_precision_the_bundle_lacks_is_refused_with_those_it_has(pristine: Path) -> None:
    with pytest.raises(BundleError) as caught:
        OnnxEngine(load_bundle(pristine), "int8")

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
    bundle = load_bundle(pristine)
    before = n_threads()

    alone = OnnxEngine(bundle, threads=1)
    with_one = n_threads() - before
    crowd = OnnxEngine(bundle, threads=3)
    with_three = n_threads() - before

    assert with_one == 0
    assert with_three == 4  # two beside the caller's own, for each of image and answer
    np.testing.assert_array_equal(
        ask(alone, [painted(RED)], ["Is it red?"]).p_yes,
        ask(crowd, [painted(RED)], ["Is it red?"]).p_yes,
    )


def test_closing_frees_the_threads(pristine: Path) -> None:
    before = n_threads()
    engine = OnnxEngine(load_bundle(pristine), threads=3)

    engine.close()

    assert n_threads() == before


# Damaged graphs, each with a manifest that vouches for it.


def refused(directory: Path) -> str:
    with pytest.raises(BundleError) as caught:
        OnnxEngine(load_bundle(directory))
    said = str(caught.value)
    assert "\n" not in said
    return said.removeprefix(f"{directory}/")


def scaled(which: str, name: str, factor: float) -> bytes:
    """A graph of the tiny bundle with one of its constants multiplied."""
    graph = getattr(tiny_bundle, f"{which}_graph")()
    (held,) = (c for c in graph.graph.initializer if c.name == name)
    held.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(held) * np.float32(factor), name))
    return graph.SerializeToString()


@pytest.mark.parametrize(
    ("which", "constant", "output"),
    [("image", "luma", "tokens"), ("question", "table", "vectors"), ("answer", "no_yes", "logits")],
)
@pytest.mark.parametrize("factor", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused_at_opening(
    tiny: Path, which: str, constant: str, output: str, factor: float
) -> None:
    with np.errstate(invalid="ignore"):
        replace_graph(tiny, which, scaled(which, constant, factor))

    assert refused(tiny) == (
        f"{which}.fp32.onnx: {output}: not finite numbers, weights or input are damaged"
        " -- copy the bundle again"
    )


def test_numbers_that_end_on_one_picture_are_no_answer(tiny: Path) -> None:
    divided = tiny_bundle.model(
        [
            *tiny_bundle.image_graph().graph.node[:-1],
            helper.make_node("Transpose", ["rows"], ["found"], perm=[0, 2, 1]),
            helper.make_node("ReduceMean", ["unit"], ["mean"], keepdims=0),
            helper.make_node("Sub", ["unity", "mean"], ["left"]),  # 0 for a white picture
            helper.make_node("Div", ["found", "left"], ["tokens"]),
        ],
        list(tiny_bundle.image_graph().graph.input),
        list(tiny_bundle.image_graph().graph.output),
        {c.name: numpy_helper.to_array(c) for c in tiny_bundle.image_graph().graph.initializer},
    )
    replace_graph(tiny, "image", divided.SerializeToString())
    engine = OnnxEngine(load_bundle(tiny))

    with pytest.raises(EngineRunError, match=r"image\.fp32\.onnx: tokens: not finite numbers"):
        engine.look(painted((255, 255, 255))[None])
    assert np.isfinite(engine.look(painted(RED)[None])).all()


def test_a_failure_of_the_runtime_on_one_picture_is_said_and_passes(
    tiny: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    original = tiny_bundle.image_graph().graph
    picky = tiny_bundle.model(
        [
            *original.node[:-1],
            helper.make_node("Cast", ["unit"], ["whole"], to=TensorProto.INT64),
            helper.make_node("ReduceMax", ["whole"], ["at"], keepdims=0),  # 1 where anything is 255
            helper.make_node("Gather", ["only_zero", "at"], ["nothing"]),
            helper.make_node("Add", ["rows", "nothing"], ["moved"]),
            helper.make_node("Transpose", ["moved"], ["tokens"], perm=[0, 2, 1]),
        ],
        list(original.input),
        list(original.output),
        {c.name: numpy_helper.to_array(c) for c in original.initializer}
        | {"only_zero": np.zeros(1, np.float32)},
    )
    replace_graph(tiny, "image", picky.SerializeToString())
    engine = OnnxEngine(load_bundle(tiny))

    with pytest.raises(
        EngineRunError, match=r"indices element out of data bounds.* -- free memory"
    ):
        engine.look(painted((255, 0, 0))[None])

    assert engine.look(painted(RED)[None]).shape == (1, ROWS * COLUMNS, 6)
    assert capfd.readouterr() == ("", "")


def value(name: str, dtype: int, shape: Sequence[int | str]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, dtype, shape)


def stand_in(
    takes: list[onnx.ValueInfoProto], gives: onnx.ValueInfoProto, node: onnx.NodeProto
) -> bytes:
    return tiny_bundle.model([node], takes, [gives], {}).SerializeToString()


T, F, I64, U8 = ROWS * COLUMNS, TensorProto.FLOAT, TensorProto.INT64, TensorProto.UINT8


@pytest.mark.parametrize(
    ("graph", "said"),
    [
        (
            stand_in(
                [value("ids", F, ["Q", 16])],
                value("vectors", F, ["Q", 16]),
                helper.make_node("Identity", ["ids"], ["vectors"]),
            ),
            "ids is tensor(float) instead of tensor(int64)",
        ),
        (
            stand_in(
                [value("ids", I64, ["Q", 32])],
                value("vectors", F, ["Q", 32]),
                helper.make_node("Cast", ["ids"], ["vectors"], to=F),
            ),
            "ids is (Q, 32) instead of (Q, 16)",
        ),
        (
            stand_in(
                [value("ids", I64, [1, 16])],
                value("vectors", F, [1, 16]),
                helper.make_node("Cast", ["ids"], ["vectors"], to=F),
            ),
            "ids is (1, 16) instead of (Q, 16)",
        ),
        (
            stand_in(
                [value("ids", I64, ["Q", 16])],
                value("vectors", F, ["Q", 16]),
                helper.make_node("Cast", ["ids"], ["vectors"], to=F),
            ),
            "vectors is (Q, 16) instead of (Q, any, any)",
        ),
        (
            stand_in(
                [value("words", I64, ["Q", 16])],
                value("vectors", F, ["Q", 16]),
                helper.make_node("Cast", ["words"], ["vectors"], to=F),
            ),
            "has words instead of ids",
        ),
        (
            stand_in(
                [value("ids", I64, ["Q", 16]), value("more", I64, ["Q"])],
                value("vectors", F, ["Q", 16]),
                helper.make_node("Cast", ["ids"], ["vectors"], to=F),
            ),
            "has ids, more instead of ids",
        ),
    ],
)
def test_a_graph_that_does_not_fit_is_named_with_what_it_should_be(
    tiny: Path, graph: bytes, said: str
) -> None:
    replace_graph(tiny, "question", graph)

    assert refused(tiny) == f"question.fp32.onnx: {said} -- export the bundle again"


def test_a_grid_the_graphs_do_not_have_is_refused(tiny: Path) -> None:
    edit_manifest(tiny, grid={"columns": 8, "rows": 9})

    assert refused(tiny).startswith(
        "image.fp32.onnx: tokens is (B, 144, 6) instead of (B, 72, any)"
    )


def test_graphs_that_do_not_fit_each_other_are_refused(tiny: Path) -> None:
    narrow = stand_in(
        [value("ids", I64, ["Q", 16])],
        value("vectors", F, ["Q", "K", "D"]),
        helper.make_node("Unsqueeze", ["floats", "one"], ["vectors"]),
    )
    model = onnx.load_from_string(narrow)
    model.graph.node.insert(0, helper.make_node("Cast", ["ids"], ["floats"], to=F))
    model.graph.initializer.append(numpy_helper.from_array(np.array([1]), "one"))
    replace_graph(tiny, "question", model.SerializeToString())

    assert refused(tiny).startswith("answer.fp32.onnx: ")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"no model",
        b"\x18\0\0\0ORTM\0\0\0\0",
        helper.make_model(onnx.GraphProto()).SerializeToString(),
    ],
)
def test_a_file_that_is_no_model_is_one_clear_line_and_nothing_on_stderr(
    tiny: Path, raw: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    replace_graph(tiny, "image", raw)

    assert refused(tiny).startswith("image.fp32.onnx: ")
    assert capfd.readouterr() == ("", "")


def test_a_graph_with_an_operator_the_runtime_lacks_says_so(tiny: Path) -> None:
    node = helper.make_node("Telepathy", ["ids"], ["vectors"], domain="org.example")
    gives = value("vectors", F, ["Q", "K", "D"])
    model = onnx.load_from_string(stand_in([value("ids", I64, ["Q", 16])], gives, node))
    model.opset_import.append(helper.make_opsetid("org.example", 1))
    replace_graph(tiny, "question", model.SerializeToString())

    said = refused(tiny)

    assert said.startswith("question.fp32.onnx: cannot be opened: ")
    assert "Telepathy" in said
    assert said.endswith(" -- export the bundle again, or upgrade onnxruntime")


def test_weights_outside_the_bundle_are_never_read(tiny: Path, tmp_path: Path) -> None:
    graph = tiny_bundle.question_graph()
    (table,) = (c for c in graph.graph.initializer if c.name == "table")
    (tmp_path / "outside.bin").write_bytes(table.raw_data)
    table.ClearField("raw_data")
    table.data_location = TensorProto.EXTERNAL
    table.external_data.add(key="location", value=str(tmp_path / "outside.bin"))
    replace_graph(tiny, "question", graph.SerializeToString())

    assert refused(tiny).startswith("question.fp32.onnx: keeps weights in another file -- ")


# Golden answers.


def test_the_golden_answers_are_repeated(engine: OnnxEngine, pristine: Path) -> None:
    results = verify_goldens(engine, load_bundle(pristine))

    assert [r.question for r in results] == ["Is it red?", "Is it blue?", "Is it blue?"]
    assert [round(r.found) for r in results] == [1, 0, 1]
    assert all(r.ok and r.difference < 1e-4 for r in results)


def test_other_weights_fail_the_golden_answers(tiny: Path) -> None:
    replace_graph(tiny, "question", scaled("question", "table", -1))
    bundle = load_bundle(tiny)

    results = verify_goldens(OnnxEngine(bundle), bundle)

    assert [r.ok for r in results] == [False, False, False]


def test_a_golden_question_the_bundle_never_learned_is_not_ok(tiny: Path) -> None:
    row = {"image": "goldens/red.png", "question": "Is it a zebra?", "zone": None, "p_yes": 0.5}
    raw = json.dumps({"tolerance": 0.5, "rows": [row]}).encode()
    (tiny / "goldens/goldens.json").write_bytes(raw)
    pinned = {"file": "goldens/goldens.json", "sha256": hashlib.sha256(raw).hexdigest()}
    edit_manifest(tiny, goldens=pinned)
    bundle = load_bundle(tiny)

    (result,) = verify_goldens(OnnxEngine(bundle), bundle)

    assert not result.ok


def test_a_bundle_without_goldens_has_nothing_to_verify(engine: OnnxEngine, tmp_path: Path) -> None:
    bundle = load_bundle(write_tiny_bundle(tmp_path / "bare", with_goldens=False))

    assert verify_goldens(engine, bundle) == []


@pytest.mark.parametrize("raw", [b"", b"no picture"])
def test_a_damaged_golden_picture_is_named(tiny: Path, engine: OnnxEngine, raw: bytes) -> None:
    (tiny / "goldens/red.png").write_bytes(raw)

    with pytest.raises(BundleError) as caught:
        verify_goldens(engine, load_bundle(tiny))

    assert str(caught.value) == f"{tiny}/goldens/red.png: is not a picture -- copy the bundle again"


def test_a_golden_picture_of_another_size_is_stretched(tiny: Path, engine: OnnxEngine) -> None:
    large = cv2.imread(str(tiny / "goldens/halves.png"))
    cv2.imwrite(str(tiny / "goldens/halves.png"), cv2.resize(large, (640, 640)))

    assert all(r.ok for r in verify_goldens(engine, load_bundle(tiny)))
