"""A street seen from somewhere: its widths, its walls, and where the camera hangs."""

from __future__ import annotations

from dataclasses import dataclass
from math import tan
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from edge_daemon.scenes.view import View

if TYPE_CHECKING:
    from numpy.random import Generator

_CLEARANCE_M: Final = 5.2
_HORIZON: Final = (-0.12, 0.52)  # its highest and lowest place, as shares of the height
_LOWER_EDGE: Final = (0.80, 1.05)  # where the nearest ground comes to lie


@dataclass(frozen=True, slots=True)
class Place:
    """A straight street along z.  Metres; the road's middle is x = 0.

    zebra_z is where a crossing lies (None: there is none); walls are how far the buildings stand
    behind each pavement, left and right (None: open land); middle_z is what the camera looks at.
    """

    view: View
    road_half_m: float
    pavement_m: float
    zebra_z: float | None
    walls: tuple[float | None, float | None]
    green: bool  # grass behind the pavement, not paving
    drives_right: int  # 1, or -1 where people drive on the left
    parking: bool  # room for a row of vehicles along each kerb
    middle_z: float

    @property
    def edge_m(self) -> float:
        """Distance of the pavements' far edges from the middle."""
        return self.road_half_m + self.pavement_m

    @property
    def lane_m(self) -> float:
        """Distance of each lane's middle from the road's."""
        return 1.45 if self.parking else self.road_half_m / 2

    def heading_to_camera(self, x_m: float, z_m: float) -> float:
        """The direction from a place on the ground to the camera, radians from +z."""
        return float(np.arctan2(self.view.x_m - x_m, self.view.z_m - z_m))


class _Stand(NamedTuple):
    """Where a camera hangs and looks; near_m is the ground at the picture's lower edge."""

    x_m: float
    yaw_rad: float
    focal: float  # in widths of the picture
    near_m: float


def random_place(
    rng: Generator,
    looks: str,
    size: tuple[int, int],
    *,
    zebra: bool = True,
    parking: bool = False,
    clear_of_traffic: bool = False,
) -> Place:
    """Some street and some camera that looks along it, across it or diagonal; any chooses one.

    With clear_of_traffic, a camera above the road hangs high enough for a bus to pass below.
    """
    width, height = size
    if looks == "any":
        looks = str(rng.choice(["along", "across", "across", "diagonal", "diagonal"]))
    road = 5.2 if parking else float(rng.uniform(2.9, 4.6))
    pavement = float(rng.uniform(1.8, 3.6))
    high = float(rng.choice([rng.uniform(1.5, 2.6), rng.uniform(2.6, 4.6), rng.uniform(4.6, 7.0)]))
    x, yaw, focal, near = _STANDS[looks](rng, road + pavement)
    if clear_of_traffic and abs(x) < road + 0.5:
        high = max(high, _CLEARANCE_M)
    if rng.random() < 0.5:
        x, yaw = -x, -yaw
    focal_px = focal * width
    if looks == "across":  # a higher one would look over the street's near side only
        high = min(high, (_LOWER_EDGE[0] - _HORIZON[0]) * height * near / focal_px)
    horizon_px = height * float(rng.uniform(*_LOWER_EDGE)) - focal_px * high / near
    horizon_px = min(max(horizon_px, _HORIZON[0] * height), _HORIZON[1] * height)
    middle_z = near * float(rng.uniform(1.1, 1.7))
    if looks != "along":
        middle_z = -x / tan(yaw)
    left, right = (None if rng.random() < 0.3 else float(rng.uniform(0.0, 6.0)) for _ in range(2))
    return Place(
        view=View(width, height, focal_px, horizon_px, x, high, 0.0, yaw),
        road_half_m=road,
        pavement_m=pavement,
        zebra_z=middle_z + float(rng.uniform(-1.0, 1.5)) if zebra else None,
        walls=(left, right),
        green=bool(rng.random() < 0.4),
        drives_right=1 if rng.random() < 0.75 else -1,
        parking=parking,
        middle_z=middle_z,
    )


def _along(rng: Generator, edge_m: float) -> _Stand:
    x = float(rng.uniform(-edge_m, edge_m))
    yaw = float(rng.uniform(-0.14, 0.14)) - x / 40
    return _Stand(x, yaw, float(rng.uniform(0.65, 1.15)), 9.0)


def _across(rng: Generator, edge_m: float) -> _Stand:
    x = edge_m + float(rng.uniform(0.8, 5.0))
    yaw = -np.pi / 2 + float(rng.uniform(-0.2, 0.2))
    return _Stand(x, yaw, float(rng.uniform(0.6, 0.95)), 0.75 * x)


def _diagonal(rng: Generator, edge_m: float) -> _Stand:
    x = edge_m + float(rng.uniform(0.3, 3.0))
    return _Stand(x, -float(rng.uniform(0.45, 1.15)), float(rng.uniform(0.62, 1.0)), 7.0)


_STANDS = {"along": _along, "across": _across, "diagonal": _diagonal}
