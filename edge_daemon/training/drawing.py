"""Plans of pictures drawn in batches, on whatever device the stored pictures are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from torch.nn import functional as F  # noqa: N812 - torch's own habit

from edge_daemon.training.augment import Dusk, Fog, Rain
from edge_daemon.training.resample import resample, sent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from edge_daemon.training.augment import Box, Cutout, Light, Pasting, Plan, View
    from edge_daemon.training.pictures import Pictures

_AT_ONCE: Final = {"cpu": 8, "cuda": 128}  # views: few stay in a CPU's cache
_BLUR_REACH_PX: Final = 4  # three deviations of the widest
_STREAK_GREY: Final = 215.0
_STREAK_SHARE: Final = 0.7


class Stored:
    """Stored pictures on a device: by key, uint8 RGB (H, W, 3), views of a few large tensors."""

    def __init__(self, pictures: Pictures, device: torch.device) -> None:
        self._flat: dict[str, tuple[Tensor, tuple[int, int, int]]] = {}
        for part in pictures.parts():
            flat = torch.from_numpy(part.pixels).to(device)
            self._flat = {**{key: (flat, at) for key, at in part.places.items()}, **self._flat}

    def __getitem__(self, key: str) -> Tensor:
        """The picture's pixels, a view.  Raises KeyError."""
        flat, (offset, height, width) = self._flat[key]
        return flat[offset : offset + height * width * 3].view(height, width, 3)


