"""From an ONNX file to a plan: one way for TensorRT 8.5 to 11.4, and TensorRT for RTX.

What differs between releases is asked of the module itself: 11 has no precision flags, 10 has
strong types, 8 has neither the second nor may do without the first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from edge_daemon.errors import PlanError

if TYPE_CHECKING:
    from edge_daemon.engine.manifest import Precision

_USUAL_BATCH: Final = 1  # what kernels are chosen for
_WEAK_FLAGS: Final = {"fp32": (), "fp16": ("FP16",), "int8": ("INT8", "FP16")}


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to build.  dla_core: the accelerator that takes what it can; None: all on the GPU."""

    precision: Precision
    largest_batch: int
    workspace_bytes: int
    dla_core: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Built:
    """A plan, and the times of tactics, which make the next build quick."""

    plan: bytes = field(repr=False)
    timing_cache: bytes = field(repr=False)


def has_strong_types(trt: Any) -> bool:  # noqa: ANN401  the module
    """Whether tensors get exactly the types they have in the file: TensorRT 10 and later."""
    return hasattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED") or not hasattr(
        trt.BuilderFlag, "FP16"
    )


def build_plan(
    trt: Any,  # noqa: ANN401  the module
    model: bytes,
    recipe: Recipe,
    *,
    timing_cache: bytes = b"",
    where: str,
) -> Built:
    """Build a plan from an ONNX file made by ``tensorrt_graph``.

    Takes seconds to minutes.  A GPU must have been found before: without a driver TensorRT
    crashes.  Raises PlanError with the first thing that the parser or the builder said.
    """
    said = build_log(trt)
    builder = trt.Builder(said)
    network = builder.create_network(_network_flags(trt))
    parser = trt.OnnxParser(network, said)
    if not parser.parse(model):
        first = parser.get_error(0).desc() if parser.num_errors else said.first
        raise _refused(trt, f"does not take the graph: {_short(first)}", where)
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, recipe.workspace_bytes)
    _set_precision(trt, config, recipe.precision)
    if recipe.dla_core is not None:
        _use_dla(trt, builder, config, recipe.dla_core, where)
    profile = builder.create_optimization_profile()
    _set_batches(network, profile, recipe.largest_batch)
    config.add_optimization_profile(profile)
    cache = _timing_cache(config, timing_cache)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise _refused(trt, f"cannot build a plan: {said.first}", where)
    return Built(bytes(plan), bytes(cache.serialize()) if cache is not None else b"")


def build_log(trt: Any) -> Any:  # noqa: ANN401  a class of the module
    """A TensorRT logger that prints nothing and keeps the first error, ``first``."""

    class Log(trt.ILogger):  # type: ignore[misc]  # its base comes at run time
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.first = "it does not say why"
            self._heard = False

        def log(self, severity: Any, msg: str) -> None:  # noqa: ANN401  an enumeration of it
            serious = (trt.ILogger.Severity.ERROR, trt.ILogger.Severity.INTERNAL_ERROR)
            if severity in serious and not self._heard:
                self._heard = True
                self.first = _short(msg)

    return Log()


def _network_flags(trt: Any) -> int:  # noqa: ANN401  the module
    """8 needs explicit batches, 10 ignores and 11 lacks them; strong types where they are."""
    kinds = trt.NetworkDefinitionCreationFlag
    names = ("EXPLICIT_BATCH", "STRONGLY_TYPED")
    return sum(1 << int(getattr(kinds, name)) for name in names if hasattr(kinds, name))


def _set_precision(trt: Any, config: Any, precision: Precision) -> None:  # noqa: ANN401  theirs
    if precision == "fp32":
        config.clear_flag(trt.BuilderFlag.TF32)  # what is asked for, not ten bits of it
    if not has_strong_types(trt):
        for name in _WEAK_FLAGS[precision]:
            config.set_flag(getattr(trt.BuilderFlag, name))


def _use_dla(trt: Any, builder: Any, config: Any, core: int, where: str) -> None:  # noqa: ANN401
    if builder.num_DLA_cores <= core:
        what = f"this device has {builder.num_DLA_cores} DLA cores that TensorRT can use"
        hint = "build without --dla"
        raise PlanError(what, where=where, hint=hint)
    config.default_device_type = trt.DeviceType.DLA
    config.DLA_core = core
    config.set_flag(trt.BuilderFlag.GPU_FALLBACK)


def _set_batches(network: Any, profile: Any, largest: int) -> None:  # noqa: ANN401  theirs
    for n in range(network.num_inputs):
        tensor = network.get_input(n)
        sizes = [
            tuple(batch if size < 0 else size for size in tensor.shape)
            for batch in (1, min(_USUAL_BATCH, largest), largest)
        ]
        profile.set_shape(tensor.name, *sizes)


def _timing_cache(config: Any, kept: bytes) -> Any:  # noqa: ANN401  theirs
    """The cache the build will use; one that was made elsewhere, or is damaged, begins anew."""
    for raw in (kept, b""):
        cache = config.create_timing_cache(raw)
        if cache is not None and config.set_timing_cache(cache, False):  # noqa: FBT003  theirs
            return cache
    return None


def _short(words: str) -> str:
    """Without the places in TensorRT's source, in 200 characters."""
    plain = " ".join(re.sub(r"\(?\bIn \S+ at \S+\)?|\[\S+::\S+\]", "", words).split())
    return plain[:200] + "..." if len(plain) > 200 else plain


def _refused(trt: Any, what: str, where: str) -> PlanError:  # noqa: ANN401  the module
    hint = "use another precision, or backend onnxruntime"
    return PlanError(f"TensorRT {trt.__version__} {what}", where=where, hint=hint)
