"""What a bundle says of itself: manifest.yaml and goldens.json, checked key by key."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping  # noqa: TC003  pydantic reads it at run time
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from edge_daemon.errors import BundleError
from edge_daemon.types import Polygon  # noqa: TC001  pydantic reads it at run time

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA: Final = "edge-daemon/bundle/1"
Precision = Literal["fp32", "fp16", "int8"]
GraphName = Literal["image", "question", "answer", "model"]

_REMEDY: Final = "export or copy the bundle again"


def _stays_inside(name: str) -> str:
    if ".." in name.split("/"):
        raise ValueError("leaves the bundle's directory")
    return name


def _all_positive(numbers: tuple[float, float, float]) -> tuple[float, float, float]:
    if not all(0 < n < float("inf") for n in numbers):
        raise ValueError("must be above 0")
    return numbers


FileName = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$", max_length=200),
    AfterValidator(_stays_inside),
]


class _Part(BaseModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True)


class PinnedFile(_Part):
    """A file of the bundle, and what its bytes must hash to."""

    file: FileName
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class GroundedGraphs(_Part):
    """The three graphs of a grounded bundle in one precision."""

    image: PinnedFile
    question: PinnedFile
    answer: PinnedFile

    def files(self) -> dict[GraphName, PinnedFile]:
        """By name."""
        return {"image": self.image, "question": self.question, "answer": self.answer}


class SingleGraphs(_Part):
    """The one graph of a single bundle in one precision."""

    model: PinnedFile

    def files(self) -> dict[GraphName, PinnedFile]:
        """By name."""
        return {"model": self.model}


class DataSet(_Part):
    """One set of pictures or texts the weights were trained on."""

    name: str
    licence: str
    source: str


class Provenance(_Part):
    """Where weights and training data come from."""

    weights: str
    data: tuple[DataSet, ...] = ()


class Input(_Part):
    """Size a picture is brought to, in pixels."""

    width: int = Field(ge=16, le=4096)
    height: int = Field(ge=16, le=4096)
    fit: Literal["stretch"]


Channels = tuple[float, float, float]


class NormalisedInput(Input):
    """For kind single: pixel_values are (rgb / 255 - mean) / std, channel by channel."""

    mean: Channels
    std: Annotated[Channels, AfterValidator(_all_positive)]


class Grid(_Part):
    """Tokens across and down; token n lies in row n // columns, column n % columns."""

    columns: int = Field(ge=1, le=512)
    rows: int = Field(ge=1, le=512)


class Manifest(_Part):
    """manifest.yaml, schema edge-daemon/bundle/1: what both kinds have."""

    schema_: Literal["edge-daemon/bundle/1"] = Field(alias="schema")
    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")
    version: str = Field(min_length=1, max_length=32)
    kind: Literal["grounded", "single"]
    licence: str = Field(min_length=1)
    provenance: Provenance
    input: Input
    temperature: float = Field(gt=0, allow_inf_nan=False)
    graphs: Mapping[Precision, GroundedGraphs | SingleGraphs]
    tokenizer: PinnedFile
    concepts: tuple[str, ...] = Field(max_length=4096)
    goldens: PinnedFile | None = None
    agreement: PinnedFile | None = None  # how the int8 graphs compare with fp32, as JSON
    drift: PinnedFile | None = None  # what the tokens of training's pictures are like, as JSON

    def pinned_files(self) -> Iterator[PinnedFile]:
        """Every file whose hash the manifest holds."""
        yield self.tokenizer
        for graphs in self.graphs.values():
            yield from graphs.files().values()
        found = (self.goldens, self.agreement, self.drift)
        yield from (pinned for pinned in found if pinned is not None)


class GroundedManifest(Manifest):
    """Kind grounded: one look for all questions, on a grid of tokens."""

    kind: Literal["grounded"]
    grid: Grid
    graphs: Mapping[Precision, GroundedGraphs]


class SingleManifest(Manifest):
    """Kind single: picture and question in one graph, without a map of where."""

    kind: Literal["single"]
    input: NormalisedInput
    graphs: Mapping[Precision, SingleGraphs]


class Golden(_Part):
    """One question on one picture, and the answer its maker got."""

    image: FileName
    question: str = Field(min_length=1, max_length=200)
    zone: Polygon | None = Field(None, min_length=3)
    p_yes: float = Field(ge=0, le=1)
    p_yes_in: dict[str, float] = Field(default_factory=dict)  # where a precision differs


class Goldens(_Part):
    """goldens.json: answers every backend must repeat within the tolerance."""

    tolerance: float = Field(gt=0, le=0.5)
    tolerance_in: dict[str, float] = Field(default_factory=dict)  # where a precision differs
    rows: tuple[Golden, ...] = Field(min_length=1, max_length=1000)


def parse_manifest(raw: bytes, *, where: str) -> Manifest:
    """Check manifest.yaml.  Raises BundleError naming the first fault."""
    try:
        data: object = yaml.safe_load(raw)
    except (yaml.YAMLError, ValueError, RecursionError) as exc:
        raise BundleError("is not YAML", where=where, hint=_REMEDY) from exc
    if not isinstance(data, dict):
        raise BundleError("is not a bundle's manifest", where=where, hint=_REMEDY)
    _check_version(data, where)
    manifest = _validated(_KINDS.get(str(data.get("kind")), Manifest), data, where)
    if "fp32" not in manifest.graphs:
        raise BundleError("graphs: no fp32", where=where, hint=_REMEDY)
    return manifest


_KINDS: Final[Mapping[str, type[Manifest]]] = {
    "grounded": GroundedManifest,
    "single": SingleManifest,
}


def parse_goldens(raw: bytes, *, where: str) -> Goldens:
    """Check goldens.json.  Raises BundleError naming the first fault."""
    return _validated(Goldens, parse_json(raw, where=where), where)


def parse_json(raw: bytes, *, where: str) -> object:
    """Whatever the JSON holds.  Raises BundleError."""
    try:
        data: object = json.loads(raw)
    except (ValueError, RecursionError) as exc:
        raise BundleError("is not JSON", where=where, hint=_REMEDY) from exc
    return data


def _check_version(data: dict[Any, Any], where: str) -> None:
    """Say that a manifest is for another release before its keys are found strange."""
    schema = data.get("schema")
    known = (
        re.fullmatch(r"edge-daemon/bundle/(\d{1,9})", schema) if isinstance(schema, str) else None
    )
    if known is None:
        raise BundleError(f"schema is not {SCHEMA}", where=where, hint=_REMEDY)
    if schema != SCHEMA:
        what = f"made for a newer version ({schema})"
        raise BundleError(what, where=where, hint="upgrade edge-daemon")


_Model = TypeVar("_Model", bound=BaseModel)


def _validated(model: type[_Model], data: object, where: str) -> _Model:
    try:
        return model.model_validate(data)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        what = f"{'.'.join(map(str, first['loc'])) or 'file'}: {first['msg']}"
        raise BundleError(what, where=where, hint=_REMEDY) from None
