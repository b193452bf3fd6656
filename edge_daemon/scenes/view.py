"""The fixed camera: where a point of the street falls in the picture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import cos, sin
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Points = NDArray[np.float32]

NEAR_M = 0.4  # nothing nearer to the camera than this is drawn


@dataclass(frozen=True, slots=True)
class View:
    """A pinhole camera whose verticals stay vertical (the sensor is shifted, not tilted).

    World: x to the right of the road, y up, z along the road, metres.  yaw_rad turns the camera
    to the right of +z.  focal_px, horizon_px and the size are pixels of the picture.
    """

    width: int
    height: int
    focal_px: float
    horizon_px: float
    x_m: float
    y_m: float
    z_m: float
    yaw_rad: float

    @property
    def eye(self) -> Points:
        """Where the camera is, float32 (3,)."""
        return np.array([self.x_m, self.y_m, self.z_m], np.float32)

    def finer(self, times: int) -> View:
        """The same camera with so many times the pixels on each side."""
        return replace(
            self,
            width=self.width * times,
            height=self.height * times,
            focal_px=self.focal_px * times,
            horizon_px=self.horizon_px * times,
        )

    def to_camera(self, world: Points) -> Points:
        """World points (N, 3) as (right, up, depth) from the camera, metres, (N, 3)."""
        c, s = cos(self.yaw_rad), sin(self.yaw_rad)
        turned: Points = (world - self.eye) @ np.array(
            [(c, 0, s), (0, 1, 0), (-s, 0, c)], np.float32
        )
        return turned

    def to_picture(self, camera: Points) -> Points:
        """Camera points (N, 3) as pixels (N, 2); depth is held at NEAR_M or more."""
        depth = np.maximum(camera[:, 2], NEAR_M)
        pixels = np.empty((len(camera), 2), np.float32)
        pixels[:, 0] = self.width / 2 + self.focal_px * camera[:, 0] / depth
        pixels[:, 1] = self.horizon_px - self.focal_px * camera[:, 1] / depth
        return pixels

    def project(self, world: Points) -> Points:
        """World points (N, 3) as pixels (N, 2)."""
        return self.to_picture(self.to_camera(world))

    def depth(self, x_m: float, z_m: float) -> float:
        """Distance of a place on the ground along the viewing direction, metres."""
        return (x_m - self.x_m) * sin(self.yaw_rad) + (z_m - self.z_m) * cos(self.yaw_rad)

    def aside(self, x_m: float, z_m: float) -> float:
        """Distance of a place on the ground to the right of the viewing direction, metres."""
        return (x_m - self.x_m) * cos(self.yaw_rad) - (z_m - self.z_m) * sin(self.yaw_rad)

    def column(self, x_m: float, z_m: float) -> float:
        """Where a place on the ground falls across the picture; 0 to 1 is inside."""
        away = max(self.depth(x_m, z_m), NEAR_M)
        return 0.5 + self.focal_px * self.aside(x_m, z_m) / away / self.width

    def row(self, depth_m: float, height_m: float = 0.0) -> float:
        """Where something so far and so high falls down the picture; 0 to 1 is inside."""
        down_px = self.focal_px * (self.y_m - height_m) / max(depth_m, NEAR_M)
        return (self.horizon_px + down_px) / self.height

    def place(self, aside: Points, depth: Points) -> tuple[Points, Points]:
        """World (x, z) of places so far aside and so deep, metres."""
        c, s = np.float32(cos(self.yaw_rad)), np.float32(sin(self.yaw_rad))
        x: Points = self.x_m + aside * c + depth * s
        z: Points = self.z_m - aside * s + depth * c
        return x, z

    def polygon(self, world: Points) -> Points:
        """A flat polygon (N, 3) as far as it can be seen, pixels (M, 2); M is 0 when not at all."""
        return self.to_picture(self.cut(self.to_camera(world)))

    def cut(self, camera: Points) -> Points:
        """A polygon in camera metres without what is too near or far to the sides."""
        if camera[:, 2].min() > 6 * NEAR_M:
            return camera
        reach = 2.5 * self.width / self.focal_px
        planes = np.array([(0, 0, 1, -NEAR_M), (1, 0, reach, 0), (-1, 0, reach, 0)], np.float32)
        return cut(camera, planes)


def cut(polygon: Points, planes: Points) -> Points:
    """The part of a polygon (N, 3) on the positive side of every plane (P, 4), (M, 3).

    Source: I. Sutherland, G. Hodgman, Reentrant polygon clipping, CACM 17, 1974.
    """
    for plane in planes:
        side = polygon @ plane[:3] + plane[3]
        if len(polygon) == 0 or side.min() >= 0:
            continue
        kept = []
        for n, (a, da) in enumerate(zip(polygon, side)):
            b, db = polygon[(n + 1) % len(polygon)], side[(n + 1) % len(polygon)]
            if da >= 0:
                kept.append(a)
            if (da >= 0) != (db >= 0):
                kept.append(a + (b - a) * (da / (da - db)))
        polygon = np.array(kept, np.float32).reshape(-1, 3)
    return polygon
