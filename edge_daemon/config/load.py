"""From a YAML file to Settings: environment variables, every fault at once, secrets from files."""

from __future__ import annotations

import difflib
import os
import re
from typing import TYPE_CHECKING, Any, Final

import yaml
from pydantic import BaseModel, ValidationError

from edge_daemon.config.models import Settings
from edge_daemon.config.references import reference_faults
from edge_daemon.config.secrecy import is_public, mend_hint, places_of_secrets
from edge_daemon.errors import ConfigError
from edge_daemon.types import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pydantic_core import ErrorDetails

MAX_FILE_BYTES: Final = 1 << 20
_MAX_FAULTS: Final = 100
_VARIABLE: Final = re.compile(r"\$\{([^}]*)\}")
_VARIABLE_HINTS: Final = {
    "CREDENTIALS_DIRECTORY": "systemd does where a service has LoadCredential=; to check the file"
    " by hand: systemd-run --pipe -p LoadCredential=NAME:PATH edge-daemon check --config FILE",
}
_BOOLEAN: Final = re.compile("true|True|TRUE|false|False|FALSE")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def load_settings(path: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check a whole file.  Raises ConfigError with every fault; never echoes a value."""
    where = str(path)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except OSError as exc:
        hint = "name the file with --config"
        raise ConfigError(f"cannot be read: {exc.strerror}", where=where, hint=hint) from exc
    if len(raw) > MAX_FILE_BYTES:
        raise ConfigError("is over 1 MB", where=where, hint="is it a configuration file at all?")
    data = _parse_yaml(raw, where)
    exposed = _exposed(data, path) if is_public(path) else ()
    return parse_settings(data, where=where, environ=environ, more_faults=exposed)


def parse_settings(
    data: object,
    *,
    where: str,
    environ: Mapping[str, str] | None = None,
    more_faults: Sequence[str] = (),
) -> Settings:
    """Check data as read from YAML.

    Raises ConfigError that lists every fault with its path, more_faults first.
    """
    if not isinstance(data, dict):
        raise ConfigError(
            "is not a mapping of keys", where=where, hint="begin with 'version: 1'; see configs/"
        )
    faults = list(more_faults)
    expanded = _expand(data, os.environ if environ is None else environ, (), faults)
    faults += reference_faults(expanded)
    try:
        settings = Settings.model_validate(expanded)
    except ValidationError as exc:
        found = exc.errors(include_input=False, include_url=False)
        faults += [_fault_line(error) for error in found if not _follows(error, found)]
    if faults:
        # A key of the file may hold anything, even an end of line.
        lines = tuple(f"{where}: {' '.join(fault.split())}" for fault in faults[:_MAX_FAULTS])
        n = len(faults)
        what = f"{n} fault{'s' if n > 1 else ''}; the first: {faults[0]}"
        raise ConfigError(what, where=where, faults=lines)
    return settings


def read_secret(path: Path, *, where: str) -> Secret:
    """Return the first line of a secret's file.

    Raises ConfigError, also when everybody may read it; never echoes the content.
    """
    hint = "put the secret alone on the first line, readable by the daemon's user"
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        why = exc.strerror if isinstance(exc, OSError) else "not UTF-8 text"
        raise ConfigError(f"{path} cannot be read: {why}", where=where, hint=hint) from None
    secret = text.partition("\n")[0].rstrip("\r")
    if not secret:
        raise ConfigError(f"{path} is empty", where=where, hint=hint)
    if is_public(path):
        what = f"every user of this machine may read {path}"
        raise ConfigError(what, where=where, hint=mend_hint(path))
    return Secret(secret)


def _exposed(data: object, path: Path) -> tuple[str, ...]:
    """Return the one fault of a public file that holds secrets; empty when it holds none."""
    places = list(places_of_secrets(data))
    if not places:
        return ()
    others = f" (and {len(places) - 1} more)" if places[1:] else ""
    what = "holds a secret, and every user of this machine may read this file"
    return (f"{places[0]}{others}: {what} -- {mend_hint(path)}, or write ${{NAME}} for it",)


def _parse_yaml(raw: bytes, where: str) -> object:
    hint = "mend the YAML at that place"
    try:
        return yaml.load(raw, Loader=_StrictLoader)  # noqa: S506  derived from SafeLoader
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark
        at = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ConfigError(f"{at}{exc.problem}", where=where, hint=hint) from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError):
        raise ConfigError("is not YAML text", where=where, hint=hint) from None


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader that refuses a key given twice, which YAML would silently let win.

    It refuses what contains itself, too: YAML allows it, and it has no end.

    yes, no, on and off are words, as in YAML 1.2: verdicts and keys of ours look like them.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012  as inherited
        first: [
            (tag, _BOOLEAN if tag == "tag:yaml.org,2002:bool" else pattern)
            for tag, pattern in resolvers
        ]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:  # noqa: ANN401  inherited
        node = super().compose_node(parent, index)
        if node is not None and node.end_mark is None:  # an alias, before its anchor has ended
            raise yaml.MarkedYAMLError(None, None, "contains itself", node.start_mark)
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002  inherited
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in seen:
                    raise yaml.MarkedYAMLError(None, None, "key given twice", key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def _expand(
    data: Any,  # noqa: ANN401  raw YAML
    environ: Mapping[str, str],
    path: tuple[str, ...],
    faults: list[str],
) -> Any:  # noqa: ANN401  raw YAML
    """Return data with ${NAME} replaced in every string; missing names are added to faults."""
    if isinstance(data, dict):
        return {k: _expand(v, environ, (*path, str(k)), faults) for k, v in data.items()}
    if isinstance(data, list):
        return [_expand(v, environ, (*path, str(n)), faults) for n, v in enumerate(data)]
    if not isinstance(data, str):
        return data

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if not _NAME.fullmatch(name):
            faults.append(
                f"{'.'.join(path)}: '${{{name[:40]}}}' names no variable -- write ${{NAME}}"
            )
        elif name not in environ:
            hint = _VARIABLE_HINTS.get(name, "set it, for a service in EnvironmentFile=")
            faults.append(f"{'.'.join(path)}: environment variable {name} is not set -- {hint}")
        return environ.get(name, "unset")

    return _VARIABLE.sub(value, data)


def _follows(error: ErrorDetails, found: list[ErrorDetails]) -> bool:
    """Whether error only says that a list is short of the items that failed themselves."""
    n = len(error["loc"])
    return error["type"] == "too_short" and any(
        len(other["loc"]) > n and other["loc"][:n] == error["loc"] for other in found
    )


def _fault_line(error: ErrorDetails) -> str:
    """Return ``path: what -- what to do`` for one of pydantic's findings."""
    loc = [str(part) for part in error["loc"]]
    at = ".".join(loc) or "file"
    kind, message = error["type"], error["msg"]
    if kind == "extra_forbidden":
        known = _known_keys(loc[:-1])
        near = difflib.get_close_matches(loc[-1], known, 1, cutoff=0.7)
        hint = f"did you mean '{near[0]}'?" if near else f"use one of: {', '.join(known)}"
        return f"{at}: unknown key -- {hint}"
    if kind == "missing":
        return f"{at}: is missing -- add it"
    message = message.removeprefix("Value error, ")
    if " -- " in message:
        return f"{at}: {message}"
    return f"{at}: {_lower_first(message)} -- {_remedy(kind, at)}"


def _remedy(kind: str, at: str) -> str:
    if kind == "string_pattern_mismatch" and at.endswith(".id"):
        return "use up to 32 lower-case letters, digits, _ and -, beginning with a letter"
    if kind == "string_too_long":
        return "shorten it"
    if kind == "too_short":
        return "add what is missing"
    if kind.startswith(("greater_than", "less_than")) and ("zones" in at or "masks" in at):
        return "corners are fractions of width and height, 0 to 1"
    return "correct this value"


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _known_keys(loc: Sequence[str]) -> list[str]:
    """Return the keys of the section that loc leads to; of none, an empty list."""
    model: type[BaseModel] | None = Settings
    for part in loc:
        if model is None or part.isdigit():
            continue
        field = model.model_fields.get(part)
        model = _section_in(field.annotation) if field else None
    return list(model.model_fields) if model else []


def _section_in(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401  typing forms
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_section_in(part) for part in getattr(annotation, "__args__", ()))
    return next((section for section in found if section is not None), None)
