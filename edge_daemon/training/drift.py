"""What pictures of training are like, measured with a bundle and written into it."""

from __future__ import annotations

import hashlib
import json
import logging
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import yaml

from edge_daemon.engine.drift import features, fit_reference
from edge_daemon.training.augment import fit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from edge_daemon.engine.base import Engine
    from edge_daemon.training.labels import Row
    from edge_daemon.training.pictures import Pictures

log = logging.getLogger(__name__)

FILE: Final = "drift.json"
_MOST: Final = 3000  # pictures of training: more change the figures in the third digit
_BATCH: Final = 16


def add_drift(
    bundle: Path, engine: Engine, train: Sequence[Row], val: Sequence[Row], pictures: Pictures
) -> None:
    """Write drift.json and pin it in the manifest; of train, at most 3000 rows are looked at."""
    rng = np.random.default_rng(3)
    chosen = [train[n] for n in sorted(rng.permutation(len(train))[:_MOST])]
    reference = fit_reference(
        picture_features(engine, chosen, pictures), picture_features(engine, val, pictures)
    )
    raw = (json.dumps(reference.model_dump()) + "\n").encode()
    (bundle / FILE).write_bytes(raw)
    manifest: dict[str, Any] = yaml.safe_load((bundle / "manifest.yaml").read_text("utf-8"))
    manifest["drift"] = {"file": FILE, "sha256": hashlib.sha256(raw).hexdigest()}
    text = yaml.safe_dump(manifest, sort_keys=False, width=100, allow_unicode=True)
    (bundle / "manifest.yaml").write_text(text, encoding="utf-8")
    log.info("drift: 1 is a distance of %.3f", reference.limit)


def picture_features(
    engine: Engine, rows: Sequence[Row], pictures: Pictures
) -> NDArray[np.float32]:
    """Features float32 (N, D) of whole pictures, a few of them in memory at a time."""
    parts = []
    for at in range(0, len(rows), _BATCH):
        some = rows[at : at + _BATCH]
        seen = [fit(pictures[row.key], row.labels, engine.input_size).pixels for row in some]
        parts.append(features(engine.look(np.stack(seen))))
    return np.concatenate(parts)
