"""People: a walking skeleton with clothes."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, radians, sin
from typing import TYPE_CHECKING

from edge_daemon.scenes.shape import Colour, Shape, Vec, mix, times

if TYPE_CHECKING:
    from numpy.random import Generator

SKINS: tuple[Colour, ...] = (
    (244, 208, 177), (231, 180, 143), (210, 153, 108), (165, 113, 78), (120, 78, 52), (82, 54, 40),
)  # fmt: skip
HAIRS: tuple[Colour, ...] = (
    (28, 22, 20), (52, 36, 26), (86, 58, 36), (140, 100, 60), (196, 164, 110), (150, 150, 150),
    (215, 212, 205), (120, 52, 28),
)  # fmt: skip
CLOTHES: tuple[Colour, ...] = (
    (28, 30, 36), (48, 52, 62), (90, 94, 100), (150, 150, 148), (222, 220, 214), (30, 44, 84),
    (44, 84, 140), (96, 140, 186), (150, 36, 40), (196, 60, 48), (60, 92, 56), (110, 118, 70),
    (188, 164, 124), (128, 92, 62), (226, 178, 62), (214, 118, 48), (122, 70, 116), (214, 150, 170),
    (60, 150, 150), (240, 236, 226),
)  # fmt: skip
TROUSERS: tuple[Colour, ...] = (
    (30, 32, 38), (38, 46, 70), (52, 70, 108), (78, 98, 134), (70, 66, 62), (110, 104, 92),
    (168, 152, 122), (44, 52, 44), (128, 128, 130), (22, 22, 24), (214, 208, 196),
)  # fmt: skip
SHOES: tuple[Colour, ...] = ((24, 22, 22), (70, 48, 34), (230, 228, 224), (90, 90, 96))


@dataclass(frozen=True, slots=True)
class Look:
    """What a person looks like; height_m from sole to crown."""

    height_m: float
    girth: float
    skin: Colour
    hair: Colour
    top: Colour
    bottom: Colour
    shoes: Colour
    sleeves: str  # long | short
    legs: str  # trousers | shorts | skirt | coat
    head: str  # short | long | cap | bald | hood
    carries: str  # nothing | backpack | bag | umbrella
    accent: Colour


def random_look(rng: Generator, *, rain: bool = False, night: bool = False) -> Look:
    """Somebody; umbrellas in rain."""
    child = rng.random() < 0.12
    cold = rng.random() < (0.6 if rain or night else 0.35)
    return Look(
        height_m=float(rng.uniform(1.05, 1.45) if child else rng.normal(1.71, 0.08)),
        girth=float(rng.uniform(0.85, 1.3)),
        skin=_varied(rng, SKINS),
        hair=_varied(rng, HAIRS),
        top=_varied(rng, CLOTHES),
        bottom=_varied(rng, TROUSERS),
        shoes=_varied(rng, SHOES),
        sleeves="long" if cold else str(rng.choice(["long", "short", "short"])),
        legs=str(rng.choice(["trousers"] * 6 + (["coat"] * 3 if cold else ["shorts", "skirt"]))),
        head=str(rng.choice(["short"] * 5 + ["long"] * 4 + ["cap", "bald"] + ["hood"] * cold)),
        carries="umbrella"
        if rain and rng.random() < 0.45
        else str(rng.choice(["nothing"] * 5 + ["backpack", "backpack", "bag"])),
        accent=_varied(rng, CLOTHES),
    )


def walking(look: Look, stride: float, effort: float) -> Shape:
    """Somebody at a point of the stride (radians); effort 0 stands, 1 walks, 1.6 runs."""
    shape = Shape(sort=True)
    tall, wide = look.height_m, look.height_m * look.girth
    swing = radians(27) * effort
    bob = 0.012 * tall * effort * abs(cos(stride)) - 0.012 * tall * effort
    hip, neck = 0.53 * tall + bob, 0.84 * tall + bob
    lean = 0.02 * tall * effort
    for side in (-1, 1):
        phase = stride if side > 0 else stride + pi
        _leg(shape, look, (side * 0.052 * wide, hip, 0.0), swing * sin(phase), phase, effort)
        shoulder = (side * 0.118 * wide, 0.815 * tall + bob, lean)
        raised = look.carries == "umbrella" and side > 0
        _arm(shape, look, shoulder, -swing * 0.85 * sin(phase), side, raised=raised)
    _torso(shape, look, hip, neck, lean)
    _head(shape, look, (0.0, neck, lean))
    if look.carries == "umbrella":
        _umbrella(shape, look, (0.14 * wide, 0.66 * tall, lean + 0.12 * tall))
    return shape


def _varied(rng: Generator, palette: tuple[Colour, ...]) -> Colour:
    """A colour of the palette, a little off."""
    base = palette[int(rng.integers(len(palette)))]
    shift = rng.normal(0, 7, 3)
    return tuple(min(max(float(c + d), 8.0), 250.0) for c, d in zip(base, shift))  # type: ignore[return-value]


def _leg(shape: Shape, look: Look, hip: Vec, thigh: float, phase: float, effort: float) -> None:
    tall = look.height_m
    bend = (radians(8) + radians(48) * max(0.0, cos(phase - 0.35))) * effort + radians(3)
    knee = (hip[0], hip[1] - 0.245 * tall * cos(thigh), hip[2] + 0.245 * tall * sin(thigh))
    shin = thigh - bend
    ankle = (knee[0], knee[1] - 0.245 * tall * cos(shin), knee[2] + 0.245 * tall * sin(shin))
    if ankle[1] < 0.035 * tall:
        ankle = (ankle[0], 0.035 * tall, ankle[2])
    pitch = max(-0.5, min(0.35, shin * 0.7))
    toe = (
        ankle[0],
        max(ankle[1] - 0.02 * tall + 0.105 * tall * sin(pitch), 0.014 * tall),
        ankle[2] + 0.105 * tall * cos(pitch),
    )
    bare = look.legs in ("shorts", "skirt")
    lower = look.skin if bare else look.bottom
    girth = look.girth
    shape.limb(ankle, toe, 0.024 * tall, 0.019 * tall, look.shoes)
    shape.limb(knee, ankle, 0.034 * tall * girth, 0.025 * tall, lower)
    upper = look.skin if look.legs == "skirt" else look.bottom
    shape.limb(hip, knee, 0.053 * tall * girth, 0.038 * tall * girth, upper)
    if look.legs in ("skirt", "coat"):
        cloth = look.top if look.legs == "coat" else look.bottom
        hem = tuple(h + (k - h) * 0.8 for h, k in zip(hip, knee))
        shape.limb(hip, hem, 0.068 * tall * girth, 0.072 * tall * girth, cloth)  # type: ignore[arg-type]


def _arm(
    shape: Shape, look: Look, shoulder: Vec, swing: float, side: int, *, raised: bool
) -> None:
    tall = look.height_m
    x, y, z = shoulder
    out = side * 0.028 * tall
    elbow = (x + out, y - 0.165 * tall * cos(swing), z + 0.165 * tall * sin(swing))
    bent = swing + radians(115 if raised else 22)
    hand = (
        elbow[0] + (0.0 if not raised else -out),
        elbow[1] - 0.15 * tall * cos(bent),
        elbow[2] + 0.15 * tall * sin(bent),
    )
    girth = look.girth
    fore = look.top if look.sleeves == "long" else look.skin
    shape.limb(elbow, hand, 0.025 * tall * girth, 0.019 * tall, fore)
    shape.limb(hand, (hand[0], hand[1] - 0.02 * tall, hand[2]), 0.02 * tall, 0.018 * tall, look.skin)
    shape.limb(shoulder, elbow, 0.036 * tall * girth, 0.028 * tall * girth, look.top)
    if look.carries == "bag" and side > 0:
        low = (hand[0], hand[1] - 0.16 * tall, hand[2])
        shape.limb((hand[0], hand[1] - 0.08 * tall, hand[2]), low, 0.05, 0.075, look.accent)


def _torso(shape: Shape, look: Look, hip: float, neck: float, lean: float) -> None:
    tall, wide = look.height_m, look.height_m * look.girth
    shape.limb((0, hip - 0.005 * tall, 0), (0, hip + 0.05 * tall, 0), 0.088 * wide, 0.085 * wide,
               look.top if look.legs == "coat" else look.bottom, behind_m=0.15)  # fmt: skip
    for side in (-1, 1):
        shoulder = (side * 0.085 * wide, neck - 0.05 * tall, lean)
        waist = (side * 0.035 * wide, hip + 0.04 * tall, 0.0)
        shape.limb(waist, shoulder, 0.062 * wide, 0.05 * wide, look.top)
    shape.limb((0, hip + 0.05 * tall, 0), (0, neck - 0.055 * tall, lean), 0.08 * wide, 0.072 * wide,
               look.top)  # fmt: skip
    if look.carries == "backpack":
        high, low = neck - 0.07 * tall, hip + 0.07 * tall
        back = -0.12 * wide
        shape.limb((0, low, back), (0, high, back + lean), 0.088 * tall, 0.07 * tall, look.accent)


def _head(shape: Shape, look: Look, neck: Vec) -> None:
    tall = look.height_m
    size = tall if tall > 1.5 else tall ** 0.6 * 1.55 ** 0.4  # a child's head is larger
    x, y, z = neck
    shape.limb((x, y - 0.03 * tall, z), (x, y + 0.03 * tall, z), 0.034 * tall, 0.03 * tall,
               times(look.skin, 0.9))  # fmt: skip
    chin, crown = y + 0.052 * size, y + 0.103 * size
    shape.limb((x, chin, z + 0.012 * size), (x, crown, z + 0.004 * size), 0.043 * size,
               0.05 * size, look.skin)  # fmt: skip
    if look.head == "bald":
        return
    if look.head == "hood":
        shape.limb((x, chin - 0.01 * size, z - 0.014 * size), (x, crown + 0.006 * size, z - 0.01),
                   0.056 * size, 0.058 * size, look.top)  # fmt: skip
        return
    cover = look.accent if look.head == "cap" else look.hair
    shape.limb((x, crown - 0.022 * size, z - 0.02 * size), (x, crown + 0.012 * size, z - 0.006 * size),
               0.05 * size, 0.053 * size, cover)  # fmt: skip
    shape.limb((x, crown + 0.022 * size, z - 0.02 * size), (x, crown + 0.026 * size, z + 0.022 * size),
               0.043 * size, 0.034 * size, cover)  # fmt: skip
    if look.head == "cap":
        shape.limb((x, crown + 0.02 * size, z + 0.03 * size), (x, crown + 0.012 * size, z + 0.075 * size),
                   0.03 * size, 0.02 * size, times(cover, 0.8))  # fmt: skip
    if look.head == "long":
        shape.limb((x, crown, z - 0.03 * size), (x, y - 0.03 * size, z - 0.045 * size),
                   0.048 * size, 0.04 * size, mix(look.hair, (0, 0, 0), 0.1))  # fmt: skip


def _umbrella(shape: Shape, look: Look, hand: Vec) -> None:
    tall = look.height_m
    x, y, z = hand
    top = (x, 1.2 * tall, z)
    shape.limb((x, y, z), top, 0.008, 0.008, (60, 60, 64))
    rim_m, rim_y = 0.46, 1.06 * tall
    rim = [(x + rim_m * cos(a), rim_y, z + rim_m * sin(a)) for a in (k * pi / 4 for k in range(8))]
    for k in range(8):
        tone = 0.85 + 0.3 * ((k * 5) % 8) / 8
        shape.face((rim[k], rim[(k + 1) % 8], top), times(look.accent, tone))
