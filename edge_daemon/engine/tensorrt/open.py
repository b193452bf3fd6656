"""TensorRT behind an engine: the plan from disk, or built anew while ONNX Runtime answers."""

from __future__ import annotations

import logging
import os
import shlex
import subprocess
import sys
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Final, Literal

from edge_daemon.engine.tensorrt.engine import TensorRTEngine
from edge_daemon.engine.tensorrt.place import fingerprint, open_place, precision_of
from edge_daemon.engine.tensorrt.plans import PlanShelf
from edge_daemon.errors import EngineError, EngineRunError, PlanError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge_daemon.engine.bundle import Bundle
    from edge_daemon.engine.tensorrt.plans import Fingerprint

log = logging.getLogger(__name__)

_BUILD: Final = (sys.executable, "-m", "edge_daemon", "engine", "build")
_STOP_S: Final = 1.0
_POLITE: Final = "10"  # niceness: cameras are decoded on the same cores


def open_tensorrt(
    bundle: Bundle,
    precision: str,
    threads: int,
    *,
    plans: Path | None = None,
    without_plan: Literal["build", "go on", "refuse"] = "refuse",
) -> TensorRTEngine:
    """A bundle on TensorRT, at once where its plan is on disk.

    plans: where a daemon keeps its plans; None: the user's cache.  Without a plan ONNX Runtime
    answers, while one is built where that is wished.  Raises BundleError, EngineMissingError,
    EngineRunError, and PlanError where it shall refuse.
    """
    place = open_place()
    chosen = precision_of(bundle, precision, place.preset)
    shelf = PlanShelf(plans or default_plans())
    wanted = fingerprint(place.trt, place.driver.device, bundle, chosen)
    engine = TensorRTEngine(bundle, chosen, threads, place)
    try:
        take_from_shelf(engine, shelf, bundle, wanted)
    except (PlanError, EngineRunError) as exc:
        if without_plan == "refuse":
            engine.close()
            raise
        if without_plan == "build" and isinstance(exc, PlanError):
            log.warning("%s: %s -- it is built anew, ONNX Runtime answers meanwhile",
                        exc.where, exc.what)  # fmt: skip
            rebuild = Rebuild(engine, shelf, bundle, wanted)
            engine.before_close(rebuild.stop)
            rebuild.start()
        else:
            log.warning("%s; ONNX Runtime answers", exc)
    return engine


def default_plans() -> Path:
    """Where plans are kept when no daemon with a data directory keeps them."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(cache) if cache.startswith("/") else Path.home() / ".cache") / "edge-daemon/plans"


def take_from_shelf(
    engine: TensorRTEngine, shelf: PlanShelf, bundle: Bundle, wanted: Fingerprint
) -> None:
    """Let the engine look by the plan on disk.  Raises PlanError, EngineRunError."""
    where = str(shelf.path(bundle.name, wanted))
    plan = shelf.find(bundle.name, wanted)
    if plan is None:
        hint = f"build it: edge-daemon engine build {bundle.name}"
        if shelf.folder != default_plans():
            hint += f" --plans {shlex.quote(str(shelf.folder))}"
        raise PlanError("no plan was built yet", where=where, hint=hint)
    engine.take(plan, where)


class Rebuild:
    """Builds a plan in a process of its own, then lets the engine take it.

    A process: a builder that crashes, or eats the memory, takes no camera with it.
    """

    def __init__(
        self,
        engine: TensorRTEngine,
        shelf: PlanShelf,
        bundle: Bundle,
        wanted: Fingerprint,
        *,
        command: Sequence[str] = _BUILD,
    ) -> None:
        self._engine, self._shelf, self._bundle, self._wanted = engine, shelf, bundle, wanted
        choices = _options(shelf.choices(bundle.name, wanted.precision))
        self._call = [
            *command, str(bundle.path), "--precision", wanted.precision,
            "--plans", str(shelf.folder), "--nice", _POLITE, *choices,
        ]  # fmt: skip
        self._process: subprocess.Popen[str] | None = None
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="tensorrt build", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End the build, if it still runs."""
        self._stopping.set()
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
        self._thread.join(_STOP_S)

    def wait(self, timeout_s: float) -> bool:
        """Wait for the end, good or bad; whether it came."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        failed = self._built()
        if self._stopping.is_set():
            return
        try:
            if failed is None:
                take_from_shelf(self._engine, self._shelf, self._bundle, self._wanted)
                log.info("%s: the TensorRT plan is ready and answers", self._bundle.name)
                return
        except EngineError as exc:
            failed = str(exc)
        log.error("%s: no TensorRT plan, ONNX Runtime goes on answering: %s",
                  self._bundle.name, failed)  # fmt: skip

    def _built(self) -> str | None:
        """Build; why it failed, in one line, or None."""
        try:
            self._process = subprocess.Popen(  # noqa: S603  our own command
                self._call,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
            )
        except OSError as exc:
            return f"the build cannot be started ({exc.strerror})"
        _, said = self._process.communicate()
        code = self._process.returncode
        if code == 0:
            return None
        if code < 0:
            return f"the build died of signal {-code} -- run 'edge-daemon engine build' to see why"
        return next(reversed(said.strip().splitlines()), f"the build ended with {code}")


def _options(choices: Mapping[str, object]) -> list[str]:
    """Options of ``engine build`` for the choices an earlier plan was built with."""
    given = []
    if isinstance(batch := choices.get("largest_batch"), int):
        given += ["--largest-batch", str(batch)]
    if isinstance(core := choices.get("dla_core"), int):
        given += ["--dla", str(core)]
    return given
