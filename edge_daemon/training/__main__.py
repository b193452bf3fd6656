"""Making a bundle: ``train`` a network, ``export`` it calibrated, ``card`` its measured scores.

``drift`` measures anew what pictures of training are like to a bundle, as export does.

INT8 is then made by ``edge-daemon engine quantize``.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_daemon.errors import EdgeError
from edge_daemon.training.settings import Settings

if TYPE_CHECKING:
    from edge_daemon.training.data import Material
    from edge_daemon.training.evaluate import Seen

log = logging.getLogger(__name__)


def main(arguments: list[str] | None = None) -> int:
    """Run one step; returns the exit code."""
    parser = argparse.ArgumentParser(prog="train", description=__doc__)
    parser.add_argument("step", choices=("train", "export", "drift", "card", "pack"))
    parser.add_argument("--settings", type=Path, default=Path("edge_daemon/training/street.yaml"))
    parser.add_argument("--run", type=Path, required=True, help="checkpoint, curves and scores")
    parser.add_argument("--megabytes", type=float, default=50, help="of a packed file, at most")
    parser.add_argument("--device", help="cpu or cuda; a GPU is taken where there is one")
    parser.add_argument("--steps", type=int, help="batches in all, instead of those configured")
    parser.add_argument("--minutes", type=float, help="train no longer than that; resumable")
    parser.add_argument("--bundle", type=Path, default=Path("engines/street"))
    parser.add_argument("--version", default="0.1.0", help="of the bundle that is exported")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        settings = Settings.read(chosen.settings)
        steps = {"train": _train, "export": _export, "drift": _drift, "card": _card}
        steps |= {"pack": _pack}
        steps[chosen.step](settings, chosen)
    except EdgeError as exc:
        print(exc, file=sys.stderr)
        return exc.exit_code
    return 0


def _train(settings: Settings, chosen: argparse.Namespace) -> None:
    import torch  # noqa: PLC0415 - slow to load

    from edge_daemon.training.data import open_material  # noqa: PLC0415
    from edge_daemon.training.loop import train  # noqa: PLC0415
    from edge_daemon.training.plots import plot_curves  # noqa: PLC0415

    until_s = None if chosen.minutes is None else time.monotonic() + 60 * chosen.minutes
    device = torch.device(chosen.device or ("cuda" if torch.cuda.is_available() else "cpu"))
    settings = settings.on(device.type, chosen.steps)
    done = train(settings, open_material(settings), chosen.run, device, until_s)
    plot_curves(chosen.run / "curves.jsonl", chosen.run / "curves.png")
    if not done:
        log.info("stopped for lack of time -- give the same command again to go on")


def _pack(settings: Settings, chosen: argparse.Namespace) -> None:
    """Write what a run reads into the run's directory, to be copied elsewhere."""
    from edge_daemon.training.pack import pack  # noqa: PLC0415

    for path in pack(settings.data.root, chosen.run, int(chosen.megabytes * 1e6)):
        log.info("%s %.1f MB", path, path.stat().st_size / 1e6)


def _export(settings: Settings, chosen: argparse.Namespace) -> None:
    """Export, then fit the temperature on half of the pictures kept apart."""
    from edge_daemon.figures import fit_temperature, logit  # noqa: PLC0415
    from edge_daemon.training.data import open_material  # noqa: PLC0415
    from edge_daemon.training.evaluate import known_answers  # noqa: PLC0415
    from edge_daemon.training.export import (  # noqa: PLC0415
        export_bundle,
        load_network,
        trained_tokenizer,
        write_goldens,
        write_manifest,
    )

    material = open_material(settings)
    tokenizer = trained_tokenizer(chosen.run / "checkpoint.pt", material.tokenizer)
    network = load_network(settings, chosen.run / "checkpoint.pt", tokenizer)
    export_bundle(network, tokenizer, chosen.bundle, version=chosen.version, temperature=1.0)
    seen = _seen(chosen.bundle, material, half=0)
    p, yes = known_answers(_engine(chosen.bundle), seen, 300, seed=5)
    temperature = fit_temperature(logit(p), yes)
    log.info("temperature %.3f", temperature)
    write_goldens(network, tokenizer, chosen.bundle, temperature)
    write_manifest(network, chosen.bundle, version=chosen.version, temperature=temperature)
    _add_drift(material, chosen.bundle)


def _drift(settings: Settings, chosen: argparse.Namespace) -> None:
    from edge_daemon.training.data import open_material  # noqa: PLC0415 - torch is slow to load

    _add_drift(open_material(settings), chosen.bundle)


