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
    parser.add_argument("bundles", nargs="+", metavar="BUNDLE", help="name or path")
    parser.add_argument("--json", action="store_true", help="everything, a JSON object a bundle")


def run(args: argparse.Namespace) -> int:
    """Load the bundles, which checks their hashes, and tell what they are."""
    from edge_daemon.engine.bundle import load_bundle  # noqa: PLC0415  keeps --help light

    for name in args.bundles:
        found = _described(load_bundle(name))
        if args.json:
            print(json.dumps(found, ensure_ascii=False))
        else:
            _print(found)
    return 0


def _described(bundle: Bundle) -> dict[str, Any]:
    from edge_daemon.engine.anatomy import dissect  # noqa: PLC0415  keeps --help light
    from edge_daemon.engine.open import auto_precision, choose_backend  # noqa: PLC0415

    manifest = bundle.manifest
    graphs: dict[str, Any] = {}
    for precision in bundle.precisions:
        for which in bundle.graph_names:
            pinned = bundle.pinned_graph(precision, which)
            found = dissect(bundle.graph(precision, which), where=str(bundle.path / pinned.file))
            graphs.setdefault(precision, {})[which] = {
                "file": pinned.file,
                "bytes": found.n_bytes,
                "parameters": found.n_parameters,
                "opset": found.opset,
                "operators": found.operators,
                "bytes_by_type": found.bytes_by_type,
                "metadata": found.metadata,
                "largest": [
                    {"name": t.name, "shape": t.shape, "dtype": t.dtype, "bytes": t.n_bytes}
                    for t in found.tensors[:_LARGEST]
                ],
            }
    choice = choose_backend("auto")
    return {
        "name": manifest.name,
        "version": manifest.version,
        "path": str(bundle.path),
        "sha256": bundle.sha256,
        "kind": manifest.kind,
        "licence": manifest.licence,
        "input": manifest.input.model_dump(),
        "grid": dict(zip(("columns", "rows"), bundle.grid)) if bundle.explains else None,
        "temperature": manifest.temperature,
        "concepts": manifest.concepts,
        "words": len(bundle.tokenizer.known_words),
        "goldens": manifest.goldens is not None,
        "graphs": graphs,
        "agreement": _agreement(bundle),
        "auto": {
            "backend": choice.backend,
            "precision": auto_precision(bundle, choice.backend),
            "why": choice.why,
        },
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
    tokens = f"{grid['columns']}x{grid['rows']} tokens" if grid else "no map"
    console.print(
        f"looks at {size['width']}x{size['height']} pixels ({size['fit']}), {tokens}; "
        f"knows {found['words']} words"
    )
    auto = found["auto"]
    on = ", ".join(filter(None, (auto["backend"], auto["precision"])))
    console.print(f"here on {on} ({auto['why']})", soft_wrap=True)
    console.print(f"concepts: {', '.join(found['concepts'])}")
    table = Table("precision", "graph", "kB", "parameters", "numbers", "opset", "operators")
    for precision, graphs in found["graphs"].items():
        for which, graph in graphs.items():
            common = list(graph["operators"].items())[:4]
            kinds = ", ".join(
                f"{k} {n / 1000:.0f} kB" for k, n in list(graph["bytes_by_type"].items())[:2]
            )
            row = [f"{graph['bytes'] / 1000:.0f}", f"{graph['parameters']:,}", kinds]
            row.append(str(graph["opset"]))
            table.add_row(precision, which, *row, ", ".join(f"{n} {op}" for op, n in common))
    console.print(table)
    first = next(iter(next(iter(found["graphs"].values()))))
    largest = Table("precision", f"largest tensors of the {first} graph", "shape", "type", "kB")
    for precision, graphs in found["graphs"].items():
        for tensor in graphs[first]["largest"]:
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
