"""What an engine gets right on pictures it was never trained on."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from random import Random
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_daemon.figures import (
    auroc,
    balanced_accuracy,
    expected_calibration_error,
)
from edge_daemon.training import lexicon
from edge_daemon.training.augment import fit
from edge_daemon.training.concepts import CONCEPT_INDEX, CONCEPTS, LIGHTS, SCENES
from edge_daemon.training.conditions import conditions, families
from edge_daemon.training.questions import Question, Speaker, Term, draw
from edge_daemon.training.rendered import RENDERED
from edge_daemon.training.truth import Grid, answers, concept_maps
from edge_daemon.training.zones import random_zone
from edge_daemon.types import polygon_mask

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from edge_daemon.engine.base import Engine
    from edge_daemon.training.augment import Sample
    from edge_daemon.training.labels import Row
    from edge_daemon.training.pictures import Pictures
    from edge_daemon.training.questions import Asked
    from edge_daemon.types import Polygon

    Scores = dict[str, Any]
    Flat = tuple[NDArray[np.float64], NDArray[np.bool_]]

JUDGED: Final = ("person", "car", "bicycle", "bus", "truck", "motorcycle", "dog", "traffic_light")
"""Concepts whose presence makes up the headline figure."""

_YES_ABOVE, _NO_BELOW = 0.6, 0.4  # the daemon's defaults
_BATCH: Final = 16
_ZONE_SHARE: Final = 0.25
_TRIES: Final = 50_000


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Pictures an engine has looked at, once for all questions."""

    rows: Sequence[Row]
    samples: Sequence[Sample] = field(repr=False)
    tokens: NDArray[np.float32] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Probe:
    """Questions with zones, asked of every picture."""

    questions: tuple[Question, ...]
    texts: tuple[str, ...]
    zones: tuple[Polygon | None, ...]


def see(engine: Engine, rows: Sequence[Row], pictures: Pictures) -> Seen:
    """Look at the whole of each picture."""
    samples = [fit(pictures[row.key], row.labels, engine.input_size) for row in rows]
    return Seen(rows, samples, look(engine, [s.pixels for s in samples]))


