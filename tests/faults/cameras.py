"""Cameras that fail, each in its own way, beside one that does not."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import Self

from tests.conftest import REPO
from tests.data.colours import BLUE, RED, write_colours
from tests.data.make_data import write_clip
from tests.e2e.daemon import Daemon, Subscriber, write_config
from tests.integration.rtsp_server import RtspServer
from tests.processes import free_port, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STALL_AFTER_S = 2.0
FROZEN_AFTER_S = 2.0
_PORT_IN_NAMESPACE = 8554


class CameraProcess:
    """An RTSP camera as a process of its own; in a network namespace where one is given."""

    def __init__(self, clip: Path, *, cable: Cable | None = None) -> None:
        host, namespace = (cable.host, cable.namespace) if cable else ("127.0.0.1", "")
        port = _PORT_IN_NAMESPACE if namespace else free_port()
        inside = ["ip", "netns", "exec", namespace] if namespace else []
        served = ["-m", "tests.integration.rtsp_server", str(clip)]
        self._command = [*inside, sys.executable, *served, "--host", host, "--port", str(port)]
        self.url = f"rtsp://{host}:{port}/{clip.stem}"
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.kill()

    def start(self) -> None:
        """Return when it serves."""
        self._process = subprocess.Popen(self._command, cwd=REPO, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline().strip() == self.url

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)


class Cable:
    """A network of its own behind a cable that can be pulled.  Raises OSError: not allowed here."""

    def __init__(self) -> None:
        mark = uuid.uuid4().hex[:6]
        self.namespace, self._near, self._far = f"edge-{mark}", f"en{mark}", f"ef{mark}"
        subnet = f"10.{197 + int(mark[2], 16)}.{int(mark[:2], 16)}"
        self.host = f"{subnet}.2"
        self._near_address = f"{subnet}.1/24"

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            undo.callback(self.__exit__)
            self._ip("netns", "add", self.namespace)
            self._ip("link", "add", self._near, "type", "veth", "peer", "name", self._far)
            self._ip("link", "set", self._far, "netns", self.namespace)
            self._ip("address", "add", self._near_address, "dev", self._near)
            self._ip("link", "set", self._near, "up")
            self._inside("address", "add", f"{self.host}/24", "dev", self._far)
            self.plug()
            undo.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        for gone in (("link", "del", self._near), ("netns", "del", self.namespace)):
            subprocess.run(["ip", *gone], capture_output=True, check=False)

    def pull(self) -> None:
        """Neither end hears of the other any more, nor that it has gone."""
        self._inside("link", "set", self._far, "down")

    def plug(self) -> None:
        self._inside("link", "set", self._far, "up")

    def lose(self, percent: int) -> None:
        """From now on so many of a hundred packets from the camera never arrive."""
        rules = (
            "add table ip edge;"
            "add chain ip edge out { type filter hook output priority 0; policy accept; };"
            f"add rule ip edge out numgen random mod 100 < {percent} drop"
        )
        self._run("ip", "netns", "exec", self.namespace, "nft", rules)

    def _inside(self, *args: str) -> None:
        self._ip("-n", self.namespace, *args)

    def _ip(self, *args: str) -> None:
        self._run("ip", *args)

    def _run(self, *command: str) -> None:
        try:
            subprocess.run(command, capture_output=True, text=True, check=True)
        except (FileNotFoundError, subprocess.CalledProcessError) as exc:
            raise OSError(f"{' '.join(command)}: {getattr(exc, 'stderr', exc)}") from exc


@dataclass
class Fault:
    """How to break a camera and to mend it; url is its source."""

    url: str
    break_it: Callable[[], None]
    mend_it: Callable[[], None]
    transport: str = "tcp"
    broken_at: datetime | None = None
    mended_at: datetime | None = None


@dataclass
class Loss:
    """What became of a camera that loses packets."""

    frames: float = 0.0
    corrupt: float = 0.0
    oldest_s: float = 0.0  # what its answers became
    verdicts: list[str] = field(default_factory=list)
    reconnects: int = 0


@dataclass
class Story:
    """What became of the cameras: seconds from a fault to UNKNOWN, from its end to an answer."""

    unknown_after_s: dict[str, float] = field(default_factory=dict)
    answers_after_s: dict[str, float] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    healths: dict[str, str] = field(default_factory=dict)
    other_events: list[str] = field(default_factory=list)  # of the camera that is well
    other_age_s: float = 0.0  # the oldest that its answers became
    frozen: list[tuple[str, str | None]] = field(default_factory=list)
    torn: list[tuple[float, float]] = field(default_factory=list)  # frames, damages counted
    lossy: dict[str, Loss] = field(default_factory=dict)  # 5 % of the packets never arrive
    log: str = ""


@contextmanager
def faults(clip: Path, stack: ExitStack) -> Iterator[dict[str, Fault]]:
    """Yield a fault of each kind that can be made here."""
    killed, stopped = (stack.enter_context(CameraProcess(clip)) for _ in range(2))
    silent = stack.enter_context(RtspServer({clip.stem: clip}))
    found = {
        "killed": Fault(killed.url, killed.kill, killed.start),
        "stopped": Fault(
            stopped.url,
            lambda: stopped.send(signal.SIGSTOP),
            lambda: stopped.send(signal.SIGCONT),
        ),
        "silent": Fault(
            silent.url(clip.stem),
            lambda: setattr(silent, "silent", True),
            lambda: setattr(silent, "silent", False),
        ),
    }
    with suppress(OSError):
        found |= _faults_of_networks(clip, stack)
    yield found


def _faults_of_networks(clip: Path, stack: ExitStack) -> dict[str, Fault]:
    """Return what needs networks of its own.  Raises OSError: they are not allowed here."""
    cables = [stack.enter_context(Cable()) for _ in range(3)]
    tcp, udp, powered = (stack.enter_context(CameraProcess(clip, cable=cable)) for cable in cables)

    def power_off() -> None:
        """Nobody is told: the connection stays half open."""
        cables[2].pull()
        powered.kill()

    def power_on() -> None:
        powered.start()
        cables[2].plug()

    return {
        "pulled": Fault(tcp.url, cables[0].pull, cables[0].plug),
        "pulled-udp": Fault(udp.url, cables[1].pull, cables[1].plug, transport="udp"),
        "powered-off": Fault(powered.url, power_off, power_on),
    }


def lossy_cameras(clips: dict[str, Path], stack: ExitStack) -> dict[str, str]:
    """Return the addresses of cameras of whose packets 5 % are lost; none where that cannot be."""
    found = {}
    with suppress(OSError):
        for name, clip in clips.items():
            cable = stack.enter_context(Cable())
            cable.lose(5)
            found[name] = stack.enter_context(CameraProcess(clip, cable=cable)).url
    return found


def cameras_of(
    config: dict[str, Any],
    faults: dict[str, Fault],
    frozen_url: str,
    torn_urls: list[str],
    lossy_urls: dict[str, str],
) -> None:
    """Put the cameras into a configuration whose only one is well."""
    (well,) = config["cameras"]
    plain = {"sample": {"every": 1}, "stall_after": f"{STALL_AFTER_S}s"}
    asked = {**plain, "questions": well["questions"][:1]}
    udp = {**asked, "transport": "udp"}
    config["cameras"] += [
        {**asked, "id": name, "source": f.url, "transport": f.transport}
        for name, f in faults.items()
    ]
    config["cameras"] += [
        {**asked, "id": f"torn{n}", "source": url} for n, url in enumerate(torn_urls)
    ]
    config["cameras"] += [{**udp, "id": name, "source": url} for name, url in lossy_urls.items()]
    config["cameras"].append(
        {**asked, "id": "frozen", "source": frozen_url, "frozen_after": f"{FROZEN_AFTER_S}s"}
    )


def tell(
    directory: Path,
    make_config: Callable[..., dict[str, Any]],
    subscriber: Subscriber,
    away_s: float,
) -> Story:
    """Break every camera at once for away_s seconds, mend it, and tell what was heard."""
    well = write_colours(directory / "well.mp4", [(RED, 30.0)])
    changing = write_colours(directory / "frozen.mp4", [(RED, 5.0), (BLUE, 5.0)])
    large = write_clip(directory / "large.mp4", size=(640, 360), crf="10")  # many packets each
    with ExitStack() as stack, faults(well, stack) as broken:
        frozen = stack.enter_context(CameraProcess(changing))
        lossy = lossy_cameras({"lossy": well, "lossy-large": large}, stack)
        config = make_config(str(well), loop=True, pace="realtime")
        torn = [stack.enter_context(_torn(directory, codec)) for codec in ("libx264", "libx265")]
        cameras_of(config, broken, frozen.url, [server.url("torn") for server in torn], lossy)
        file = write_config(directory / "cameras.yaml", config)
        daemon = stack.enter_context(Daemon(file))
        return _Telling(config, broken, sorted(lossy), subscriber, daemon).tell(away_s)


def _torn(directory: Path, codec: str) -> RtspServer:
    """A camera of whose packets one in ten is damaged."""
    (directory / codec).mkdir()
    clip = write_clip(directory / codec / "torn.mp4", codec=codec, size=(640, 360))
    return RtspServer({"torn": clip}, damaged=0.1)


class _Telling:
    def __init__(
        self,
        config: dict[str, Any],
        faults: dict[str, Fault],
        lossy: list[str],
        subscriber: Subscriber,
        daemon: Daemon,
    ) -> None:
        self._config, self._faults, self._heard = config, faults, subscriber
        self._daemon, self._story = daemon, Story(lossy={name: Loss() for name in lossy})

    def tell(self, away_s: float) -> Story:
        wait_until(lambda: all(self._verdict(name) == "YES" for name in self._faults), 30)
        wait_until(lambda: all(self._age_s(name) < 1.0 for name in self._story.lossy))
        began = len(self._events("gate"))
        for fault in self._faults.values():
            fault.broken_at = datetime.now(timezone.utc)
            fault.break_it()
        broken_s = time.monotonic()
        self._wait(lambda: all(self._verdict(name) == "UNKNOWN" for name in self._faults))
        self._wait(lambda: all(self._health(name)["state"] == "offline" for name in self._faults))
        self._story.healths = {n: str(self._health(n)["reason"]) for n in self._faults}
        self._wait(lambda: time.monotonic() >= broken_s + away_s, away_s + 10)
        for fault in self._faults.values():
            fault.mend_it()
            fault.mended_at = datetime.now(timezone.utc)
        self._wait(lambda: all(self._verdict(name) == "YES" for name in self._faults))
        self._wait(lambda: len(self._events("frozen")) >= 4)
        for name, fault in self._faults.items():
            self._account(name, fault)
        self._story.other_events = [e["verdict"] for e in self._events("gate")[began:]]
        self._story.frozen = [(e["verdict"], e["reason"]) for e in self._events("frozen")]
        self._story.torn = [
            (self._frames(f"torn{n}", "decoded"), self._frames(f"torn{n}", "corrupt"))
            for n in range(2)
        ]
        for name, loss in self._story.lossy.items():
            loss.frames, loss.corrupt = (self._frames(name, o) for o in ("decoded", "corrupt"))
            loss.verdicts = [e["verdict"] for e in self._events(name)]
            loss.reconnects = int(self._health(name)["reconnects"])
        self._story.log = self._daemon.log.read_text()
        return self._story

    def _account(self, name: str, fault: Fault) -> None:
        lost = next(e for e in self._events(name) if e["verdict"] == "UNKNOWN")
        back = self._events(name)[-1]
        self._story.reasons[name] = lost["reason"]
        self._story.unknown_after_s[name] = _seconds(fault.broken_at, lost)
        self._story.answers_after_s[name] = _seconds(fault.mended_at, back)

    def _events(self, camera: str) -> list[dict[str, Any]]:
        return [e for e in self._heard.events("red") if e["camera"] == camera]

    def _verdict(self, camera: str) -> str:
        return (self._heard.last(f"box/{camera}/red/verdict") or b"").decode()

    def _health(self, camera: str) -> dict[str, Any]:
        return json.loads(self._heard.last(f"box/{camera}/health") or b'{"state": ""}')

    def _wait(self, met: Callable[[], Any], timeout_s: float = 30.0) -> None:
        """Wait, with an eye on the age of the other camera's answers."""

        def watched() -> Any:
            self._story.other_age_s = max(self._story.other_age_s, self._age_s("gate"))
            for name, loss in self._story.lossy.items():
                loss.oldest_s = max(loss.oldest_s, self._age_s(name))
            return met()

        wait_until(watched, timeout_s)

    def _age_s(self, camera: str) -> float:
        return self._metric(f'edge_answer_age_seconds{{camera="{camera}",question="red"}}')

    def _frames(self, camera: str, outcome: str) -> float:
        return self._metric(f'edge_frames_total{{camera="{camera}",outcome="{outcome}"}}')

    def _metric(self, name: str) -> float:
        url = f"http://{self._config['http']['listen']}/metrics"
        with urllib.request.urlopen(url, timeout=10) as page:
            text = page.read().decode()
        row = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
        assert row is not None, name
        return float(row[1])


def _seconds(since: datetime | None, event: dict[str, Any]) -> float:
    assert since is not None
    decided_at = datetime.fromisoformat(event["decided_at"].replace("Z", "+00:00"))
    return (decided_at - since).total_seconds()
