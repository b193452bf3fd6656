"""CARD.md: what a bundle can and cannot do, written from its measured scores."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any

from edge_daemon.training.evaluate import JUDGED
from edge_daemon.training.provenance import SOURCES, WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    Scores = Mapping[str, Any]

_HEAD = """\
# {name} {version}

A small model for street cameras: yes/no questions in plain English about people, cyclists,
vehicles, animals, traffic lights, weather and time of day, answered with a calibrated p_yes and a
map of where the answer was seen. {megabytes:.1f} MB on disk, {size} pixels in.

This file is written by `scripts/train card` from measured scores; do not edit it by hand.

## What it may be asked

- **Presence, absence**: person, cyclist, motorcyclist, car, truck, bus, bicycle, motorcycle,
  rickshaw, vehicle, dog, cat, animal, traffic light, stop sign; "is anybody there", "is the road
  empty", "is the crossing blocked".
- **Number**: "at least two people", "more than three cars", "exactly one bus", "is it crowded".
- **Place**: left, right, top, bottom, middle, corners, near, far; zones drawn in the configuration.
- **Lights**: "is the traffic light red", green, yellow. **Scene**: night, day, rain, fog.
- **Two things**: "a person but no car", "a dog and a bicycle", "neither a bus nor a truck".

A question with a word outside its vocabulary, or with known words in an order it never learned
("a red car", "a dog in the car"), is answered UNKNOWN (unsupported), never guessed; `edge-daemon
check` says why, and what to ask instead. "Child", "man" or "van" are not known on purpose: the
answer would be about any person, any vehicle. Places ("on the driveway", "at the door") and
"parked", "standing", "waiting", "walking" are understood but not judged: draw a zone for the place.
"""

_LIMITS = """\
## What it is bad at

- Things smaller than about 8 pixels at {size} (one cell of its map is 16): far pedestrians and
  two-wheelers are missed first.
- Colours of anything but traffic lights, movement, clothes, open and closed doors: refused.
- "Truck" against van and pick-up: the labels themselves quarrel. Ask for "vehicle" where it
  matters.
- Views from straight above, fisheye, thermal and infra-red cameras: not trained on.
- Rain and fog were learnt from drawn rain and fog over photographs and from rendered streets;
  night from {nights} photographs and rendered streets. Their figures on photographs are weak
  evidence.
