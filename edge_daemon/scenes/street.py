"""A clip: one street over time, frame by frame, with its truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge_daemon.scenes.backdrop import paint_backdrop
from edge_daemon.scenes.compose import Placed, compose, drawn
from edge_daemon.scenes.daylight import random_air
from edge_daemon.scenes.furniture import HOUSING_M, traffic_light
from edge_daemon.scenes.place import random_place
from edge_daemon.scenes.schedule import Waves, residents
from edge_daemon.scenes.shape import Pose
from edge_daemon.scenes.signal import CYCLE_S, Signal
from edge_daemon.scenes.snapshot import random_furniture, random_lamps
from edge_daemon.scenes.traffic import STEP_S, simulate
from edge_daemon.scenes.truth import Truth
from edge_daemon.scenes.weather import expose

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_daemon.scenes.body import Body
    from edge_daemon.scenes.options import SceneOptions
    from edge_daemon.scenes.place import Place

_SOFTNESS_PX = 0.45


class Street:
    """A street with its people and vehicles, by the options of its address.

    The same options give the same frames, to the byte on one machine, in any order of asking.
    """

    def __init__(self, options: SceneOptions) -> None:
        self.options = options
        rng = np.random.default_rng(options.seed)
        parking = any(options.counts[kind][0] for kind in ("car", "bus", "truck"))
        self.place = random_place(
            rng, options.view, options.size, parking=parking, clear_of_traffic=True
        )
        lamps = random_lamps(rng, self.place)
        self._air = random_air(rng, options.time, options.weather, lamps)
        self._backdrop = paint_backdrop(rng, self.place, self._air)
        self._signal = Signal(options.light, float(rng.uniform(0, CYCLE_S)))
        furniture = random_furniture(rng, self.place, self._air, clear_view=True)
        self._furniture = self._drawn(furniture)
        self._lights = {
            lamp: self._drawn(_light(self.place, lamp)) for lamp in ("red", "yellow", "green")
        }
        steps = int(options.seconds / STEP_S) + 2
        waves = Waves(rng, self.place, self._air, options)
        there = residents(rng, self.place, self._air, options)
        self._movers = simulate(there, waves, self._signal, steps)

    def frame(self, index: int) -> tuple[NDArray[np.uint8], Truth]:
        """Picture and truth at index / fps: uint8 RGB (height, width, 3), a new array."""
        time_s = index / self.options.fps
        lamp = self._signal.lamp(time_s)
        bodies: list[Body] = []
        for mover in self._movers:
            now = mover.at(time_s)
            if now is not None:
                bodies += mover.character.bodies(*now)
        placed = [*self._furniture, *(self._lights[lamp] if lamp else ()), *self._drawn(bodies)]
        canvas, boxes = compose(self._backdrop, placed, self.place.view, self._air)
        rng = np.random.default_rng((self.options.seed, index))
        picture = expose(canvas, self._air, rng, _SOFTNESS_PX)
        return picture, Truth.of(boxes, self._air.time, self._air.weather)

    def _drawn(self, bodies: list[Body]) -> list[Placed]:
        return drawn(bodies, self.place.view, self._air)


def _light(place: Place, lamp: str) -> list[Body]:
    """The light beside the crossing, where the picture shows it best, facing the camera."""
    view = place.view
    middle = place.middle_z if place.zebra_z is None else place.zebra_z
    corner = place.road_half_m + 0.45
    spots = [(x, middle + z) for x in (-corner, corner) for z in (-2.1, 2.1, 4.0)]
    x, z = min(spots, key=lambda spot: _misplaced(place, *spot))
    away = max(view.depth(x, z), 1.0)
    room_m = view.y_m + (view.horizon_px - 0.04 * view.height) * away / view.focal_px
    head_m = min(max(room_m - HOUSING_M - 0.1, 1.2), 2.4)
    return traffic_light(lamp, Pose(x, z, place.heading_to_camera(x, z) + 0.15), head_m)


def _misplaced(place: Place, x: float, z: float) -> float:
    """How badly a traffic light would be seen there: far from 11 m away, or near an edge."""
    away, column = place.view.depth(x, z), place.view.column(x, z)
    if away < 3:
        return float("inf")
    beyond = max(0.08 - column, column - 0.92, 0.0) + max(0.02 - place.view.row(away, 3.4), 0.0)
    return abs(away - 11) + 400 * beyond
