"""The reference of the configuration, from the models: python -m edge_daemon.config.reference."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from edge_daemon.config.models import Settings
from edge_daemon.config.units import (
    DURATIONS_S,
    SIZES,
    in_largest_unit,
    parse_duration_s,
    parse_size_bytes,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

_HEAD: Final = """\
# Configuration reference

One YAML file.  `${NAME}` takes an environment variable; `password_file` and `token_file` name a
file with the secret on its first line, the other keys that end in `_file` a PEM file.  Durations
are written `500ms 10s 5m 12h 7d`, sizes `500MB 20GB`.  Unknown keys are errors; "off" is `null`,
never 0.  `edge-daemon check --config FILE` tells every fault at once, and with none, the plan.
Ready examples are in [configs/](../configs).

This page is made from the code: `python -m edge_daemon.config.reference`.
"""


def reference() -> str:
    """Return the whole page, Markdown."""
    return "\n".join([_HEAD, *_tables("", Settings)]) + "\n"


def _tables(path: str, section: type[BaseModel]) -> Iterator[str]:
    yield f"## {path or 'Top level'}\n"
    if section.__doc__:
        yield section.__doc__.splitlines()[0] + "\n"
    yield "| key | default | meaning |\n| --- | --- | --- |"
    inner: list[tuple[str, type[BaseModel]]] = []
    for key, field in section.model_fields.items():
        below = _section_in(field.annotation)
        if below is not None:
            inner.append((f"{path}.{key}".lstrip("."), below))
        yield f"| `{key}` | {_default(field, below)} | {_meaning(field, below)} |"
    yield ""
    for name, below in inner:
        yield from _tables(name, below)


def _section_in(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401  typing forms
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_section_in(part) for part in getattr(annotation, "__args__", ()))
    return next((section for section in found if section is not None), None)


def _default(field: FieldInfo, below: type[BaseModel] | None) -> str:
    if field.is_required():
        return "**required**"
    if below is not None:
        return "`null`" if field.default is None else "see below"
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined or value in ((), {}):
        return "none"
    kind = repr((field.annotation, field.metadata))
    for parse, units in ((parse_duration_s, DURATIONS_S), (parse_size_bytes, SIZES)):
        if value is not None and parse.__name__ in kind:
            return f"`{in_largest_unit(value, units)}`"
    return f"`{_text(value)}`"


def _text(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _meaning(field: FieldInfo, below: type[BaseModel] | None) -> str:
    text = field.description or ""
    if not text and below is not None and below.__doc__:
        text = below.__doc__.splitlines()[0]
    choices = [f"`{_text(choice)}`" for choice in _choices(field.annotation)]
    if len(choices) > 1:
        text += f"  Choices: {', '.join(choices)}."
    return text.replace("|", "\\|")


def _choices(annotation: Any) -> Iterator[object]:  # noqa: ANN401  typing forms
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
    else:
        for part in get_args(annotation):
            yield from _choices(part)


if __name__ == "__main__":
    sys.stdout.write(reference())
