from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_daemon.engine.tokenizer import Tokenizer
from edge_daemon.errors import BundleError

PIECES = ["is", "it", "isnt", "there", "a", "red", "car", "per", "##s", "##son", "##2", "7"]
FILE = {
    "kind": "wordpiece",
    "lowercase": True,
    "max_length": 8,
    "vocab": ["[PAD]", "[UNK]", "[CLS]", *PIECES],
    "known_words": ["is", "isnt", "there", "a", "red", "car", "cars", "person", "7"],
}
TOKENIZER = Tokenizer.from_json(FILE, "tokenizer.json")


def ids(*pieces: str) -> list[int]:
    found = [TOKENIZER.vocab.index(p) for p in ("[CLS]", *pieces)]
    return found + [0] * (8 - len(found))


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Is there a red car?", ["is", "there", "a", "red", "car"]),
        ("CARS", ["car", "##s"]),
        ("persons", ["per", "##son", "##s"]),
        ("Isn't it", ["isnt", "it"]),
        ("isn\u2019t it", ["isnt", "it"]),
        ("\uff43\uff41\uff52", ["car"]),  # full width letters
        ("car-red/7", ["car", "red", "7"]),
        ("a carx", ["a", "[UNK]"]),
        ("a \u72ac", ["a", "[UNK]"]),
        ("a caf\u00e9", ["a", "[UNK]"]),
        ("a a a a a a a a a a", ["a"] * 7),
        ("a " + "s" * 100_000, ["a", "[UNK]"]),
        ("", []),
    ],
)
def test_text_becomes_these_pieces(text: str, pieces: list[str]) -> None:
    encoded = TOKENIZER.encode(text)

    assert encoded.tolist() == ids(*pieces)
    assert encoded.dtype == np.int64


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("Isn't there a red car?", ()),
        ("A zebra, a giraffe, a zebra", ("zebra", "giraffe")),
        ("a \u72ac?", ("\u72ac",)),
        ("a \u0441\u0430r", ("\u0441\u0430r",)),  # Cyrillic letters that look like Latin ones
        ("a \U0001f415", ("\U0001f415",)),
        ("Is there < 7 a?", ("<",)),  # it is not asked for 7
        ("7+ a", ("+",)),
        ("a >= 7%", (">", "%")),
        ("a & a car = 7", ()),
        ("\u00bfa car?", ()),
        ("", ()),
    ],
)
def test_unknown_words_are_named_once_whatever_their_script(
    text: str, unknown: tuple[str, ...]
) -> None:
    assert TOKENIZER.unknown_words(text) == unknown


@pytest.mark.parametrize("text", ["", "?!", " \t\n", "'", "\u2026"])
def test_a_text_without_words_is_unsupported(text: str) -> None:
    assert not TOKENIZER.supports(text)


def test_a_text_of_known_words_is_supported() -> None:
    assert TOKENIZER.supports("Is there a car?")
    assert not TOKENIZER.supports("Is there a zebra?")


@given(st.text(max_size=300))
def test_any_text_encodes_to_ids_the_model_has(text: str) -> None:
    encoded = TOKENIZER.encode(text)

    assert encoded.shape == (8,)
    assert encoded[0] == 2
    assert encoded.min() >= 0
    assert encoded.max() < len(TOKENIZER.vocab)


def test_a_text_longer_than_the_model_reads_is_unsupported() -> None:
    assert TOKENIZER.supports("is there a red car there 7")
    assert not TOKENIZER.supports("is there a red car there 7 a")


@given(st.lists(st.sampled_from(FILE["known_words"]), min_size=1, max_size=3).map(" ".join))
def test_known_words_are_never_reported_unknown(text: str) -> None:
    assert TOKENIZER.supports(text)
    assert TOKENIZER.unknown_words(text) == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "bpe"}, "t.json: kind: Input should be 'wordpiece' -- export the bundle again"),
        ({"max_length": "8"}, "t.json: max_length: Input should be a valid integer"),
        ({"max_length": 10**9}, "t.json: max_length: Input should be less than or equal to 512"),
        ({"vocab": ["a", "b", "c"]}, "t.json: vocab: Value error, must begin with [PAD], [UNK]"),
        (
            {"vocab": ["[PAD]", "[UNK]", "[CLS]", "a", "a"]},
            "t.json: vocab: Value error, names a piece twice",
        ),
        ({"known_words": None}, "t.json: known_words: Input should be a valid list"),
        ({"merges": []}, "t.json: merges: Extra inputs are not permitted"),
    ],
)
def test_a_damaged_file_is_one_clear_line(change: dict[str, object], message: str) -> None:
    with pytest.raises(BundleError) as caught:
        Tokenizer.from_json({**FILE, **change}, "t.json")

    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_object_is_refused() -> None:
    with pytest.raises(BundleError, match=r"^t\.json: file: Input should be a valid dictionary"):
        Tokenizer.from_json([1, 2], "t.json")
