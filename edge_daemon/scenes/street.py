"""A clip: one street over time, frame by frame, with its truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge_daemon.scenes.backdrop import paint_backdrop
from edge_daemon.scenes.compose import Body, Placed, compose, drawn
from edge_daemon.scenes.daylight import random_air
from edge_daemon.scenes.furniture import traffic_light
from edge_daemon.scenes.place import random_place
from edge_daemon.scenes.schedule import Waves, residents
from edge_daemon.scenes.shape import Pose
from edge_daemon.scenes.signal import Signal
from edge_daemon.scenes.snapshot import (
    facing_camera, random_furniture, random_lamps, truth_of,
)  # fmt: skip
from edge_daemon.scenes.traffic import STEP_S, simulate
from edge_daemon.scenes.weather import expose

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_daemon.scenes.options import SceneOptions
    from edge_daemon.scenes.place import Place
    from edge_daemon.scenes.truth import Truth


class Street:
    """A street with its people and vehicles, by the options of its address.

    The same options give the same frames, to the byte on one machine, in any order of asking.
    """

    def __init__(self, options: SceneOptions) -> None:
        self.options = options
        rng = np.random.default_rng(options.seed)
        width, height = options.size
        parking = any(span[0] for span in (options.cars, options.bus, options.trucks))
        self._place = random_place(rng, options.view, width, height, zebra=True, parking=parking)
        lamps = random_lamps(rng, self._place)
        self._air = random_air(rng, options.time, options.weather, lamps)
        self._backdrop = paint_backdrop(rng, self._place, self._air, 2).rgb
        signal_offset = float(rng.uniform(0, 20))
        self._signal = Signal(options.light, signal_offset)
        standing = random_furniture(rng, self._place, self._air, sparse=True)
        self._furniture = drawn(standing, self._place.view, self._air)
        self._lights = {
            lamp: drawn(_light(self._place, lamp), self._place.view, self._air)
            for lamp in ("red", "yellow", "green")
        }
        steps = int(options.seconds / STEP_S) + 2
        waves = Waves(rng, self._place, self._air, options)
        there = residents(rng, self._place, self._air, options)
        self._movers = simulate(there, waves, self._signal, steps)

    @property
    def place(self) -> Place:
        """The street and where the camera hangs."""
        return self._place

    def frame(self, index: int) -> tuple[NDArray[np.uint8], Truth]:
        """Picture and truth at index / fps: uint8 RGB (height, width, 3), a new array."""
        time_s = index / self.options.fps
        placed: list[Placed] = [*self._furniture]
        lamp = self._signal.lamp(time_s)
        if lamp is not None:
            placed += self._lights[lamp]
        bodies: list[Body] = []
        for mover in self._movers:
            now = mover.pose_at(time_s)
            if now is not None:
                bodies += mover.character.bodies(*now)
        placed += drawn(bodies, self._place.view, self._air)
        canvas, boxes = compose(self._backdrop, placed, self._place.view, self._air)
        rng = np.random.default_rng((self.options.seed, index))
        return expose(canvas, self._air, rng, 0.45), truth_of(boxes, self._air)


def _light(place: Place, lamp: str) -> list[Body]:
    """The light beside the crossing, where the picture shows it best, facing the camera."""
    view = place.view
    middle = place.zebra_z if place.zebra_z is not None else place.middle_z
    best, best_score = (place.road_half_m + 0.45, middle + 2.2), -1e9
    for side in (-1, 1):
        for z in (middle - 2.1, middle + 2.1, middle + 4.0):
            x = side * (place.road_half_m + 0.45)
            away, column = view.depth(x, z), view.column(x, z)
            if away < 3:
                continue
            top = (view.horizon_px - view.focal_px * (3.4 - view.y_m) / away) / view.height
            score = -abs(away - 11) - 400 * max(0.08 - column, column - 0.92, 0) - 400 * max(0.02 - top, 0)
            if score > best_score:
                best, best_score = (x, z), score
    away = max(view.depth(*best), 1.0)
    room = view.y_m + (view.horizon_px - 0.04 * view.height) * away / view.focal_px
    head = float(np.clip(room - 1.2, 1.2, 2.4))
    pose = Pose(best[0], best[1], facing_camera(place, *best) + 0.15)
    return list(traffic_light(lamp, pose, head, 5))
