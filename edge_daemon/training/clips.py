"""An engine on the shared street clips, second by second."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from edge_daemon.figures import auroc
from edge_daemon.scenes.options import parse_scene
from edge_daemon.scenes.street import Street
from edge_daemon.training.augment import fit
from edge_daemon.training.concepts import CONCEPTS, HUMAN
from edge_daemon.training.evaluate import ask, look, plain_probe, truths
from edge_daemon.training.labels import assemble, labels_of
from edge_daemon.training.rendered import labels_of_scene
from edge_daemon.training.truth import Grid

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from edge_daemon.engine.base import Engine
    from edge_daemon.training.augment import Sample

_YES_ABOVE, _NO_BELOW = 0.6, 0.4

_SEEN_S: Final = {"intel_car_detection.mp4": frozenset({5, 6, 7, 8, 15, 16, 17, 18, 26, 27})}
"""Seconds with a car, looked at: seen from above, the detector takes cars for cell phones."""


def clip_samples(folder: Path, size: tuple[int, int]) -> dict[str, list[Sample]]:
    """One frame a second of every clip, with what the detector is sure of."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in (folder / "detector_1fps.jsonl").read_text().splitlines():
        row = json.loads(line)
        rows[row["video"]].append(row)
    samples = {name: _samples(folder / name, found, size) for name, found in rows.items()}
    for name, seconds in _SEEN_S.items():
        if name in samples:
            times = [row["t"] for row in rows[name]]
            samples[name] = [
                _corrected(sample, showing=int(t) in seconds)
                for t, sample in zip(times, samples[name])
            ]
    return samples


def scene_samples(address: str, size: tuple[int, int], every: int = 5) -> list[Sample]:
    """Every so-many-th frame of a rendered street, with its truth."""
    options = parse_scene(address)
    street = Street(options)
    frames = (street.frame(n) for n in range(0, options.n_frames, every))
    return [fit(pixels, labels_of_scene(truth), size) for pixels, truth in frames]


def clip_scores(engine: Engine, clips: dict[str, list[Sample]]) -> dict[str, Any]:
    """Per clip and concept: AUROC, and the seconds answered wrongly or not at all."""
    probe = plain_probe()
    scores: dict[str, Any] = {}
    for name, samples in clips.items():
        p, _ = ask(engine, look(engine, [s.pixels for s in samples]), probe)
        truth = truths(samples, probe, Grid(*engine.grid))
        scores[name] = {
            question.terms[0].concept: _column(p[:, q], truth[:, q])
            for q, question in enumerate(probe.questions)
        }
    return scores


def _column(p: NDArray[np.float64], truth: NDArray[np.int8]) -> dict[str, Any]:
    yes, no = truth == 1, truth == 0
    known = yes | no
    return {
        "yes": int(yes.sum()),
        "no": int(no.sum()),
        "auroc": auroc(p[known], yes[known]),
        "missed": int((p[yes] <= _NO_BELOW).sum()),
        "false_alarms": int((p[no] >= _YES_ABOVE).sum()),
        "unsure": int(((p > _NO_BELOW) & (p < _YES_ABOVE) & known).sum()),
    }


def _samples(clip: Path, rows: list[dict[str, Any]], size: tuple[int, int]) -> list[Sample]:
    video = cv2.VideoCapture(str(clip))
    wanted = {row["frame"]: row for row in rows}
    samples, index = [], 0
    while wanted:
        read, bgr = video.read()
        if not read:
            break
        row = wanted.pop(index, None)
        if row is not None:
            samples.append(_sample(np.asarray(bgr, np.uint8), row, size))
        index += 1
    video.release()
    return samples


def _corrected(sample: Sample, *, showing: bool) -> Sample:
    """With one car somewhere, or with nothing, instead of what the detector saw."""
    bearings = [HUMAN["car"]] if showing else []
    nothing = np.zeros(len(CONCEPTS), bool)
    labels = assemble(
        [[0.0, 0.0, 1.0, 1.0]] * len(bearings), bearings, nothing, sample.labels.scene
    )
    return replace(sample, labels=labels)


def _sample(bgr: NDArray[np.uint8], row: dict[str, Any], size: tuple[int, int]) -> Sample:
    height, width = bgr.shape[:2]
    whole = np.array([width, height, width, height], float)
    detector = [[*(np.array(d[:4]) / whole).tolist(), d[5], d[4]] for d in row["det"]]
    said = {
        "dataset": "clip", "human": None, "scene": [], "brightness": row["lum"],
        "detector": [[*d[:4], name, score] for *d, name, score in detector],
    }  # fmt: skip
    return fit(np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8), labels_of(said), size)