def look(engine: Engine, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """Tokens of many pictures, a few at a time."""
    parts = [
        engine.look(np.stack(pictures[i : i + _BATCH])) for i in range(0, len(pictures), _BATCH)
    ]
    return np.concatenate(parts)


def ask(
    engine: Engine, tokens: NDArray[np.float32], probe: Probe
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """p_yes float64 (N, Q), and the cell of the evidence's peak int64 (N, Q)."""
    prepared = engine.prepare(probe.texts, probe.zones)
    p, peaks = [], []
    for i in range(0, len(tokens), _BATCH):
        said = engine.answer(tokens[i : i + _BATCH], prepared)
        p.append(said.p_yes)
        peaks.append(said.evidence.reshape(*said.p_yes.shape, -1).argmax(axis=-1))
    return np.concatenate(p).astype(np.float64), np.concatenate(peaks)


def truths(seen: Sequence[Sample], probe: Probe, grid: Grid) -> NDArray[np.int8]:
    """1 YES, 0 NO, -1 unknown; int8 (N, Q)."""
    zones = np.ones((len(probe.questions), grid.cells), bool)
    for q, polygon in enumerate(probe.zones):
        if polygon is not None:
            zones[q] = polygon_mask(polygon, grid.columns, grid.rows).reshape(-1)
    return answers(probe.questions, zones, [s.labels for s in seen], grid)


def plain_probe() -> Probe:
    """One plain question, "Is there a ...?", for every concept."""
    nouns = [lexicon.NOUNS[c][0][0] for c in CONCEPTS]
    texts = tuple(f"Is there {'an' if n[0] in 'aeiou' else 'a'} {n}?" for n in nouns)
    questions = tuple(Question("presence", (Term(c),)) for c in CONCEPTS)
    return Probe(questions, texts, (None,) * len(texts))


def random_probe(rows: Sequence[Row], n: int, seed: int) -> Probe:
    """Random questions of the training grammar, a quarter of them with a zone."""
    speaker, rng = Random(seed), np.random.default_rng(seed)
    asked, zones = [], []
    for i in range(n):
        focus = (CONCEPTS + SCENES)[i % (len(CONCEPTS) + len(SCENES))]
        question, text = draw(speaker, focus)
        zoned = question.scene is None and question.place is None and rng.random() < _ZONE_SHARE
        labels = rows[int(rng.integers(len(rows)))].labels
        zones.append(random_zone(labels, focus, rng) if zoned else None)
        asked.append((question, text))
    return Probe(tuple(q for q, _ in asked), tuple(t for _, t in asked), tuple(zones))


def reworded(probe: Probe, seed: int, tries: int = _TRIES) -> Probe:
    """The same questions in patterns that training never used.

    Where so many tries find none of just that meaning, one of its kind.
    """
    speaker = Speaker(Random(seed), held_out=True)
    asked = [_in_other_words(question, speaker, tries) for question in probe.questions]
    return Probe(tuple(q for q, _ in asked), tuple(text for _, text in asked), probe.zones)


def _in_other_words(question: Question, speaker: Speaker, tries: int) -> Asked:
    focus = question.scene or question.terms[0].concept
    ways: Iterator[Asked] = (getattr(speaker, question.family)(focus) for _ in range(tries))
    near = next(ways)
    return next((said for said in chain((near,), ways) if said[0] == question), near)


def presence_scores(
    seen: Seen, p: NDArray[np.float64], truth: NDArray[np.int8]
) -> dict[str, Scores]:
    """AUROC of plain questions per concept: by people's labels, and by every confident label."""
    photo: NDArray[np.bool_] = np.array([row.dataset != RENDERED for row in seen.rows], bool)
    scores: dict[str, Scores] = {}
    for c, concept in enumerate(CONCEPTS):
        people = photo & np.array([concept in row.people_labelled for row in seen.rows])
        score: Scores = {}
        for name, among in (("people", people), ("all", photo), ("rendered", ~photo)):
            known = among & (truth[:, c] >= 0)
            yes = truth[known, c] == 1
            score[name] = {
                "auroc": auroc(p[known, c], yes),
                "balanced_accuracy": balanced_accuracy(p[known, c], yes),
                "yes": int(yes.sum()),
                "no": int((~yes).sum()),
            }
        scores[concept] = score
    return scores


def family_scores(
    probe: Probe,
    p: NDArray[np.float64],
    truth: NDArray[np.int8],
    among: NDArray[np.bool_] | None = None,
) -> dict[str, Scores]:
    """Balanced accuracy, AUROC, ECE and abstention per question family, and over all.

    among, bool (N, Q): the answers that count; families without any are left out.
    """
    scores = {}
    for name, chosen in families(probe).items():
        known = _comparable(p, truth) & chosen[None] & (True if among is None else among)
        if known.any():
            scores[name] = _scores(p[known], truth[known] == 1)
    return scores


def _comparable(p: NDArray[np.float64], truth: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Where truth is known and the engine answered: what it refuses is UNKNOWN, not wrong."""
    return (truth >= 0) & np.isfinite(p)


def _scores(flat: NDArray[np.float64], yes: NDArray[np.bool_]) -> Scores:
    sure = (flat >= _YES_ABOVE) | (flat <= _NO_BELOW)
    return {
        "n": len(flat),
        "yes": int(yes.sum()),
        "balanced_accuracy": balanced_accuracy(flat, yes),
        "balanced_accuracy_when_sure": balanced_accuracy(flat[sure], yes[sure]),
        "abstention": float(1 - sure.mean()),
        "auroc": auroc(flat, yes),
        "ece": expected_calibration_error(flat, yes),
    }


def light_scores(seen: Seen, p: NDArray[np.float64]) -> Scores:
    """Red against green where exactly one of them is visible: which question scores higher."""
    red, green = (CONCEPT_INDEX[name] for name in LIGHTS[:2])
    right: list[bool] = []
    for n, row in enumerate(seen.rows):
        lit = [bool(row.labels.certain[:, c].any()) for c in (red, green)]
        if row.dataset != RENDERED and sum(lit) == 1:
            right.append(bool((p[n, red] > p[n, green]) == lit[0]))
    return {"n": len(right), "accuracy": float(np.mean(right)) if right else float("nan")}


def evidence_scores(
    seen: Seen, p: NDArray[np.float64], peaks: NDArray[np.int64], grid: Grid
) -> dict[str, Scores]:
    """How often the map's peak lies in a right box when YES is right, by concept."""
    inside = concept_maps([s.labels for s in seen.samples], grid).inside
    scores = {}
    for c, concept in enumerate(CONCEPTS):
        hits = [
            bool(inside[n, c, peaks[n, c]])
            for n in range(len(p))
            if inside[n, c].any() and p[n, c] >= 0.5
        ]
        if hits:
            scores[concept] = {"n": len(hits), "in_box": float(np.mean(hits))}
    return scores


def macro(presence: Mapping[str, Scores], among: str) -> float:
    """Mean AUROC of the judged concepts, those with both answers."""
    values = [presence[c][among]["auroc"] for c in JUDGED]
    return float(np.nanmean(values))


def known_answers(engine: Engine, seen: Seen, n: int, seed: int) -> Flat:
    """p_yes and truth of random questions, flat, where the truth is known."""
    probe = random_probe(seen.rows, n, seed)
    p, _ = ask(engine, seen.tokens, probe)
    truth = truths(seen.samples, probe, Grid(*engine.grid))
    known = _comparable(p, truth)
    return p[known], truth[known] == 1


def reliability_groups(engine: Engine, seen: Seen, n: int, seed: int) -> dict[str, Flat]:
    """p_yes and truth of random questions by family, then by condition, where the truth is known.

    Of one class only nothing can be drawn: such a group is left out.
    """
    probe = random_probe(seen.rows, n, seed)
    p, _ = ask(engine, seen.tokens, probe)
    truth = truths(seen.samples, probe, Grid(*engine.grid))
    groups = {name: np.repeat(q[None], len(p), axis=0) for name, q in families(probe).items()}
    groups = {"all": groups.pop("all"), **groups, **conditions(seen.rows, probe, truth)}
    known = {name: chosen & _comparable(p, truth) for name, chosen in groups.items()}
    flat = {name: (p[chosen], truth[chosen] == 1) for name, chosen in known.items()}
    return {name: (said, yes) for name, (said, yes) in flat.items() if 0 < yes.sum() < len(yes)}


def evaluate(engine: Engine, seen: Seen, *, n_questions: int = 230, seed: int = 11) -> Scores:
    """All figures at once."""
    grid = Grid(*engine.grid)
    plain = plain_probe()
    p, peaks = ask(engine, seen.tokens, plain)
    truth = truths(seen.samples, plain, grid)
    presence = presence_scores(seen, p, truth)
    evidence = evidence_scores(seen, p, peaks, grid)
    scores: Scores = {
        "macro_auroc": {k: macro(presence, k) for k in ("people", "all", "rendered")},
        "presence": presence,
        "light_red_green": light_scores(seen, p),
        "evidence": evidence,
        "evidence_in_box": float(
            np.average(
                [e["in_box"] for e in evidence.values()],
                weights=[e["n"] for e in evidence.values()],
            )
        ),
    }
    familiar = random_probe(seen.rows, n_questions, seed)
    for name, probe in (("families", familiar), ("unseen_patterns", reworded(familiar, seed))):
        said, _ = ask(engine, seen.tokens, probe)
        true = truths(seen.samples, probe, grid)
        scores[name] = family_scores(probe, said, true)
        if probe is familiar:
            scores["conditions"] = {
                condition: family_scores(probe, said, true, among)
                for condition, among in conditions(seen.rows, probe, true).items()
            }
    return scores
