"""``edge-daemon replay`` opens the engine that the daemon had: its plans, its weights."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_daemon.publish.payloads import event_facts
from edge_daemon.recording.evidence import Asked, Pack
from edge_daemon.types import EngineInfo
from tests.e2e.daemon import edge_daemon, write_config
from tests.integration.engine.opened import need
from tests.integration.test_tensorrt_engine import bundle, cuda, said  # noqa: F401  fixtures
from tests.unit.recording.test_shelves import event


def pack_of(model: EngineInfo, picture: NDArray[np.uint8]) -> Pack:
    """The evidence of an event that a model decided, YES to a question about the whole picture."""
    return Pack(
        event={**event_facts(event()), "ask": "Is it red?", "model": asdict(model)},
        asked=(Asked("Is it red?", None),),
        place=0,
        p_yes=0.5,
        picture=picture,
        evidence=np.zeros((2, 2), np.float32),
        configuration_sha256="c" * 64,
        software={},
    )


REPLAYED = """
from edge_daemon.cli import main
from tests.e2e.test_replay_engine import pack_of
shelf.save(bundle.name, wanted, plan)
engine = open_tensorrt(bundle, "auto", 1, plans=plans)
evidence = plans.parent / "event.zip"
evidence.write_bytes(pack_of(engine.info, stripes(1, 1)[0]).to_bytes())
engine.close()
main(["replay", str(evidence), "--data-dir", str(plans.parent), "--bundle", sys.argv[1], "--json"])
"""


def test_replay_runs_the_plan_of_the_daemon(cuda: Path, bundle: Path) -> None:  # noqa: F811
    lines = said(cuda, bundle, REPLAYED)
    found = json.loads(next(line for line in lines if line.startswith("{")))

    assert found["now"]["backend"] == "tensorrt"
    assert found["now"] | {"p_yes": 0.5} == found["then"]


@pytest.mark.parametrize("more", [(), ("--bundle", "street")])
def test_replay_takes_the_weights_of_the_configuration_with_its_bundle(
    tmp_path: Path, more: tuple[str, ...]
) -> None:
    need("torch")
    weights, evidence = tmp_path / "none.pt", tmp_path / "event.zip"
    picture = np.zeros((36, 64, 3), np.uint8)
    evidence.write_bytes(pack_of(EngineInfo("street", "0", "torch", "fp32"), picture).to_bytes())
    engine = {"bundle": "street", "backend": "torch", "weights": str(weights)}
    question = {"id": "red", "ask": "Is it red?"}
    camera = {"id": "gate", "source": "test:street", "questions": [question]}
    data = {"version": 1, "engine": engine, "data_dir": str(tmp_path), "cameras": [camera]}
    config = write_config(tmp_path / "c.yaml", data)
    done = edge_daemon("replay", str(evidence), "--config", str(config), *more)

    assert done.returncode == 69
    assert (str(weights) in done.stderr) is (more == ())
