"""edge-daemon ask: answers about still pictures."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_daemon.cli.options import (
    add_engine_options,
    add_question_options,
    engine_settings,
    parse_polygon,
    questions_of,
)
from edge_daemon.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from edge_daemon.config.models import QuestionConfig
    from edge_daemon.engine.base import Answers, Engine, QuestionSet
    from edge_daemon.types import Picture


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="JPEG, PNG, WebP, BMP")
    add_question_options(parser)
    parser.add_argument("--zone", metavar="'X,Y X,Y X,Y'", help="ask inside this polygon only")
    parser.add_argument("--explain", metavar="OUT.png", help="draw where the answer was seen")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    add_engine_options(parser)


def run(args: argparse.Namespace) -> int:
    """Answer every question about every picture."""
    from edge_daemon.engine.bundle import load_bundle  # noqa: PLC0415  keeps --help light
    from edge_daemon.engine.open import open_engine  # noqa: PLC0415
    from edge_daemon.sources.images import read_picture  # noqa: PLC0415

    questions = questions_of(args)
    zone = parse_polygon(args.zone) if args.zone else None
    if args.explain and (len(args.images) > 1 or len(questions) > 1):
        hint = "give one IMAGE and one -q"
        raise UsageError("draws one question about one picture", where="--explain", hint=hint)
    settings = engine_settings(args)
    bundle = load_bundle(settings.bundle)
    if args.explain and not bundle.explains:
        hint = "leave it out, or use a bundle of kind grounded"
        what = f"{bundle.name} has no map of where it sees what it says"
        raise UsageError(what, where="--explain", hint=hint)
    engine = open_engine(settings, bundle)
    ready = engine.prepare([q.ask for q in questions], [zone] * len(questions))
    for name in args.images:
        picture = read_picture(Path(name))
        answers = _answer(engine, picture, ready)
        for n, question in enumerate(questions):
            row = _row(name, question, float(answers.p_yes[0, n]))
            _print({**row, "remark": ready.remarks[n]}, as_json=args.json)
        if args.explain:
            _explain(Path(args.explain), picture, questions[0], answers)
    engine.close()
    return 0


def _answer(engine: Engine, picture: Picture, ready: QuestionSet) -> Answers:
    return engine.answer(engine.look(picture.resized(*engine.input_size)[None]), ready)


def _row(name: str, question: QuestionConfig, p_yes: float) -> dict[str, Any]:
    from edge_daemon.verdicts.hysteresis import first_verdict  # noqa: PLC0415  keeps --help light

    verdict, reason = first_verdict(p_yes, question.yes_above, question.no_below)
    return {
        "image": name,
        "question": question.ask,
        "p_yes": None if math.isnan(p_yes) else round(p_yes, 4),
        "verdict": verdict.value,
        "reason": reason.value if reason else None,
    }


def _print(row: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(row, ensure_ascii=False))
        return
    p_yes = "  -  " if row["p_yes"] is None else f"{row['p_yes']:.3f}"
    why = f" ({row['reason']})" if row["reason"] else ""
    why += f"  {row['remark']}" if row["remark"] else ""
    print(f"{row['verdict']:7} {p_yes}  {row['image']}: {row['question']}{why}")


def _explain(out: Path, picture: Picture, question: QuestionConfig, answers: Answers) -> None:
    from edge_daemon.overlay import Shown, heat_map  # noqa: PLC0415  keeps --help light
    from edge_daemon.sources.images import write_picture  # noqa: PLC0415
    from edge_daemon.verdicts.hysteresis import first_verdict  # noqa: PLC0415

    p_yes = float(answers.p_yes[0, 0])
    verdict, reason = first_verdict(p_yes, question.yes_above, question.no_below)
    shown = Shown(question.id, question.ask, None, question.yes_above, question.no_below)
    drawn = heat_map(
        picture.rgb(),
        answers.evidence[0, 0],
        shown,
        verdict=verdict,
        reason=reason,
        p_yes=None if math.isnan(p_yes) else p_yes,
    )
    write_picture(out, drawn)
