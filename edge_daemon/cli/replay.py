"""edge-daemon replay: ask the model once more what it answered when an event was decided."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from edge_daemon.errors import EngineError, RecordingError, UsageError

if TYPE_CHECKING:
    import argparse

    import numpy as np

    from edge_daemon.config.models import EngineConfig, Settings
    from edge_daemon.engine.base import Engine
    from edge_daemon.recording.evidence import Pack

_DATA_DIR: Final = "/var/lib/edge-daemon"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("event", metavar="EVENT", help="an event's id, or a file of its evidence")
    parser.add_argument("--config", metavar="F", help="the daemon's file: its data_dir and bundle")
    parser.add_argument(
        "--data-dir", metavar="DIR", help=f"where evidence/ lies (the configuration's, {_DATA_DIR})"
    )
    parser.add_argument(
        "--bundle", metavar="DIR", help="name or path (the configuration's, else as in the event)"
    )
    parser.add_argument("--backend", metavar="NAME", help="another runtime than the event's")
    parser.add_argument("--precision", metavar="P", help="another precision than the event's")
    parser.add_argument("--threads", type=int, default=None, metavar="N", help="cores to use")
    parser.add_argument("--show", metavar="OUT.png", help="draw what the model saw, and where")
    parser.add_argument("--json", action="store_true", help="everything as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Answer again; fail unless the answer is the same to the last bit."""
    from edge_daemon.config.load import load_settings  # noqa: PLC0415  keeps --help light
    from edge_daemon.engine.open import open_engine  # noqa: PLC0415
    from edge_daemon.recording.evidence import read_pack  # noqa: PLC0415

    settings = load_settings(Path(args.config)) if args.config else None
    path = _evidence_of(args, settings)
    pack = read_pack(path)
    wanted = _engine_settings(args, settings, pack)
    plans = _data_dir(args, settings) / "plans"  # without them: the user's own, or a refusal
    may_look = os.access(plans, os.R_OK | os.X_OK)
    engine = open_engine(wanted, plans=plans if may_look else None)
    _refuse_another_size(engine, pack, path)
    p_yes, evidence = _asked_again(engine, pack)
    found = _compared(pack, engine, p_yes)
    engine.close()
    if args.show:
        _draw(Path(args.show), pack, p_yes, evidence)
    _print(found, as_json=args.json)
    if not found["same"]:
        why = "; ".join(found["differs"]) or "bundle, runtime and pixels are the same"
        hint = "replay on the bundle, backend and precision of the event, and the same versions"
        what = f"p_yes is {p_yes:.9g} instead of {pack.p_yes:.9g}: {why}"
        raise EngineError(what, where=f"event {pack.event['id']}", hint=hint)
    return 0


def _evidence_of(args: argparse.Namespace, settings: Settings | None) -> Path:
    """Return the file of an event's evidence.  Raises RecordingError, UsageError."""
    from edge_daemon.recording.shelves import Kind, find_kept  # noqa: PLC0415  keeps --help light

    if args.event.endswith(Kind.EVIDENCE.ending) or "/" in args.event:
        return Path(args.event)
    directory = _data_dir(args, settings)
    if not directory.is_dir():
        hint = "name the daemon's configuration with --config, or its data_dir with --data-dir"
        raise UsageError("is not a directory", where=str(directory), hint=hint)
    found = find_kept(directory, Kind.EVIDENCE, args.event)
    if found is None:
        hint = (
            "only events with a picture behind them have some, while record.events.evidence is on;"
            " the oldest is removed to make room"
        )
        where = f"event {args.event}"
        raise RecordingError(f"no evidence of it in {directory}", where=where, hint=hint)
    return found


def _data_dir(args: argparse.Namespace, settings: Settings | None) -> Path:
    return Path(args.data_dir or (settings.data_dir if settings else _DATA_DIR))


