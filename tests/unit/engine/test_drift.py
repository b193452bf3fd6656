"""Drift: 1 for one in a hundred of the usual, well above for what training never saw."""

from __future__ import annotations

import json

import numpy as np
import pytest

from edge_daemon.engine.drift import (
    Drift,
    DriftReference,
    features,
    fit_reference,
    parse_reference,
)
from edge_daemon.errors import BundleError

RNG = np.random.default_rng(4)
MIXING = RNG.normal(0, 1, (6, 20)).astype(np.float32)  # what pictures vary in: 6 of 20 features
WRITTEN = {
    "mean": [0.0, 0.0],
    "directions": [[1.0, 0.0]],
    "spread": [1.0],
    "rest": 1.0,
    "limit": 1.0,
}


def usual(n: int) -> np.ndarray:
    noise = RNG.normal(0, 0.1, (n, 20))
    return (RNG.normal(0, 1, (n, 6)) @ MIXING + 3 + noise).astype(np.float32)


@pytest.fixture(scope="module")
def drift() -> Drift:
    reference = fit_reference(usual(3000), usual(2000), n_directions=6)
    written = json.dumps(reference.model_dump())

    return Drift(parse_reference(json.loads(written), where="drift.json"))


def test_features_are_the_mean_of_each_channel() -> None:
    tokens = np.array([[[1.0, 5.0], [3.0, 5.0]]], np.float32)

    assert features(tokens).tolist() == [[2.0, 5.0]]


def test_one_usual_picture_in_a_hundred_is_above_1(drift: Drift) -> None:
    above = (drift.of_features(usual(10_000)) > 1).mean()

    assert 0.004 < above < 0.02


def test_what_never_varied_counts_more_than_what_did(drift: Drift) -> None:
    along = MIXING[0] / np.linalg.norm(MIXING[0])
    across = RNG.normal(0, 1, 20)
    across -= MIXING.T @ np.linalg.lstsq(MIXING.T, across, rcond=None)[0]
    across /= np.linalg.norm(across)
    middle = np.full(20, 3.0)
    found = drift.of_features(np.stack([middle, middle + along, middle + across], dtype=np.float32))

    assert found[0] < 0.3
    assert found[1] < 1
    assert found[2] > 1.5


def test_drift_is_of_whole_tokens(drift: Drift) -> None:
    tokens = RNG.normal(0, 1, (3, 12, 20)).astype(np.float32)

    assert drift.channels == 20
    assert drift.of(tokens) == pytest.approx(drift.of_features(features(tokens)))
    assert drift.of(tokens[:0]).shape == (0,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"limit": 0}, "d.json: limit: Input should be greater than 0 -- export the bundle again"),
        ({"rest": float("nan")}, "d.json: rest: Input should be"),
        ({"spread": [1.0, 2.0]}, "d.json: file: Value error, spread must be one number above 0"),
        ({"directions": [[1.0]]}, "d.json: file: Value error, directions and mean differ"),
        ({"mean": None}, "d.json: mean: Input should be a valid tuple"),
        ({"more": 1}, "d.json: more: Extra inputs are not permitted"),
    ],
)
def test_a_damaged_reference_is_one_clear_line(change: dict[str, object], message: str) -> None:
    with pytest.raises(BundleError) as caught:
        parse_reference({**WRITTEN, **change}, where="d.json")

    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("n", [1, 2, 12])
def test_a_reference_of_fewer_pictures_than_features_is_still_finite(n: int) -> None:
    reference = fit_reference(usual(n), usual(n), n_directions=64)

    assert len(reference.directions) < 12
    assert isinstance(DriftReference.model_validate(reference.model_dump()), DriftReference)
