"""edge-daemon evaluate: how right a bundle is on labelled pictures."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from edge_daemon.cli.options import (
    add_engine_options,
    engine_settings,
    is_written_to,
    refuse_unwritable,
)
from edge_daemon.errors import StorageFullError, UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence
    from types import ModuleType

    from edge_daemon.engine.base import Engine

_ANSWERS: Final = {"yes": True, "true": True, "no": False, "false": False}
_WRITABLE: Final = "name a file that you may write"
_PLOTTABLE: Final = "name a .png you may write"
_HINT: Final = 'write {"image": "a.jpg", "question": "Is there a car?", "answer": true}'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "rows", metavar="DATA.jsonl",
        help='rows {"image", "question", "answer"}, and "family" and "condition" if you like;'
        " image paths count from the file's directory",
    )  # fmt: skip
    parser.add_argument("--yes-above", type=float, default=0.6, metavar="P", help="YES from (0.6)")
    parser.add_argument("--no-below", type=float, default=0.4, metavar="P", help="NO up to (0.4)")
    parser.add_argument("--predictions", metavar="OUT.jsonl", help="each row with its answer")
    parser.add_argument("--plot", metavar="OUT.png", help="share of YES against p_yes, by group")
    parser.add_argument("--json", action="store_true", help="the figures as one JSON object")
    add_engine_options(parser)


@dataclass(frozen=True, slots=True)
class _Row:
    """One labelled question, and what was answered; p_yes is NaN where unsupported."""

    given: dict[str, Any]
    image: Path
    question: str
    answer: bool
    family: str | None = None
    condition: str | None = None
    p_yes: float = math.nan


def run(args: argparse.Namespace) -> int:
    """Ask every row, then tell the figures."""
    from edge_daemon.engine.open import open_engine  # noqa: PLC0415  keeps --help light

    if not 0 < args.no_below <= args.yes_above < 1:
        raise UsageError(
            "are not in order", where="thresholds", hint="0 < --no-below <= --yes-above < 1"
        )
    if args.predictions:
        refuse_unwritable(Path(args.predictions), _WRITABLE)
    if args.plot:
        _plotting()
        refuse_unwritable(Path(args.plot), _PLOTTABLE)
    rows = _read(Path(args.rows))
    engine = open_engine(engine_settings(args))
    answered = list(_answered(rows, engine))
    engine.close()
    groups = _groups(answered)
    try:
        if args.predictions:
            _write(Path(args.predictions), answered, args)
        if args.plot:
            _plot(Path(args.plot), answered, groups)
    finally:  # a full disk costs no figures
        _tell(answered, groups, args)
    return 0


def _tell(
    answered: Sequence[_Row], groups: dict[str, dict[str, list[_Row]]], args: argparse.Namespace
) -> None:
    figures: dict[str, Any] = {"all": _figures(answered, args)}
    for kind, found in groups.items():
        figures[kind] = {name: _figures(some, args) for name, some in found.items()}
    if args.json:
        print(json.dumps(figures, ensure_ascii=False))
    else:
        _print_table(figures)


def _groups(rows: Sequence[_Row]) -> dict[str, dict[str, list[_Row]]]:
    """Return the rows by question, and by family and condition where rows name any."""
    groups: dict[str, dict[str, list[_Row]]] = {"questions": {}, "families": {}, "conditions": {}}
    for row in rows:
        for kind, name in zip(groups, (row.question, row.family, row.condition)):
            if name is not None:
                groups[kind].setdefault(name, []).append(row)
    return groups


def _plotting() -> ModuleType:
    try:
        return import_module("edge_daemon.reliability")
    except ModuleNotFoundError as exc:
        if exc.name != "matplotlib":
            raise
        hint = "pip install 'edge-daemon[plot]'"
        raise UsageError("needs matplotlib", where="--plot", hint=hint) from exc


def _plot(out: Path, rows: Sequence[_Row], groups: dict[str, dict[str, list[_Row]]]) -> None:
    """Draw all rows, and each family and condition.  Raises UsageError."""
    import numpy as np  # noqa: PLC0415  keeps --help light

    drawn = {"all": rows, **groups["families"], **groups["conditions"]}
    known = {name: [r for r in some if not math.isnan(r.p_yes)] for name, some in drawn.items()}
    if not known["all"]:
        raise UsageError("no question was understood", where="--plot", hint="see the table")
    try:
        _plotting().plot_reliability(
            {
                name: (np.array([r.p_yes for r in some]), np.array([r.answer for r in some], bool))
                for name, some in known.items()
            },
            out,
        )
    except (OSError, ValueError) as exc:  # a folder that is not there, a format nobody knows
        raise UsageError(str(exc), where=str(out), hint=_PLOTTABLE) from exc


def _read(path: Path) -> list[_Row]:
    """Return the rows of a file.  Raises UsageError that names the line."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        why = exc.strerror if isinstance(exc, OSError) else "is not UTF-8 text"
        raise UsageError(str(why), where=str(path), hint="name a file of JSON Lines") from exc
    rows = [_parse(line, path, n) for n, line in enumerate(lines, 1) if line.strip()]
    if not rows:
        raise UsageError("holds no rows", where=str(path), hint=_HINT)
    return rows


