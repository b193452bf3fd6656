"""A model directory: found by name or path, every byte checked before it is used."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_daemon.config.paths import whole_path
from edge_daemon.engine.drift import Drift, parse_reference
from edge_daemon.engine.manifest import (
    Goldens,
    GroundedManifest,
    parse_goldens,
    parse_json,
    parse_manifest,
)
from edge_daemon.engine.tokenizer import Tokenizer
from edge_daemon.errors import BundleError

if TYPE_CHECKING:
    from edge_daemon.engine.manifest import GraphName, Manifest, PinnedFile, Precision

MANIFEST: Final = "manifest.yaml"

_PACKAGE: Final = Path(__file__).resolve().parent.parent
# A wheel carries engines/ as edge_daemon/_engines; in a checkout it lies beside the package.
_SHIPPED: Final = (_PACKAGE / "_engines", _PACKAGE.parent / "engines")

_LIMIT_BYTES: Final = 1 << 20  # manifest.yaml
_PINNED_LIMIT_BYTES: Final = 1 << 30  # half of what one protobuf may hold


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """A bundle whose files matched their hashes when it was loaded.

    sha256 is over the bytes of manifest.yaml, which pins every other file.
    """

    path: Path
    manifest: Manifest = field(repr=False)
    sha256: str
    tokenizer: Tokenizer = field(repr=False)

    @property
    def name(self) -> str:
        """The bundle's own name, whatever its directory is called."""
        return self.manifest.name

    @property
    def input_size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.manifest.input.width, self.manifest.input.height

    @property
    def grid(self) -> tuple[int, int]:
        """(columns, rows) of tokens; (1, 1) for kind single, which has none."""
        if isinstance(self.manifest, GroundedManifest):
            return self.manifest.grid.columns, self.manifest.grid.rows
        return 1, 1

    @property
    def explains(self) -> bool:
        """Whether answers come with a map of where they were seen."""
        return self.manifest.kind == "grounded"

    @property
    def graph_names(self) -> tuple[GraphName, ...]:
        """Graphs each precision has."""
        return tuple(next(iter(self.manifest.graphs.values())).files())

    @property
    def main_graph(self) -> GraphName:
        """The graph that sees pictures, nearly all of the work: what a plan is made of."""
        return "image" if self.manifest.kind == "grounded" else "model"

    @property
    def concepts(self) -> tuple[str, ...]:
        """What the model was taught to find, for people."""
        return self.manifest.concepts

    @property
    def precisions(self) -> tuple[Precision, ...]:
        """Precisions there are graphs for."""
        return tuple(self.manifest.graphs)

    def pinned_graph(self, precision: Precision, which: GraphName) -> PinnedFile:
        """File and hash of a graph.  Raises KeyError for a precision the bundle lacks."""
        return self.manifest.graphs[precision].files()[which]

    def graph(self, precision: Precision, which: GraphName) -> bytes:
        """The graph's ONNX file, hashed as it was read.  Raises BundleError, or KeyError."""
        return _read_pinned(self.path, self.pinned_graph(precision, which))

    def goldens(self) -> Goldens | None:
        """The golden answers; None where the bundle has none.  Raises BundleError."""
        pinned = self.manifest.goldens
        if pinned is None:
            return None
        raw = _read_pinned(self.path, pinned)
        return parse_goldens(raw, where=str(self.path / pinned.file))

    def drift(self) -> Drift | None:
        """How unlike training a picture is; None where the bundle cannot tell.  BundleError."""
        pinned = self.manifest.drift
        if pinned is None:
            return None
        where = str(self.path / pinned.file)
        raw = _read_pinned(self.path, pinned)
        return Drift(parse_reference(parse_json(raw, where=where), where=where))

    def read(self, name: str) -> bytes:
        """Any file of the bundle that the manifest does not pin.  Raises BundleError."""
        return _read(self.path, name, _PINNED_LIMIT_BYTES)


def load_bundle(wanted: str | Path) -> Bundle:
    """Find a bundle by shipped name or path and check all its files.

    Raises BundleError.  Every file is read and hashed here; graphs are read, and hashed again,
    when an engine opens them, so that what runs is what was checked.
    """
    path = bundle_dir(wanted)
    raw = _read(path, MANIFEST, _LIMIT_BYTES)
    manifest = parse_manifest(raw, where=str(path / MANIFEST))
    for pinned in manifest.pinned_files():
        _read_pinned(path, pinned)
    words = _read_pinned(path, manifest.tokenizer)
    where = str(path / manifest.tokenizer.file)
    tokenizer = Tokenizer.from_json(parse_json(words, where=where), where)
    return Bundle(path, manifest, hashlib.sha256(raw).hexdigest(), tokenizer)


def bundle_dir(wanted: str | Path) -> Path:
    """Directory of a shipped bundle, by its name, or of any bundle, by its path.

    Raises BundleError when there is none.
    """
    where = f"bundle {wanted}"
    try:
        if isinstance(wanted, str) and "/" not in wanted:
            for shipped in _SHIPPED:
                if (shipped / wanted / MANIFEST).is_file():
                    return shipped / wanted
        path = whole_path(wanted)
        if path.is_dir():
            return path
        what = "is not a directory" if path.exists() else "no such bundle"
    except OSError as exc:
        what = f"cannot be looked at: {exc.strerror}"
        raise BundleError(what, where=where, hint="check the path and its permissions") from exc
    except ValueError as exc:
        what, _, hint = str(exc).partition(" -- ")
        raise BundleError(what, where=where, hint=hint) from exc
    names = shipped_bundles()
    hint = f"give the path of a bundle{', or one of: ' + ', '.join(names) if names else ''}"
    raise BundleError(what, where=where, hint=hint)


def shipped_bundles() -> tuple[str, ...]:
    """Names of the bundles that came with this installation."""
    found = {at.parent.name for shipped in _SHIPPED for at in shipped.glob(f"*/{MANIFEST}")}
    return tuple(sorted(found))


def unsupported_words(bundle: Bundle, text: str) -> tuple[str, ...]:
    """What in a question keeps the bundle from answering it; empty when nothing does.

    The words it never learned; the whole text when it has no words, or too many to be read.
    """
    if bundle.tokenizer.supports(text):
        return ()
    return bundle.tokenizer.unknown_words(text) or (text,)


def _read_pinned(root: Path, pinned: PinnedFile) -> bytes:
    raw = _read(root, pinned.file, _PINNED_LIMIT_BYTES)
    if hashlib.sha256(raw).hexdigest() != pinned.sha256:
        what, hint = "does not match its hash", "copy the bundle again"
        raise BundleError(what, where=str(root / pinned.file), hint=hint)
    return raw


def _read(root: Path, name: str, limit_bytes: int) -> bytes:
    """Bytes of a regular file below root, links followed.  Raises BundleError."""
    path, hint = root / name, "copy the bundle again"
    if not path.resolve().is_relative_to(root.resolve()):
        raise BundleError("leads out of the bundle's directory", where=str(path), hint=hint)
    try:
        if not path.is_file():  # a pipe or a device would block for ever
            raise BundleError("is missing", where=str(path), hint=hint)
        with path.open("rb") as file:
            raw = file.read(limit_bytes + 1)
    except OSError as exc:
        what = f"cannot be read: {exc.strerror}"
        raise BundleError(what, where=str(path), hint="check its permissions") from exc
    if len(raw) > limit_bytes:
        raise BundleError(f"is larger than {limit_bytes >> 20} MiB", where=str(path), hint=hint)
    return raw
