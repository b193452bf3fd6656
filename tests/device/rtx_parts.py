"""TensorRT for RTX in parts that travel: fetched and packed on one machine, unpacked on another."""

from __future__ import annotations

import lzma
import subprocess
import sys
import tarfile
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PART_BYTES = 60 << 20
KEPT = ("libtensorrt_rtx.so", "libtensorrt_onnxparser_rtx.so", "libcudart.so")


def pack(folder: Path) -> None:
    """Fetch TensorRT for RTX for Python 3.12 and write rtx.0, rtx.1."""
    from tests.data.tensorrt_wheels import RTX  # noqa: PLC0415  where it is unpacked is no pytest

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        call = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", work]
        more = ["--python-version", "3.12", "--only-binary=:all:", *RTX]
        subprocess.run([*call, *more], check=True)
        for wheel in Path(work).glob("*.whl"):
            subprocess.run([sys.executable, "-m", "zipfile", "-e", str(wheel), work], check=True)
        whole = Path(work) / "rtx.tar.xz"
        with (  # the usual preset: the slowest one takes four times as long for 2 % less
            lzma.open(whole, "wb") as packed,
            tarfile.open(fileobj=packed, mode="w|") as tar,
        ):
            for path in sorted(Path(work).rglob("*")):
                wanted = path.name.startswith(KEPT) or path.parent.name == "tensorrt_rtx_bindings"
                if path.is_file() and wanted:
                    name = path.name
                    if path.parent.name == "tensorrt_rtx_bindings":
                        name = f"tensorrt_rtx_bindings/{name}"
                    tar.add(path, name)
        raw = whole.read_bytes()
    for n in range(0, len(raw), PART_BYTES):
        (folder / f"rtx.{n // PART_BYTES}").write_bytes(raw[n : n + PART_BYTES])
    print(f"{folder}: {len(raw)} bytes in {-(-len(raw) // PART_BYTES)} parts")


@contextmanager
def unpacked(parts: Path) -> Iterator[Path]:
    """A directory for LD_LIBRARY_PATH and PYTHONPATH from the parts."""
    with tempfile.TemporaryDirectory() as work:
        whole = Path(work) / "rtx.tar.xz"
        with whole.open("wb") as file:
            for part in sorted(parts.glob("rtx.[0-9]")):
                file.write(part.read_bytes())
        with tarfile.open(whole) as tar:
            tar.extractall(work, filter="data")
        for library in Path(work).glob("lib*.so.*.*"):
            stem, _, version = library.name.partition(".so.")
            (Path(work) / f"{stem}.so.{version.partition('.')[0]}").symlink_to(library)
        yield Path(work)
