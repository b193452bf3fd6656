"""What an engine asks of a runtime: open one ONNX graph, and run it."""

from __future__ import annotations

import logging
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from edge_daemon.engine.onnxfile import refuse_external_data, with_constants
from edge_daemon.errors import BundleError, EngineRunError
from edge_daemon.types import EngineInfo

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edge_daemon.engine.bundle import Bundle
    from edge_daemon.engine.manifest import GraphName, Precision

log = logging.getLogger(__name__)

Size = int | str | None  # a number: this size; None: any size; a name: must stay open


@dataclass(frozen=True, slots=True)
class Port:
    """Type (NumPy's name) and shape of one input or output."""

    dtype: str
    shape: tuple[Size, ...]

    def __str__(self) -> str:
        return f"({', '.join('any' if size is None else str(size) for size in self.shape)})"


class Graph(Protocol):
    """One graph, opened.  One thread at a time."""

    @property
    def inputs(self) -> Mapping[str, Port]:
        """What it takes, by name."""
        ...

    @property
    def outputs(self) -> Mapping[str, Port]:
        """What it gives, by name."""
        ...

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
        """Outputs in the order of ``outputs``, arrays of the caller's.

        Raises EngineRunError; GraphTooLargeError where the feeds need more memory than there is.
        """
        ...


class Runtime(Protocol):
    """A library that runs ONNX graphs, on one device."""

    @property
    def backend(self) -> str:
        """Its name in the configuration."""
        ...

    @property
    def prefers(self) -> Sequence[Precision]:
        """Precisions that may pay here, the best one first; fp32 last."""
        ...

    def gains(self, model: bytes) -> bool:
        """Whether a graph in int8 pays here.  Raises ValueError, IndexError for what is none."""
        ...

    @property
    def weights_sha256(self) -> str | None:
        """Of the file whose weights take the place of the bundle's; None: its own."""
        ...

    def open(self, model: bytes, *, where: str, which: GraphName, threads: int) -> Graph:
        """Open a graph that stands alone.  Raises BundleError."""
        ...


class RunsGraph(Protocol):
    """A graph of a bundle as an engine uses it: opened, checked, on whatever runtime."""

    takes: Mapping[str, Port]
    gives: Mapping[str, Port]

    def run(self, **feeds: NDArray[Any]) -> dict[str, NDArray[np.float32]]:
        """Outputs by name, all finite.  Raises EngineRunError."""
        ...


class GraphTooLargeError(EngineRunError):
    """A batch that does not fit into memory: a smaller one may."""


class CheckedGraph:
    """A graph of a bundle, opened, whose inputs and outputs are the ones agreed.

    Raises BundleError.
    """

    def __init__(
        self,
        runtime: Runtime,
        bundle: Bundle,
        precision: Precision,
        which: GraphName,
        *,
        takes: Mapping[str, Port],
        gives: Mapping[str, Port],
        threads: int,
    ) -> None:
        self._where = str(bundle.path / bundle.pinned_graph(precision, which).file)
        self.takes, self.gives = takes, gives
        self._open = partial(runtime.open, where=self._where, which=which, threads=threads)
        model = bundle.graph(precision, which)
        refuse_external_data(model, where=self._where)
        self._graph = self._open(model)
        self._model = model if which == "answer" else b""  # large ones are not kept
        _check(self._graph.inputs, takes, where=self._where, alone=True)
        _check(self._graph.outputs, gives, where=self._where, alone=False)

    def fixed(self, **values: NDArray[np.float32]) -> CheckedGraph:
        """The same graph with these inputs made constant: what depends on them alone is folded.

        Raises BundleError.
        """
        fixed = copy(self)
        fixed._graph = self._open(with_constants(self._model, values))  # noqa: SLF001  our own
        return fixed

    def run(self, **feeds: NDArray[Any]) -> dict[str, NDArray[np.float32]]:
        """Outputs by name, all finite: numbers from damaged weights are no answer.

        Raises EngineRunError.
        """
        found = dict(zip(self._graph.outputs, self._graph.run(feeds)))
        given = {name: found[name] for name in self.gives}
        refuse_infinite(given, where=self._where, hint="copy the bundle again")
        return found


def choose_precision(bundle: Bundle, wanted: str, runtime: Runtime) -> Precision:
    """Precision to open; "auto" is the one that pays most.  Raises BundleError."""
    has = bundle.precisions
    choices = runtime.prefers if wanted == "auto" else has
    for known in choices:
        if known not in has or wanted not in ("auto", known):
            continue
        if known == "int8" and wanted == "auto" and not _gains(bundle, runtime):
            log.info("bundle %s: int8 is left alone, this processor has no VNNI and would sum it"
                     " the slow way -- quantize it anew: edge-daemon engine quantize",
                     bundle.name)  # fmt: skip
            continue
        return known
    hint = f"use precision auto or one of: {', '.join(has)}"
    raise BundleError(f"has no {wanted} graphs", where=f"bundle {bundle.path}", hint=hint)


def _gains(bundle: Bundle, runtime: Runtime) -> bool:
    try:
        return runtime.gains(bundle.graph("int8", bundle.main_graph))
    except (ValueError, IndexError):
        return True  # opening it says what is wrong


def refuse_infinite(found: Mapping[str, NDArray[np.float32]], *, where: str, hint: str) -> None:
    """Raise EngineRunError where outputs, by name, are not all finite."""
    for name, values in found.items():
        if not np.isfinite(values).all():
            what = f"{name}: not finite numbers, weights or input are damaged"
            raise EngineRunError(what, where=where, hint=hint)


def info_of(bundle: Bundle, runtime: Runtime, precision: Precision) -> EngineInfo:
    """What events say of the model: with weights from elsewhere the hash is theirs."""
    sha256 = runtime.weights_sha256 or bundle.sha256
    return EngineInfo(bundle.name, sha256, runtime.backend, precision)


def refuse(what: str, where: str) -> None:
    """Raise BundleError about a graph that is not what the format says."""
    raise BundleError(what, where=where, hint="export the bundle again")


def _check(
    found: Mapping[str, Port], agreed: Mapping[str, Port], *, where: str, alone: bool
) -> None:
    """Raise BundleError where inputs or outputs are not the ones agreed."""
    if not agreed.keys() <= found.keys() or (alone and len(found) > len(agreed)):
        refuse(f"has {', '.join(found)} instead of {', '.join(agreed)}", where)
    for name, wanted in agreed.items():
        has = found[name]
        if has.dtype != wanted.dtype:
            refuse(f"{name} is {has.dtype} instead of {wanted.dtype}", where)
        if len(has.shape) != len(wanted.shape) or not all(map(_fits, has.shape, wanted.shape)):
            refuse(f"{name} is {has} instead of {wanted}", where)


def _fits(has: Size, agreed: Size) -> bool:
    if isinstance(agreed, str):
        return not isinstance(has, int)
    return agreed is None or not isinstance(has, int) or has == agreed
