"""What all sections of the configuration share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from edge_daemon.config.paths import whole_path

_ID = r"^[a-z][a-z0-9_-]{0,31}$"
Id = Annotated[
    str, Field(pattern=_ID, description="Lower-case letters, digits, _ and -; part of topics.")
]
Fraction = Annotated[float, Field(ge=0, le=1)]
WholePath = Annotated[Path, AfterValidator(whole_path)]


class Section(BaseModel):
    """A section of the file: unknown keys are errors, values never change."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, hide_input_in_errors=True
    )
