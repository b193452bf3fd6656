"""Which sequences of words a bundle learned: known words alone do not make a known question."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Sequence

EDGE: Final = "|"
"""Stands before the first and after the last word of a question."""

SPAN: Final = 3
"""Classes of words in a sequence."""


class Wording(BaseModel):
    """Part of a bundle's tokenizer.json: how the words of a question may follow each other.

    openers ("please tell me if") are left out at the beginning, then fillers.  Then the longest
    phrase of classes that begins at a word gives its class, "" meaning that it says nothing; a word
    in no phrase is a class of its own.  sequences are the runs of three classes, edges included,
    that training used.  barred are words in a row that mean something else than their classes do
    ("is that my").  advice tells, by word, what to ask instead; notes tell, by class, what is
    understood but not judged.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, strict=True)

    fillers: list[str] = Field(max_length=1000)
    classes: dict[str, str] = Field(max_length=65_536)
    sequences: list[str] = Field(max_length=65_536)
    advice: dict[str, str] = Field(max_length=1000)
    notes: dict[str, str] = Field(max_length=1000)
    openers: list[str] = Field(default=[], max_length=1000)  # bundles before 0.3 have none
    barred: list[str] = Field(default=[], max_length=1000)

    def unfamiliar(self, words: Sequence[str]) -> tuple[str, ...]:
        """Words of the first sequence training never used; empty when it used all."""
        spoken = f" {' '.join(words)} "
        barred = next((phrase for phrase in self.barred if f" {phrase} " in spoken), None)
        if barred is not None:
            return tuple(barred.split())
        runs = self.runs(words)
        for classes, said in runs:
            if classes not in self._known:
                return said
        return () if runs else tuple(words)

    def unjudged(self, words: Sequence[str]) -> dict[str, str]:
        """Phrases that are understood but change no answer, and what to do about each."""
        found = ((self.notes.get(kind), said) for kind, said in self._classed(words))
        return {" ".join(said): note for note, said in found if note}

    def runs(self, words: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
        """Sequences of classes, joined by spaces, each with the words it was made of."""
        said = [(EDGE, ()), *self._classed(words), (EDGE, ())]
        return [
            (" ".join(c for c, _ in run), tuple(w for _, part in run for w in part))
            for run in (said[n : n + SPAN] for n in range(len(said) - SPAN + 1))
        ]

    def _classed(self, words: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
        plain = [word for word in self._opened(words) if word not in self._fillers]
        found, begin = [], 0
        while begin < len(plain):
            for end in range(min(len(plain), begin + self._longest), begin, -1):
                phrase = " ".join(plain[begin:end])
                if phrase in self.classes or end == begin + 1:
                    break
            kind = self.classes.get(phrase, phrase)
            if kind:
                found.append((kind, tuple(plain[begin:end])))
            begin = end
        return found

    def _opened(self, words: Sequence[str]) -> Sequence[str]:
        """The words behind all openers."""
        end = 1
        while end:
            longest = range(min(len(words), self._longest_opener), 0, -1)
            end = next((n for n in longest if tuple(words[:n]) in self._openers), 0)
            words = words[end:]
        return words

    @cached_property
    def _openers(self) -> frozenset[tuple[str, ...]]:
        return frozenset(tuple(opener.split()) for opener in self.openers)

    @cached_property
    def _longest_opener(self) -> int:
        return max((len(opener) for opener in self._openers), default=0)

    @cached_property
    def _fillers(self) -> frozenset[str]:
        return frozenset(self.fillers)

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.sequences)

    @cached_property
    def _longest(self) -> int:
        return max((phrase.count(" ") + 1 for phrase in self.classes), default=1)
