"""The three graphs of a grounded bundle, as torch modules."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own habit

from edge_daemon.training.meaning import Meaning

if TYPE_CHECKING:
    from pathlib import Path

# Inverted residual blocks of MobileNetV2: expansion, channels, stride.
# Source: Sandler et al. 2018, table 2.
_BLOCKS: Final = (
    (1, 16, 1),
    *((6, 24, 2), (6, 24, 1)),
    *((6, 32, 2), (6, 32, 1), (6, 32, 1)),
    *((6, 64, 2), (6, 64, 1), (6, 64, 1), (6, 64, 1)),
    *((6, 96, 1), (6, 96, 1), (6, 96, 1)),
    *((6, 160, 2), (6, 160, 1), (6, 160, 1)),
    (6, 320, 1),
)
_STRIDE_8, _STRIDE_16 = 7, 14  # blocks whose expanded features still have that stride
_MID: Final = 128  # channels of the stride-8 branch

ROLES: Final = ("subject", "amount", "partner", "place", "attribute", "scene", "head", "head2")
"""What each of the K vectors of a question is for, in order."""

POSITIONS: Final = 24
COUNTS: Final = 10  # thermometer steps
_COLOURS: Final = (
    (1.0, -0.5, -0.5), (1.5, -1.5, 0.0), (1.0, -1.0, 1.0), (-0.5, 1.0, -0.5), (-1.5, 1.5, 0.0),
    (-1.0, 0.5, 0.5), (-2.0, 1.0, 1.0), (0.5, 0.5, -1.0), (1.0, 0.2, -1.2), (-0.5, -0.5, 1.0),
    (0.4, 0.4, 0.4), (-0.4, -0.4, -0.4), (2.0, -1.0, -1.0), (-1.0, 2.0, -1.0), (1.0, 1.0, -2.0),
    (0.0, 1.0, -1.0),
)  # fmt: skip
"""First weights of red, green, blue in each colour filter."""

_CONDITION: Final = 64
_BIAS: Final = 8


class ConvReLU6(nn.Sequential):
    """Convolution with bias and ReLU6; a stride of 2 pads right and bottom as TensorFlow does."""

    def __init__(
        self, n_in: int, n_out: int, kernel: int, stride: int = 1, groups: int = 1
    ) -> None:
        pad = nn.ZeroPad2d((0, 1, 0, 1)) if stride == 2 else nn.Identity()
        padding = kernel // 2 if stride == 1 else 0
        conv = nn.Conv2d(n_in, n_out, kernel, stride, padding, groups=groups)
        super().__init__(pad, conv, nn.ReLU6())


class Block(nn.Module):
    """Inverted residual: expand, filter each channel, project."""

    def __init__(self, n_in: int, expansion: int, n_out: int, stride: int) -> None:
        super().__init__()
        wide = n_in * expansion
        self.expand = ConvReLU6(n_in, wide, 1) if expansion > 1 else None
        self.filter = ConvReLU6(wide, wide, 3, stride, groups=wide)
        self.project = nn.Conv2d(wide, n_out, 1)
        self.residual = stride == 1 and n_in == n_out

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Output (B,n_out,h,w) and the expanded features before the filter."""
        wide = x if self.expand is None else self.expand(x)
        out = self.project(self.filter(wide))
        return (x + out if self.residual else out), wide


