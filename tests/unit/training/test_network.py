"""The three graphs, in torch: what they may depend on, and what training leaves out."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from edge_daemon.training.questions import Question, Term
from edge_daemon.training.truth import Grid
from tests.conftest import missing
from tests.unit.training.labelled import labelled
from tests.unit.training.test_questions import TOKENIZER

try:
    import torch

    from edge_daemon.training.augment import Plan
    from edge_daemon.training.batches import Batch, make_batch
    from edge_daemon.training.losses import losses
    from edge_daemon.training.meaning import learn_to_read, reading_lesson
    from edge_daemon.training.network import ROLES, LampColour, Network
except ModuleNotFoundError:
    torch = None

pytestmark = pytest.mark.train
GRID = Grid(4, 4)
LEFT = (0.05, 0.3, 0.3, 0.9)


@pytest.fixture(autouse=True)
def _torch() -> None:
    if torch is None:
        missing("no torch: pip install 'edge-daemon[train]'", "REQUIRE_TORCH")
    torch.set_num_threads(1)  # more only get in each other's way on work this small
    torch.manual_seed(0)


@pytest.fixture
def network() -> Network:
    sizes = {"length": 32, "columns": 4, "rows": 4, "dim": 72, "question_width": 32}
    return Network(vocabulary=len(TOKENIZER.vocab), question_layers=1, **sizes).eval()


def batch(questions: list[Question], *labels: object) -> Batch:
    plans = [Plan((), x) for x in labels]
    zones = np.ones((len(questions), GRID.cells), bool)
    asked = [(question, "is there a person") for question in questions]
    return make_batch(plans, asked, zones, grid=GRID, tokenizer=TOKENIZER)


def pictures(of: Batch) -> torch.Tensor:
    """One noisy picture for each that was planned."""
    noise = np.random.default_rng(0).integers(0, 255, (1, 64, 64, 3), np.uint8)
    return torch.from_numpy(noise).expand(len(of.plans), -1, -1, -1)


def test_graphs_have_the_shapes_a_bundle_needs(network: Network) -> None:
    pixels = torch.zeros(2, 64, 64, 3, dtype=torch.uint8)
    tokens, vectors = network.image(pixels), network.question(torch.ones(3, 32, dtype=torch.long))
    out = network.answer(tokens, vectors, torch.ones(3, 16))

    assert tokens.shape == (2, 16, 72)
    assert vectors.shape == (3, len(ROLES), 72)
    assert out["logits"].shape == (2, 3, 2)
    assert out["evidence"].shape == (2, 3, 16)
    assert 0 <= out["evidence"].min() <= out["evidence"].max() <= 1


def test_padding_does_not_change_what_a_question_means(network: Network) -> None:
    ids = torch.from_numpy(TOKENIZER.encode("is there a dog"))[None]

    torch.testing.assert_close(network.question(ids), network.question(ids[:, :6]))


def test_questions_do_not_disturb_each_other(network: Network) -> None:
    tokens, vectors = torch.randn(2, 16, 72), torch.randn(5, len(ROLES), 72)
    together = network.answer(tokens, vectors, torch.ones(5, 16))["logits"]
    alone = network.answer(tokens, vectors[3:4], torch.ones(1, 16))["logits"]

    torch.testing.assert_close(together[:, 3:4], alone, rtol=1e-4, atol=1e-5)


def test_map_shows_nothing_outside_the_zone(network: Network) -> None:
    zone = (torch.arange(16) < 8).float()[None]
    tokens, vectors = torch.randn(1, 16, 72), torch.randn(1, len(ROLES), 72)

    assert network.answer(tokens, vectors, zone)["evidence"][0, 0, 8:].abs().max() == 0


def test_lamp_colour_tells_a_small_red_lamp_from_a_green_one() -> None:
    seen = {}
    for name, colour in (("red", (1.0, -0.8, -0.8)), ("green", (-0.8, 1.0, -0.4))):
        picture = torch.full((1, 3, 64, 64), -0.5)
        picture[0, :, 30:34, 30:34] = torch.tensor(colour)[:, None, None]
        branch = LampColour(8)
        seen[name] = branch.strongest(branch.filters(picture))[0].amax((1, 2))

    assert (seen["red"] - seen["green"]).abs().max() > 0.3


def test_unknown_answers_and_ignored_cells_teach_nothing(network: Network) -> None:
    person = Question("presence", (Term("person"),))
    unsure = batch([person], labelled(possible=(("person", (0.0, 0.0, 1.0, 1.0)),)))
    out = network(pictures(unsure), unsure.ids, unsure.zones)
    parts = losses(out, unsure)

    assert parts["answer"] == 0
    assert float(parts["map"].detach()) == pytest.approx(_other_map(network, unsure), abs=1e-6)


def _other_map(network: Network, unsure: Batch) -> float:
    """The map loss of the partner, which nothing was asked about, alone."""
    out = network(pictures(unsure), unsure.ids, unsure.zones)
    out["subject"] = torch.full_like(out["subject"], 5.0)
    return float(losses(out, unsure)["map"].detach())


def test_what_is_taken_for_something_weighs_more_than_an_empty_road(network: Network) -> None:
    truck = Question("presence", (Term("truck"),))
    found = {}
    for shown in ("bus", "dog"):
        two = batch([truck], labelled((shown, LEFT)), labelled())
        out = network(pictures(two), two.ids, two.zones)
        wrong = torch.tensor([[[-3.0, 3.0]], [[3.0, -3.0]]])  # "truck" where that is, and nowhere
        found[shown] = float(losses(out | {"logits": wrong}, two)["answer"])

    assert found["bus"] > found["dog"] * 1.2


def test_the_right_answer_costs_less_than_the_wrong_one(network: Network) -> None:
    one = batch([Question("presence", (Term("person"),))], labelled(("person", LEFT)))
    out = network(pictures(one), one.ids, one.zones)
    right, wrong = torch.tensor([[[-3.0, 3.0]]]), torch.tensor([[[3.0, -3.0]]])

    assert (
        losses(out | {"logits": right}, one)["answer"]
        < losses(out | {"logits": wrong}, one)["answer"]
    )


def test_reading_lessons_teach_reading(network: Network) -> None:
    ids, wanted = reading_lesson(TOKENIZER, Random(1), 200)
    before = float(network.meaning.losses(network.question(ids), wanted).detach())
    learn_to_read(network.question, network.meaning, TOKENIZER, steps=10, seed=5)
    after = float(network.meaning.losses(network.question(ids), wanted).detach())

    assert after < 0.95 * before
