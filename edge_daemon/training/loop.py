"""The training loop: resumable, averaged weights, curves."""

from __future__ import annotations

import json
import logging
import time
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Final

import torch
from torch.utils.data import DataLoader

from edge_daemon.training.batches import Batches
from edge_daemon.training.drawing import Easel
from edge_daemon.training.losses import losses
from edge_daemon.training.meaning import learn_to_read
from edge_daemon.training.network import Network
from edge_daemon.training.pace import rate_share
from edge_daemon.training.rereading import reread
from edge_daemon.training.warm_start import start_from

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import Tensor

    from edge_daemon.training.batches import Batch
    from edge_daemon.training.data import Material
    from edge_daemon.training.settings import Settings

log = logging.getLogger(__name__)

_MEANING_WEIGHT: Final = 0.5
_NOTED_EVERY: Final = 20


def build_network(settings: Settings, vocabulary: int, length: int) -> Network:
    """A fresh network of the sizes configured."""
    model = settings.model
    return Network(
        vocabulary=vocabulary,
        length=length,
        columns=model.width // 16,
        rows=model.height // 16,
        dim=model.dim,
        question_width=model.question_width,
        question_layers=model.question_layers,
        frozen_blocks=model.frozen_blocks,
    )


def train(
    settings: Settings,
    material: Material,
    out: Path,
    device: torch.device,
    until_s: float | None = None,
) -> bool:
    """Train on from the run's checkpoint; returns whether the configured steps are done.

    Stops with a checkpoint when time.monotonic() passes until_s.  A run that was killed and
    resumed ends with the same weights as one that was not.
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / "settings.json").write_text(settings.model_dump_json(indent=1))
    if device.type == "cpu":
        torch.set_num_threads(settings.threads)
    else:
        torch.set_float32_matmul_precision("high")  # TF32
        torch.backends.cudnn.benchmark = True
    torch.manual_seed(settings.seed)
    run = _Run(settings, material, device)
    checkpoint, curves = out / "checkpoint.pt", out / "curves.jsonl"
    if checkpoint.exists():
        run.restore(checkpoint)
    else:
        run.learn_to_read()
        run.save(checkpoint)
    _forget_after(curves, run.step)
    with curves.open("a", encoding="utf-8") as lines:
        run.go_on(checkpoint, lambda row: _noted(row, lines), until_s)
    return run.step >= settings.optim.steps


def _forget_after(curves: Path, step: int) -> None:
    """Drop what a killed run noted after its last checkpoint."""
    if curves.exists():
        kept = [
            line for line in curves.read_text().splitlines() if json.loads(line)["step"] <= step
        ]
        curves.write_text("".join(f"{line}\n" for line in kept))


def _noted(row: dict[str, float], curves: Any) -> None:  # noqa: ANN401 - any text file
    curves.write(json.dumps(row) + "\n")
    curves.flush()
    log.info("%s", " ".join(f"{name}={value:.4g}" for name, value in row.items()))


def in_order(
    batches: Batches, numbers: range, workers: int, *, cuda: bool = False
) -> DataLoader[Batch]:
    """Batches of these numbers, in order, made by so many processes; 0: by this one.

    Workers are forked from a server that was started afresh, never from this process: a copy of
    one with threads (of torch, OpenCV, decoders) holds locks that nobody will ever give back.
    """
    server = get_context("forkserver")
    server.set_forkserver_preload([Batches.__module__])  # once, not in each worker
    return DataLoader(
        batches,
        batch_size=None,
        sampler=numbers,
        num_workers=workers,
        multiprocessing_context=server if workers else None,
        pin_memory=cuda,
        prefetch_factor=4 if cuda and workers else None,
    )


class _Run:
    """Network, optimiser and averaged weights at some step."""

    def __init__(self, settings: Settings, material: Material, device: torch.device) -> None:
        self.settings, self.material, self.device = settings, material, device
        tokenizer = material.tokenizer
        self.network = build_network(settings, len(tokenizer.vocab), tokenizer.max_length)
        if settings.optim.start_from is None:
            self.network.image.load_mobilenet(
                settings.data.root / "init" / "mobilenet_v2_1.0_224.safetensors"
            )
            self.new_words = None
        else:
            self.new_words = start_from(self.network, settings.optim.start_from, tokenizer.vocab)
        self.easel = Easel(
            material.pictures,
            material.cutouts,
            (settings.model.width, settings.model.height),
            device,
        )
        self.step, self.bfloat16 = 0, _has_bfloat16(device)
        self.network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload] # torch's stubs lack it
        self.average = {k: v.detach().clone() for k, v in self.network.state_dict().items()}
        self.optimiser = torch.optim.AdamW(
            self._groups(),
            weight_decay=settings.optim.weight_decay,
            betas=(0.9, 0.98),
            fused=True,
        )
        self.look = torch.compile(self.network.image) if settings.compile else self.network.image

    def learn_to_read(self) -> None:
        network, steps, seed = self.network, self.settings.optim.reading_steps, self.settings.seed
        pupil = network.question, network.meaning, self.material.tokenizer
        if self.new_words is None:
            learn_to_read(*pupil, steps=steps, seed=seed)
        else:
            new_words = self.new_words.to(self.device)
            reread(*pupil, steps=steps, seed=seed, new_words=new_words)
        self.average = {k: v.detach().clone() for k, v in network.state_dict().items()}

    def restore(self, checkpoint: Path) -> None:
        state = torch.load(checkpoint, map_location=self.device, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average = state["average"]
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = state["step"]

    def save(self, checkpoint: Path) -> None:
        fresh = checkpoint.with_suffix(".new")
        torch.save(
            {
                "network": self.network.state_dict(),
                "average": self.average,
                "optimiser": self.optimiser.state_dict(),
                "step": self.step,
                "vocab": self.material.tokenizer.vocab,
            },
            fresh,
        )
        fresh.replace(checkpoint)

    def go_on(
        self,
        checkpoint: Path,
        note: Callable[[dict[str, float]], None],
        until_s: float | None,
    ) -> None:
        settings = self.settings
        started, counted = time.monotonic(), 0
        sums: dict[str, Tensor] = {}
        for batch in self._batches():
            for name, value in self._learn(batch.to(self.device)).items():
                sums[name] = sums.get(name, value.new_zeros(())) + value
            self.step, counted = self.step + 1, counted + 1
            late = until_s is not None and time.monotonic() > until_s
            if self.step % _NOTED_EVERY == 0 or self.step == settings.optim.steps or late:
                # Only here does the processor wait for the device.
                means = {name: float(value) / counted for name, value in sums.items()}
                rate = counted * settings.optim.batch / (time.monotonic() - started)
                note({"step": self.step, **means, "pictures_per_s": rate})
                sums, started, counted = {}, time.monotonic(), 0
            if self.step % settings.checkpoint_every == 0:
                self.save(checkpoint)
            if late:
                break
        self.save(checkpoint)

    def _batches(self) -> DataLoader[Batch]:
        material = self.material
        batches = Batches(
            self.settings,
            material.train,
            material.pictures,
            material.cutouts,
            material.tokenizer,
        )
        numbers = range(self.step, self.settings.optim.steps)
        cuda = self.device.type == "cuda"
        return in_order(batches, numbers, self.settings.workers or 0, cuda=cuda)

    def _learn(self, batch: Batch) -> dict[str, Tensor]:
        """One step; returns the parts of the loss, on the device."""
        optim, seed = self.settings.optim, self.settings.seed * 1_000_003 + self.step
        torch.manual_seed(seed)  # of what is dropped; a step needs no state but its number
        pixels = self.easel.draw(batch.plans, seed)
        for group in self.optimiser.param_groups:
            group["lr"] = group["peak"] * rate_share(self.step, optim.warm_up, optim.steps)
        self.network.train()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            tokens = self.look(pixels)
        vectors = self.network.question(batch.ids)
        parts = losses(self.network.answer(tokens.float(), vectors, batch.zones), batch)
        parts["meaning"] = self.network.meaning.losses(vectors, batch.meaning)
        parts["loss"] = parts["loss"] + _MEANING_WEIGHT * parts["meaning"]
        self.optimiser.zero_grad(set_to_none=True)
        parts["loss"].backward()  # type: ignore[no-untyped-call] # torch's own
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 2.0)
        self.optimiser.step()
        self._follow(min(optim.average, (self.step + 1) / (self.step + 10)))
        return {name: value.detach() for name, value in parts.items()}

    def _follow(self, decay: float) -> None:
        """Move the averaged weights toward those of now."""
        now = self.network.state_dict()
        averages = list(self.average.values())
        torch._foreach_lerp_(averages, [now[name] for name in self.average], 1 - decay)

    def _groups(self) -> list[dict[str, Any]]:
        old = {
            id(p)
            for m in (self.network.image.stem, self.network.image.blocks)
            for p in m.parameters()
        }
        learnt = [p for p in self.network.parameters() if p.requires_grad]
        optim = self.settings.optim
        return [
            {"params": [p for p in learnt if id(p) in old], "peak": optim.encoder_rate},
            {"params": [p for p in learnt if id(p) not in old], "peak": optim.rate},
        ]


def _has_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is faster: on a CPU without its instructions it is 50 times slower."""
    if device.type != "cpu":
        return True
    found = torch.cpu.get_capabilities()
    return any(found.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))
