"""Everything that never moves: sky, ground, markings and buildings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge_daemon.scenes import texture
from edge_daemon.scenes.facade import N_FACADES, Facade, facade, gable
from edge_daemon.scenes.shape import Colour, mix, times
from edge_daemon.scenes.view import NEAR_M

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from edge_daemon.scenes.daylight import Air
    from edge_daemon.scenes.place import Place
    from edge_daemon.scenes.view import View

    Points = NDArray[np.float32]

_FAR_M = 90.0
_SKY_M = 400.0
_WINDOW_LIGHT = np.array([255, 214, 140], np.float32) / 255
_ASPHALT: tuple[Colour, ...] = ((92, 92, 94), (74, 74, 78), (112, 110, 108), (60, 61, 64))
_PAVING: tuple[Colour, ...] = ((158, 152, 146), (138, 134, 132), (176, 168, 156), (150, 128, 116))
_GRASS: tuple[Colour, ...] = ((84, 112, 58), (104, 122, 66), (74, 98, 62), (134, 128, 84))


@dataclass(frozen=True, slots=True, eq=False)
class Backdrop:
    """rgb is float32 (H, W, 3) in [0, 255], lit and hazed; depth_m is float32 (H, W)."""

    rgb: Points
    depth_m: Points


def paint_backdrop(rng: Generator, place: Place, air: Air, oversample: int) -> Backdrop:
    """Paint the street without anybody in it."""
    fine = _scaled(place.view, oversample)
    board = np.zeros((fine.height, fine.width, 3), np.uint8)
    sky_from = rng.integers(texture.TILE, size=2)
    _sky(board, fine, air, sky_from)
    _skyline(board, rng, fine, air)
    _ground(board, rng, place, fine)
    size = (place.view.width, place.view.height)
    rgb = cv2.resize(board, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    depth = _depth(place.view)
    rgb *= _ground_noise(rng, place)
    glow = np.zeros_like(rgb)
    _walls(rgb, glow, depth, rng, place, air)
    return _light(rgb, glow, depth, place.view, air)


def _scaled(view: View, k: int) -> View:
    return replace(
        view, width=view.width * k, height=view.height * k, focal_px=view.focal_px * k,
        horizon_px=view.horizon_px * k,
    )  # fmt: skip


def _depth(view: View) -> Points:
    rows = np.arange(view.height, dtype=np.float32) + 0.5 - view.horizon_px
    ground = view.focal_px * view.y_m / np.maximum(rows, 1e-3)
    ground = np.where(rows > 0, np.minimum(ground, _SKY_M - 1), _SKY_M).astype(np.float32)
    return np.repeat(ground[:, None], view.width, 1)


def _sky(board: NDArray[np.uint8], view: View, air: Air, start: NDArray[np.int64]) -> None:
    bottom = int(np.clip(view.horizon_px + 2, 0, view.height))
    if bottom < 1:
        return
    share = np.linspace(0, 1, bottom, dtype=np.float32)[:, None, None] ** 1.5
    top, low = np.array(air.sky_top, np.float32), np.array(air.sky_low, np.float32)
    sky = top + (low - top) * share
    small = texture.cut(texture.clouds(), int(start[0]), int(start[1]), 96, 48)
    cloud = cv2.resize(small, (view.width, bottom), interpolation=cv2.INTER_CUBIC)
    soft = np.clip(cloud * 0.5 + 0.1, 0, 1)[:, :, None]
    white = np.minimum(low * 1.12 + 8, 255)
    board[:bottom] = np.clip(sky + (white - sky) * soft * 0.8, 0, 255).astype(np.uint8)


def _skyline(board: NDArray[np.uint8], rng: Generator, view: View, air: Air) -> None:
    """Far houses or trees along the horizon."""
    h = int(view.horizon_px)
    if h < 2:
        return
    dim = float(air.ambient[1])
    if rng.random() < 0.5:
        for _ in range(int(rng.integers(6, 16))):
            x = int(rng.uniform(-0.1, 1.0) * view.width)
            w, tall = int(rng.uniform(0.03, 0.16) * view.width), int(rng.uniform(0.1, 1.0) * 0.5 * h)
            tone = rng.uniform(90, 180)
            house = (tone, tone * rng.uniform(0.9, 1.0), tone * rng.uniform(0.8, 1.0))
            cv2.rectangle(board, (x, h - tall), (x + w, h + 2), mix(times(house, dim), air.sky_low, 0.3), -1)
        return
    tree = mix(times((70, 96, 62), dim), air.sky_low, float(rng.uniform(0.1, 0.4)))
    line = texture.cut(texture.clouds(), int(rng.integers(512)), int(rng.integers(512)), 160, 1)[0]
    heights = np.interp(np.linspace(0, 159, 320), np.arange(160), line)
    tops = h - (0.14 + 0.06 * heights) * view.height * float(rng.uniform(0.4, 1.2))
    xs = np.linspace(-2, view.width + 2, 320)
    outline = np.concatenate([np.stack([xs, tops], 1), [[view.width + 2, h + 2], [-2, h + 2]]])
    cv2.fillPoly(board, [outline.astype(np.int32)], tree)


def _ground(board: NDArray[np.uint8], rng: Generator, place: Place, view: View) -> None:
    asphalt = _ASPHALT[int(rng.integers(len(_ASPHALT)))]
    paving = _PAVING[int(rng.integers(len(_PAVING)))]
    behind = _GRASS[int(rng.integers(len(_GRASS)))] if place.green else times(paving, 0.93)
    h = int(np.clip(view.horizon_px + 1, 0, view.height))
    board[h:] = np.array(behind, np.uint8)
    r, e = place.road_half_m, place.edge_m
    _strip(board, view, -e, e, paving)
    _strip(board, view, -r - 0.16, r + 0.16, mix(paving, (210, 208, 204), 0.5))
    _strip(board, view, -r, r, asphalt)
    for side in (-1, 1):
        _strip(board, view, side * r - 0.02, side * r + 0.05, times(asphalt, 0.6))
    paint = (214, 212, 204) if rng.random() < 0.8 else (226, 190, 70)
    marks = float(rng.uniform(0.6, 1.0))
    white = mix(asphalt, paint, marks)
    if rng.random() < 0.85:
        for k in range(-4, 24):
            _patch(board, view, (-0.06, k * 4.0), (0.06, k * 4.0 + 2.2), white)
    if rng.random() < 0.4:
        for side in (-1, 1):
            _strip(board, view, side * (r - 0.35) - 0.05, side * (r - 0.35) + 0.05, white)
    if rng.random() < 0.5:
        _slabs(board, view, place, times(paving, 0.8))
    if place.zebra_z is not None:
        _zebra(board, view, place, asphalt, mix(asphalt, (232, 230, 224), max(marks, 0.8)))


def _zebra(board: NDArray[np.uint8], view: View, place: Place, asphalt: Colour, white: Colour) -> None:
    z, r = place.zebra_z or 0.0, place.road_half_m
    _patch(board, view, (-r, z - 1.6), (r, z + 1.6), asphalt)
    count = int(2 * r / 1.0)
    step = 2 * r / count
    for k in range(count):
        x = -r + step * (k + 0.25)
        _patch(board, view, (x, z - 1.5), (x + step * 0.5, z + 1.5), white)
    for side in (-1, 1):  # stop lines, each on its own side of the road
        x1, x2 = sorted((0.1 * side, side * (r - 0.2)))
        stop = z - side * place.drives_right * 2.9
        _patch(board, view, (x1, stop - 0.17), (x2, stop + 0.17), white)


def _slabs(board: NDArray[np.uint8], view: View, place: Place, joint: Colour) -> None:
    r, e = place.road_half_m, place.edge_m
    for side in (-1, 1):
        for k in range(-3, 14):
            x1, x2 = sorted((side * (r + 0.2), side * e))
            _patch(board, view, (x1, k * 1.5), (x2, k * 1.5 + 0.03), joint)


def _strip(board: NDArray[np.uint8], view: View, x1: float, x2: float, colour: Colour) -> None:
    _patch(board, view, (x1, -60.0), (x2, 400.0), colour)


def _patch(
    board: NDArray[np.uint8], view: View, a: tuple[float, float], b: tuple[float, float],
    colour: Colour,
) -> None:  # fmt: skip
    """Fill a rectangle of the ground between corners (x, z)."""
    (x1, z1), (x2, z2) = a, b
    corners = np.array([(x1, 0, z1), (x2, 0, z1), (x2, 0, z2), (x1, 0, z2)], np.float32)
    flat = view.polygon(corners)
    if len(flat) < 3 or flat[:, 1].min() > view.height:
        return
    fixed = np.clip(flat * 16 - 8, -4e5, 4e5).astype(np.int32)
    cv2.fillPoly(board, [fixed], colour, cv2.LINE_AA, 4)


def _ground_noise(rng: Generator, place: Place) -> Points:
    """Factor (H, W, 1): stains and grit that lie on the ground in perspective."""
    view = place.view
    factor = np.ones((view.height, view.width, 1), np.float32)
    top = int(np.clip(view.horizon_px + 2, 0, view.height))
    if top >= view.height - 1:
        return factor
    u = np.arange(view.width, dtype=np.float32)[None] + 0.5
    v = np.arange(top, view.height, dtype=np.float32)[:, None] + 0.5
    x, z = view.ground_at(np.broadcast_to(u, (len(v), view.width)), v)
    shift = rng.integers(texture.TILE, size=4)
    near = np.clip(18 / (view.focal_px * view.y_m / (v - view.horizon_px)), 0, 1)
    coarse = texture.spread(texture.clouds(), x * 14 + shift[0], z * 14 + shift[1])
    fine = texture.spread(texture.grit(), x * 60 + shift[2], z * 60 + shift[3])
    strength = float(rng.uniform(0.03, 0.10))
    factor[top:, :, 0] = 1 + strength * coarse + 0.07 * near * fine
    return factor


def _walls(
    rgb: Points, glow: Points, depth: Points, rng: Generator, place: Place, air: Air
) -> None:
    """Buildings along both sides, nearer ones over farther ones."""
    view = place.view
    for side, setback in ((-1, place.walls[0]), (1, place.walls[1])):
        if setback is None:
            continue
        x = side * (place.edge_m + setback)
        if (view.x_m - x) * side > -1.5:
            continue  # the camera hangs on this wall or behind it
        z = -30.0 + float(rng.uniform(0, 8))
        blocks = []
        while z < _FAR_M:
            number = int(rng.integers(N_FACADES))
            long = facade(number, lit=air.lit).long_m
            tint = (rng.uniform(0.75, 1.2) * rng.uniform(0.93, 1.07, 4)).astype(np.float32)
            blocks.append(_Block(x, z, z + long, side, number, tint))
            z += long + float(rng.choice([0.0, 0.0, rng.uniform(1.5, 9)]))
        for block in sorted(blocks, key=lambda b: -abs((b.z1_m + b.z2_m) / 2 - view.z_m)):
            _block(rgb, glow, depth, view, block, lit=air.lit)


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """A building with its front on the line at x, from z1 to z2, on one side of the road."""

    x_m: float
    z1_m: float
    z2_m: float
    side: int
    number: int
    tint: Points


def _block(rgb: Points, glow: Points, depth: Points, view: View, block: _Block, *, lit: bool) -> None:
    """One building: the gable the camera can see, and the front along the street."""
    x, deep = block.x_m, block.x_m + block.side * 9.0
    front, end = facade(block.number, lit=lit), gable(block.number)
    walls = [((x, block.z1_m), (x, block.z2_m), front)]
    for z, seen in ((block.z1_m, view.z_m < block.z1_m), (block.z2_m, view.z_m > block.z2_m)):
        if seen:
            walls.insert(0, ((deep, z), (x, z), end))
    for a, b, wall in walls:
        ends = _in_front(view, a, b)
        if ends is not None:
            p, q, s1, s2 = ends
            _hang(rgb, glow, depth, view, wall, block.tint, (p, q), (s1, s2))


def _in_front(
    view: View, a: tuple[float, float], b: tuple[float, float]
) -> tuple[tuple[float, float], tuple[float, float], float, float] | None:
    """The part of a wall before the camera: its ends (x, z) and their shares of the length."""
    da, db = view.depth(*a), view.depth(*b)
    least = 1.2
    if max(da, db) <= least + 0.2:
        return None
    s1 = 0.0 if da >= least else (least - da) / (db - da)
    s2 = 1.0 if db >= least else (least - da) / (db - da)

    def at(s: float) -> tuple[float, float]:
        return a[0] + (b[0] - a[0]) * s, a[1] + (b[1] - a[1]) * s

    p, q = at(s1), at(s2)
    columns = view.column(*p), view.column(*q)
    if max(columns) < -0.02 or min(columns) > 1.02:
        return None
    return p, q, s1, s2


def _hang(
    rgb: Points, glow: Points, depth: Points, view: View, wall: Facade, tint: Points,
    ends: tuple[tuple[float, float], tuple[float, float]], shares: tuple[float, float],
) -> None:  # fmt: skip
    """Put a facade on its wall, in perspective."""
    (x1, z1), (x2, z2) = ends
    tall = wall.tall_m
    corners = np.array([(x1, tall, z1), (x2, tall, z2), (x2, 0, z2), (x1, 0, z1)], np.float32)
    target = view.project(corners)
    left, right = max(int(target[:, 0].min()), 0), min(int(target[:, 0].max()) + 2, view.width)
    top, bottom = max(int(target[:, 1].min()), 0), min(int(target[:, 1].max()) + 2, view.height)
    if right - left < 4 or bottom - top < 4:
        return
    h, w = wall.paint.shape[:2]
    s1, s2 = shares[0] * w, shares[1] * w
    source = np.array([(s1, 0), (s2, 0), (s2, h), (s1, h)], np.float32)
    origin = np.array((left, top), np.float32)
    matrix = cv2.getPerspectiveTransform(source, target - origin)
    size = (right - left, bottom - top)
    flat = cv2.warpPerspective(
        wall.paint, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.float32)
    cover = np.zeros((size[1], size[0]), np.uint8)
    outline = ((target - origin) * 16 - 8).clip(-4e5, 4e5).astype(np.int32)
    cv2.fillPoly(cover, [outline], 255, cv2.LINE_AA, 4)
    a = cover[:, :, None] * np.float32(1 / 255)
    area = np.s_[top:bottom, left:right]
    rgb[area] += (flat[:, :, :3] * tint[:3] - rgb[area]) * a
    glow[area] += (flat[:, :, 3:] * _WINDOW_LIGHT - glow[area]) * a
    da, db = (max(view.depth(x, z), NEAR_M) for x, z in ends)
    ua, ub = float(target[0, 0]), float(target[1, 0])
    columns = np.arange(left, right, dtype=np.float32) + 0.5
    share = np.clip((columns - ua) / ((ub - ua) or 1.0), 0, 1)
    far = 1 / (1 / da + (1 / db - 1 / da) * share)
    np.copyto(depth[area], far[None], where=cover > 127)


def _light(rgb: Points, glow: Points, depth: Points, view: View, air: Air) -> Backdrop:
    """Light the painted street and put the air in front of it."""
    size = (view.width // 4, view.height // 4)
    small = cv2.resize(depth, size, interpolation=cv2.INTER_NEAREST)
    u = ((np.arange(size[0], dtype=np.float32) + 0.5) * 4)[None]
    right = (u - view.width / 2) * small / view.focal_px
    c, s = np.float32(np.cos(view.yaw_rad)), np.float32(np.sin(view.yaw_rad))
    x, z = view.x_m + right * c + small * s, view.z_m - right * s + small * c
    light = cv2.resize(air.light_at(x, z), (view.width, view.height))
    sky = depth >= _SKY_M
    light[sky] = 1.0
    lit = cv2.multiply(rgb, light)
    lit += glow
    clear = np.exp(-air.fog_per_m * depth)
    if air.weather != "fog":
        clear[sky] = 1.0
    lit -= air.haze
    lit *= clear[:, :, None]
    lit += air.haze
    return Backdrop(np.minimum(lit, 255), depth)
