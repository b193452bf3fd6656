"""edge-daemon engine inspect: what a bundle is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import argparse

    from edge_daemon.engine.bundle import Bundle

_LARGEST: Final = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("bundle", metavar="BUNDLE", help="name or path")
    parser.add_argument("--json", action="store_true", help="everything as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Load the bundle, which checks its hashes, and tell what it is."""
    from edge_daemon.engine.bundle import load_bundle  # noqa: PLC0415  keeps --help light

    found = _described(load_bundle(args.bundle))
    if args.json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        _print(found)
    return 0


def _described(bundle: Bundle) -> dict[str, Any]:
    from edge_daemon.engine.anatomy import dissect  # noqa: PLC0415  keeps --help light
    from edge_daemon.engine.manifest import GRAPHS  # noqa: PLC0415

    manifest = bundle.manifest
    graphs: dict[str, Any] = {}
    for precision in bundle.precisions:
        for which in GRAPHS:
            pinned = bundle.pinned_graph(precision, which)
            found = dissect(bundle.graph(precision, which), where=str(bundle.path / pinned.file))
            graphs.setdefault(precision, {})[which] = {
                "file": pinned.file,
                "bytes": found.n_bytes,
                "parameters": found.n_parameters,
                "opset": found.opset,
                "operators": found.operators,
                "largest": [
                    {"name": t.name, "shape": t.shape, "dtype": t.dtype, "bytes": t.n_bytes}
                    for t in found.tensors[:_LARGEST]
                ],
            }
    return {
        "name": manifest.name,
        "version": manifest.version,
        "path": str(bundle.path),
        "sha256": bundle.sha256,
        "kind": manifest.kind,
        "licence": manifest.licence,
        "input": manifest.input.model_dump(),
        "grid": manifest.grid.model_dump(),
        "temperature": manifest.temperature,
        "concepts": manifest.concepts,
        "words": len(bundle.tokenizer.known_words),
        "goldens": manifest.goldens is not None,
        "graphs": graphs,
        "agreement": _agreement(bundle),
    }


def _agreement(bundle: Bundle) -> Any:  # noqa: ANN401  JSON
    pinned = bundle.manifest.agreement
    if pinned is None:
        return None
    from edge_daemon.engine.manifest import parse_json  # noqa: PLC0415  keeps --help light

    return parse_json(bundle.read(pinned.file), where=str(bundle.path / pinned.file))


def _print(found: dict[str, Any]) -> None:
    from rich.console import Console  # noqa: PLC0415  keeps --help light
    from rich.table import Table  # noqa: PLC0415

    console = Console(highlight=False)
    size, grid = found["input"], found["grid"]
    console.print(f"{found['name']} {found['version']}, {found['kind']}, {found['licence']}")
    console.print(
        f"looks at {size['width']}x{size['height']} pixels ({size['fit']}), "
        f"{grid['columns']}x{grid['rows']} tokens; knows {found['words']} words"
    )
    console.print(f"concepts: {', '.join(found['concepts'])}")
    table = Table("precision", "graph", "kB", "parameters", "opset", "operators")
    for precision, graphs in found["graphs"].items():
        for which, graph in graphs.items():
            common = list(graph["operators"].items())[:4]
            row = [f"{graph['bytes'] / 1000:.0f}", f"{graph['parameters']:,}", str(graph["opset"])]
            table.add_row(precision, which, *row, ", ".join(f"{n} {op}" for op, n in common))
    console.print(table)
    largest = Table("precision", "largest tensors of the image graph", "shape", "type", "kB")
    for precision, graphs in found["graphs"].items():
        for tensor in graphs["image"]["largest"]:
            shape = "x".join(map(str, tensor["shape"]))
            kilobytes = f"{tensor['bytes'] / 1000:.0f}"
            largest.add_row(precision, tensor["name"], shape, tensor["dtype"], kilobytes)
    console.print(largest)
    if found["agreement"]:
        said = found["agreement"]
        console.print(
            f"int8 beside fp32 on {said['replay']['frames']} frames: verdicts agree in "
            f"{said['figures']['agreement']:.2%}, p_yes differs by "
            f"{said['figures']['difference_mean']:.4f}"
        )
