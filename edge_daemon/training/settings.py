"""The one configuration file of a training run."""

from __future__ import annotations

import os
from pathlib import Path  # noqa: TC003 - pydantic resolves the annotation
from typing import TYPE_CHECKING, ClassVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge_daemon.errors import ConfigError

if TYPE_CHECKING:
    from typing_extensions import Self


class _Section(BaseModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True)


class DataSettings(_Section):
    """Where the pictures are, and how they are mixed."""

    root: Path = Field(description="Directory with labels.jsonl.gz, pictures-*.tar and init/.")
    cache: Path = Field(description="Directory for decoded pictures; filled once.")
    rendered_pictures: int = Field(0, ge=0, description="Pictures rendered into the cache, once.")
    rendered_share: float = Field(0.0, ge=0, lt=1, description="Share of rendered pictures.")
    mosaic_share: float = Field(0.12, ge=0, lt=1, description="Share of 2 x 2 mosaics.")
    erase_share: float = Field(0.06, ge=0, lt=1, description="Share whose things are removed.")
    paste_share: float = Field(0.2, ge=0, lt=1, description="Share with a small thing pasted in.")


class ModelSettings(_Section):
    """Sizes of the three graphs."""

    width: int = Field(320, description="Input, pixels; a multiple of 32.")
    height: int = Field(192, description="Input, pixels; a multiple of 32.")
    dim: int = Field(160, description="Width of a token.")
    question_width: int = Field(96, description="Width of the question encoder.")
    question_layers: int = Field(2, description="Layers of the question encoder.")
    frozen_blocks: int = Field(3, ge=0, le=17, description="First blocks kept as on ImageNet.")


class OptimSettings(_Section):
    """Steps and step sizes."""

    steps: int = Field(ge=0, description="Batches in all; 0: text alone.")
    reading_steps: int = Field(700, ge=1, description="Batches of text alone, at the start.")
    batch: int = Field(32, ge=1, description="Pictures a batch.")
    questions: int = Field(48, ge=1, description="Questions a batch, each asked of every picture.")
    encoder_rate: float = Field(3e-4, description="Peak learning rate of the ImageNet part.")
    rate: float = Field(2e-3, description="Peak learning rate of the rest.")
    warm_up: int = Field(100, description="Batches of linear warm-up.")
    weight_decay: float = Field(0.02, description="AdamW's.")
    average: float = Field(0.996, ge=0, lt=1, description="Decay of the averaged weights.")
    start_from: Path | tuple[Path, ...] | None = Field(
        None, description="Checkpoint or bundle whose weights to start from; of several: the mean."
    )


class Settings(_Section):
    """A whole run."""

    seed: int = 0
    workers: int | None = Field(
        None, ge=0, description="Processes that plan batches; not given: 1, with a GPU all cores."
    )
    threads: int = Field(2, ge=1, description="Threads of torch, on a CPU.")
    compile: bool = Field(default=False, description="Whether torch compiles the image encoder.")
    checkpoint_every: int = Field(200, ge=1, description="Batches between checkpoints.")
    data: DataSettings
    model: ModelSettings = ModelSettings()
    optim: OptimSettings
    cuda: OptimSettings | None = Field(None, description="Instead of optim, where a GPU trains.")

    def on(self, device: str, steps: int | None = None) -> Settings:
        """What holds on a kind of device, "cpu" or "cuda", and perhaps for so many steps."""
        gpu = device == "cuda"
        optim = self.cuda if gpu and self.cuda is not None else self.optim
        if steps is not None:
            optim = optim.model_copy(update={"steps": steps})
        workers = self.workers
        if workers is None:
            workers = max(1, (os.cpu_count() or 1) - 2) if gpu else 1
        return self.model_copy(update={"optim": optim, "cuda": None, "workers": workers})

    @classmethod
    def read(cls, path: Path) -> Self:
        """Parse and check a file; relative paths count from it.  Raises ConfigError."""
        try:
            return cls.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except OSError as exc:
            raise ConfigError(exc.strerror or "cannot be read", where=str(path)) from exc
        except yaml.YAMLError as exc:
            raise ConfigError("not YAML", where=str(path)) from exc
        except ValidationError as exc:
            faults = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in exc.errors()]
            raise ConfigError("; ".join(faults), where=str(path), faults=tuple(faults)) from None
