"""Everything a run reads, opened."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge_daemon.engine.tokenizer import Tokenizer
from edge_daemon.training.concepts import NEVER_TRAINED
from edge_daemon.training.cutouts import read_cutouts
from edge_daemon.training.labels import read_rows
from edge_daemon.training.pictures import open_pictures
from edge_daemon.training.questions import MAX_LENGTH, vocabulary, word_pieces
from edge_daemon.training.rendered import RENDERED, open_rendered
from edge_daemon.training.wording import make_wording

if TYPE_CHECKING:
    from edge_daemon.training.augment import Cutout
    from edge_daemon.training.labels import Row
    from edge_daemon.training.pictures import Pictures
    from edge_daemon.training.settings import Settings


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Rows by split, pictures by key, things to paste, and the tokenizer."""

    train: list[Row] = field(repr=False)
    val: list[Row] = field(repr=False)
    pictures: Pictures = field(repr=False)
    cutouts: dict[str, list[Cutout]] = field(repr=False)
    tokenizer: Tokenizer = field(repr=False)


def make_tokenizer() -> Tokenizer:
    """The tokenizer of the grammar as it is now."""
    return Tokenizer(
        kind="wordpiece",
        lowercase=True,
        max_length=MAX_LENGTH,
        vocab=list(word_pieces()),
        known_words=list(vocabulary()),
        wording=make_wording(),
    )


def open_material(settings: Settings) -> Material:
    """Read labels, decode pictures into the cache when they are not there yet."""
    data = settings.data
    pictures = open_pictures(data.cache / "pictures.u8", sorted(data.root.glob("pictures-*.tar")))
    rows = list(read_rows(data.root / "labels.jsonl.gz", without=NEVER_TRAINED))
    if data.rendered_pictures:
        more, streets = open_rendered(
            data.cache / f"rendered-{data.rendered_pictures}.u8",
            data.rendered_pictures,
            settings.seed,
        )
        rows, pictures = rows + more, pictures.joined(streets)
    train = [row for row in rows if row.split == "train"]
    val = [row for row in rows if row.split == "val"]
    photographs = [row for row in train if row.dataset != RENDERED]
    cutouts = read_cutouts(data.cache / "cutouts.npz", photographs, pictures)
    return Material(train, val, pictures, cutouts, make_tokenizer())
