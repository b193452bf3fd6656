"""What is sensible to build on which device."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_daemon.engine.cuda.driver import Device
    from edge_daemon.engine.manifest import Precision

_MIB: Final = 1 << 20
_MODEL: Final = Path("/proc/device-tree/model")


@dataclass(frozen=True, slots=True)
class Preset:
    """workspace_mib: what the builder may try tactics in.  dla: whether there is an accelerator.

    fp16 everywhere: int8 was never timed on a GPU, and costs agreement; ask for it, and measure.
    """

    what: str
    workspace_mib: int
    largest_batch: int = 8
    precision: Precision = "fp16"
    dla: bool = False


PRESETS: Final[Mapping[str, Preset]] = {
    "nano-jp5": Preset("4 GB, JetPack 5", 256, largest_batch=4),
    "xavier": Preset("Xavier NX, AGX Xavier", 1024, dla=True),
    "orin-nano": Preset("Orin Nano, 4 to 8 GB", 512),
    "orin-nx": Preset("Orin NX, 8 to 16 GB", 1024, dla=True),
    "agx-orin": Preset("AGX Orin, 32 to 64 GB", 2048, dla=True),
    "thor": Preset("Thor", 4096),
    "desktop": Preset("a graphics card", 4096),
}
"""By name.  Source: NVIDIA's data sheets (memory, accelerators); workspaces are an eighth of the
memory at most."""


def preset_for(device: Device, model: str | None = None) -> str:
    """Name of the preset for a device; model is what the device tree calls the board."""
    if not device.integrated:
        return "desktop"
    board = (_board() if model is None else model).lower()
    if device.capability >= (10, 0):
        return "thor"
    if device.capability == (8, 7):
        if "agx" in board:
            return "agx-orin"
        return "orin-nano" if "nano" in board else "orin-nx"
    if device.capability == (7, 2):
        return "xavier"
    return "nano-jp5"


def workspace_bytes(preset: Preset) -> int:
    """The builder's workspace in bytes."""
    return preset.workspace_mib * _MIB


def _board() -> str:
    try:
        return _MODEL.read_text("utf-8", errors="replace").rstrip("\0")
    except OSError:
        return ""
