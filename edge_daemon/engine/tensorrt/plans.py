"""Plans on disk: each under a fingerprint of what it was made from, for and with."""

from __future__ import annotations

import hashlib
import json
import os
import re
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_daemon.errors import PlanError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FORMS: Final = 1
"""Counts changes of how graphs are rewritten for TensorRT: older plans are built again."""
TIMING_CACHE: Final = "timing.cache"

_MAGIC: Final = b"edge-daemon/plan/1\n"
_HEADER_LIMIT_BYTES: Final = 4096
_WORDS: Final = {
    "runtime": "runtime", "gpu": "GPU", "capability": "compute capability", "driver": "driver",
    "graph": "graph", "precision": "precision", "forms": "form",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a plan must have been made for.  graph is the SHA-256 of the bundle's own ONNX file."""

    runtime: str
    gpu: str
    capability: str
    driver: str
    graph: str
    precision: str
    forms: int = FORMS

    def key(self) -> str:
        """Sixteen hexadecimal digits."""
        return hashlib.sha256(self._text()).hexdigest()[:16]

    def differences(self, other: Mapping[str, object]) -> Iterator[str]:
        """What differs, in words: theirs first."""
        for name, mine in asdict(self).items():
            theirs = other.get(name)
            if theirs != mine:
                yield f"{_WORDS[name]} {_shown(theirs)} instead of {_shown(mine)}"

    def _text(self) -> bytes:
        return json.dumps(asdict(self), sort_keys=True).encode()


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan, and the largest batch and other choices it was built with."""

    data: bytes = field(repr=False)
    choices: Mapping[str, object]


class PlanShelf:
    """The directory of plans, <data_dir>/plans.  Raises PlanError."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, bundle: str, wanted: Fingerprint) -> Path:
        """Where the plan of a bundle with this fingerprint lies, or will."""
        return self.folder / f"{bundle}-{wanted.precision}-{wanted.key()}.plan"

    def find(self, bundle: str, wanted: Fingerprint) -> Plan | None:
        """The plan of a bundle; None where none was ever made.

        Raises PlanError where there is one, but damaged or made for something else.
        """
        path = self.path(bundle, wanted)
        if os.path.lexists(path):
            return read_plan(path, wanted)
        others = self._all(bundle, wanted.precision)
        return read_plan(others[-1], wanted) if others else None

    def save(self, bundle: str, made: Fingerprint, plan: Plan) -> Path:
        """Write a plan, and remove those of the same bundle and precision it takes the place of."""
        path = self.path(bundle, made)
        header = {
            "made": asdict(made),
            "choices": dict(plan.choices),
            "sha256": hashlib.sha256(plan.data).hexdigest(),
        }
        self._write(path, _MAGIC + json.dumps(header).encode() + b"\n" + plan.data)
        for older in self._all(bundle, made.precision):
            if older != path:
                older.unlink(missing_ok=True)
        return path

    def choices(self, bundle: str, precision: str) -> Mapping[str, object]:
        """The choices of the last plan, whatever it was made for; empty where they are lost."""
        with suppress(PlanError, OSError):
            for path in reversed(self._all(bundle, precision)):
                header, _ = _parted(path.read_bytes())
                found = (header or {}).get("choices")
                if isinstance(found, dict):
                    return found
        return {}

    def _all(self, bundle: str, precision: str) -> list[Path]:
        """Plans of a bundle, the last one last.  Raises PlanError where they are another's."""
        pattern = re.compile(rf"{re.escape(bundle)}-{re.escape(precision)}-[0-9a-f]{{16}}\.plan")
        try:
            with os.scandir(self.folder) as entries:
                found = [(e.stat().st_mtime, e.path) for e in entries if pattern.fullmatch(e.name)]
        except FileNotFoundError:
            return []
        except OSError as exc:
            what = f"cannot be read ({exc.strerror})"
            hint = "let the daemon's user read and write there: chown it, or remove it"
            raise PlanError(what, where=str(self.folder), hint=hint) from exc
        return [Path(path) for _, path in sorted(found)]

    def timing_cache(self) -> bytes:
        """Times of tactics from earlier builds; empty where there are none."""
        try:
            return (self.folder / TIMING_CACHE).read_bytes()
        except OSError:
            return b""

    def save_timing_cache(self, raw: bytes) -> None:
        """Keep them for the next build."""
        if raw:
            self._write(self.folder / TIMING_CACHE, raw)

    def _write(self, path: Path, raw: bytes) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _opened(self.folder) as folder:
                _put(folder, path.name, raw)
        except OSError as exc:
            what, hint = f"cannot be written ({exc.strerror})", "name another --data-dir"
            raise PlanError(what, where=str(path), hint=hint) from exc


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    """Open a directory; as root no link, and it is given to whom the directory above belongs to.

    That is the daemon, whose user must not lead root elsewhere.
    """
    is_root = os.geteuid() == 0
    found = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | (os.O_NOFOLLOW if is_root else 0))
    try:
        if is_root:
            owner = folder.parent.stat()
            os.fchown(found, owner.st_uid, owner.st_gid)
        yield found
    finally:
        os.close(found)


def _put(folder: int, name: str, raw: bytes) -> None:
    """Write a file whole, for the owner of its directory."""
    part, owner = f".{name}.{os.getpid()}.part", os.stat(folder)
    with suppress(FileNotFoundError):  # of a process that had this number once
        os.unlink(part, dir_fd=folder)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        with open(os.open(part, flags, 0o600, dir_fd=folder), "wb") as out:  # noqa: PTH123
            out.write(raw)
            if os.geteuid() == 0:
                os.fchown(out.fileno(), owner.st_uid, owner.st_gid)
        os.replace(part, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        with suppress(OSError):
            os.unlink(part, dir_fd=folder)
        raise


def read_plan(path: Path, wanted: Fingerprint) -> Plan:
    """The plan in a file, if it is whole and made for what is here.  Raises PlanError.

    TensorRT trusts what it loads: keep the directory to yourself.
    """
    again, where = "build it again: edge-daemon engine build", str(path)
    try:
        raw = path.read_bytes()
    except OSError as exc:
        raise PlanError(f"cannot be read ({exc.strerror})", where=where, hint=again) from exc
    header, plan = _parted(raw)
    made, digest = (header or {}).get("made"), (header or {}).get("sha256")
    if not isinstance(made, dict) or hashlib.sha256(plan).hexdigest() != digest:
        raise PlanError("is damaged", where=where, hint=again)
    differences = list(wanted.differences(made))
    if differences:
        raise PlanError(f"was made for {'; '.join(differences)}", where=where, hint=again)
    choices = (header or {}).get("choices")
    return Plan(plan, choices if isinstance(choices, dict) else {})


def _parted(raw: bytes) -> tuple[dict[str, object] | None, bytes]:
    """Header and plan; no header where the file is not one of ours."""
    end = raw.find(b"\n", len(_MAGIC), _HEADER_LIMIT_BYTES)
    if not raw.startswith(_MAGIC) or end < 0:
        return None, b""
    try:
        header = json.loads(raw[len(_MAGIC) : end])
    except ValueError:
        return None, b""
    return header if isinstance(header, dict) else None, raw[end + 1 :]


def _shown(value: object) -> str:
    text = str(value)
    return text[:12] if re.fullmatch(r"[0-9a-f]{64}", text) else text
