"""Which of two things is in front of the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_daemon.scenes.body import Body
    from edge_daemon.scenes.view import View


def far_to_near(bodies: Sequence[Body], view: View) -> list[int]:
    """Indices of bodies such that none is drawn before one that it can hide.

    Two bodies are told apart by a line between them, across or along the street: the one on the
    camera's side is in front.  Where no line parts them, the nearer centre is in front.
    Source: M. Newell, R. Newell, T. Sancha, A solution to the hidden surface problem, ACM 1972.
    """
    if not bodies:
        return []
    behind = _behind(np.array([_ground(body) for body in bodies]), (view.x_m, view.z_m))
    depth = np.array([view.depth(b.pose.x_m, b.pose.z_m) - b.nearer_m for b in bodies])
    left = np.ones(len(bodies), bool)
    order = []
    for _ in bodies:
        free = left & ~(behind & left).any(1)
        candidates = free if free.any() else left
        pick = int(np.argmax(np.where(candidates, depth, -np.inf)))
        order.append(pick)
        left[pick] = False
    return order


def _ground(body: Body) -> tuple[float, float, float, float]:
    """The box around a body's footprint: least and most x, least and most z."""
    half_w, half_l = body.footprint
    c, s = abs(np.cos(body.pose.heading_rad)), abs(np.sin(body.pose.heading_rad))
    half_x, half_z = half_w * c + half_l * s, half_w * s + half_l * c
    x, z = body.pose.x_m, body.pose.z_m
    return x - half_x, x + half_x, z - half_z, z + half_z


def _behind(boxes: NDArray[np.float64], eye: tuple[float, float]) -> NDArray[np.bool_]:
    """Whether the one in the column must be drawn before the one in the row, (N, N)."""
    hides = np.zeros((len(boxes), len(boxes)), bool)
    for low, high, at in ((boxes[:, 0], boxes[:, 1], eye[0]), (boxes[:, 2], boxes[:, 3], eye[1])):
        below = (high[:, None] <= low[None]) & (at <= low[None])
        above = (low[:, None] >= high[None]) & (at >= high[None])
        hides |= below | above
    one_way: NDArray[np.bool_] = hides & ~hides.T
    return one_way
