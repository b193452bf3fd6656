from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge_daemon.errors import RecordingError
from edge_daemon.publish.payloads import event_facts
from edge_daemon.recording.evidence import Asked, Pack, read_pack
from tests.unit.recording.test_shelves import event

ZONE = ((0.1, 0.2), (0.9, 0.2), (0.5, 0.9))
P_YES = float(np.float32(0.98765432))
CHANGED = "is no evidence of ours, or was changed -- name a file from data_dir/evidence"


@pytest.fixture
def pack() -> Pack:
    rng = np.random.default_rng(0)
    return Pack(
        event=event_facts(event()),
        asked=(Asked("Is there a cat?", None), Asked("Is there a dog?", ZONE)),
        place=1,
        p_yes=P_YES,
        picture=rng.integers(0, 256, (36, 64, 3), np.uint8),
        evidence=np.linspace(0, 1, 6, dtype=np.float32).reshape(2, 3),
        configuration_sha256="c" * 64,
        software={"edge-daemon": "0.1"},
    )


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "pack.zip"
    path.write_bytes(content)
    return path


def changed(content: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for member in old.namelist():
            raw = old.read(member)
            new.writestr(member, change(raw) if member == name else raw)
    return out.getvalue()


def test_pack_keeps_every_bit_of_what_was_asked(tmp_path: Path, pack: Pack) -> None:
    found = read_pack(written(tmp_path, pack.to_bytes()))

    assert found.p_yes == P_YES
    assert (found.picture == pack.picture).all()
    assert found.asked == pack.asked
    assert (found.event, found.place) == (pack.event, 1)
    assert found.evidence == pytest.approx(pack.evidence, abs=1e-4)
    assert found.engine.precision == "fp32"
    assert (found.configuration_sha256, found.software) == ("c" * 64, {"edge-daemon": "0.1"})


def test_pack_can_be_looked_at_without_us(pack: Pack) -> None:
    with zipfile.ZipFile(io.BytesIO(pack.to_bytes())) as found:
        facts = json.loads(found.read("evidence.json"))
        bgr = cv2.imdecode(np.frombuffer(found.read("input.png"), np.uint8), cv2.IMREAD_COLOR)

    assert facts["event"]["ask"] == facts["asked"][facts["place"]]["ask"]
    assert (bgr[..., ::-1] == pack.picture).all()


def other_pixels(png: bytes) -> bytes:
    bgr = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    bgr[0, 0, 0] ^= 1
    return cv2.imencode(".png", bgr)[1].tobytes()


def another(**facts: Any) -> Callable[[bytes], bytes]:
    return lambda raw: json.dumps({**json.loads(raw), **facts}).encode()


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("input.png", other_pixels),
        ("input.png", lambda _: b""),
        ("evidence.json", lambda _: b"[]"),
        ("evidence.json", lambda raw: raw[:-5]),
        ("evidence.json", another(place=0)),
        ("evidence.json", another(place=7)),
        ("evidence.json", another(schema="edge-daemon/evidence/9")),
        ("evidence.json", another(event=None)),
        ("evidence.json", another(asked=[{"ask": 1}])),
        ("evidence.json", another(p_yes=None)),
    ],
)
def test_pack_that_was_changed_is_refused(
    tmp_path: Path, pack: Pack, name: str, change: Callable[[bytes], bytes]
) -> None:
    path = written(tmp_path, changed(pack.to_bytes(), name, change))
    with pytest.raises(RecordingError) as refused:
        read_pack(path)

    assert str(refused.value) == f"{path}: {CHANGED}"


def test_damaged_packs_are_refused_in_a_line(tmp_path: Path, pack: Pack) -> None:
    content, rng = pack.to_bytes(), np.random.default_rng(1)
    refusals = 0
    for _ in range(300):
        damaged = bytearray(content)
        for at in rng.integers(0, len(content), 3):
            damaged[at] = rng.integers(256)
        try:
            found = read_pack(written(tmp_path, bytes(damaged[: rng.integers(1, len(content))])))
        except RecordingError:
            refusals += 1
        else:
            assert (found.picture == pack.picture).all()

    assert refusals > 250


def test_pack_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="no such file -- look below data_dir/evidence"):
        read_pack(tmp_path / "none.zip")
