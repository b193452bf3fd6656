"""Weights to start from: those of a checkpoint, or of a bundle that was exported from one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from edge_daemon.engine.bundle import load_bundle
from edge_daemon.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edge_daemon.engine.manifest import GraphName
    from edge_daemon.training.network import Network

_GRAPHS: Final[tuple[GraphName, ...]] = ("image", "question", "answer")
_WORDS: Final = "question.words.weight"


def start_from(
    network: Network, source: Path | Sequence[Path], vocab: Sequence[str]
) -> torch.Tensor:
    """Take over the weights of a checkpoint file or a bundle directory; of several: their mean.

    Returns which words of vocab are new, bool (V,): all others keep their embedding.  What the
    source lacks, the readers of meaning in a bundle, stays as it is.  Raises BundleError, and
    RuntimeError where the sizes differ.
    """
    weights, known = _mean_of([source] if isinstance(source, Path) else source)
    own = network.state_dict()
    words, numbers = own[_WORDS].clone(), {piece: n for n, piece in enumerate(known)}
    for n, piece in enumerate(vocab):
        if piece in numbers:
            words[n] = weights[_WORDS][numbers[piece]]
    kept = {k: v for k, v in weights.items() if k in own}
    missing = [k for k in own if k not in kept and not k.startswith("meaning.")]
    if missing:
        raise BundleError(f"has no weights {missing[0]!r}", where=str(source))
    network.load_state_dict({**own, **kept, _WORDS: words})
    return torch.tensor([piece not in numbers for piece in vocab])


def _mean_of(sources: Sequence[Path]) -> tuple[dict[str, torch.Tensor], list[str]]:
    first, *others = (_of_bundle(s) if s.is_dir() else _of_checkpoint(s) for s in sources)
    for source, other in zip(sources[1:], others):
        if other[1] != first[1] or other[0].keys() != first[0].keys():
            raise BundleError(
                f"is not of the same words and sizes as {sources[0]}", where=str(source)
            )
    weights = {k: sum((o[0][k] for o in others), x) / len(sources) for k, x in first[0].items()}
    return weights, first[1]


def _of_checkpoint(path: Path) -> tuple[dict[str, torch.Tensor], list[str]]:
    state = torch.load(path, map_location="cpu", weights_only=True)
    return state["average"], state["vocab"]


def _of_bundle(path: Path) -> tuple[dict[str, torch.Tensor], list[str]]:
    bundle = load_bundle(path)
    weights: dict[str, torch.Tensor] = {}
    for which in _GRAPHS:
        graph = onnx.load_from_string(bundle.graph("fp32", which)).graph
        weights |= {f"{which}.{name.removeprefix('head.')}": x for name, x in _named(graph)}
    return weights, list(bundle.tokenizer.vocab)


def _named(graph: onnx.GraphProto) -> Iterator[tuple[str, torch.Tensor]]:
    """Weights by their names in torch.

    Matrices of linear layers stand transposed, and say so in their names.  The roles, to which the
    exporter added an axis for the questions, are the one sum with something that has no name.
    """
    arrays = {
        x.name: torch.from_numpy(np.array(numpy_helper.to_array(x))) for x in graph.initializer
    }
    for name, x in arrays.items():
        if name.endswith(".T"):
            yield name.removesuffix(".T"), x.T
        elif not name.startswith("onnx::"):
            yield name, x
    for node in graph.node:
        if node.op_type == "Add":
            folded = (name for name in node.input if name.startswith("onnx::") and name in arrays)
            yield from (("roles", arrays[name].squeeze(0)) for name in folded)
