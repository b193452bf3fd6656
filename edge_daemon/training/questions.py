"""Questions as meaning (intervals of counts) and as English; drawing both at random."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edge_daemon.training import grammar, lexicon
from edge_daemon.training.concepts import CONCEPTS, LIGHTS, SCENES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from random import Random

MAX_LENGTH: Final = 32
"""Word pieces of a question, the first one included; the rest is cut off."""

COUNTABLE: Final = tuple(c for c in CONCEPTS if c not in (*LIGHTS, "anything", "stop_sign"))
_DOING_SHARE: Final = 0.08  # of plain questions about what can be parked, standing, waiting
_WHOLE_SHARE: Final = 0.4
_LOCATED_NUMBER_SHARE: Final = 0.06
_SCENE_END_SHARE: Final = 0.25
_COMPOUND_SHARE: Final = 0.08  # "garage door": of the sites
_WHOSE: Final = ("street", "road", "driveway", "yard", "garden", "garage", "house", "parking")
_UNRELATED: Final = frozenset({"anything"})  # too wide for "A but no B"


@dataclass(frozen=True, slots=True)
class Term:
    """Is the count of a concept within [low, high]?  In [unsure_low, unsure_high]: unknown.

    high None means without limit.
    """

    concept: str
    low: int = 1
    high: int | None = None
    unsure_low: int = 0
    unsure_high: int = -1


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.  Terms are joined by every_term (and) or any of them (or).

    place restricts all terms; scene asks for the whole picture instead of terms.  sole: of the
    lights, only this colour may be lit for a sure YES.
    """

    family: str
    terms: tuple[Term, ...] = ()
    every_term: bool = True
    place: str | None = None
    scene: str | None = None
    sole: bool = False


Asked = tuple[Question, str]
"""A question and one way to say it."""


def draw(rng: Random, focus: str, *, held_out: bool = False) -> Asked:
    """A question about the concept or scene in focus, and its English.

    held_out words it with patterns that training never uses.
    """
    speaker = Speaker(rng, held_out=held_out)
    if focus in SCENES:
        return speaker.scene(focus)
    kinds, weights = zip(*_kinds(focus).items())
    kind = rng.choices(kinds, weights)[0]
    asked: Asked = getattr(speaker, kind)(focus)
    return asked


def presence(concept: str, rng: Random, *, held_out: bool = False) -> Asked:
    """A plain question whether the concept is there."""
    return Speaker(rng, held_out=held_out).presence(concept)


def _kinds(focus: str) -> Mapping[str, float]:
    kinds = {"presence": 5.0, "absence": 1.5, "place": 2.0}
    if focus in COUNTABLE:
        kinds["number"] = 3.0
    if focus not in _UNRELATED:
        kinds["pair"] = 2.0
    if focus in LIGHTS:
        kinds |= {"light": 4.0}
    if focus in ("person", "vehicle", "anything"):
        kinds["state"] = 5.0
    return kinds


