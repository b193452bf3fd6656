"""Question text to word-piece ids, and which words the bundle never learned."""

from __future__ import annotations

import re
import unicodedata
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from edge_daemon.engine.wording import Wording  # noqa: TC001 - pydantic reads it
from edge_daemon.errors import BundleError

if TYPE_CHECKING:
    from numpy.typing import NDArray

PAD: Final = "[PAD]"
UNK: Final = "[UNK]"
CLS: Final = "[CLS]"
_SPECIAL: Final = (PAD, UNK, CLS)  # ids 0, 1, 2
_UNK_ID: Final = _SPECIAL.index(UNK)
_CLS_ID: Final = _SPECIAL.index(CLS)

# Longer words are [UNK] unread, which bounds the search.
# Source: google-research/bert, tokenization.py, max_input_chars_per_word.
_LONGEST_WORD: Final = 100

_IN_GENERAL: Final = "ask in other words, or see the bundle's CARD.md"
_APOSTROPHES: Final = dict.fromkeys(map(ord, "'`\u00b4\u02bc\u2018\u2019\uff07"))
_WORD: Final = re.compile(r"[a-z0-9\u0080-\U0010ffff]+|[<>+%~]")


class Tokenizer(BaseModel):
    """Word pieces of lower-case English; the same code encodes for training and at run time.

    The fields are those of a bundle's tokenizer.json.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, strict=True)

    kind: Literal["wordpiece"]
    lowercase: Literal[True]
    max_length: int = Field(ge=2, le=512)
    vocab: list[str] = Field(min_length=len(_SPECIAL), max_length=65_536)
    known_words: list[str] = Field(max_length=65_536)
    wording: Wording | None = None  # bundles before 0.2 have none

    @field_validator("vocab")
    @classmethod
    def _vocab_is_sound(cls, vocab: list[str]) -> list[str]:
        if tuple(vocab[: len(_SPECIAL)]) != _SPECIAL:
            raise ValueError(f"must begin with {', '.join(_SPECIAL)}")
        if len(set(vocab)) != len(vocab):
            raise ValueError("names a piece twice")
        return vocab

    @classmethod
    def from_json(cls, data: object, where: str) -> Tokenizer:
        """Check the parsed tokenizer.json.  Raises BundleError naming the first bad key."""
        try:
            return cls.model_validate(data)
        except ValidationError as exc:
            first = exc.errors(include_url=False, include_input=False)[0]
            what = f"{'.'.join(map(str, first['loc'])) or 'file'}: {first['msg']}"
            hint = "export the bundle again"
            raise BundleError(what, where=where, hint=hint) from None

    def encode(self, text: str) -> NDArray[np.int64]:
        """Ids of the text, int64 (max_length,): [CLS], then pieces; cut off or padded with 0."""
        ids = self._ids_of(text)[: self.max_length]
        padded = np.zeros(self.max_length, np.int64)
        padded[: len(ids)] = ids
        return padded

    def unknown_words(self, text: str) -> tuple[str, ...]:
        """Words of the text the bundle never learned, once each, in order."""
        return tuple(dict.fromkeys(w for w in _words(text) if w not in self._known))

    def supports(self, text: str) -> bool:
        """Whether the bundle learned the words of the text, and what they say together."""
        return self.refusal(text) is None

    def refusal(self, text: str) -> str | None:
        """Why the text is not understood, and what to ask instead where that is known."""
        words, unknown = _words(text), self.unknown_words(text)
        if not words:
            return "has no words -- ask a question in English"
        if unknown:
            return self._advised(f"unknown {_quoted(unknown)}", unknown)
        if len(self._ids_of(text)) > self.max_length:
            return f"more than the {self.max_length - 1} words that are read -- ask in fewer words"
        strange = self.wording.unfamiliar(words) if self.wording else ()
        return self._advised(f"never learned '{' '.join(strange)}'", strange) if strange else None

    def note(self, text: str) -> str | None:
        """What in an understood text changes no answer, and what to do about it."""
        found = self.wording.unjudged(_words(text)) if self.wording else {}
        return (
            "; ".join(f"'{said}' is not judged -- {what}" for said, what in found.items()) or None
        )

    def _advised(self, what: str, words: tuple[str, ...]) -> str:
        known = self.wording.advice if self.wording else {}
        advice = next((known[word] for word in words if word in known), None)
        return f"{what} -- {advice or _IN_GENERAL}"

    def _ids_of(self, text: str) -> list[int]:
        """Ids before padding; more than max_length when they do not fit, if not all of them."""
        ids = [_CLS_ID]
        for word in _words(text):
            ids.extend(self._pieces(word))
            if len(ids) > self.max_length:
                break
        return ids

    def _pieces(self, word: str) -> list[int]:
        """Greedy longest match; one [UNK] when any part of the word matches nothing.

        Source: WordPiece as in BERT (Devlin et al. 2018, google-research/bert, tokenization.py).
        """
        ids: list[int] = []
        begin = 0
        while begin < len(word) <= _LONGEST_WORD:
            prefix = "##" if begin else ""
            for end in range(len(word), begin, -1):
                found = self._ids.get(prefix + word[begin:end])
                if found is not None:
                    ids.append(found)
                    begin = end
                    break
            else:
                return [_UNK_ID]
        return ids or [_UNK_ID]

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {piece: n for n, piece in enumerate(self.vocab)}

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.known_words)


def _quoted(words: tuple[str, ...]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def _words(text: str) -> list[str]:
    """Lower-case words; what is not English letters or digits stays as a word nobody knows.

    Apostrophes vanish ("isn't" -> "isnt"), punctuation of any script parts words, and letters,
    marks and symbols of other scripts are kept, as are signs that count ("< 3 cars", "5+ cars"):
    a question in them must not lose its point.
    """
    plain = unicodedata.normalize("NFKC", text.translate(_APOSTROPHES)).lower()
    spaced = "".join(
        c if c.isascii() or unicodedata.category(c)[0] in "LMNS" else " " for c in plain
    )
    return _WORD.findall(spaced)