- Counts above about eight, and people standing close together.
- Dogs come from close-ups (real ones small in a street are rare in the data), cut out and pasted.
"""


def write_card(manifest: Scores, scores: Scores, clips: Scores, notes: Scores) -> str:
    """The whole card, as Markdown."""
    size = f"{manifest['input']['width']} x {manifest['input']['height']}"
    parts = [
        _HEAD.format(
            name=manifest["name"],
            version=manifest["version"],
            megabytes=notes["megabytes"],
            size=size,
        ),
        _presence(scores),
        _families(scores),
        _conditions(scores),
        _clips(clips),
        _LIMITS.format(nights=notes["nights"], size=size),
        _provenance(notes),
    ]
    return "\n".join(parts)


def _presence(scores: Scores) -> str:
    lines = [
        "## Measured: presence on pictures never trained on",
        "",
        "AUROC, and balanced accuracy at p_yes 0.5, of plain questions; *people*: labels drawn by",
        "people only, *all*: also a detector's confident ones. YES/NO counts in brackets.",
        "",
        "| | people | all | rendered streets |",
        "| --- | --- | --- | --- |",
    ]
    for concept, score in scores["presence"].items():
        cells = [_cell(score[among]) for among in ("people", "all", "rendered")]
        marked = f"**{_words(concept)}**" if concept in JUDGED else _words(concept)
        lines.append(f"| {marked} | {' | '.join(cells)} |")
    macro = [f"**{scores['macro_auroc'][k]:.3f}**" for k in ("people", "all", "rendered")]
    lines.append(f"| mean AUROC of the eight in bold | {' | '.join(macro)} |")
    light = scores["light_red_green"]
    lines += [
        "",
        f"Red against green, where one of the two is visible: {_percent(light['accuracy'])} right"
        f" of {light['n']}. Peak of the map inside a right box when YES is right:"
        f" {_percent(scores['evidence_in_box'])}.",
        "",
    ]
    return "\n".join(lines)


def _families(scores: Scores) -> str:
    lines = [
        "## Measured: all kinds of questions",
        "",
        "Random questions of the training grammar on the same pictures (a zone for a quarter of",
        "them), and the same ones in sentence patterns that training never used. *Abstained*:",
        "p_yes between 0.4 and 0.6. Photographs and rendered streets together.",
        "",
        "| kind | answers | balanced accuracy | unseen patterns | abstained | ECE |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    unseen = scores["unseen_patterns"]
    for name, score in scores["families"].items():
        other = unseen.get(name, {}).get("balanced_accuracy", float("nan"))
        shares = (score["balanced_accuracy"], other, score["abstention"])
        cells = " | ".join(_percent(share) for share in shares)
        lines.append(f"| {name} | {score['n']} | {cells} | {score['ece']:.3f} |")
    return "\n".join([*lines, ""])


def _conditions(scores: Scores) -> str:
    lines = [
        "## Measured: by condition",
        "",
        "The same random questions. *Far*: what is asked for fills less than 0.4 % of the picture,",
        "against pictures without it; rain and fog are rendered streets only, night mostly.",
        "",
        "| condition | answers (YES) | balanced accuracy | AUROC | abstained | ECE |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, families in scores["conditions"].items():
        if (score := families.get("all")) is None:
            continue
        right, unsure = _percent(score["balanced_accuracy"]), _percent(score["abstention"])
        lines.append(
            f"| {name} | {score['n']} ({score['yes']}) | {right} | {score['auroc']:.3f} |"
            f" {unsure} | {score['ece']:.3f} |"
        )
    return "\n".join([*lines, ""])


def _clips(clips: Scores) -> str:
    lines = [
        "## Measured: street clips, second by second",
        "",
        "Against a detector's confident labels (themselves not truth), at the default thresholds;",
        "of intel_car_detection.mp4, whose cars it takes for cell phones, by eye; of the rendered",
        "street every fifth frame, against its truth. Rows without any YES, false alarm or unsure",
        "answer are left out.",
        "",
        "| clip | question | YES / NO seconds | missed | false alarms | unsure |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for clip, columns in clips.items():
        for concept in ("person", "car", "truck", "bus", "bicycle", "dog", "red_light"):
            column = columns[concept]
            if not column["yes"] and not column["false_alarms"] + column["unsure"]:
                continue
            lines.append(
                f"| {clip} | {_words(concept)} | {column['yes']} / {column['no']} |"
                f" {column['missed']} | {column['false_alarms']} | {column['unsure']} |"
            )
    return "\n".join([*lines, ""])


def _provenance(notes: Scores) -> str:
    lines = [
        "## Provenance",
        "",
        f"Weights: {WEIGHTS}. {notes['training']}",
        "",
        "| data | pictures trained on | licence | source (GitHub) |",
        "| --- | --- | --- | --- |",
    ]
    for name, (licence, source) in SOURCES.items():
        lines.append(f"| {name} | {notes['pictures'].get(name, 0)} | {licence} | {source} |")
    lines += [
        "",
        "`dogs_cats` states no licence. It is used because the other sets together hold about",
        "fifteen dogs; whoever needs every licence stated must train without it and lose dogs and",
        "cats. `camvid` (non-commercial), `openalpr_endtoend` (AGPL), `cctv_accident` (no licence)",
        "and `voc100_padilla` (mixed) were not trained on. Boxes were drawn by people for the",
        "classes each set cares about, and by two COCO detectors (YOLOv8n, YOLO11n) for the rest.",
        "",
    ]
    return "\n".join(lines)


def _cell(score: Scores) -> str:
    if isnan(score["auroc"]):
        return "-"
    right = _percent(score["balanced_accuracy"])
    return f"{score['auroc']:.3f}, {right} ({score['yes']}/{score['no']})"


def _percent(share: float) -> str:
    return "-" if isnan(share) else f"{100 * share:.1f} %"


def _words(concept: str) -> str:
    return concept.replace("_", " ")
