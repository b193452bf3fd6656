"""A street seen from somewhere: its widths, its walls, and where the camera hangs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_daemon.scenes.view import View

if TYPE_CHECKING:
    from numpy.random import Generator


@dataclass(frozen=True, slots=True)
class Place:
    """A straight street along z.  Metres; the road's middle is x = 0.

    zebra_z is where a crossing lies (None: there is none); walls are how far the buildings stand
    behind each pavement, left and right (None: open land).
    """

    view: View
    kind: str  # along | across | diagonal
    road_half_m: float
    pavement_m: float
    zebra_z: float | None
    walls: tuple[float | None, float | None]
    green: bool  # grass behind the pavement, not paving
    drives_right: int  # 1, or -1 where people drive on the left
    parking: bool  # a row of places along each kerb
    middle_z: float  # what the camera looks at

    @property
    def edge_m(self) -> float:
        """Distance of the pavements' far edges from the middle."""
        return self.road_half_m + self.pavement_m

    @property
    def lane_m(self) -> float:
        """Distance of each lane's middle from the road's."""
        return 1.45 if self.parking else self.road_half_m / 2


def random_place(
    rng: Generator, kind: str, width: int, height: int, *, zebra: bool, parking: bool = False
) -> Place:
    """Some street and some camera; kind any chooses one."""
    if kind == "any":
        kind = str(rng.choice(["along", "across", "across", "diagonal", "diagonal"]))
    road = 5.2 if parking else float(rng.uniform(2.9, 4.6))
    pavement = float(rng.uniform(1.8, 3.6))
    edge = road + pavement
    high = float(rng.choice([rng.uniform(1.5, 2.6), rng.uniform(2.6, 4.6), rng.uniform(4.6, 7.0)]))
    if kind == "along":
        x, yaw = float(rng.uniform(-edge, edge)), float(rng.uniform(-0.14, 0.14))
        yaw -= x / 40
        focal = width * float(rng.uniform(0.65, 1.15))
        near = 9.0
    elif kind == "across":
        x, yaw = edge + float(rng.uniform(0.8, 5.0)), -np.pi / 2 + float(rng.uniform(-0.2, 0.2))
        focal = width * float(rng.uniform(0.6, 0.95))
        near = 7.0
    else:
        x = edge + float(rng.uniform(0.3, 3.0))
        yaw = -float(rng.uniform(0.45, 1.15))
        focal = width * float(rng.uniform(0.62, 1.0))
        near = 7.0
    if rng.random() < 0.5:
        x, yaw = -x, -yaw
    # the ground at `near` metres lies near the bottom of the picture
    horizon = height * float(rng.uniform(0.80, 1.05)) - focal * high / near
    horizon = float(np.clip(horizon, -0.12 * height, 0.52 * height))
    view = View(width, height, focal, horizon, x, high, 0.0, float(yaw))
    middle = near * float(rng.uniform(1.1, 1.7))
    middle_z = middle if kind == "along" else abs(x / np.tan(yaw)) if kind == "diagonal" else 0.0
    zebra_z = float(middle_z + rng.uniform(-1.0, 1.5)) if zebra else None
    walls = tuple(None if rng.random() < 0.3 else float(rng.uniform(0.0, 6.0)) for _ in range(2))
    return Place(
        view, kind, road, pavement, zebra_z, (walls[0], walls[1]), bool(rng.random() < 0.4),
        1 if rng.random() < 0.75 else -1, parking, float(middle_z),
    )  # fmt: skip