class LampColour(nn.Module):
    """Strongest colours in each token's cell, straight from the picture.

    A lit lamp is a few pixels; on the way to stride 16 the encoder forgets what colour they had.
    Source: measured 2026-11-21, a linear probe of its tokens told red from green in 64 % of
    photographs, one of raw pixels in 90 %.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.filters = ConvReLU6(3, len(_COLOURS), 3, 2)
        self.strongest = nn.MaxPool2d(8)
        self.out = nn.Conv2d(len(_COLOURS), dim, 1)
        weight = torch.tensor(_COLOURS)[:, :, None, None].expand(-1, -1, 3, 3) / 9
        bias = torch.full((len(_COLOURS),), -0.3)
        self.filters[1].load_state_dict({"weight": weight, "bias": bias})

    def forward(self, picture: Tensor) -> Tensor:
        """Normalised picture (B,3,H,W) to (B,D,H/16,W/16)."""
        return torch.as_tensor(self.out(self.strongest(self.filters(picture))))


class ImageEncoder(nn.Module):
    """uint8 pictures (B,H,W,3) to tokens (B,T,D) on the stride-16 grid, row by row."""

    def __init__(self, dim: int, frozen_blocks: int = 0) -> None:
        super().__init__()
        self.stem = ConvReLU6(3, 32, 3, 2)
        widths = [32, *(n_out for _, n_out, _ in _BLOCKS)]
        self.blocks = nn.ModuleList(
            Block(n_in, expansion, n_out, stride)
            for n_in, (expansion, n_out, stride) in zip(widths, _BLOCKS)
        )
        self.from_8 = nn.Sequential(ConvReLU6(192, 32, 1), ConvReLU6(32, _MID, 3, 2))
        self.from_16 = nn.Conv2d(576, dim, 1)
        self.from_32 = nn.Conv2d(320, dim, 1)
        self.from_all = nn.Conv2d(320, dim, 1)
        self.colour = LampColour(dim)
        self.mix_8 = nn.Conv2d(_MID, dim, 1)
        self.mix = ConvReLU6(dim, dim, 3)
        self.mix_again = Block(dim, 2, dim, 1)
        self.out = nn.Conv2d(dim, dim, 1)
        self.frozen_blocks = frozen_blocks
        for module in (self.stem, *self.blocks[:frozen_blocks]) if frozen_blocks else ():
            module.requires_grad_(requires_grad=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Tokens (B,T,D), T = H/16 * W/16."""
        x = (pixels.permute(0, 3, 1, 2).float() - 127.0) / 127.5  # (B,3,H,W)
        colour = self.colour(x)
        x = self.stem(x)
        kept: dict[int, Tensor] = {}
        for n, block in enumerate(self.blocks, 1):
            x, wide = block(x)
            kept[n] = wide
        pooled = x.mean((2, 3), keepdim=True)  # (B,320,1,1)
        up = F.interpolate(self.from_32(x), scale_factor=2.0, mode="nearest")  # (B,D,h,w)
        fine = self.mix_8(self.from_8(kept[_STRIDE_8]))
        mixed = F.relu6(self.from_16(kept[_STRIDE_16]) + up + fine + colour + self.from_all(pooled))
        mixed = mixed + self.mix(mixed)
        mixed, _ = self.mix_again(mixed)
        tokens: Tensor = self.out(mixed).flatten(2).transpose(1, 2)
        return tokens  # (B,T,D)

    def load_mobilenet(self, weights: Path) -> None:
        """Start from the ImageNet weights given.  Raises KeyError when one is missing."""
        tensors = load_file(weights)
        convolutions = [
            m for b in (self.stem, *self.blocks) for m in b.modules() if isinstance(m, nn.Conv2d)
        ]
        names = [k[: -len(".weight")] for k in tensors if k.endswith(".c.weight")]
        names.sort(key=lambda name: [int(part) for part in name.split(".") if part.isdigit()])
        for convolution, name in zip(convolutions, names):
            state = {k: tensors[f"{name}.{k}"] for k in ("weight", "bias")}
            convolution.load_state_dict(state)


class Attention(nn.Module):
    """Multi-head attention in plain matrix products, which every runtime knows."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.out = (nn.Linear(dim, dim) for _ in range(4))

    def forward(self, x: Tensor, context: Tensor, shut: Tensor) -> Tensor:
        """Let x (Q,N,d) look at context (Q,L,d); shut (Q,1,1,L) is -1e4 on padding, else 0."""
        n, width = x.shape[1], x.shape[2] // self.heads
        query = self.query(x).reshape(-1, n, self.heads, width).transpose(1, 2)
        key = self.key(context).reshape(-1, context.shape[1], self.heads, width).permute(0, 2, 3, 1)
        value = self.value(context).reshape(-1, context.shape[1], self.heads, width).transpose(1, 2)
        weight = torch.softmax(query @ key / math.sqrt(width) + shut, dim=-1)  # (Q,h,N,L)
        mixed = (weight @ value).transpose(1, 2).reshape(-1, n, self.heads * width)
        return torch.as_tensor(self.out(mixed))


class Layer(nn.Module):
    """One pre-norm transformer layer."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.norm, self.attention = nn.LayerNorm(dim), Attention(dim, heads)
        self.feed = nn.Sequential(
            nn.LayerNorm(dim), nn.Linear(dim, 2 * dim), nn.ReLU(), nn.Linear(2 * dim, dim)
        )

    def forward(self, x: Tensor, shut: Tensor) -> Tensor:
        """Map x (Q,L,d) to the same shape."""
        normed = self.norm(x)
        x = x + self.attention(normed, normed, shut)
        return x + torch.as_tensor(self.feed(x))