@dataclass(frozen=True, slots=True)
class Speaker:
    """Puts meanings into words; held_out uses the patterns training never sees."""

    rng: Random
    held_out: bool = False

    def presence(self, concept: str) -> Asked:
        """Is it there?"""
        somebody = concept == "person" and self.rng.random() < 0.2
        question, noun = Question("presence", (Term(concept),)), self._noun(concept)
        if concept in lexicon.DOING and self.rng.random() < _DOING_SHARE:
            name = "SOMEBODY_LOCATED" if somebody else "LOCATED"
            doing = {"doing": self.rng.choice(lexicon.DOING[concept])}
            return question, self._opened(self._say(self._of(name), noun | doing))
        patterns = self._of("SOMEBODY" if somebody else "PRESENCE")
        return question, self._around(self._say(patterns, noun))

    def absence(self, concept: str) -> Asked:
        """Is it not there?"""
        patterns = self._of("ABSENCE")
        if concept == "person" and self.rng.random() < 0.3:
            patterns = self._of("NOBODY")
        text = self._say(patterns, self._noun(concept))
        return Question("absence", (Term(concept, 0, 0),)), self._around(text)

    def place(self, concept: str) -> Asked:
        """Is it, or are so many, in a part of the picture?"""
        place = self.rng.choice(tuple(lexicon.PLACES))
        phrases = lexicon.PLACES_HELD_OUT if self.held_out else lexicon.PLACES
        question, text = Speaker(self.rng)._bare(concept)  # noqa: SLF001 - its own class
        place_words = self.rng.choice(phrases[place])
        return Question("place", question.terms, place=place), self._opened(f"{text} {place_words}")

    def number(self, concept: str) -> Asked:
        """Are there so many?"""
        noun = self._noun(concept)
        term, words = self._amount(concept)
        frame = self.rng.choice(self._of("NUMBER_FRAMES"))
        text = frame.format(x=words.format(**noun))
        if concept in lexicon.DOING and self.rng.random() < _LOCATED_NUMBER_SHARE:
            doing = self.rng.choice(lexicon.DOING[concept])
            return Question("number", (term,)), self._opened(f"{text} {doing} {self._where()}")
        return Question("number", (term,)), self._around(text)

    def pair(self, concept: str) -> Asked:
        """It and something else: both, one without the other, either, neither."""
        others = [
            c for c in CONCEPTS if c not in (*_UNRELATED, concept) and not _nested(c, concept)
        ]
        other = self.rng.choice(others)
        nouns = self._noun(concept) | {f"{k}2": v for k, v in self._noun(other).items()}
        yes, no = Term(concept), Term(other)
        patterns, terms, every = self.rng.choice(
            (
                (grammar.BOTH, (yes, no), True),
                (grammar.BUT_NO, (yes, Term(other, 0, 0)), True),
                (grammar.BUT_NO, (yes, Term(other, 0, 0)), True),
                (grammar.EITHER, (yes, no), False),
                (grammar.NEITHER, (Term(concept, 0, 0), Term(other, 0, 0)), True),
            )
        )
        if patterns is grammar.NEITHER and not self.held_out and self.rng.random() < _WHOLE_SHARE:
            text = self._say(grammar.FREE_OF_BOTH, nouns)
            return Question("pair", terms, every), self._opened(text)
        words = self.rng.choice(patterns).format(**nouns)
        frame = self.rng.choice(self._of("PAIR_FRAMES"))
        return Question("pair", terms, every), self._around(frame.format(x=words))

    def light(self, colour: str) -> Asked:
        """Is the traffic light of this colour, and of no other?"""
        word = self.rng.choice(lexicon.LIGHT_COLOURS[colour])
        text = self._say(self._of("LIGHT_IS"), {"c": word})
        return Question("light", (Term(colour),), sole=True), self._around(text)

    def state(self, concept: str) -> Asked:
        """Crowded, jammed, empty, blocked."""
        meanings: dict[str, tuple[tuple[str, Term], ...]] = {
            "person": (
                ("CROWDED", Term("person", 6, None, 4, 5)),
                ("NOBODY", Term("person", 0, 0)),
                ("SOMEBODY", Term("person")),
            ),
            "vehicle": (
                ("JAM", Term("vehicle", 9, None, 5, 8)),
                ("TRAFFIC", Term("vehicle")),
                ("NO_TRAFFIC", Term("vehicle", 0, 0)),
            ),
            "anything": (("EMPTY", Term("anything", 0, 0)), ("BLOCKED", Term("anything"))),
        }
        name, term = self.rng.choice(meanings[concept])
        return Question("state", (term,)), self._opened(self._say(self._of(name), {}))

    def scene(self, scene: str) -> Asked:
        """Night, day, rain, fog."""
        table = grammar.SCENE_HELD_OUT if self.held_out else grammar.SCENE
        text = self._say(table[scene], {})
        if not self.held_out and self.rng.random() < _SCENE_END_SHARE:
            text = f"{text} {self.rng.choice(grammar.SCENE_ANYWHERE)}"
        return Question("scene", scene=scene), self._opened(text)

    def _bare(self, concept: str) -> Asked:
        """Presence, or now and then a number, without any phrase of place."""
        noun = self._noun(concept)
        if concept in COUNTABLE and self.rng.random() < 0.2:
            term, words = self._amount(concept)
            frame = self.rng.choice(self._of("NUMBER_FRAMES"))
            return Question("number", (term,)), frame.format(x=words.format(**noun))
        return Question("presence", (Term(concept),)), self._say(self._of("PRESENCE"), noun)

    def _amount(self, concept: str) -> tuple[Term, str]:
        """A number and its words, a pattern that still wants a noun."""
        low = self.rng.choice((1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 5, 5, 6, 7, 8, 10))
        high = low + self.rng.randint(1, 3)
        choices: tuple[tuple[Sequence[str], Term], ...] = (
            (grammar.AT_LEAST, Term(concept, low)),
            (grammar.AT_LEAST, Term(concept, low)),
            (grammar.MORE_THAN, Term(concept, low + 1)),
            (grammar.MORE_THAN, Term(concept, low + 1)),
            (grammar.FEWER_THAN, Term(concept, 0, low - 1)),
            (grammar.AT_MOST, Term(concept, 0, low)),
            (grammar.EXACTLY, Term(concept, low, low)),
            (grammar.EXACTLY, Term(concept, low, low)),
            (grammar.LOOSELY, Term(concept, low, low, low + 1, 999)),
            (grammar.BETWEEN, Term(concept, low, high)),
            (grammar.SEVERAL, Term(concept, 3, None, 2, 2)),
            (grammar.A_FEW, Term(concept, 2)),
            (grammar.MANY, Term(concept, 6, None, 4, 5)),
            (grammar.SINGLE, Term(concept, 1, 1)),
        )
        patterns, term = self.rng.choice(choices)
        pattern = self.rng.choice(patterns)
        numbers = {"n": self._number(low), "n2": self._number(high)}
        for field, value in numbers.items():
            pattern = pattern.replace(f"{{{field}}}", value)
        return term, pattern

    def _number(self, n: int) -> str:
        if n < len(lexicon.NUMBER_WORDS) and self.rng.random() < 0.6:
            return lexicon.NUMBER_WORDS[n]
        return str(n)

    def _noun(self, concept: str) -> dict[str, str]:
        one, many = self.rng.choice(lexicon.NOUNS[concept])
        article = "" if one.startswith(("some", "any")) else "an " if one[0] in "aeiou" else "a "
        return {"s": one, "p": many, "a": f"{article}{one}"}

    def _say(self, patterns: Sequence[str], noun: Mapping[str, str]) -> str:
        return self.rng.choice(patterns).format(site=self._site(), on=self._where(), **noun)

    def _where(self) -> str:
        return f"{self.rng.choice(lexicon.ON)} {self._site()}"

    def _site(self) -> str:
        site = self.rng.choice(lexicon.SITES_HELD_OUT if self.held_out else lexicon.SITES)
        if " " not in site and self.rng.random() < _COMPOUND_SHARE:
            site = f"{self.rng.choice(_WHOSE)} {site}"
        return f"{self.rng.choice(lexicon.DETERMINERS)} {site}"

    def _of(self, name: str) -> tuple[str, ...]:
        table: tuple[str, ...] = getattr(grammar, f"{name}_HELD_OUT" if self.held_out else name)
        return table

    def _around(self, text: str) -> str:
        """The text with words that change nothing, before and behind it."""
        luck = self.rng.random()
        if luck < 0.3:
            text = f"{text} {self._say(('{on}',), {})}"
        elif luck < 0.7:
            text = f"{text} {self.rng.choice(self._of('ANYWHERE'))}"
        return self._opened(text)

    def _opened(self, text: str) -> str:
        opener = self.rng.choice(grammar.OPENERS)
        if opener and self.rng.random() < 0.15:
            opener = f"{opener} {self.rng.choice(grammar.CONNECTIVES)}"
        words = f"{opener} {text}".split()
        if self.rng.random() < 0.08:  # people leave articles out
            words = [w for w in words if w not in ("a", "an", "the", "my", "our")] or words
        return " ".join(words)