def _add_drift(material: Material, bundle: Path) -> None:
    """Photographs only: what is rendered says nothing of what a camera may show."""
    from edge_daemon.training.drift import add_drift  # noqa: PLC0415
    from edge_daemon.training.rendered import RENDERED  # noqa: PLC0415

    train, val = ([row for row in rows if row.dataset != RENDERED]
                  for rows in (material.train, material.val))  # fmt: skip
    add_drift(bundle, _engine(bundle), train, val, material.pictures)


def _card(settings: Settings, chosen: argparse.Namespace) -> None:
    """Score the bundle on the other half and on the clips; write scores, plot and card."""
    import yaml  # noqa: PLC0415

    from edge_daemon.reliability import plot_reliability  # noqa: PLC0415
    from edge_daemon.scenes import DEMO_SCENE  # noqa: PLC0415
    from edge_daemon.training.card import write_card  # noqa: PLC0415
    from edge_daemon.training.clips import clip_samples, clip_scores, scene_samples  # noqa: PLC0415
    from edge_daemon.training.data import open_material  # noqa: PLC0415
    from edge_daemon.training.evaluate import evaluate, reliability_groups  # noqa: PLC0415

    material = open_material(settings)
    engine = _engine(chosen.bundle)
    seen = _seen(chosen.bundle, material, half=None)
    scores = evaluate(engine, seen)
    samples = clip_samples(settings.data.root / "videos", engine.input_size)
    samples["the demo's rendered street"] = scene_samples(DEMO_SCENE, engine.input_size)
    clips = clip_scores(engine, samples)
    chosen.run.mkdir(parents=True, exist_ok=True)
    plot_reliability(reliability_groups(engine, seen, 150, seed=11), chosen.run / "reliability.png")
    (chosen.run / "scores.json").write_text(
        json.dumps({"pictures": scores, "clips": clips}, indent=1)
    )
    manifest = yaml.safe_load((chosen.bundle / "manifest.yaml").read_text())
    card = write_card(manifest, scores, clips, _notes(material, chosen))
    (chosen.bundle / "CARD.md").write_text(card, encoding="utf-8")
    log.info("macro AUROC %s", scores["macro_auroc"])


def _notes(material: Material, chosen: argparse.Namespace) -> dict[str, Any]:
    files = [path for path in chosen.bundle.rglob("*") if path.is_file()]
    return {
        "megabytes": sum(path.stat().st_size for path in files) / 1e6,
        "nights": sum(
            row.labels.scene[0] == 1 and row.dataset != "rendered" for row in material.train
        ),
        "pictures": Counter(row.dataset for row in material.train),
        "training": _history(chosen.run),
    }


def _history(run: Path) -> str:
    """How long was trained, in words."""
    optim = json.loads((run / "settings.json").read_text())["optim"]
    if optim["steps"]:
        steps = json.loads((run / "curves.jsonl").read_text().splitlines()[-1])["step"]
        text = f"Trained for {steps} batches of {optim['batch']} pictures"
    else:
        text = f"Taught to read for {optim['reading_steps']} batches of text alone"
    source = optim["start_from"]
    if source is None:
        return f"{text}."
    if isinstance(source, str):
        return f"{text}, from {_origin(source)}."
    return f"{text}, from the mean of {' and '.join(map(_origin, source))}."


def _origin(source: str) -> str:
    """What a bundle or a checkpoint gives to start from, in words."""
    from edge_daemon.engine.bundle import load_bundle  # noqa: PLC0415

    if (Path(source) / "manifest.yaml").is_file():
        manifest = load_bundle(source).manifest
        return f"the weights of {manifest.name} {manifest.version}"
    import torch  # noqa: PLC0415

    steps = torch.load(source, map_location="cpu", weights_only=True)["step"]
    return f"an earlier run of {steps} batches"


def _engine(bundle: Path) -> Any:  # noqa: ANN401 - whatever the engine package opens
    from edge_daemon.engine.bundle import load_bundle  # noqa: PLC0415
    from edge_daemon.engine.open import open_backend  # noqa: PLC0415

    return open_backend("onnxruntime", load_bundle(bundle), "fp32", 1)


def _seen(bundle: Path, material: Material, *, half: int | None) -> Seen:
    from edge_daemon.training.evaluate import see  # noqa: PLC0415

    rows = [r for n, r in enumerate(material.val) if half is None or n % 2 == half]
    return see(_engine(bundle), rows, material.pictures)


if __name__ == "__main__":
    sys.exit(main())
