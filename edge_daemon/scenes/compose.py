"""Puts bodies into the backdrop, far ones first, and keeps account of what stays visible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge_daemon.scenes import texture
from edge_daemon.scenes.shape import Pose, Shape, Sprite, Vec, draw
from edge_daemon.scenes.truth import Box

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from edge_daemon.scenes.daylight import Air
    from edge_daemon.scenes.shape import Colour
    from edge_daemon.scenes.view import View

    Points = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Glow:
    """A lamp of a body: where, in its own metres, which way it shines, and how strongly."""

    at: Vec
    colour: Colour
    radius_m: float
    towards: Vec | None = None


@dataclass(frozen=True, slots=True)
class Body:
    """A thing in the street.  kind None: not part of the truth.

    footprint is (half width, half length) of its shadow in metres.  grain is how strongly its
    surface is mottled; seed fixes that pattern.
    """

    kind: str | None
    shape: Shape
    pose: Pose
    footprint: tuple[float, float]
    height_m: float
    colour: str = ""
    glows: tuple[Glow, ...] = ()
    grain: float = 0.05
    seed: int = 0
    bright: bool = False  # shines by itself: not darkened at night
    nearer_m: float = 0.0  # drawn as if so much nearer


Placed = tuple[Body, Sprite]


def drawn(bodies: Sequence[Body], view: View, air: Air) -> list[Placed]:
    """The bodies that are in the picture, with their sprites."""
    placed = []
    for body in bodies:
        sprite = draw(body.shape, body.pose, view, air.sun, air.contrast)
        if sprite is not None:
            placed.append((body, sprite))
    return placed


def compose(
    backdrop: Points, placed: Sequence[Placed], view: View, air: Air
) -> tuple[Points, tuple[Box, ...]]:
    """Put bodies over a copy of backdrop (H, W, 3) float32; also return their boxes."""
    canvas = backdrop.copy()
    order = sorted(placed, key=lambda p: p[0].nearer_m - p[1].depth_m)
    for body, _ in order:
        _shadow(canvas, body, view, air)
    owner = np.full(canvas.shape[:2], -1, np.int16)
    solids = []
    for n, (body, sprite) in enumerate(order):
        light = air.light_at(np.float32(body.pose.x_m), np.float32(body.pose.z_m))
        _reflect(canvas, body, sprite, view, air, light)
        _paste(canvas, body, sprite, air, light)
        solid = sprite.rgba[:, :, 3] > 110
        h, w = solid.shape
        owner[sprite.top : sprite.top + h, sprite.left : sprite.left + w][solid] = n
        solids.append(solid)
        for glow in body.glows if air.lit else ():
            _shine(canvas, glow, body.pose, view, air)
    counts = np.bincount(owner[owner >= 0], minlength=len(order))
    boxes = [
        _box(body, sprite, solid, int(seen), view)
        for (body, sprite), solid, seen in zip(order, solids, counts)
    ]
    return canvas, tuple(b for b in boxes if b is not None)


def _paste(canvas: Points, body: Body, sprite: Sprite, air: Air, light: Points) -> None:
    h, w = sprite.rgba.shape[:2]
    area = canvas[sprite.top : sprite.top + h, sprite.left : sprite.left + w]
    alpha = sprite.alpha
    rgb = sprite.rgba[:, :, :3]
    start = (body.seed * 37) % texture.TILE
    mottle = texture.cut(texture.grit(), start, (start * 7) % texture.TILE, w, h)
    soft = texture.cut(texture.clouds(), (start * 3) % texture.TILE, start, w, h)
    full_h = max(sprite.full[3] - sprite.full[1], 1.0)
    rows = (np.arange(sprite.top, sprite.top + h, dtype=np.float32) - sprite.full[1]) / full_h
    shade = (1.07 - 0.16 * rows)[:, None] * (1 + body.grain * (0.6 * mottle + 0.8 * soft))
    tone = np.ones(3, np.float32) if body.bright else light
    clear = float(np.exp(-air.fog_per_m * max(sprite.depth_m, 0.0)))
    lit = rgb * (shade[:, :, None] * tone * clear) + air.haze * (1 - clear) * alpha
    area *= 1 - alpha
    area += lit


def _shadow(canvas: Points, body: Body, view: View, air: Air) -> None:
    """A soft dark patch under the body, and its cast shadow in sunshine."""
    half_w, half_l = body.footprint
    if half_w <= 0:
        return
    pose = body.pose
    ring = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    square = 0.75 if half_l > 1 else 1.0
    x = np.sign(np.cos(ring)) * np.abs(np.cos(ring)) ** square * half_w
    z = np.sign(np.sin(ring)) * np.abs(np.sin(ring)) ** square * half_l
    foot = pose.to_world(np.stack([x, np.zeros(14), z], 1).astype(np.float32))
    foot[:, 1] = 0.0
    _darken(canvas, view, foot * 1.0, 0.42 if air.shadow == 0 else 0.5, 0.10 * view.focal_px)
    if air.shadow > 0:
        reach = body.height_m * 0.85 / max(float(air.sun[1]), 0.3)
        away = -np.array([air.sun[0], 0.0, air.sun[2]], np.float32) * reach
        both = np.concatenate([foot, foot * 1.0 + away])
        hull = cv2.convexHull(both[:, [0, 2]].astype(np.float32))[:, 0]
        flat = np.stack([hull[:, 0], np.zeros(len(hull)), hull[:, 1]], 1).astype(np.float32)
        _darken(canvas, view, flat, air.shadow * 0.8, 0.03 * view.focal_px)


def _darken(canvas: Points, view: View, ground: Points, strength: float, blur_m_px: float) -> None:
    flat = view.polygon(ground)
    if len(flat) < 3:
        return
    depth = max(float(view.to_camera(ground)[:, 2].mean()), 1.0)
    soft = max(blur_m_px / depth, 0.8)
    pad = int(3 * soft) + 1
    left, top = (np.floor(flat.min(0)).astype(int) - pad).tolist()
    right, bottom = (np.ceil(flat.max(0)).astype(int) + pad).tolist()
    left, top = max(left, 0), max(top, 0)
    right, bottom = min(right, view.width), min(bottom, view.height)
    if right - left < 2 or bottom - top < 2:
        return
    mask = np.zeros((bottom - top, right - left), np.uint8)
    fixed = ((flat - (left, top)) * 16 - 8).clip(-4e5, 4e5).astype(np.int32)
    cv2.fillPoly(mask, [fixed], 255 * strength, cv2.LINE_AA, 4)
    size = int(soft * 2) * 2 + 1
    mask = cv2.blur(cv2.blur(mask, (size, size)), (size, size))
    canvas[top:bottom, left:right] *= 1 - mask[:, :, None].astype(np.float32) / 255


def _reflect(
    canvas: Points, body: Body, sprite: Sprite, view: View, air: Air, light: Points
) -> None:
    """A faint, smeared mirror image on a wet street."""
    if air.weather != "rain" or body.footprint[0] <= 0:
        return
    foot = view.project(np.array([[body.pose.x_m, 0, body.pose.z_m]], np.float32))[0, 1]
    flipped = sprite.rgba[::-1]
    top = int(2 * foot - (sprite.top + len(flipped)))
    start = max(0, int(foot) - top, -top)
    end = min(len(flipped), view.height - top)
    if end - start < 2 or start >= len(flipped):
        return
    part = cv2.blur(np.ascontiguousarray(flipped[start:end]), (3, 9))
    area = canvas[top + start : top + end, sprite.left : sprite.left + part.shape[1]]
    fade = np.linspace(0.34, 0.05, len(part), dtype=np.float32)[:, None, None]
    alpha = part[:, :, 3:] * (fade / 255)
    area *= 1 - alpha
    area += part[:, :, :3] * fade * (1.0 if body.bright else light)


def _shine(canvas: Points, glow: Glow, pose: Pose, view: View, air: Air) -> None:
    """Add the light around a lamp, strongest when it points at the camera."""
    world = pose.to_world(np.array([glow.at], np.float32))
    camera = view.to_camera(world)
    depth = float(camera[0, 2])
    if depth < 0.8:
        return
    strength = 1.0
    if glow.towards is not None:
        aim = pose.turn(np.array([glow.towards], np.float32))[0]
        to_eye = view.eye - world[0]
        cosine = float(aim @ to_eye / np.linalg.norm(to_eye))
        if cosine <= 0.02:
            return
        strength = cosine**2
    u, v = view.to_picture(camera)[0]
    strength *= float(np.exp(-air.fog_per_m * depth * 0.5)) * (1.0 if air.night else 0.6)
    radius = max(glow.radius_m * view.focal_px / depth, 1.5)
    reach = int(radius * 4) + 1
    left, top = max(int(u) - reach, 0), max(int(v) - reach, 0)
    right, bottom = min(int(u) + reach + 1, view.width), min(int(v) + reach + 1, view.height)
    if right <= left or bottom <= top:
        return
    dx = (np.arange(left, right, dtype=np.float32) + 0.5 - u)[None]
    dy = (np.arange(top, bottom, dtype=np.float32) + 0.5 - v)[:, None]
    away = (dx * dx + dy * dy) / (radius * radius)
    cone = np.exp(-away * 1.5) + 0.22 / (1 + away) ** 1.5 * np.clip(2 - away / 8, 0, 1)
    halo = cone[:, :, None] * (np.array(glow.colour, np.float32) * strength)
    canvas[top:bottom, left:right] += halo


def _box(
    body: Body, sprite: Sprite, solid: NDArray[np.bool_], seen: int, view: View
) -> Box | None:
    """The truth about one body; None where it is no part of it or covers nothing."""
    if body.kind is None or not solid.any():
        return None
    rows, columns = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
    x1, x2 = sprite.left + columns[0], sprite.left + columns[-1] + 1
    y1, y2 = sprite.top + rows[0], sprite.top + rows[-1] + 1
    fx1, fy1, fx2, fy2 = sprite.full
    inside = (min(fx2, view.width) - max(fx1, 0)) * (min(fy2, view.height) - max(fy1, 0))
    share = np.clip(inside / max((fx2 - fx1) * (fy2 - fy1), 1e-6), 0, 1)
    return Box(
        body.kind, x1 / view.width, y1 / view.height, x2 / view.width, y2 / view.height,
        round(float(share) * seen / int(solid.sum()), 3), body.colour,
    )  # fmt: skip


def mottled(rng: Generator) -> int:
    """A seed for a body's surface."""
    return int(rng.integers(1 << 16))