class Easel:
    """Draws plans.  Holds the stored pictures and the cut-outs on the device."""

    def __init__(
        self,
        pictures: Pictures,
        cutouts: Mapping[str, Sequence[Cutout]],
        size: tuple[int, int],
        device: torch.device,
    ) -> None:
        self._pictures, self._size, self.device = Stored(pictures, device), size, device
        self._cutouts = {
            name: [torch.from_numpy(c.rgba).to(device) for c in bank]
            for name, bank in cutouts.items()
        }

    def draw(self, plans: Sequence[Plan], seed: int) -> Tensor:
        """Pictures uint8 RGB (N, H, W, 3) on the device; seed decides about their noise."""
        noise = torch.Generator(self.device).manual_seed(seed)
        width, height = self._size
        drawn = torch.empty(len(plans), height, width, 3, dtype=torch.uint8, device=self.device)
        single = [n for n, plan in enumerate(plans) if len(plan.views) == 1]
        tiled = [n for n, plan in enumerate(plans) if len(plan.views) > 1]
        for chosen in self._portions(single):
            views = [plans[n].views[0] for n in chosen]
            drawn[sent(chosen, self.device)] = self._views(views, self._size, noise)
        for chosen in self._portions(tiled, per=4):
            views = [view for n in chosen for view in plans[n].views]
            parts = self._views(views, (width // 2, height // 2), noise)
            parts = parts.view(len(chosen), 2, 2, height // 2, width // 2, 3).transpose(2, 3)
            drawn[sent(chosen, self.device)] = parts.reshape(len(chosen), height, width, 3)
        for picture, plan in zip(drawn, plans):
            self._finish(picture, plan)
        return drawn

    def _portions(self, numbers: list[int], per: int = 1) -> list[list[int]]:
        n = max(1, _AT_ONCE.get(self.device.type, 128) // per)
        return [numbers[i : i + n] for i in range(0, len(numbers), n)]

    def _views(self, views: list[View], size: tuple[int, int], noise: torch.Generator) -> Tensor:
        pieces = [self._pictures[v.key][_part(v.window)] for v in views]
        pictures = resample(pieces, size, [v.mirrored for v in views])  # (N, H, W, 3)
        pictures = relit(pictures, [v.light for v in views], noise)
        return in_weather(pictures, views).round_().clamp_(0, 255).to(torch.uint8)

    def _finish(self, picture: Tensor, plan: Plan) -> None:
        for cover in plan.covers:
            taken = picture[_part(cover.taken)].clone()
            over = picture[_part(cover.over)]
            over.copy_(resample([taken], (over.shape[1], over.shape[0]), [cover.mirrored])[0])
        for pasting in plan.pastings:
            _paste(picture, pasting, self._cutouts[pasting.name][pasting.number])


def relit(pictures: Tensor, lights: Sequence[Light], noise: torch.Generator) -> Tensor:
    """Pictures float32 (N, H, W, 3) in levels of 255, each in its light."""
    device = pictures.device
    tones = sent([(x.power, x.gain, x.lift) for x in lights], device)
    power, gain, lift = tones[..., None].unbind(1)  # each (N, 1)
    curve = torch.arange(256, device=device) / 255
    table = ((curve**power - 0.5) * gain + 0.5 + lift) * 255  # (N, 256)
    levels = pictures.round().clamp(0, 255).long().flatten(1)
    pictures = table.clamp(0, 255).gather(1, levels).view_as(pictures)
    blurred = [n for n, x in enumerate(lights) if x.blur_px]
    if blurred:
        at = sent(blurred, device)
        deviations = sent([lights[n].blur_px for n in blurred], device)
        pictures[at] = _blurred(pictures[at], deviations)
    noisy = [n for n, x in enumerate(lights) if x.noise]
    if noisy:
        at = sent(noisy, device)
        deviation = sent([lights[n].noise for n in noisy], device)[:, None, None, None]
        shape = (len(noisy), *pictures.shape[1:])
        pictures[at] += torch.randn(shape, generator=noise, device=device) * deviation
    return pictures


def in_weather(pictures: Tensor, views: Sequence[View]) -> Tensor:
    """Pictures float32 (N, H, W, 3) in levels of 255, in the weather of their views."""
    for picture, view in zip(pictures, views):
        if isinstance(view.weather, Fog):
            height = picture.shape[0]
            share = torch.linspace(
                view.weather.top, view.weather.bottom, height, device=picture.device
            )[:, None, None]
            picture.mul_(1 - share).add_(view.weather.grey * share)
        elif isinstance(view.weather, Rain):
            share = _streaks(view.weather, picture.device) * _STREAK_SHARE
            picture.mul_(view.weather.left).mul_(1 - share).add_(_STREAK_GREY * share)
        elif isinstance(view.weather, Dusk):
            dark = (picture.clamp(0, 255) / 255) ** view.weather.power
            picture.copy_(dark * (255 * view.weather.left))
    return pictures


def _streaks(rain: Rain, device: torch.device) -> Tensor:
    """Where streaks are, float32 (H, W, 1) in [0, 1], on the device."""
    mask = torch.from_numpy(rain.streaks)
    if device.type == "cuda":
        mask = mask.pin_memory()
    return mask.to(device, non_blocking=True)[:, :, None].float() / 255


def _paste(picture: Tensor, pasting: Pasting, rgba: Tensor) -> None:
    below = picture[_part(pasting.over)]
    thing = resample([rgba], (below.shape[1], below.shape[0]), [pasting.mirrored])[0]
    colour, alpha, under = thing[..., :3], thing[..., 3:] / 255, below.float()
    ratio = (under.mean() + 30) / (colour.mean() + 30)
    toned = (colour * ratio**pasting.tone).clamp(0, 255)
    below.copy_(toned * alpha + under * (1 - alpha))


def _blurred(pictures: Tensor, deviation: Tensor) -> Tensor:
    """Each by a Gaussian of its own deviation in pixels (N,)."""
    reach = _BLUR_REACH_PX
    offset = torch.arange(-reach, reach + 1, device=pictures.device)
    kernel = torch.exp(-0.5 * (offset / deviation[:, None]) ** 2)  # (N, taps)
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(3, 0)  # of each channel
    n, height, width, _ = pictures.shape
    planes = pictures.permute(0, 3, 1, 2).reshape(1, n * 3, height, width)
    planes = F.pad(planes, (reach, reach, reach, reach), mode="reflect")
    planes = F.conv2d(planes, kernel[:, None, :, None], groups=n * 3)
    planes = F.conv2d(planes, kernel[:, None, None, :], groups=n * 3)
    return planes.view(n, 3, height, width).permute(0, 2, 3, 1)


def _part(box: Box) -> tuple[slice, slice]:
    x1, y1, x2, y2 = box
    return slice(y1, y2), slice(x1, x2)
