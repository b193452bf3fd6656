"""The architecture: imports point one way, and heavy libraries stay in their adapters."""

from __future__ import annotations

import ast
import subprocess
import sys
from fnmatch import fnmatch
from typing import TYPE_CHECKING

import pytest

from tests.conftest import REPO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Each part may import the parts above its line, and nothing beside it.
LAYERS = (
    {"types", "errors", "packets"},
    {"metrics", "logs", "config", "scenes", "figures", "retry"},
    {"reliability"},
    {"sources", "sampling", "engine", "verdicts", "overlay", "recording", "publish"},
    {"pipeline"},
    {"service"},
    {"web"},
    {"cli", "training"},
)
RANK = {part: rank for rank, parts in enumerate(LAYERS) for part in parts}

# The only modules that may import each library.
ADAPTERS = {
    "av": ("sources/*", "recording/*"),
    "onnxruntime": (
        "engine/ort.py",
        "engine/int8/*",
        "engine/tensorrt/*",
        "training/export.py",
        "training/simplify.py",
    ),
    "paho": ("publish/*", "cli/demo.py"),
    "cuda": ("engine/cuda/*",),
    "pycuda": ("engine/cuda/*",),
    "PIL": ("overlay/*",),
    "fastapi": ("web/*",),
    "starlette": ("web/*",),
    "uvicorn": ("web/*",),
    "amqtt": ("cli/embedded_broker.py",),
    "rich": ("cli/*", "training/*"),
    "openvino": ("engine/openvino.py",),
    "torch": ("training/*", "engine/pytorch/*"),
    "onnx": ("engine/int8/*", "engine/pytorch/*", "training/*", "engine/tensorrt/*"),
    "onnxscript": ("training/*",),
    "safetensors": ("training/*", "engine/pytorch/*"),
    "matplotlib": ("cli/bench_plot.py", "training/*", "reliability.py"),
}
HEAVY = {*ADAPTERS, "cv2", "numpy"} - {"rich"}

PACKAGE = REPO / "edge_daemon"
MODULES = sorted(PACKAGE.rglob("*.py"))


def imported(node: ast.AST, module: Path) -> Iterator[str]:
    """Dotted names imported at run time, anywhere below node; relative ones made absolute."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        folder = module.relative_to(REPO).parts[: -node.level] if node.level else ()
        base = ".".join([*folder, *([node.module] if node.module else [])])
        yield from (f"{base}.{alias.name}" for alias in node.names)
    else:
        types_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for child in node.orelse if types_only else ast.iter_child_nodes(node):
            yield from imported(child, module)


def imports_of(module: Path) -> set[str]:
    return set(imported(ast.parse(module.read_text("utf-8")), module))


def part_of(module: Path) -> str:
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def test_package_has_no_part_outside_the_architecture() -> None:
    parts = {part_of(module) for module in MODULES} - {"__init__", "__main__"}

    assert parts <= set(RANK)


def points_against(importer: str, name: str) -> bool:
    target = name.split(".")[1] if name.startswith("edge_daemon.") else ""
    return target in RANK and target != importer and RANK[target] >= RANK.get(importer, len(LAYERS))


def test_imports_point_one_way() -> None:
    against = [
        f"{module.relative_to(REPO)} imports {name}"
        for module in MODULES
        for name in sorted(imports_of(module))
        if points_against(part_of(module), name)
    ]

    assert against == []


def test_heavy_libraries_stay_in_their_adapters() -> None:
    strays = [
        f"{place} imports {name}"
        for module in MODULES
        for place in [module.relative_to(PACKAGE).as_posix()]
        for name in sorted(imports_of(module))
        if (library := name.partition(".")[0]) in ADAPTERS
        and not any(fnmatch(place, pattern) for pattern in ADAPTERS[library])
    ]

    assert strays == []


def test_training_is_imported_by_nothing_else() -> None:
    users = [
        module.relative_to(REPO).as_posix()
        for module in MODULES
        if part_of(module) != "training"
        and any(name.startswith("edge_daemon.training") for name in imports_of(module))
    ]

    assert users == []


@pytest.mark.parametrize(
    "source",
    [
        "import av.error",
        "from av import open",
        "def f():\n  with x:\n    import av",
        "if x: import av",
    ],
)
def test_an_import_is_seen_wherever_it_stands(source: str) -> None:
    found = set(imported(ast.parse(source), PACKAGE / "types.py"))

    assert {name.partition(".")[0] for name in found} == {"av"}


def test_a_relative_import_is_seen_as_what_it_means() -> None:
    found = set(imported(ast.parse("from ..engine import ort"), PACKAGE / "sources" / "stream.py"))

    assert found == {"edge_daemon.engine.ort"}


def test_types_only_imports_are_exempt() -> None:
    source = "if TYPE_CHECKING:\n    import av\nelse:\n    import json"

    assert set(imported(ast.parse(source), PACKAGE / "types.py")) == {"json"}


@pytest.mark.parametrize(
    ("importer", "name", "against"),
    [
        ("pipeline", "edge_daemon.engine.base", False),
        ("engine", "edge_daemon.engine.base", False),
        ("engine", "edge_daemon.sources.base", True),
        ("config", "edge_daemon.pipeline.board", True),
        ("engine", "numpy.typing", False),
    ],
)
def test_direction_is_read_off_the_layers(importer: str, name: str, against: bool) -> None:
    assert points_against(importer, name) is against


@pytest.mark.parametrize("command", [[], ["run"], ["demo"], ["engine", "quantize"]])
def test_help_loads_no_heavy_library(command: list[str]) -> None:
    program = (
        "import sys\n"
        "from edge_daemon.cli import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "except SystemExit as done:\n    assert not done.code\n"
        "print('loaded:', *sys.modules)\n"
    )
    call = [sys.executable, "-c", program, *command, "--help"]
    done = subprocess.run(call, capture_output=True, text=True, check=False, cwd=REPO)
    shown, _, loaded = done.stdout.rpartition("loaded:")

    assert done.returncode == 0, done.stderr
    assert "usage: edge-daemon" in shown
    assert HEAVY & set(loaded.split()) == set()
