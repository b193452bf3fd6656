"""The files that ``edge-daemon video`` works through: their names, and which are done already."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from edge_daemon import __version__
from edge_daemon.errors import SourceUnavailableError, UsageError
from edge_daemon.types import SourceAddress, SourceKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from edge_daemon.config.models import CameraConfig
    from edge_daemon.types import EngineInfo

_EDGE_BYTES: Final = 1 << 20  # of a file's beginning and of its end that are looked at


@dataclass(frozen=True, slots=True)
class Job:
    """One file, and where its results go."""

    source: str
    name: str  # of the results, below the directory for all of them
    camera: CameraConfig
    rows: Path
    video: Path | None

    @property
    def results(self) -> list[Path]:
        """What is made."""
        return [self.rows, *([self.video] if self.video else [])]

    @property
    def note(self) -> Path:
        """Says what was made of what, for a second run."""
        return self.rows.with_name(f"{Path(self.name).name}.run.json")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file; is_old: an earlier run did it."""

    frames: int
    asked: int
    is_old: bool = False


def expanded(patterns: Iterable[str]) -> list[str]:
    """Return the recorded files that were named, globs resolved, each once.

    What matches nothing stays as it is: opening it tells why.  Raises UsageError.
    """
    from edge_daemon.sources.files import matching_files  # noqa: PLC0415  keeps --help light
    from edge_daemon.sources.places import is_directory  # noqa: PLC0415

    found: dict[str, None] = {}
    for pattern in patterns:
        try:
            address = SourceAddress(pattern)
        except ValueError as exc:
            raise UsageError(str(exc), where="IN") from exc
        if address.live:
            hint = "record it with 'run', or name a file"
            raise UsageError("is a live source", where=repr(address), hint=hint)
        paths = [pattern]
        if address.kind is SourceKind.FILES:
            with suppress(SourceUnavailableError):
                if not is_directory(Path(pattern)):
                    paths = [str(path) for path in matching_files(address)]
        found.update(dict.fromkeys(paths))
    return list(found)


def result_names(sources: Sequence[str]) -> list[str]:
    """Return a name for the results of each source, none of them twice.

    That of the file without its ending; where two share it, with as much of the path and the
    ending as tells them apart.
    """
    names = [_plain(source, Path(source).stem) for source in sources]
    if len(set(names)) == len(names):
        return names
    whole = [os.path.realpath(source) for source in sources]
    common = Path(os.path.commonpath([os.path.dirname(path) for path in whole]))  # noqa: PTH120
    longer = [Path(path).relative_to(common) for path in whole]
    full = [path.with_suffix("").as_posix() for path in longer]
    if len(set(full)) < len(full):
        full = [path.as_posix() for path in longer]
    return [long if names.count(name) > 1 else name for name, long in zip(names, full)]


def _plain(source: str, stem: str) -> str:
    """Return a stem fit to be a file's name: a scene's address is none."""
    return re.sub(r"[^\w.-]+", "_", source) if source.startswith("test:") else stem