def _parse(line: str, path: Path, n: int) -> _Row:
    where = f"{path}:{n}"
    try:
        given = json.loads(line)
        image, question, answer = given["image"], given["question"], given["answer"]
    except (ValueError, KeyError, TypeError) as exc:
        raise UsageError("is not such a row", where=where, hint=_HINT) from exc
    if isinstance(answer, str):
        answer = _ANSWERS.get(answer.lower())
    if answer not in (True, False) or not isinstance(image, str) or not isinstance(question, str):
        raise UsageError(
            "answer must be YES or NO, image and question text", where=where, hint=_HINT
        )
    labels = {name: given.get(name) for name in ("family", "condition")}
    for name, label in labels.items():
        if label is not None and not isinstance(label, str):
            raise UsageError(f"{name} must be text", where=where, hint=_HINT)
    return _Row(given, path.parent / image, question, bool(answer), **labels)


def _answered(rows: Sequence[_Row], engine: Engine) -> Iterator[_Row]:
    """Yield the rows with p_yes, picture by picture: each is looked at once."""
    from edge_daemon.cli.progress import file_progress  # noqa: PLC0415  keeps --help light
    from edge_daemon.sources.images import read_picture  # noqa: PLC0415

    by_image: dict[Path, list[_Row]] = defaultdict(list)
    for row in rows:
        by_image[row.image].append(row)
    with file_progress({"pictures": float(len(by_image))}) as progress:
        for n, (path, asked) in enumerate(by_image.items(), 1):
            picture = read_picture(path).resized(*engine.input_size)
            ready = engine.prepare([row.question for row in asked], [None] * len(asked))
            p_yes = engine.answer(engine.look(picture[None]), ready).p_yes[0].tolist()
            for row, p in zip(asked, p_yes):
                yield replace(row, p_yes=p)
            progress.tell("pictures", float(n))


def _figures(rows: Sequence[_Row], args: argparse.Namespace) -> dict[str, float | int | None]:
    """Return the figures of merit; those that need what the rows lack are None.

    accuracy is of the rows that were answered YES or NO; balanced accuracy, AUROC and ECE are of
    p_yes on all supported rows, at 0.5; abstained is the share of UNKNOWN among all.
    """
    import numpy as np  # noqa: PLC0415  keeps --help light

    from edge_daemon.figures import (  # noqa: PLC0415
        auroc,
        balanced_accuracy,
        expected_calibration_error,
    )

    p, yes = np.array([row.p_yes for row in rows]), np.array([row.answer for row in rows])
    known = ~np.isnan(p)
    said_yes, said_no = p >= args.yes_above, p <= args.no_below
    decided = said_yes | said_no
    some = bool(known.any())
    found = {
        "accuracy": float((said_yes == yes)[decided].mean()) if decided.any() else math.nan,
        "balanced_accuracy": balanced_accuracy(p[known], yes[known]) if some else math.nan,
        "auroc": auroc(p[known], yes[known]) if some else math.nan,
        "ece": expected_calibration_error(p[known], yes[known]) if some else math.nan,
        "abstained": float(1 - decided.mean()),
    }
    rounded = {name: None if math.isnan(v) else round(v, 4) for name, v in found.items()}
    return {"rows": len(rows), "yes": int(yes.sum()), **rounded}


def _write(out: Path, rows: Sequence[_Row], args: argparse.Namespace) -> None:
    """Write the rows with their answers, whole or not at all.

    Raises StorageFullError, UsageError, and BrokenPipeError where out is a pipe that was closed.
    """
    from edge_daemon.recording.storage import FULL  # noqa: PLC0415  keeps --help light

    path = out if is_written_to(out) else out.resolve()
    part = path if path is out else path.with_name(f"{path.name}.part")
    try:
        _write_rows(part, rows, args)
        if part is not path:
            part.replace(path)
    except OSError as exc:
        if part is not path:
            part.unlink(missing_ok=True)
        if isinstance(exc, BrokenPipeError):
            raise
        what = exc.strerror or str(exc)
        if exc.errno in FULL:
            hint = "free some space, or name another file"
            raise StorageFullError(what, where=str(out), hint=hint) from exc
        raise UsageError(what, where=str(out), hint=_WRITABLE) from exc


def _write_rows(path: Path, rows: Sequence[_Row], args: argparse.Namespace) -> None:
    from edge_daemon.verdicts.hysteresis import first_verdict  # noqa: PLC0415  keeps --help light

    with path.open("w", encoding="utf-8") as out:
        for row in rows:
            verdict, reason = first_verdict(row.p_yes, args.yes_above, args.no_below)
            found = {
                "p_yes": None if math.isnan(row.p_yes) else round(row.p_yes, 4),
                "verdict": verdict.value,
                "reason": reason.value if reason else None,
            }
            out.write(json.dumps({**row.given, **found}, ensure_ascii=False) + "\n")


def _print_table(figures: dict[str, Any]) -> None:
    from rich.console import Console  # noqa: PLC0415  keeps --help light
    from rich.markup import escape  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table("of", "rows", "YES", "accuracy", "balanced", "AUROC", "ECE", "abstained")
    for kind in ("questions", "families", "conditions"):
        for name, found in figures[kind].items():
            table.add_row(escape(name), *_cells(found))
        table.add_section()
    table.add_row("all", *_cells(figures["all"]))
    Console().print(table)


def _cells(figures: dict[str, float | int | None]) -> list[str]:
    return [
        "-" if v is None else f"{v:.3f}" if isinstance(v, float) else str(v)
        for v in figures.values()
    ]