def _engine_settings(
    args: argparse.Namespace, settings: Settings | None, pack: Pack
) -> EngineConfig:
    """Return how to open the engine: as told, else as the daemon, else as in the event."""
    from edge_daemon.cli.options import engine_settings  # noqa: PLC0415  keeps --help light

    args.backend = args.backend or pack.engine.backend
    args.precision = args.precision or pack.engine.precision
    args.weights = None
    if args.bundle is None and settings is not None:
        args.bundle = settings.engine.bundle
        if args.backend.startswith("torch"):  # no other takes any
            args.weights = settings.engine.weights
    args.bundle = args.bundle or pack.engine.bundle
    return engine_settings(args)


def _refuse_another_size(engine: Engine, pack: Pack, path: Path) -> None:
    height, width = pack.picture.shape[:2]
    if engine.input_size != (width, height):
        wanted = "{}x{}".format(*engine.input_size)
        what = f"its picture is {width}x{height}, bundle {engine.info.bundle} sees {wanted}"
        hint = "name the bundle of the event with --bundle"
        raise EngineError(what, where=str(path), hint=hint)


def _asked_again(engine: Engine, pack: Pack) -> tuple[float, np.ndarray[Any, Any]]:
    """Return p_yes, and the evidence, float32 (rows, columns), of the event's question.

    All the questions that were asked together then are asked together now: how many there are
    may change the last bit.
    """
    questions = engine.prepare([a.ask for a in pack.asked], [a.zone for a in pack.asked])
    answers = engine.answer(engine.look(pack.picture[None]), questions)
    return float(answers.p_yes[0, pack.place]), answers.evidence[0, pack.place]


def _compared(pack: Pack, engine: Engine, p_yes: float) -> dict[str, Any]:
    from edge_daemon.pipeline.witness import software  # noqa: PLC0415  keeps --help light

    then, now = pack.engine, engine.info
    versions = software(now.backend)
    differs = [
        f"{what} {a[:16]} then, {b[:16]} now"
        for what, a, b in (
            ("bundle", then.bundle, now.bundle),
            ("bundle's hash", then.sha256, now.sha256),
            ("backend", then.backend, now.backend),
            ("precision", then.precision, now.precision),
            *((name, pack.software.get(name, "none"), said) for name, said in versions.items()),
        )
        if a != b
    ]
    return {
        "event": pack.event,
        "configuration_sha256": pack.configuration_sha256,
        "then": {"p_yes": pack.p_yes, **_described(then)},
        "now": {"p_yes": p_yes, **_described(now)},
        "differs": differs,
        "same": p_yes == pack.p_yes,
    }


def _described(info: Any) -> dict[str, str]:  # noqa: ANN401  an EngineInfo
    return {
        "bundle": info.bundle,
        "sha256": info.sha256,
        "backend": info.backend,
        "precision": info.precision,
    }


def _print(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    event = found["event"]
    reason = f" ({event['reason']})" if event["reason"] else ""
    print(f"event {event['id']}: {event['camera']}, {event['ask']}")
    print(f"  {event['previous']} -> {event['verdict']}{reason}, decided {event['decided_at']},"
          f" frame {event['frame']} at {event['pts_s']:.3f} s,"
          f" YES from {event['yes_above']}, NO up to {event['no_below']}")  # fmt: skip
    for when in ("then", "now"):
        one = found[when]
        print(f"  {when:5} p_yes {one['p_yes']:<12.9g}  {one['bundle']} {one['sha256'][:12]},"
              f" {one['backend']} {one['precision']}")  # fmt: skip
    for difference in found["differs"]:
        print(f"  differs: {difference}")
    if found["same"]:
        print("the same, to the last bit")


def _draw(out: Path, pack: Pack, p_yes: float, evidence: np.ndarray[Any, Any]) -> None:
    from edge_daemon.overlay import Shown, heat_map  # noqa: PLC0415  keeps --help light
    from edge_daemon.sources.images import write_picture  # noqa: PLC0415
    from edge_daemon.verdicts.hysteresis import first_verdict  # noqa: PLC0415

    event = pack.event
    shown = Shown(event["question"], event["ask"], None, event["yes_above"], event["no_below"])
    verdict, reason = first_verdict(p_yes, shown.yes_above, shown.no_below)
    drawn = heat_map(pack.picture, evidence, shown, verdict=verdict, reason=reason, p_yes=p_yes)
    write_picture(out, drawn)
