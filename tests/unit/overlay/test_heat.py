from __future__ import annotations

import numpy as np

from edge_daemon.overlay import heat_map
from edge_daemon.types import Reason, Verdict
from tests.unit.overlay.conftest import QUESTIONS, noise


def evidence(hot: tuple[int, int] | None = None) -> np.ndarray:
    cells = np.zeros((7, 7), np.float32)
    if hot:
        cells[hot] = 1
    return cells


def explained(rgb: np.ndarray, cells: np.ndarray, verdict: Verdict = Verdict.YES) -> np.ndarray:
    return heat_map(rgb, cells, QUESTIONS[0], verdict=verdict, reason=None, p_yes=0.9)


def test_heat_map_leaves_its_picture_alone_and_writes_below_it() -> None:
    rgb = noise(1280, 720)
    out = explained(rgb, evidence())

    assert (rgb == noise(1280, 720)).all()
    assert out.shape[1] == 1280
    assert 760 < out.shape[0] < 900


def test_heat_map_enlarges_a_small_picture() -> None:
    out = explained(noise(320, 240), evidence())

    assert out.shape[1] == 640
    assert out.shape[0] > 480


def test_heat_map_glows_where_the_evidence_is() -> None:
    rgb = noise(700, 700)
    glow = explained(rgb, evidence((1, 5))).astype(int) - explained(rgb, evidence())
    places = np.argwhere(np.abs(glow).sum(axis=2) > 150)

    assert np.abs(np.median(places, axis=0) - (150, 550)).max() < 25


def test_heat_map_writes_the_answer() -> None:
    rgb = noise(640, 360)
    yes, no = explained(rgb, evidence()), explained(rgb, evidence(), Verdict.NO)

    assert (yes[:360] == no[:360]).all()
    assert (yes[360:] != no[360:]).any()


def test_heat_map_of_an_unknown_says_why() -> None:
    rgb = noise(640, 360)
    pictures = [
        heat_map(rgb, evidence(), QUESTIONS[0], verdict=Verdict.UNKNOWN, reason=reason, p_yes=None)
        for reason in (Reason.UNSUPPORTED, Reason.LOW_MARGIN)
    ]

    assert (pictures[0] != pictures[1]).any()
