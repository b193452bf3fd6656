"""How unlike the pictures of training a picture is, from its tokens alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from edge_daemon.errors import BundleError

if TYPE_CHECKING:
    from numpy.typing import NDArray

EXPECTED: Final = 0.99
"""Share of pictures like those of training whose drift is below 1."""

_MOST: Final = 8192  # features
_LEAST: Final = 1e-9  # variance: of one picture alone there is none


class DriftReference(BaseModel):
    """The file drift.json of a bundle: what pictures of training are like.

    A picture's features are the means of its token channels over the cells (D,).  Its drift is
    the distance from mean, along each of the directions (K, D) in units of its spread (K,), and in
    all others together in units of rest, over limit: the distance that 99 % of the pictures kept
    apart stay below.
    Source: Mahalanobis distance under probabilistic PCA, Tipping and Bishop, 1999.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True)

    mean: tuple[float, ...] = Field(min_length=2, max_length=_MOST)
    directions: tuple[tuple[float, ...], ...] = Field(min_length=1, max_length=256)
    spread: tuple[float, ...] = Field(min_length=1, max_length=256)
    rest: float = Field(gt=0, allow_inf_nan=False)
    limit: float = Field(gt=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _fits_together(self) -> DriftReference:
        n_features = len(self.mean)
        if any(len(direction) != n_features for direction in self.directions):
            raise ValueError("directions and mean differ in length")
        if len(self.spread) != len(self.directions) or min(self.spread) <= 0:
            raise ValueError("spread must be one number above 0 for each direction")
        return self


class Drift:
    """A reference made ready for use."""

    def __init__(self, reference: DriftReference) -> None:
        self._mean = np.array(reference.mean, np.float32)
        self._directions = np.array(reference.directions, np.float32)  # (K, D)
        self._scale = np.array([1 / s for s in reference.spread], np.float32)  # (K,)
        self._rest, self._limit = reference.rest, reference.limit

    @property
    def channels(self) -> int:
        """Token channels it was made for, D."""
        return len(self._mean)

    def of(self, tokens: NDArray[np.float32]) -> NDArray[np.float32]:
        """Drift of each picture, float32 (B,), from tokens (B, T, D)."""
        return self.of_features(features(tokens))

    def of_features(self, found: NDArray[np.float32]) -> NDArray[np.float32]:
        """The same from features (B, D)."""
        return distances(found, self._mean, self._directions, self._scale, self._rest) / self._limit


def features(tokens: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of each channel over the cells, float32 (B, D), of tokens (B, T, D)."""
    return np.asarray(tokens.mean(axis=1), np.float32)


def distances(
    found: NDArray[np.float32],
    mean: NDArray[np.float32],
    directions: NDArray[np.float32],
    scale: NDArray[np.float32],
    rest: float,
) -> NDArray[np.float32]:
    """Distance of each row (B, D) from mean (D,), over the square root of D."""
    off = found - mean
    along = off @ directions.T  # (B, K)
    beside = np.maximum((off * off).sum(axis=1) - (along * along).sum(axis=1), 0)
    squares = ((along * scale) ** 2).sum(axis=1) + beside / rest**2
    return np.asarray(np.sqrt(squares / found.shape[1]), np.float32)


def fit_reference(
    training: NDArray[np.float32], kept_apart: NDArray[np.float32], n_directions: int = 64
) -> DriftReference:
    """A reference from features (N, D) of pictures of training, and of others like them."""
    mean = training.mean(axis=0)
    _, singular, directions = np.linalg.svd(training - mean, full_matrices=False)
    n = max(1, min(n_directions, len(singular) // 2))  # the rest must be known too
    variances = np.maximum(singular**2 / len(training), _LEAST)
    # Directions beyond the first n count together, each with the mean of their variances.
    beyond = variances[n:].sum() / (training.shape[1] - n)
    rest = float(np.sqrt(max(beyond, _LEAST)))
    chosen = np.round(directions[:n], 4).astype(np.float32)
    spread = np.sqrt(variances[:n])
    known = distances(kept_apart, mean, chosen, (1 / spread).astype(np.float32), rest)
    return DriftReference(
        mean=tuple(np.round(mean, 5).tolist()),
        directions=tuple(tuple(row) for row in np.round(chosen.astype(float), 4).tolist()),
        spread=tuple(np.round(spread, 6).tolist()),
        rest=round(rest, 6),
        limit=max(1e-5, round(float(np.quantile(known, EXPECTED)), 5)),
    )


def parse_reference(data: object, *, where: str) -> DriftReference:
    """Check the parsed drift.json.  Raises BundleError naming the first bad key."""
    try:
        return DriftReference.model_validate(data)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        what = f"{'.'.join(map(str, first['loc'])) or 'file'}: {first['msg']}"
        raise BundleError(what, where=where, hint="export the bundle again") from None
