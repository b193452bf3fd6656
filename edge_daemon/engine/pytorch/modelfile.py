"""A file that torch wrote of a bundle's model: weights, or a program, in place of its own."""

from __future__ import annotations

import hashlib
import io
import pickle
import struct
import warnings
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import torch

from edge_daemon.errors import BundleError, EngineMissingError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor

    from edge_daemon.engine.manifest import GraphName

_LARGEST_BYTES: Final = 1 << 31
_HELD_UNDER: Final = ("average", "state_dict", "model_state_dict", "model", "network")
"""Where checkpoints keep the state dict; the first that is there."""
_OWN: Final = "head."  # the answer graph wraps its module under this name
_LEARNT: Final = (".weight", ".bias")
_UNNAMED: Final = "onnx::"  # what the exporter folded has such a name
_UNREADABLE: Final = (
    RuntimeError, ValueError, EOFError, pickle.UnpicklingError, struct.error, KeyError, IndexError,
    TypeError, AttributeError, AssertionError, OSError,
)  # fmt: skip
"""What torch raises for damaged files.  Source: measured 2026-11-21, 4000 of them, torch 2.13."""
_HINT: Final = "name a state dict or TorchScript file of the bundle's own model"


@dataclass(frozen=True, eq=False)
class ModelFile:
    """An opened file.  weights: tensors by name; program: a TorchScript module; one is None."""

    path: Path
    sha256: str
    weights: Mapping[str, Tensor] | None = field(repr=False, default=None)
    program: Any = field(repr=False, default=None)

    def fill(self, constants: Mapping[str, Tensor], which: GraphName) -> dict[str, Tensor]:
        """The constants of a graph with those that were learnt taken from the file.

        A graph holds a linear layer's matrix turned round, as NAME.T.  Every weight of the graph
        must be in the file, and every one of the file in the graph.  Raises BundleError.
        """
        given, filled = self._of(which), dict(constants)
        for name, held in constants.items():
            plain = name.removeprefix(_OWN)
            if plain in given:
                filled[name] = self._fitting(name, given.pop(plain), held)
            elif plain.endswith(".T") and plain[:-2] in given:
                filled[name] = self._fitting(name, given.pop(plain[:-2]).T, held)
            elif plain.removesuffix(".T").endswith(_LEARNT):
                raise self._refused(f"has no {plain.removesuffix('.T')}, the {which} graph has")
        for name, learnt in given.items():
            unnamed = self._unnamed(constants, learnt)
            if unnamed is None:
                raise self._refused(f"has {name}, the {which} graph has not")
            held = constants[unnamed]
            filled[unnamed] = self._fitting(name, learnt.reshape(held.shape), held)
        return filled

    def part(self, which: GraphName) -> Any:
        """The program of one graph: a submodule of that name; of kind single the whole.

        Raises BundleError.
        """
        if which == "model":
            return self.program
        found = getattr(self.program, which, None)
        if found is None:
            raise self._refused(f"has no module {which!r}")
        return found

    def _of(self, which: GraphName) -> dict[str, Tensor]:
        """Weights of one graph, by their names in it."""
        assert self.weights is not None  # noqa: S101  asked of state dicts alone
        if which == "model":
            return dict(self.weights)
        found = {
            name.removeprefix(f"{which}."): tensor
            for name, tensor in self.weights.items()
            if name.startswith(f"{which}.")
        }
        if not found:
            raise self._refused(f"has no weights of the {which} graph ({which}.NAME)")
        return found

    def _fitting(self, name: str, learnt: Tensor, held: Tensor) -> Tensor:
        if learnt.shape == held.shape or learnt.numel() == held.numel() == 1:
            return learnt.to(torch.float32).reshape(held.shape).contiguous()
        found, wanted = tuple(learnt.shape), tuple(held.shape)
        raise self._refused(f"{name} is {found}, in the graph it is {wanted}")

    def _unnamed(self, constants: Mapping[str, Tensor], learnt: Tensor) -> str | None:
        """The one folded constant of this shape, but for axes of one; None unless it is one."""
        shape = [n for n in learnt.shape if n != 1]
        found = [
            name
            for name, held in constants.items()
            if name.startswith(_UNNAMED) and [n for n in held.shape if n != 1] == shape
        ]
        return found[0] if len(found) == 1 else None

    def _refused(self, what: str) -> BundleError:
        return BundleError(what, where=str(self.path), hint=_HINT)


def open_model_file(path: Path) -> ModelFile:
    """Read a safetensors file, a state dict as torch.save writes it, or a TorchScript file.

    Nothing but tensors and plain values is unpickled.  A TorchScript file is a program: it runs.
    Raises BundleError, EngineMissingError.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST_BYTES + 1)
    except OSError as exc:
        what = f"cannot be read ({exc.strerror})"
        raise BundleError(what, where=str(path), hint="check the path") from exc
    if len(raw) > _LARGEST_BYTES:
        what = f"is larger than {_LARGEST_BYTES >> 30} GiB"
        raise BundleError(what, where=str(path), hint=_HINT)
    digest = hashlib.sha256(raw).hexdigest()
    if _is_program(raw):
        return ModelFile(path, digest, program=_program(raw, path))
    state = _safetensors(raw, path) if path.suffix == ".safetensors" else _state(raw, path)
    return ModelFile(path, digest, weights=_tensors(state, path))


def _is_program(raw: bytes) -> bool:
    """Whether it is a TorchScript archive.  Source: torch/csrc/jit/serialization, constants.pkl."""
    if not raw.startswith(b"PK"):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False
    return any(name.endswith("/constants.pkl") for name in names)


def _program(raw: bytes, path: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch 2.10 and later, of torch.jit
        try:
            load: Any = torch.jit.load  # it has no types
            return load(io.BytesIO(raw), map_location="cpu").eval()
        except _UNREADABLE as exc:
            what = f"is not a TorchScript file that torch {torch.__version__} reads"
            raise BundleError(what, where=str(path), hint=_HINT) from exc


def _safetensors(raw: bytes, path: Path) -> object:
    try:
        from safetensors import SafetensorError  # noqa: PLC0415  only for such files
        from safetensors.torch import load  # noqa: PLC0415
    except ModuleNotFoundError as exc:
        hint = "pip install 'edge-daemon[torch]'"
        raise EngineMissingError("needs 'safetensors'", where=str(path), hint=hint) from exc
    try:
        return load(raw)
    except (SafetensorError, ValueError) as exc:
        raise BundleError("is not a safetensors file", where=str(path), hint=_HINT) from exc


def _state(raw: bytes, path: Path) -> object:
    try:
        return torch.load(io.BytesIO(raw), map_location="cpu", weights_only=True)
    except _UNREADABLE as exc:
        what = "is not a state dict: it holds more than tensors, or is damaged"
        raise BundleError(what, where=str(path), hint=_HINT) from exc


def _tensors(state: object, path: Path) -> Mapping[str, Tensor]:
    """The state dict itself, of what a file holds."""
    if isinstance(state, dict):
        for key in _HELD_UNDER:
            if isinstance(state.get(key), dict):
                state = state[key]
                break
    if not isinstance(state, dict) or not state:
        raise BundleError("holds no state dict", where=str(path), hint=_HINT)
    if not all(isinstance(tensor, torch.Tensor) for tensor in state.values()):
        raise BundleError("holds no state dict of tensors", where=str(path), hint=_HINT)
    return state
