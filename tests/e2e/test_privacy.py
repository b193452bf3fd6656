"""Nothing behind a privacy mask leaves, by whatever way."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.data.colours import BLUE, RED, lined, write_pictures
from tests.e2e.conftest import MakeConfig
from tests.e2e.daemon import Daemon, Subscriber, edge_daemon, write_config

MASK = [[0.5, 0.0], [1.0, 0.0], [1.0, 1.0], [0.5, 1.0]]
LEFT = [[0.0, 0.0], [0.4, 0.0], [0.4, 1.0], [0.0, 1.0]]
SIZE = (640, 352)
HELD = {".mp4", ".jpg", ".zip"}  # endings of files that hold pictures
TEXT = {".jsonl", ".json", ".sqlite", ".vtt", ".yaml"}  # endings of files that hold no picture


def shown(path: Path) -> list[NDArray[np.uint8]]:
    """Every picture of a file, BGR."""
    if path.suffix == ".jpg":
        return [decoded(path.read_bytes())]
    if path.suffix == ".zip":
        with ZipFile(path) as pack:
            assert {Path(name).suffix for name in pack.namelist()} <= {".png"} | TEXT
            return [decoded(pack.read(n)) for n in pack.namelist() if n.endswith(".png")]
    with av.open(str(path)) as video:
        return [f.to_ndarray(format="bgr24") for f in video.decode(video=0)]


def decoded(content: bytes) -> NDArray[np.uint8]:
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(picture, np.uint8)


def is_hidden(picture: NDArray[np.uint8]) -> bool:
    """Whether the right half is black, but for a codec's ringing at its edge.

    The panel is drawn in its upper part, where it hides whatever is there.
    """
    height, width = picture.shape[:2]
    return bool(picture[round(height * 0.4) :, round(width * 0.54) :].max() < 32)


@pytest.mark.parametrize("mode", ["soft", "burned"])
def test_no_masked_pixel_leaves_the_daemon(
    tmp_path: Path, make_config: MakeConfig, subscriber: Subscriber, mode: str
) -> None:
    parts = [(lined(colour, size=SIZE), 2.0) for colour in (RED, BLUE, RED)]
    clip = write_pictures(tmp_path / "a.mp4", parts)
    config = make_config(
        str(clip),
        zones={"left": LEFT},
        privacy_masks=[MASK],
        record={"mode": mode, "burned": {"evidence": "red"}, "clips": {"before": "1s"}},
    )
    for question in config["cameras"][0]["questions"]:
        question["zone"] = "left"
    with Daemon(write_config(tmp_path / "c.yaml", config)) as daemon:
        assert daemon.ended(120) == 0, daemon.log.read_text()
    subscriber.wait(lambda s: s.last("box/status") == b"offline")
    files = [p for p in (tmp_path / "data").rglob("*") if p.is_file()]
    kinds = {p.suffix for p in files if not p.name.startswith("outbox")}
    pictures = {p: shown(p) for p in files if p.suffix in HELD}
    clips = [p for p in files if "clips" in p.parts]
    sent = [p for t, p in subscriber.messages if t.endswith("/snapshot") and p]

    assert {e["verdict"] for e in subscriber.events("red")} >= {"YES", "NO"}
    assert HELD <= kinds <= HELD | TEXT
    assert clips
    assert all(pictures.values())
    assert [p for p, found in pictures.items() if not all(map(is_hidden, found))] == []
    assert not any(is_hidden(p) for p in shown(clip))  # the judge is awake
    assert sent
    assert all(is_hidden(decoded(jpeg)) for jpeg in sent)


def test_check_says_that_a_masked_camera_is_recorded_with_its_masks(
    tmp_path: Path, make_config: MakeConfig
) -> None:
    config = make_config("rtsp://camera/1", privacy_masks=[MASK], record={"mode": "soft"})
    done = edge_daemon("check", "--config", str(write_config(tmp_path / "c.yaml", config)))

    assert done.returncode == 0, done.stderr
    assert "recording burned: soft would show what its privacy masks hide" in done.stdout
    assert "  H.264 by " in done.stdout  # of what is burned, the encoder and why


def test_clips_of_a_masked_camera_that_is_not_recorded_are_refused(
    tmp_path: Path, make_config: MakeConfig
) -> None:
    record = {"mode": "off", "clips": {"before": "1s"}}
    config = make_config("rtsp://camera/1", privacy_masks=[MASK], record=record)
    done = edge_daemon("check", "--config", str(write_config(tmp_path / "c.yaml", config)))

    assert done.returncode == 78
    assert "its packets show what privacy_masks hide -- set record.mode: burned" in done.stderr
