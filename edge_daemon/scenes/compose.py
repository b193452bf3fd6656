"""Puts bodies into the backdrop, far ones first, and keeps account of what stays visible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from edge_daemon.scenes import texture
from edge_daemon.scenes.body import Body, Glow
from edge_daemon.scenes.occlusion import far_to_near
from edge_daemon.scenes.sprite import FIX, Sprite, draw, fixed
from edge_daemon.scenes.truth import Box

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_daemon.scenes.daylight import Air
    from edge_daemon.scenes.shape import Pose
    from edge_daemon.scenes.view import View

    Points = NDArray[np.float32]

Placed = tuple[Body, Sprite]

_SOLID: Final = 110  # alpha from which a pixel belongs to the body
_AROUND: Final = np.linspace(0, 2 * np.pi, 14, endpoint=False)


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
    stage = _Stage(backdrop.copy(), view, air)
    order = [placed[n] for n in far_to_near([body for body, _ in placed], view)]
    for body, _ in order:
        stage.shade(body)
    owner = np.full(backdrop.shape[:2], -1, np.int16)
    solids = []
    for n, (body, sprite) in enumerate(order):
        stage.mirror(body, sprite)
        stage.paste(body, sprite)
        solid = sprite.rgba[:, :, 3] > _SOLID
        h, w = solid.shape
        owner[sprite.top : sprite.top + h, sprite.left : sprite.left + w][solid] = n
        solids.append(solid)
        for glow in body.glows if air.lit else ():
            stage.shine(glow, body.pose)
    seen = np.bincount(owner[owner >= 0], minlength=len(order))
    boxes = [
        _box(body, sprite, solid, int(count), view)
        for (body, sprite), solid, count in zip(order, solids, seen)
        if body.kind is not None and solid.any()
    ]
    return stage.canvas, tuple(boxes)


@dataclass(frozen=True, slots=True, eq=False)
class _Stage:
    """The picture while it is put together: canvas is float32 (H, W, 3), written to."""

    canvas: Points
    view: View
    air: Air

    def paste(self, body: Body, sprite: Sprite) -> None:
        """Put a sprite in, lit and hazed for where it stands."""
        h, w = sprite.rgba.shape[:2]
        area = self.canvas[sprite.top : sprite.top + h, sprite.left : sprite.left + w]
        start = (body.seed * 37) % texture.TILE
        grit = texture.cut(texture.grit(), start, start * 7, w, h)
        soft = texture.cut(texture.clouds(), start * 3, start, w, h)
        top, bottom = sprite.rows
        rows = (np.arange(sprite.top, sprite.top + h, dtype=np.float32) - top) / (bottom - top)
        shade = (1.07 - 0.16 * rows)[:, None] * (1 + body.grain * (0.6 * grit + 0.8 * soft))
        clear = self.air.clear_over(max(sprite.depth_m, 0.0))
        tone = self.air.light_on(body.pose.x_m, body.pose.z_m) * np.float32(clear)
        alpha = sprite.alpha
        area *= 1 - alpha
        area += sprite.rgba[:, :, :3] * (shade[:, :, None] * tone)
        area += self.air.haze * np.float32(1 - clear) * alpha

    def shade(self, body: Body) -> None:
        """Put a soft dark patch under a body, and its cast shadow in sunshine."""
        half_w, half_l = body.footprint
        if half_w <= 0:
            return
        corner = 0.75 if half_l > 1 else 1.0  # under 1, the ellipse is squarer
        foot = np.zeros((len(_AROUND), 3), np.float32)
        foot[:, 0] = half_w * np.sign(np.cos(_AROUND)) * np.abs(np.cos(_AROUND)) ** corner
        foot[:, 2] = half_l * np.sign(np.sin(_AROUND)) * np.abs(np.sin(_AROUND)) ** corner
        foot = body.pose.to_world(foot)
        self._darken(foot, 0.5 if self.air.shadow > 0 else 0.42, blur_m=0.10)
        if self.air.shadow > 0:
            sun = self.air.sun
            reach = body.height_m * 0.85 / max(float(sun[1]), 0.3)
            away = foot - np.array([sun[0], 0.0, sun[2]], np.float32) * np.float32(reach)
            both = np.concatenate([foot, away])
            hull = cv2.convexHull(both[:, [0, 2]], returnPoints=False)[:, 0]
            self._darken(both[hull], self.air.shadow * 0.8, blur_m=0.03)

    def _darken(self, ground: Points, strength: float, *, blur_m: float) -> None:
        flat = self.view.polygon(ground)
        if len(flat) < 3:
            return
        depth = max(float(self.view.to_camera(ground)[:, 2].mean()), 1.0)
        soft = max(blur_m * self.view.focal_px / depth, 0.8)
        pad = int(3 * soft) + 1
        low, high = np.floor(flat.min(0)) - pad, np.ceil(flat.max(0)) + pad
        left, top = max(int(low[0]), 0), max(int(low[1]), 0)
        right, bottom = min(int(high[0]), self.view.width), min(int(high[1]), self.view.height)
        if right - left < 2 or bottom - top < 2:
            return
        mask = np.zeros((bottom - top, right - left), np.uint8)
        outline = fixed(flat - np.array((left, top), np.float32))
        cv2.fillPoly(mask, [outline], (255 * strength,), cv2.LINE_AA, FIX)
        size = int(soft * 2) * 2 + 1
        mask = np.asarray(cv2.blur(cv2.blur(mask, (size, size)), (size, size)), np.uint8)
        self.canvas[top:bottom, left:right] *= 1 - mask[:, :, None] * np.float32(1 / 255)

    def mirror(self, body: Body, sprite: Sprite) -> None:
        """Put a faint, smeared mirror image of a body on a wet street."""
        if self.air.weather != "rain" or body.footprint[0] <= 0:
            return
        x, z = body.pose.x_m, body.pose.z_m
        foot = self.view.row(self.view.depth(x, z)) * self.view.height
        flipped = sprite.rgba[::-1]
        top = int(2 * foot - (sprite.top + len(flipped)))
        start, end = max(0, int(foot) - top, -top), min(len(flipped), self.view.height - top)
        if end - start < 2:
            return
        part = np.asarray(cv2.blur(np.ascontiguousarray(flipped[start:end]), (3, 9)), np.float32)
        fade = np.linspace(0.34, 0.05, len(part), dtype=np.float32)[:, None, None]
        right = sprite.left + part.shape[1]
        area = self.canvas[top + start : top + end, sprite.left : right]
        area *= 1 - part[:, :, 3:] * (fade / 255)
        area += part[:, :, :3] * fade * self.air.light_on(x, z)

    def shine(self, glow: Glow, pose: Pose) -> None:
        """Add the light around a lamp, strongest when it points at the camera."""
        world = pose.to_world(np.array([glow.at], np.float32))
        camera = self.view.to_camera(world)
        depth = float(camera[0, 2])
        strength = self._towards_camera(glow, pose, world[0])
        if depth < 0.8 or strength <= 0:
            return
        strength *= self.air.clear_over(depth) ** 0.5 * (1.0 if self.air.night else 0.6)
        u, v = self.view.to_picture(camera)[0].tolist()
        radius = max(glow.radius_m * self.view.focal_px / depth, 1.5)
        reach = int(radius * 4) + 1
        left, right = max(int(u) - reach, 0), min(int(u) + reach + 1, self.view.width)
        top, bottom = max(int(v) - reach, 0), min(int(v) + reach + 1, self.view.height)
        if right <= left or bottom <= top:
            return
        dx = (np.arange(left, right, dtype=np.float32) + np.float32(0.5 - u))[None]
        dy = (np.arange(top, bottom, dtype=np.float32) + np.float32(0.5 - v))[:, None]
        away = (dx * dx + dy * dy) / np.float32(radius * radius)
        halo = np.exp(-away * 1.5) + 0.22 / (1 + away) ** 1.5 * np.clip(2 - away / 8, 0, 1)
        colour = np.array(glow.colour, np.float32) * np.float32(strength)
        self.canvas[top:bottom, left:right] += halo[:, :, None] * colour

    def _towards_camera(self, glow: Glow, pose: Pose, at: Points) -> float:
        """How strongly a lamp shines to the camera, 0 to 1."""
        if glow.towards is None:
            return 1.0
        aim = pose.turn(np.array([glow.towards], np.float32))[0]
        to_eye = self.view.eye - at
        cosine = float(aim @ to_eye) / float(np.linalg.norm(to_eye))
        return max(cosine, 0.0) ** 2


def _box(body: Body, sprite: Sprite, solid: NDArray[np.bool_], seen_px: int, view: View) -> Box:
    """The truth about one body that covers something."""
    rows, columns = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
    return Box(
        kind=body.kind or "",
        x1=round((sprite.left + int(columns[0])) / view.width, 5),
        y1=round((sprite.top + int(rows[0])) / view.height, 5),
        x2=round((sprite.left + int(columns[-1]) + 1) / view.width, 5),
        y2=round((sprite.top + int(rows[-1]) + 1) / view.height, 5),
        visible=round(sprite.inside * seen_px / int(solid.sum()), 3),
        colour=body.colour,
    )
