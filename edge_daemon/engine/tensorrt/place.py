"""Where plans are made and run, and what they must have been made for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from edge_daemon.engine.cuda.driver import open_driver
from edge_daemon.engine.tensorrt.available import load_tensorrt
from edge_daemon.engine.tensorrt.plans import Fingerprint
from edge_daemon.engine.tensorrt.presets import PRESETS, preset_for
from edge_daemon.errors import BundleError

if TYPE_CHECKING:
    from edge_daemon.engine.bundle import Bundle
    from edge_daemon.engine.cuda.driver import Device, Driver
    from edge_daemon.engine.manifest import PinnedFile, Precision
    from edge_daemon.engine.tensorrt.presets import Preset

PRECISIONS: Final[tuple[Precision, ...]] = ("fp16", "fp32", "int8")


@dataclass(frozen=True, slots=True)
class Place:
    """Where plans are built and run: TensorRT's module, the driver, the preset of the device."""

    trt: Any
    driver: Driver
    preset: Preset


def open_place(preset: str = "auto") -> Place:
    """TensorRT on the first GPU.  Raises EngineMissingError, EngineRunError.

    The driver comes first: TensorRT crashes without one.
    """
    driver = open_driver()
    name = preset_for(driver.device) if preset == "auto" else preset
    return Place(load_tensorrt(), driver, PRESETS[name])


def precision_of(bundle: Bundle, wanted: str, preset: Preset) -> Precision:
    """The precision to build: halves are made from fp32, bytes from the bundle's int8.

    Raises BundleError.
    """
    chosen = preset.precision if wanted == "auto" else wanted
    for known in ("fp32", "fp16", "int8"):
        if known == chosen and (known != "int8" or known in bundle.precisions):
            return known
    hint = (
        f"use precision {' or '.join(PRECISIONS[:2])}, or quantize it: edge-daemon engine quantize"
    )
    raise BundleError(f"has no {wanted} graphs", where=f"bundle {bundle.path}", hint=hint)


def source_precision(precision: Precision) -> Precision:
    """The precision of the bundle's file that a plan is made from."""
    return "int8" if precision == "int8" else "fp32"


def source_graph(bundle: Bundle, precision: Precision) -> PinnedFile:
    """The bundle's own file that a plan is made from."""
    return bundle.pinned_graph(source_precision(precision), bundle.main_graph)


def fingerprint(trt: Any, device: Device, bundle: Bundle, precision: Precision) -> Fingerprint:  # noqa: ANN401  the module
    """What a plan of the bundle must have been made for to run here."""
    return Fingerprint(
        runtime=f"{trt.__name__} {trt.__version__}",
        gpu=device.name,
        capability=".".join(map(str, device.capability)),
        driver=device.driver,
        graph=source_graph(bundle, precision).sha256,
        precision=precision,
    )
