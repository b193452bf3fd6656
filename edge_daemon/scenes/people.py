"""People: a walking skeleton with clothes."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, radians, sin
from typing import TYPE_CHECKING

from edge_daemon.scenes.shape import Colour, Shape, Vec, mix, times

if TYPE_CHECKING:
    from numpy.random import Generator

_SKINS: tuple[Colour, ...] = (
    (244, 208, 177), (231, 180, 143), (210, 153, 108), (165, 113, 78), (120, 78, 52), (82, 54, 40),
)  # fmt: skip
_HAIRS: tuple[Colour, ...] = (
    (28, 22, 20), (52, 36, 26), (86, 58, 36), (140, 100, 60), (196, 164, 110), (150, 150, 150),
    (215, 212, 205), (120, 52, 28),
)  # fmt: skip
_CLOTHES: tuple[Colour, ...] = (
    (28, 30, 36), (48, 52, 62), (90, 94, 100), (150, 150, 148), (222, 220, 214), (30, 44, 84),
    (44, 84, 140), (96, 140, 186), (150, 36, 40), (196, 60, 48), (60, 92, 56), (110, 118, 70),
    (188, 164, 124), (128, 92, 62), (226, 178, 62), (214, 118, 48), (122, 70, 116), (214, 150, 170),
    (60, 150, 150), (240, 236, 226),
)  # fmt: skip
_TROUSERS: tuple[Colour, ...] = (
    (30, 32, 38), (38, 46, 70), (52, 70, 108), (78, 98, 134), (70, 66, 62), (110, 104, 92),
    (168, 152, 122), (44, 52, 44), (128, 128, 130), (22, 22, 24), (214, 208, 196),
)  # fmt: skip
_SHOES: tuple[Colour, ...] = ((24, 22, 22), (70, 48, 34), (230, 228, 224), (90, 90, 96))


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

    @property
    def sleeve(self) -> Colour:
        """What is seen of the lower arm."""
        return self.top if self.sleeves == "long" else self.skin

    @property
    def calf(self) -> Colour:
        """What is seen of the lower leg."""
        return self.skin if self.legs in ("shorts", "skirt") else self.bottom


def random_look(rng: Generator, *, rain: bool = False, night: bool = False) -> Look:
    """Somebody, one in eight a child; often with an umbrella in rain."""
    child = rng.random() < 0.12
    cold = rng.random() < (0.6 if rain or night else 0.35)
    umbrella = rain and rng.random() < 0.45
    things = ["umbrella"] if umbrella else ["nothing"] * 5 + ["backpack"] * 2 + ["bag"]
    return Look(
        height_m=float(rng.uniform(1.05, 1.45) if child else rng.normal(1.71, 0.08)),
        girth=float(rng.uniform(0.85, 1.3)),
        skin=_varied(rng, _SKINS),
        hair=_varied(rng, _HAIRS),
        top=_varied(rng, _CLOTHES),
        bottom=_varied(rng, _TROUSERS),
        shoes=_varied(rng, _SHOES),
        sleeves="long" if cold else str(rng.choice(["long", "short", "short"])),
        legs=str(rng.choice(["trousers"] * 6 + (["coat"] * 3 if cold else ["shorts", "skirt"]))),
        head=str(rng.choice(["short"] * 5 + ["long"] * 4 + ["cap", "bald"] + ["hood"] * cold)),
        carries=str(rng.choice(things)),
        accent=_varied(rng, _CLOTHES),
    )


def walking(look: Look, stride: float, effort: float) -> Shape:
    """Somebody at a point of the stride (radians); effort 0 stands, 1 walks, 1.5 hurries."""
    shape = Shape(sort=True, unit_m=look.height_m)  # measures below are shares of the height
    swing = radians(27) * effort
    bob = 0.012 * effort * (abs(cos(stride)) - 1)
    hip, neck, lean = 0.53 + bob, 0.84 + bob, 0.02 * effort
    for side in (-1, 1):
        phase = stride if side > 0 else stride + pi
        bend = (radians(8) + radians(48) * max(0.0, cos(phase - 0.35))) * effort + radians(3)
        _leg(shape, look, (side * 0.052 * look.girth, hip, 0.0), swing * sin(phase), bend)
        shoulder = (side * 0.118 * look.girth, neck - 0.025, lean)
        _arm(shape, look, shoulder, -swing * 0.85 * sin(phase))
    _torso(shape, look, hip, neck, lean)
    _head(shape, look, (0.0, neck, lean))
    if look.carries == "umbrella":
        _umbrella(shape, look, (0.14 * look.girth, 0.66, lean + 0.12))
    return shape


def _varied(rng: Generator, palette: tuple[Colour, ...]) -> Colour:
    """A colour of the palette, a little off."""
    base = palette[int(rng.integers(len(palette)))]
    r, g, b = (min(max(float(c + d), 8.0), 250.0) for c, d in zip(base, rng.normal(0, 7, 3)))
    return (r, g, b)


def _leg(shape: Shape, look: Look, hip: Vec, thigh: float, bend: float) -> None:
    """A leg with its thigh at an angle before the hip and its knee bent, radians."""
    x, y, z = hip
    knee = (x, y - 0.245 * cos(thigh), z + 0.245 * sin(thigh))
    shin = thigh - bend
    ankle_y = max(knee[1] - 0.245 * cos(shin), 0.035)
    ankle = (x, ankle_y, knee[2] + 0.245 * sin(shin))
    pitch = max(-0.5, min(0.35, shin * 0.7))
    toe_y = max(ankle_y - 0.02 + 0.105 * sin(pitch), 0.014)
    toe = (x, toe_y, ankle[2] + 0.105 * cos(pitch))
    girth = look.girth
    shape.limb(ankle, toe, (0.024, 0.019), look.shoes)
    shape.limb(knee, ankle, (0.034 * girth, 0.025), look.calf)
    upper = look.skin if look.legs == "skirt" else look.bottom
    shape.limb(hip, knee, (0.053 * girth, 0.038 * girth), upper)
    if look.legs in ("skirt", "coat"):
        cloth = look.top if look.legs == "coat" else look.bottom
        hem = (x, y + (knee[1] - y) * 0.8, z + (knee[2] - z) * 0.8)
        shape.limb(hip, hem, (0.068 * girth, 0.072 * girth), cloth)


def _arm(shape: Shape, look: Look, shoulder: Vec, swing: float) -> None:
    """An arm at an angle before the shoulder, radians; the right one may hold something."""
    x, y, z = shoulder
    right = x > 0
    raised = right and look.carries == "umbrella"
    out = 0.028 if right else -0.028
    elbow = (x + out, y - 0.165 * cos(swing), z + 0.165 * sin(swing))
    bent = swing + radians(115 if raised else 22)
    hand_x = x if raised else elbow[0]
    hand = (hand_x, elbow[1] - 0.15 * cos(bent), elbow[2] + 0.15 * sin(bent))
    shape.limb(elbow, hand, (0.025 * look.girth, 0.019), look.sleeve)
    shape.limb(hand, (hand_x, hand[1] - 0.02, hand[2]), (0.02, 0.018), look.skin)
    shape.limb(shoulder, elbow, (0.036 * look.girth, 0.028 * look.girth), look.top)
    if right and look.carries == "bag":
        high, low = (hand_x, hand[1] - 0.06, hand[2]), (hand_x, hand[1] - 0.12, hand[2])
        shape.limb(high, low, (0.03, 0.045), look.accent)


def _torso(shape: Shape, look: Look, hip: float, neck: float, lean: float) -> None:
    girth = look.girth
    belt = look.top if look.legs == "coat" else look.bottom
    low, high = (0.0, hip - 0.005, 0.0), (0.0, hip + 0.05, 0.0)
    shape.limb(low, high, (0.088 * girth, 0.085 * girth), belt, behind_m=0.15)
    for side in (-1, 1):
        waist = (side * 0.035 * girth, hip + 0.04, 0.0)
        shoulder = (side * 0.085 * girth, neck - 0.05, lean)
        shape.limb(waist, shoulder, (0.062 * girth, 0.05 * girth), look.top)
    chest = (0.0, neck - 0.055, lean)
    shape.limb((0.0, hip + 0.05, 0.0), chest, (0.08 * girth, 0.072 * girth), look.top)
    if look.carries == "backpack":
        back = -0.12 * girth
        top = (0.0, neck - 0.07, back + lean)
        shape.limb((0.0, hip + 0.07, back), top, (0.088, 0.07), look.accent)


def _head(shape: Shape, look: Look, neck: Vec) -> None:
    s = max((1.55 / look.height_m) ** 0.4, 1.0)  # a child's head is larger
    x, y, z = neck
    shape.limb((x, y - 0.03, z), (x, y + 0.03, z), (0.034, 0.03), times(look.skin, 0.9))
    chin, crown = y + 0.052 * s, y + 0.103 * s
    face = (x, chin, z + 0.012 * s)
    shape.limb(face, (x, crown, z + 0.004 * s), (0.043 * s, 0.05 * s), look.skin)
    if look.head == "hood":
        low, high = (x, chin - 0.01 * s, z - 0.014 * s), (x, crown + 0.006 * s, z - 0.006)
        shape.limb(low, high, (0.056 * s, 0.058 * s), look.top)
    elif look.head != "bald":
        _hair(shape, look, (x, crown, z), s)


def _hair(shape: Shape, look: Look, crown: Vec, s: float) -> None:
    x, y, z = crown
    cover = look.accent if look.head == "cap" else look.hair
    low, high = (x, y - 0.022 * s, z - 0.02 * s), (x, y + 0.012 * s, z - 0.006 * s)
    shape.limb(low, high, (0.05 * s, 0.053 * s), cover)
    back, fringe = (x, y + 0.022 * s, z - 0.02 * s), (x, y + 0.026 * s, z + 0.022 * s)
    shape.limb(back, fringe, (0.043 * s, 0.034 * s), cover)
    if look.head == "cap":
        brim, tip = (x, y + 0.02 * s, z + 0.03 * s), (x, y + 0.012 * s, z + 0.075 * s)
        shape.limb(brim, tip, (0.03 * s, 0.02 * s), times(cover, 0.8))
    if look.head == "long":
        nape, ends = (x, y, z - 0.03 * s), (x, y - 0.133 * s, z - 0.045 * s)
        shape.limb(nape, ends, (0.048 * s, 0.04 * s), mix(look.hair, (0, 0, 0), 0.1))


def _umbrella(shape: Shape, look: Look, hand: Vec) -> None:
    x, y, z = hand
    top = (x, 1.2, z)
    shape.limb((x, y, z), top, (0.005, 0.005), (60, 60, 64))
    rim = [(x + 0.27 * cos(k * pi / 4), 1.06, z + 0.27 * sin(k * pi / 4)) for k in range(8)]
    for k in range(8):
        tone = 0.85 + 0.3 * ((k * 5) % 8) / 8
        shape.face((rim[k], rim[(k + 1) % 8], top), times(look.accent, tone))
