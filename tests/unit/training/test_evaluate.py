"""What is measured of a bundle: that other words ask the same."""

from __future__ import annotations

from edge_daemon.training.evaluate import random_probe, reworded
from edge_daemon.training.labels import Row
from tests.unit.training.labelled import labelled

ROWS = [Row("a", "highway_5cls", "CC BY 4.0", "val", "", labelled(("car", (0.2, 0.3, 0.5, 0.7))))]


def test_questions_are_asked_again_in_other_words() -> None:
    probe = random_probe(ROWS, 115, seed=4)
    again = reworded(probe, seed=4, tries=1000)
    same = [a == b for a, b in zip(probe.questions, again.questions)]

    assert [q.family for q in again.questions] == [q.family for q in probe.questions]
    assert again.zones == probe.zones
    assert not set(probe.texts) & set(again.texts)
    assert sum(same) >= 0.95 * len(same)
