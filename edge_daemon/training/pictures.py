"""Training pictures, decoded once into one flat file that is mapped into memory."""

from __future__ import annotations

import json
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """Decoded pictures by key.  Reads from the map; hands out views, uint8 RGB (H, W, 3)."""

    pixels: NDArray[np.uint8] = field(repr=False)
    places: dict[str, tuple[int, int, int]] = field(repr=False)  # offset, height, width
    more: Pictures | None = None

    def __getitem__(self, key: str) -> NDArray[np.uint8]:
        """The picture's pixels, a view.  Raises KeyError."""
        if key not in self.places and self.more is not None:
            return self.more[key]
        offset, height, width = self.places[key]
        return self.pixels[offset : offset + height * width * 3].reshape(height, width, 3)

    def size(self, key: str) -> tuple[int, int]:
        """Width and height of a picture.  Raises KeyError."""
        height, width = self[key].shape[:2]
        return width, height

    def parts(self) -> Iterator[Pictures]:
        """The files of which this is made, in order."""
        yield Pictures(self.pixels, self.places)
        if self.more is not None:
            yield from self.more.parts()

    def joined(self, more: Pictures) -> Pictures:
        """These and more, under one roof."""
        return Pictures(self.pixels, self.places, more)

    def __contains__(self, key: object) -> bool:
        return key in self.places or (self.more is not None and key in self.more)


def open_pictures(cache: Path, shards: Iterable[Path]) -> Pictures:
    """Pictures of the tar files given, decoded into cache when that was not done before."""
    index = cache.with_suffix(".json")
    if not index.exists():
        write_cache(cache, (item for shard in shards for item in _decode(shard)))
    places = {key: (o, h, w) for key, (o, h, w) in json.loads(index.read_text()).items()}
    return Pictures(np.memmap(cache, np.uint8, "c"), places)


def write_cache(cache: Path, pictures: Iterable[tuple[str, NDArray[np.uint8]]]) -> None:
    """Write (key, uint8 RGB picture) pairs as a flat file and an index beside it."""
    cache.parent.mkdir(parents=True, exist_ok=True)
    places: dict[str, tuple[int, int, int]] = {}
    offset = 0
    with cache.open("wb") as out:
        for key, picture in pictures:
            out.write(np.ascontiguousarray(picture).tobytes())
            places[key] = (offset, picture.shape[0], picture.shape[1])
            offset += picture.size
    cache.with_suffix(".json").write_text(json.dumps(places))


def _decode(shard: Path) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    with tarfile.open(shard) as archive:
        for member in archive:
            stream = archive.extractfile(member)
            if stream is None:
                continue
            bgr = cv2.imdecode(np.frombuffer(stream.read(), np.uint8), cv2.IMREAD_COLOR)
            if bgr is not None:
                rgb = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
                yield member.name.rsplit(".", 1)[0], rgb