def vocabulary() -> tuple[str, ...]:
    """Every word the grammar can say, sorted: what a bundle knows."""
    return tuple(sorted({word for text in _texts() for word in re.findall(r"[a-z0-9]+", text)}))


def word_pieces() -> tuple[str, ...]:
    """The tokenizer's vocabulary: specials, whole words, then letters and endings."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    words = vocabulary()
    pieces = [*words, *(x for x in letters if x not in words), *(f"##{x}" for x in letters)]
    return ("[PAD]", "[UNK]", "[CLS]", *pieces)


def _texts() -> Iterator[str]:
    """Every string of the trained grammar, fields taken out."""
    held_back = ("_HELD_OUT",)
    for name, value in (vars(grammar) | vars(lexicon)).items():
        if name.isupper() and not name.endswith(held_back):
            for text in _flatten(value):
                yield re.sub(r"\{\w+\}", " ", text)
    yield from map(str, range(21))
    yield "a an"


def _flatten(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _flatten(item)
    elif isinstance(value, tuple):
        for item in value:
            yield from _flatten(item)


_UNIONS: Final[Mapping[str, Iterable[str]]] = {
    "vehicle": (
        "car",
        "truck",
        "bus",
        "motorcycle",
        "rickshaw",
        "motorcyclist",
        "bicycle",
        "cyclist",
    ),
    "animal": ("dog", "cat"),
    "person": ("cyclist", "motorcyclist"),
    "cyclist": ("bicycle",),
    "motorcyclist": ("motorcycle",),
    "traffic_light": LIGHTS,
}


def _nested(one: str, other: str) -> bool:
    """Whether one of the two includes the other, so that joining them says nothing new."""
    return other in _UNIONS.get(one, ()) or one in _UNIONS.get(other, ())
