"""Bodies made of flat faces and rounded limbs, in metres of their own."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from math import cos, sin
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Points = NDArray[np.float32]

Colour = tuple[float, float, float]
Vec = tuple[float, float, float]


def times(colour: Colour, factor: float) -> Colour:
    """The colour, darker or lighter."""
    return (colour[0] * factor, colour[1] * factor, colour[2] * factor)


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """The colour between a (share 0) and b (share 1)."""
    k = 1 - share
    return (a[0] * k + b[0] * share, a[1] * k + b[1] * share, a[2] * k + b[2] * share)


class Part(NamedTuple):
    """A face (radii 0) or a limb of a shape: its points, in order, and how it is drawn."""

    begin: int
    end: int
    colour: Colour
    radii: tuple[float, float]
    outward: Vec | None
    behind_m: float


@dataclass(slots=True)
class Shape:
    """A body: x to its right, y up, z where it heads, each times unit_m.

    Faces and limbs are drawn in the order they were added; with sort, farthest first.  relief is
    how strongly limbs are rounded by shading.
    """

    sort: bool = False
    relief: float = 1.0
    unit_m: float = 1.0
    _points: list[Vec] = field(default_factory=list)
    _parts: list[Part] = field(default_factory=list)
    _sections: list[tuple[int, Vec | None]] = field(default_factory=list)
    _outline: Outline | None = None

    def face(self, points: Sequence[Vec], colour: Colour, outward: Vec | None = None) -> None:
        """Add a flat polygon.  With outward it is shaded, and unseen from behind."""
        begin = len(self._points)
        self._points.extend(points)
        self._parts.append(Part(begin, len(self._points), colour, (0.0, 0.0), outward, 0.0))

    def limb(
        self, a: Vec, b: Vec, radii: tuple[float, float], colour: Colour, *, behind_m: float = 0.0
    ) -> None:
        """Add a rounded limb from a to b with a radius at each end.

        It is sorted as if it were so much farther away.
        """
        begin = len(self._points)
        self._points.extend((a, b))
        self._parts.append(Part(begin, begin + 2, colour, radii, None, behind_m))

    def section(self, centre: Vec | None) -> None:
        """Begin a section: neighbours with a centre are drawn farthest first, others in order."""
        self._sections.append((len(self._parts), centre))

    def order(self, eye: Points, depth: Points) -> list[int]:
        """Indices of the parts as they are to be drawn.

        eye is (3,) in the body's own metres; depth is (N,), of every point from the camera.
        """
        if not self.sort:
            return self._by_section(eye)
        outline = self.outline
        far = depth[outline.begin] + depth[outline.end - 1] + 2 * outline.behind_m
        order: list[int] = np.argsort(-far, kind="stable").tolist()
        return order

    def _by_section(self, eye: Points) -> list[int]:
        bounds = [*self._sections, (len(self._parts), None)]
        order = list(range(bounds[0][0]))
        run: list[tuple[float, int, int]] = []
        for (begin, centre), (end, following) in pairwise(bounds):
            if centre is None:
                order.extend(range(begin, end))
                continue
            run.append((-float(np.linalg.norm(eye - np.asarray(centre))), begin, end))
            if following is None:
                order.extend(n for _, a, b in sorted(run) for n in range(a, b))
                run = []
        return order

    @property
    def outline(self) -> Outline:
        """The shape as arrays, made once: nothing may be added afterwards."""
        if self._outline is None:
            self._outline = Outline.of(self._points, self._parts, self.unit_m)
        return self._outline


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """A shape's geometry: points (N, 3) metres; per part its points begin:end, radii and colour.

    normals (P, 3) count where facing (P,); limbs (L,) are the parts that are limbs.
    """

    points: Points
    begin: NDArray[np.int64]
    end: NDArray[np.int64]
    radii: Points  # (P, 2) metres
    colours: Points  # (P, 3)
    normals: Points
    facing: NDArray[np.bool_]
    behind_m: Points
    limbs: NDArray[np.int64]

    @staticmethod
    def of(points: Sequence[Vec], parts: Sequence[Part], unit_m: float) -> Outline:
        """Gather the arrays."""
        radii = np.array([p.radii for p in parts], np.float32) * np.float32(unit_m)
        normals = np.array([p.outward or (0, 1, 0) for p in parts], np.float32)
        normals /= np.sqrt((normals * normals).sum(1, keepdims=True))
        return Outline(
            points=np.array(points, np.float32) * np.float32(unit_m),
            begin=np.array([p.begin for p in parts]),
            end=np.array([p.end for p in parts]),
            radii=radii,
            colours=np.array([p.colour for p in parts], np.float32),
            normals=normals,
            facing=np.array([p.outward is not None for p in parts], bool),
            behind_m=np.array([p.behind_m for p in parts], np.float32),
            limbs=np.flatnonzero(radii.max(1) > 0),
        )


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a body stands on the ground, and where it heads (0: +z, positive: to the right)."""

    x_m: float
    z_m: float
    heading_rad: float

    def to_world(self, local: Points) -> Points:
        """Local points (N, 3) in world metres."""
        placed: Points = self.turn(local) + np.array([self.x_m, 0.0, self.z_m], np.float32)
        return placed

    def to_local(self, world: Points) -> Points:
        """A world point (3,) in local metres."""
        moved: Points = (world - np.array([self.x_m, 0.0, self.z_m], np.float32)) @ self._turn().T
        return moved

    def turn(self, local: Points) -> Points:
        """Local directions (N, 3) in world directions."""
        turned: Points = local @ self._turn()
        return turned

    def _turn(self) -> Points:
        c, s = cos(self.heading_rad), sin(self.heading_rad)
        return np.array([(c, 0, -s), (0, 1, 0), (s, 0, c)], np.float32)
