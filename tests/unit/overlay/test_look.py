from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from edge_daemon.overlay.look import COLOURS, INK, PAPER, Look, counted
from edge_daemon.types import Reason, Verdict
from tests.unit.overlay.conftest import state

SEVERE = {  # G. Machado, M. Oliveira, L. Fernandes, "A physiologically-based model", 2009
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def linear(colour: tuple[int, ...]) -> np.ndarray:
    value = np.asarray(colour) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def luminance(colour: tuple[int, ...]) -> float:
    return float(linear(colour) @ (0.2126, 0.7152, 0.0722))


@pytest.mark.parametrize("eye", SEVERE)
def test_verdicts_are_told_apart_by_every_eye(eye: str) -> None:
    seen = [np.asarray(SEVERE[eye]) @ linear(colour) for colour in COLOURS.values()]
    distances = [float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2)]

    assert min(distances) > 0.2


@pytest.mark.parametrize("colour", [*COLOURS.values(), PAPER])
@pytest.mark.parametrize("ground", [0, 255])
def test_text_stands_out_from_the_panel_on_any_picture(
    colour: tuple[int, int, int], ground: int
) -> None:
    panel = tuple(round(0.22 * ground + 0.78 * ink) for ink in INK)
    contrast = (luminance(colour) + 0.05) / (luminance(panel) + 0.05)

    assert contrast >= 4.5  # WCAG 2.2, level AA


@pytest.mark.parametrize(
    ("look", "value"),
    [
        (Look.of(state(Verdict.YES, 0.934)), "0.93"),
        (Look.of(state(Verdict.NO, 0.0)), "0.00"),
        (Look.of(state(Verdict.YES)), ""),
        (Look.of(state(Verdict.UNKNOWN, 0.5, Reason.LOW_MARGIN)), "low margin"),
        (Look.of(state(Verdict.UNKNOWN, None, Reason.CAMERA_OFFLINE)), "camera offline"),
        (Look.of(state(Verdict.UNKNOWN, float("nan"), Reason.UNSUPPORTED)), "unsupported"),
        (Look.of(None), "starting"),
    ],
)
def test_look_says_the_number_or_why_there_is_no_answer(look: Look, value: str) -> None:
    assert look.value == value


def test_look_of_nan_has_no_bar() -> None:
    assert Look.said(Verdict.UNKNOWN, Reason.UNSUPPORTED, float("nan")).percent is None


def test_verdicts_are_counted_in_one_order() -> None:
    verdicts = [Verdict.UNKNOWN, Verdict.NO, Verdict.YES, Verdict.NO]

    assert counted(verdicts) == "1 YES, 2 NO, 1 UNKNOWN"
    assert counted([]) == ""