class QuestionEncoder(nn.Module):
    """Word-piece ids int64 (Q,L), 0 = padding, to one vector per role (Q,K,D)."""

    def __init__(self, vocabulary: int, length: int, dim: int, width: int, layers: int) -> None:
        super().__init__()
        self.words = nn.Embedding(vocabulary, width, padding_idx=0)
        self.order = nn.Parameter(torch.randn(length, width) * 0.02)
        nn.init.normal_(self.words.weight, std=0.3)
        self.layers = nn.ModuleList(Layer(width, 4) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.roles = nn.Parameter(torch.randn(len(ROLES), width) * 0.5)
        self.gather = Attention(width, 4)
        self.to_vector = nn.Parameter(torch.randn(len(ROLES), width, dim) / math.sqrt(width))
        self.drop = nn.Dropout(0.1)

    def forward(self, ids: Tensor) -> Tensor:
        """Vectors (Q,K,D)."""
        shut = (ids == 0).float()[:, None, None, :] * -1e4  # (Q,1,1,L)
        x = self.drop(self.words(ids) + self.order[: ids.shape[1]])
        for layer in self.layers:
            x = layer(x, shut)
        x = self.norm(x)
        roles = self.roles.unsqueeze(0) + torch.zeros_like(x[:, :1])  # (Q,K,w)
        gathered = roles + self.gather(roles, x, shut)
        return torch.matmul(gathered.transpose(0, 1), self.to_vector).transpose(0, 1)


def positions(columns: int, rows: int) -> Tensor:
    """Fixed features of where each token lies, (T, POSITIONS): 1, x, y, products and waves."""
    y, x = torch.meshgrid(
        (torch.arange(rows) + 0.5) / rows * 2 - 1,
        (torch.arange(columns) + 0.5) / columns * 2 - 1,
        indexing="ij",
    )
    x, y = x.flatten(), y.flatten()
    features = [torch.ones_like(x), x, y, x * x, y * y, x * y, x.abs(), y.abs()]
    for k in (1, 2):
        for axis in (x, y):
            features += [torch.sin(k * torch.pi * axis), torch.cos(k * torch.pi * axis)]
    steps = torch.tensor([-0.6, -0.2, 0.2, 0.6])
    features += [torch.sigmoid(8 * (axis - s)) for axis in (x, y) for s in steps]
    return torch.stack(features, 1)


class AnswerHead(nn.Module):
    """Tokens and question vectors to logits and maps.  Only matrix products: no loop over Q."""

    positions: Tensor
    steps: Tensor

    def __init__(self, columns: int, rows: int, dim: int) -> None:
        super().__init__()
        self.register_buffer("positions", positions(columns, rows).T.contiguous(), persistent=False)
        self.register_buffer("steps", torch.arange(COUNTS) + 0.5, persistent=False)
        self.columns, self.rows, self.scale = columns, rows, dim**-0.5
        features, hidden = 7 + COUNTS, 64
        self.features = nn.Linear(features, hidden)
        self.gain = nn.Linear(_CONDITION, hidden)
        self.shift = nn.Linear(_CONDITION, hidden)
        self.middle = nn.Linear(hidden, 32)
        self.logits = nn.Linear(32, 2)

    def forward(self, tokens: Tensor, vectors: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Answer from tokens (B,T,D), vectors (Q,K,D), mask (Q,T).

        Returns logits (B,Q,2), evidence (B,Q,T), and for the losses subject and partner (B,Q,T)
        logits, amount (B,Q,T) logits, place (Q,T) logits.
        """
        roles = dict(zip(ROLES, vectors.unbind(1)))  # each (Q,D)
        condition, bias = roles["head"][:, :_CONDITION], roles["head2"][:, :_BIAS]
        keyed = tokens.transpose(1, 2) * self.scale  # (B,D,T)
        subject = roles["subject"] @ keyed + bias[:, 0:1] - 3.0  # (B,Q,T)
        partner = roles["partner"] @ keyed + bias[:, 1:2] - 3.0
        amount = roles["amount"] @ keyed + bias[:, 2:3] - 5.0
        place = roles["place"][:, :POSITIONS] @ self.positions + 3.0  # (Q,T)
        weight = torch.sigmoid(place) * mask  # (Q,T)
        closed = torch.log(weight + 1e-6)
        focus = torch.softmax(subject + closed, dim=-1)
        focus_partner = torch.softmax(partner + closed, dim=-1)
        attribute = (focus * (roles["attribute"] @ keyed)).sum(-1)
        scene = (roles["scene"] @ keyed).mean(-1) + bias[:, 3]
        count = (F.softplus(amount) * weight).sum(-1)  # (B,Q)
        found = (focus * subject).sum(-1)
        found_partner = (focus_partner * partner).sum(-1)
        steps = torch.sigmoid(4.0 * (count[..., None] - self.steps))  # (B,Q,COUNTS)
        parts = [found, torch.sigmoid(found), found_partner, torch.sigmoid(found_partner)]
        parts += [attribute, scene, torch.log1p(count)]
        features = torch.cat([torch.stack(parts, -1), steps], -1)
        hidden = self.features(features) * (1 + self.gain(condition)) + self.shift(condition)
        logits = self.logits(F.relu(self.middle(F.relu(hidden))))
        unshown = (1 - torch.sigmoid(subject)) * (1 - torch.sigmoid(partner))
        return {
            "logits": logits,
            "evidence": (1 - unshown) * weight,
            "subject": subject,
            "partner": partner,
            "amount": amount,
            "place": place,
        }


class Network(nn.Module):
    """All three together, for training."""

    def __init__(
        self,
        *,
        vocabulary: int,
        length: int,
        columns: int,
        rows: int,
        dim: int,
        question_width: int,
        question_layers: int,
        frozen_blocks: int = 0,
    ) -> None:
        super().__init__()
        self.image = ImageEncoder(dim, frozen_blocks)
        self.question = QuestionEncoder(vocabulary, length, dim, question_width, question_layers)
        self.answer = AnswerHead(columns, rows, dim)
        self.meaning = Meaning(ROLES, dim, _CONDITION)

    def forward(self, pixels: Tensor, ids: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Pictures uint8 (B,H,W,3), ids (Q,L), mask (Q,T): as AnswerHead."""
        return dict(self.answer(self.image(pixels).float(), self.question(ids), mask))
