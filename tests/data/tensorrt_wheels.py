"""NVIDIA's own TensorRT code without a GPU: bindings of several releases, and TensorRT for RTX.

The wheels are fetched with pip into a cache outside the checkout, and never become part of it.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.conftest import REPO, missing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

REQUIRE = "REQUIRE_TENSORRT_RTX"
RTX = ("onnxruntime-ep-nv-tensorrt-rtx-cu13==0.5.0", "tensorrt-rtx-cu13-bindings==1.7.1.116")
"""Libraries with builder and parser, and the Python module: x86-64 Linux, 150 MB."""

# What the bindings are linked to.  A library that only has these names lets them be imported.
_STUB_NAMES = ("getNvOnnxParserVersion", "getBuilderPluginRegistry", "getPluginRegistry",
               "initLibNvInferPlugins")  # fmt: skip
_STUBS = ("libnvinfer.so", "libnvonnxparser.so", "libnvinfer_plugin.so")

_FETCH_S = 200.0

_CALLED = {
    "builder": "Builder", "cache": "ITimingCache", "config": "IBuilderConfig",
    "context": "IExecutionContext", "engine": "ICudaEngine", "network": "INetworkDefinition",
    "parser": "OnnxParser", "profile": "IOptimizationProfile", "runtime": "Runtime",
    "tensor": "ITensor",
}  # fmt: skip
"""Names of variables in our code, and what they are in TensorRT's."""


def members_used() -> set[str]:
    """Every member of TensorRT that building and running a plan names, as Class.member."""
    folder = REPO / "edge_daemon" / "engine" / "tensorrt"
    trees = [ast.parse((folder / name).read_text("utf-8")) for name in SOURCES]
    return {
        name for tree in trees for node in ast.walk(tree) for name in _member(node) if "." in name
    }


SOURCES = ("builder.py", "execution.py")


def _member(node: ast.AST) -> Iterator[str]:
    if not isinstance(node, ast.Attribute):
        return
    path = ast.unparse(node).replace("self._", "", 1).split(".")
    if path[0] == "trt" and all(part.isidentifier() for part in path):
        yield ".".join(path[1:])
    elif len(path) == 2 and path[0] in _CALLED:
        yield f"{_CALLED[path[0]]}.{path[1]}"


def rtx() -> Path:
    """A directory to put on PYTHONPATH and LD_LIBRARY_PATH; skips where it cannot be fetched."""
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        missing("TensorRT for RTX is for x86-64 Linux", REQUIRE)
    folder = _unpacked(RTX)
    libraries = folder / "onnxruntime_ep_nv_tensorrt_rtx"
    for library, to in (
        ("libtensorrt_rtx.so.1.7.1", "libtensorrt_rtx.so.1"),
        ("libtensorrt_onnxparser_rtx.so.1.7.1", "libtensorrt_onnxparser_rtx.so.1"),
        ("libcudart.so.13.4.36", "libcudart.so.13"),
    ):
        if not (folder / to).exists():
            (folder / to).symlink_to(libraries / library)
    return folder


def bindings(wheel: str) -> Path:
    """Like rtx(), for the bindings of a release, whose libraries are stubs: to look at only."""
    folder, major = _unpacked([wheel]), wheel.partition("==")[2].partition(".")[0]
    code = folder / "stub.c"
    code.write_text("".join(f"void *{name}(void) {{ return 0; }}\n" for name in _STUB_NAMES))
    for library in _STUBS:
        to = folder / f"{library}.{major}"
        if not to.exists():
            call = ["gcc", "-shared", "-fPIC", "-w", str(code), f"-Wl,-soname,{to.name}", "-o"]
            try:
                subprocess.run([*call, str(to)], check=True, capture_output=True)
            except FileNotFoundError:
                missing("no gcc: apt-get install gcc libc6-dev", REQUIRE)
    return folder


def with_tensorrt(folder: Path, program: str, *arguments: object) -> Any:
    """What a program prints as JSON, run with the module on its path, and our own package."""
    path = f"{folder}:{REPO}"
    env = {**os.environ, "LD_LIBRARY_PATH": str(folder), "PYTHONPATH": path}
    call = [sys.executable, "-c", program, *map(str, arguments)]
    done = subprocess.run(call, capture_output=True, text=True, check=False, env=env, cwd=folder)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


def _unpacked(wheels: Sequence[str]) -> Path:
    version = f"cp{sys.version_info.major}{sys.version_info.minor}"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edge-daemon-tests"
    folder = cache / f"{'+'.join(wheels).replace('==', '-')}-{version}"
    if (folder / "whole").exists():
        return folder
    part = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    part.mkdir(parents=True, exist_ok=True)
    call = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(part),
            "--only-binary=:all:", "--disable-pip-version-check", *wheels]  # fmt: skip
    try:
        subprocess.run(call, capture_output=True, check=True, timeout=_FETCH_S)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        missing(f"cannot fetch {' '.join(wheels)} with pip", REQUIRE)
    for wheel in part.glob("*.whl"):
        with zipfile.ZipFile(wheel) as file:
            file.extractall(part)
        wheel.unlink()
    (part / "whole").touch()
    try:
        part.rename(folder)
    except OSError:  # somebody else was faster
        assert (folder / "whole").exists()
    return folder
