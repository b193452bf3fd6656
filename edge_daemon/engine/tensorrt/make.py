"""From a bundle to a plan for this device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_daemon.engine.tensorrt.builder import Recipe, build_plan, has_strong_types
from edge_daemon.engine.tensorrt.graphs import tensorrt_graph
from edge_daemon.engine.tensorrt.place import source_graph, source_precision
from edge_daemon.engine.tensorrt.plans import Plan
from edge_daemon.engine.tensorrt.presets import workspace_bytes

if TYPE_CHECKING:
    from edge_daemon.engine.bundle import Bundle
    from edge_daemon.engine.manifest import Precision
    from edge_daemon.engine.tensorrt.place import Place


def make_plan(
    place: Place,
    bundle: Bundle,
    precision: Precision,
    *,
    largest_batch: int | None = None,
    dla_core: int | None = None,
    timing_cache: bytes = b"",
) -> tuple[Plan, bytes]:
    """A plan and the new timing cache; takes minutes on a Jetson.

    Raises PlanError, BundleError, EngineRunError.
    """
    source = source_graph(bundle, precision)
    where = str(bundle.path / source.file)
    raw = bundle.graph(source_precision(precision), bundle.main_graph)
    model = tensorrt_graph(raw, precision, strong=has_strong_types(place.trt), where=where)
    recipe = Recipe(
        precision,
        largest_batch or place.preset.largest_batch,
        workspace_bytes(place.preset),
        dla_core,
    )
    with place.driver.current():
        built = build_plan(place.trt, model, recipe, timing_cache=timing_cache, where=where)
    choices = {"largest_batch": recipe.largest_batch, "dla_core": dla_core}
    return Plan(built.plan, choices), built.timing_cache
