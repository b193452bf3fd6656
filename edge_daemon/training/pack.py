"""What a run reads, in files of a size that can be copied one by one to another machine."""

from __future__ import annotations

import gzip
import json
import shutil
import tarfile
from typing import IO, TYPE_CHECKING, Final

from edge_daemon.training.concepts import NEVER_TRAINED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BLOCK_BYTES: Final = 512  # Source: POSIX pax, a member is a header and whole blocks
_END_BYTES: Final = 10_240  # the archive's end, and room to spare


def pack(root: Path, out: Path, most_bytes: int) -> list[Path]:
    """Write a data root for training from the one given: no picture that is never trained on.

    Returns its files: labels, starting weights, and archives of at most most_bytes each, but one
    picture at least.  Raises OSError.
    """
    (out / "init").mkdir(parents=True, exist_ok=True)
    for old in out.glob("pictures-*.tar"):
        old.unlink()
    wanted: set[str] = set()
    labels = out / "labels.jsonl.gz"
    with gzip.open(root / labels.name, "rt") as rows, gzip.open(labels, "wt") as kept:
        for line in rows:
            row = json.loads(line)
            if row["dataset"] not in NEVER_TRAINED:
                wanted.add(row["key"])
                kept.write(line)
    weights = [
        out / "init" / path.name for path in sorted((root / "init").glob("mobilenet*.safetensors"))
    ]
    for path in weights:
        shutil.copyfile(root / "init" / path.name, path)
    return [labels, *weights, *_archives(root, out, wanted, most_bytes)]


def _archives(root: Path, out: Path, wanted: set[str], most_bytes: int) -> Iterator[Path]:
    archive: tarfile.TarFile | None = None
    n, used = 0, 0
    for member, data in _members(root, wanted):
        size = _BLOCK_BYTES * (1 - (-member.size // _BLOCK_BYTES))
        if archive is None or used + size > most_bytes:
            if archive is not None:
                archive.close()
            path = out / f"pictures-{n:02d}.tar"
            archive, n, used = tarfile.open(path, "w"), n + 1, _END_BYTES  # noqa: SIM115 - closed when full
            yield path
        archive.addfile(member, data)
        used += size
    if archive is not None:
        archive.close()


def _members(root: Path, wanted: set[str]) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    for shard in sorted(root.glob("pictures-*.tar")):
        with tarfile.open(shard) as archive:
            for member in archive:
                data = archive.extractfile(member)
                if data is not None and member.name.rsplit(".", 1)[0] in wanted:
                    yield member, data