def fingerprint(job: Job, model: EngineInfo) -> str:
    """Return a hash of all that the results depend on.  Raises SourceUnavailableError."""
    settings = job.camera.model_dump(mode="json", exclude={"source", "id"})
    parts = {
        "source": _identity(job.source),
        "settings": settings,
        "model": asdict(model),
        "video": job.video is not None,
        "version": __version__,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _identity(source: str) -> list[Any]:
    path = Path(source)
    if source.startswith("test:"):
        return [source]
    try:
        if path.is_dir():
            return sorted((p.name, p.stat().st_size, p.stat().st_mtime_ns) for p in path.iterdir())
        with path.open("rb") as file:
            told = os.fstat(file.fileno())
            edges = hashlib.sha256(file.read(_EDGE_BYTES))
            file.seek(max(0, told.st_size - _EDGE_BYTES))
            edges.update(file.read(_EDGE_BYTES))
    except OSError as exc:
        what = exc.strerror or str(exc)
        raise SourceUnavailableError(what.lower(), where=source, hint="check the path") from exc
    return [told.st_size, told.st_mtime_ns, edges.hexdigest()]


def done_before(job: Job, mark: str) -> Outcome | None:
    """Return what an earlier run made of a job with that fingerprint; None: it is to be done.

    Raises UsageError where what lies at the place of the results is of something else.
    """
    note, ours = _read(job.note), _made(job)
    there = [path for path in job.results if path.exists()]
    hint = "name another --out, or move it away"
    for path in there:
        if path.name not in ours or _is_source(path, job):
            what = "is in the way: this command did not make it"
            raise UsageError(what, where=str(path), hint=hint)
    if note is None:
        return None
    if note["fingerprint"] != mark and note["source"] != os.path.realpath(job.source):
        raise UsageError(f"was made of {note['source']}", where=str(job.rows), hint=hint)
    sizes = {path.name: path.stat().st_size for path in there}
    is_whole = len(there) == len(job.results) and all(ours[name] == n for name, n in sizes.items())
    if note["fingerprint"] != mark or note["frames"] is None or not is_whole:
        return None
    return Outcome(note["frames"], note["asked"], is_old=True)


def _is_source(path: Path, job: Job) -> bool:
    source = Path(job.source)
    return source.exists() and path.samefile(source)


def _made(job: Job) -> dict[str, int]:
    """Return the size of each result that the note names and that is still there.

    An earlier run may have made more of them than this one shall.  Older versions named none
    before they were done.
    """
    note = _read(job.note) or {"bytes": {}}
    named = note["bytes"]
    if named is None:
        named = {path.name: -1 for path in job.results}
    return {name: size for name, size in named.items() if job.rows.with_name(name).exists()}


@contextmanager
def claimed(job: Job, mark: str) -> Iterator[tuple[Path, Path]]:
    """Take the names of the results for this job; yield the paths to write rows and video to.

    What is written there is removed on exit, unless publish() moved it.  Raises UsageError where
    another process works on it, OSError.
    """
    job.rows.parent.mkdir(parents=True, exist_ok=True)
    rows = job.rows.with_name(f"{job.rows.name}.part")
    video = rows.with_suffix(".part.mp4")
    with rows.open("a", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            hint = "wait for it, or name another --out"
            raise UsageError("another process writes it", where=str(rows), hint=hint) from None
        _write(job, _unfinished(job, mark))
        try:
            yield rows, video
        finally:
            rows.unlink(missing_ok=True)
            video.unlink(missing_ok=True)


def publish(job: Job, mark: str, parts: tuple[Path, Path], made: Outcome) -> None:
    """Give the results their names, now that they are whole.  Raises OSError.

    The note names them before they are there: what it does not name, no later run replaces.
    """
    sizes = {path.name: part.stat().st_size for part, path in zip(parts, job.results)}
    unfinished = _unfinished(job, mark, sizes)
    _write(job, unfinished)
    for part, path in zip(parts, job.results):
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
    _write(job, {**unfinished, "frames": made.frames, "asked": made.asked})


def _unfinished(job: Job, mark: str, sizes: Mapping[str, int] | None = None) -> dict[str, Any]:
    """Return a note that names what is there, and what will be."""
    made = {**_made(job), **(sizes or {})}
    return {"fingerprint": mark, "bytes": made, "frames": None, "asked": None}


def _write(job: Job, facts: dict[str, Any]) -> None:
    part = job.note.with_name(f"{job.note.name}.part")
    with part.open("w", encoding="utf-8") as file:
        json.dump({"source": os.path.realpath(job.source), **facts}, file, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    part.replace(job.note)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    wanted = {"source", "fingerprint", "bytes", "frames", "asked"}
    return found if isinstance(found, dict) and wanted <= found.keys() else None
