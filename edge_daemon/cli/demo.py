"""edge-daemon demo: the main job, with nothing to configure."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from threading import Event as Flag
from threading import Timer
from typing import TYPE_CHECKING, Any, Final

from edge_daemon.cli.options import add_engine_options, engine_settings
from edge_daemon.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from paho.mqtt.client import MQTTMessage

    from edge_daemon.config.models import Settings

CLIP: Final = Path(__file__).resolve().parent.parent / "demo" / "street.mp4"
_ZONES: Final = {  # of the shipped clip; where nothing is asked, a zone keeps the panel away
    "crossing": ((0.69, 0.62), (0.33, 0.91), (0.21, 0.68), (0.21, 0.55), (0.54, 0.39), (0.69, 0.5)),
    "light": ((0.05, 0.12), (0.14, 0.12), (0.14, 0.38), (0.05, 0.38)),
}
_QUESTIONS: Final = (
    ("pedestrian", "Is there a pedestrian?", None),
    ("crossing", "Is there a person on the crossing?", "crossing"),
    ("car", "Is there a car?", None),
    ("bus", "Is there a bus?", None),
    ("red_light", "Is the traffic light red?", None),
)
_LIVE_S: Final = 60.0
_EX_UNAVAILABLE: Final = 69  # no picture came
_LAST_WORDS_S: Final = 3.0  # for the broker to hand out what the daemon said last


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("source", nargs="?", metavar="SOURCE", help="rtsp://..., file, /dev/video0")
    parser.add_argument("-q", "--question", action="append", dest="questions", metavar="Q",
                        help="your own question; may be given several times")  # fmt: skip
    parser.add_argument("--out", default="demo-output", metavar="DIR", help="(demo-output)")
    parser.add_argument("--seconds", type=float, default=_LIVE_S, metavar="S",
                        help=f"how long to watch a live source ({_LIVE_S:g})")  # fmt: skip
    add_engine_options(parser)
    parser.add_argument("--json", action="store_true", help="print the events as they are")


def run(args: argparse.Namespace) -> int:
    """Start a broker, watch the source, print what the broker hands out, show the video."""
    from edge_daemon.cli.embedded_broker import EmbeddedBroker  # noqa: PLC0415
    from edge_daemon.logs import set_up_logging  # noqa: PLC0415

    set_up_logging("debug" if args.verbose else "warning", "text")
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    out = _place(Path(args.out))
    with _working(out) as work, EmbeddedBroker() as broker:
        settings = _settings(args, Path(work), broker.port)
        _greet(settings, args)
        with _Subscriber(broker.port, as_json=args.json):
            begun_s = time.monotonic()
            code = _watch(settings, args.seconds)
            took_s = time.monotonic() - begun_s
        made = [_keep(video, out) for video in sorted(Path(work).rglob("*.mp4"))]
    if not made:
        return code or _EX_UNAVAILABLE
    if not args.json:
        print(f"\nwatched for {took_s:.1f} s; the annotated video:")
    for video in made:
        print(video.resolve().as_uri(), file=sys.stderr if args.json else sys.stdout)
    return code


def _settings(args: argparse.Namespace, work: Path, port: int) -> Settings:
    """Return a configuration for the source.  Raises ConfigError for one that cannot be."""
    from edge_daemon.config.load import parse_settings  # noqa: PLC0415  keeps --help light

    asked: list[dict[str, Any]]
    if args.questions:
        asked = [{"id": f"q{n}", "ask": text} for n, text in enumerate(args.questions, 1)]
    else:
        asked = [{"id": name, "ask": text, "zone": zone} for name, text, zone in _QUESTIONS]
        if args.source is not None:  # the zones are those of the shipped clip
            asked = [{**q, "zone": None} for q in asked if q["zone"] != "crossing"]
    camera = {
        "id": "demo",
        "source": args.source or str(CLIP),
        "sample": {"every": 2} if args.source is None else {"every": 5},
        "zones": _ZONES,
        "questions": asked,
        "record": {"mode": "burned", "segment": "1h"},
    }
    data = {
        "version": 1,
        "device": {"id": "demo"},
        "data_dir": str(work),
        "engine": engine_settings(args).model_dump(),
        "mqtt": {"url": f"mqtt://127.0.0.1:{port}", "discovery_prefix": None},
        "http": None,
        "cameras": [camera],
    }
    return parse_settings(data, where="demo", environ={})


def _greet(settings: Settings, args: argparse.Namespace) -> None:
    if args.json:
        return
    (camera,) = settings.cameras
    shown = "the shipped clip" if args.source is None else repr(camera.source)
    limit = f" for {args.seconds:g} s (Ctrl-C ends)" if camera.source.live else ""
    print(f"edge-daemon watches {shown}{limit} and is asked:")
    for question in camera.questions:
        print(f"  {question.id}: {question.ask}")
    print("\nWhat an MQTT subscriber of edge/demo/# hears:", flush=True)


class _Subscriber:
    """Prints events as the broker hands them out, while the context lasts."""

    def __init__(self, port: int, *, as_json: bool) -> None:
        from paho.mqtt.client import Client, MQTTv311  # noqa: PLC0415  keeps --help light
        from paho.mqtt.enums import CallbackAPIVersion  # noqa: PLC0415

        self._as_json = as_json
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv311)
        self._offline = Flag()
        self._client.on_message = lambda _client, _data, message: self._hear(message)
        self._client.connect("127.0.0.1", port)
        self._client.subscribe([("edge/demo/+/+/event", 1), ("edge/demo/status", 1)])

    def __enter__(self) -> None:
        self._client.loop_start()

    def __exit__(self, *exc: object) -> None:
        self._offline.wait(_LAST_WORDS_S)
        self._client.disconnect()
        self._client.loop_stop()

    def _hear(self, message: MQTTMessage) -> None:
        if not message.topic.endswith("/status"):
            self._print(json.loads(message.payload))
        elif message.payload == b"offline":
            self._offline.set()

    def _print(self, event: dict[str, Any]) -> None:
        if self._as_json:
            print(json.dumps(event, ensure_ascii=False), flush=True)
            return
        at = f"{event['pts_s']:7.1f} s" if event["pts_s"] is not None else " " * 9
        p_yes = f"p_yes {event['p_yes']:.2f}" if event["p_yes"] is not None else ""
        why = event["reason"] or p_yes
        print(f"{at}  {event['question']:12} {event['verdict']:8} {why}", flush=True)


def _watch(settings: Settings, live_s: float) -> int:
    """Run the daemon until the source ends; a live one for so many seconds."""
    from edge_daemon.service.commands import Command  # noqa: PLC0415  keeps --help light
    from edge_daemon.service.daemon import Daemon  # noqa: PLC0415

    daemon = Daemon(settings, where="demo", reread=lambda: settings)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: daemon.request(Command.STOP))
    timer = Timer(live_s, daemon.request, [Command.STOP])
    if settings.cameras[0].source.live:
        timer.start()
    try:
        return daemon.run().code
    finally:
        timer.cancel()


def _place(out: Path) -> Path:
    """Make the directory for the results.  Raises UsageError where none may be written."""
    hint = "name a directory that can be written to"
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise UsageError(f"{out}: {exc.strerror}", where="--out", hint=hint) from exc
    if not os.access(out, os.W_OK | os.X_OK):
        raise UsageError(f"{out}: may not be written", where="--out", hint=hint)
    return out.resolve()


def _working(out: Path) -> tempfile.TemporaryDirectory[str]:
    """Return a directory on the disk of the results: to move one there takes no room."""
    return tempfile.TemporaryDirectory(prefix=".demo-", dir=out)


def _keep(video: Path, out: Path) -> Path:
    """Move a recording out of the working directory.  Raises UsageError."""
    try:
        return video.replace(out / video.name)
    except OSError as exc:
        what, hint = f"{out / video.name}: {exc.strerror}", "name another directory"
        raise UsageError(what, where="--out", hint=hint) from exc
