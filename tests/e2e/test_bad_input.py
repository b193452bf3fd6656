"""What a user gets for bad input: one clear line, the right exit code, no traceback."""

from __future__ import annotations

import signal
import socket
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.data.colours import RED, write_colours
from tests.data.make_data import garbage, truncated
from tests.data.tiny_bundle import painted
from tests.e2e.daemon import Daemon, edge_daemon, write_config
from tests.processes import free_port, wait_until

GOOD: dict[str, Any] = {
    "version": 1,
    "cameras": [
        {"id": "gate", "source": "test:street", "questions": [{"id": "red", "ask": "Is it red?"}]}
    ],
}


def refused(*args: str, code: int, lines: int = 1) -> str:
    """Run a command that must fail with code and say why in so many lines."""
    done = edge_daemon(*args)
    told = done.stderr.strip().splitlines()

    assert (done.returncode, len(told)) == (code, lines), done.stderr
    assert " -- " in told[0]
    assert done.stdout == ""
    return done.stderr


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    cv2.imwrite(str(tmp_path / "red.png"), painted(RED)[..., ::-1])
    return tmp_path / "red.png"


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ((), "the following arguments are required: COMMAND"),
        (("dance",), "invalid choice: 'dance'"),
        (("run",), "the following arguments are required: --config"),
        (("ask", "x.png"), "the following arguments are required: -q/--question"),
        (("ask", "x.png", "-q", "ab"), "--question: "),
        (("ask", "x.png", "-q", "x" * 201), "at most 200 characters"),
        (("ask", "x.png", "-q", "Is it red?", "--zone", "0,0 1,1"), "--zone: needs three corners"),
        (("ask", "x.png", "-q", "Is it red?", "--zone", "a,b"), "--zone: is not a list of numbers"),
        (("ask", "x.png", "-q", "Is it red?", "--precision", "fp3"), "--precision: "),
        (("video", "~nosuchuser/x", "-q", "Is it red?", "--out", "."), "IN: ~ stands for no home"),
        (("ask", "x.png", "-q", "Is it red?", "--threads", "0"), "--threads: "),
    ],
)
def test_command_line_that_is_wrong_is_told_in_one_line(args: tuple[str, ...], text: str) -> None:
    assert text in refused(*args, code=2)


def test_configuration_faults_come_all_at_once(tmp_path: Path) -> None:
    camera = {**GOOD["cameras"][0], "zones": {"z": [[0, 0], [2, 0], [1, 1]]}}
    question = {"id": "red", "ask": "x" * 201}
    camera["questions"] = [question, {**question, "ask": "Is it blue?"}]
    file = write_config(tmp_path / "c.yaml", {**GOOD, "devise": 1, "cameras": [camera]})

    for command in ("check", "run"):
        told = refused(command, "--config", str(file), code=78, lines=4)
        assert "devise: unknown key -- did you mean 'device'?" in told
        assert "cameras.0.zones.z.1.0" in told
        assert "cameras.0.questions.0.ask: string should have at most 200 characters" in told
        assert "cameras.0.questions.1.id: 'red' is taken" in told


def test_configuration_naming_a_missing_password_file_is_refused(tmp_path: Path) -> None:
    mqtt = {"url": "mqtt://broker", "username": "u", "password_file": str(tmp_path / "none")}
    file = write_config(tmp_path / "c.yaml", {**GOOD, "mqtt": mqtt})

    assert "mqtt.password_file" in refused("check", "--config", str(file), code=78)


def test_configuration_naming_files_without_a_certificate_is_refused(tmp_path: Path) -> None:
    for name in ("cert", "key"):
        (tmp_path / name).write_text("junk\n")
    http = {"tls_cert_file": str(tmp_path / "cert"), "tls_key_file": str(tmp_path / "key")}
    file = write_config(tmp_path / "c.yaml", {**GOOD, "http": http})

    for command in ("check", "run"):
        told = refused(command, "--config", str(file), code=78)
        assert "http.tls_cert_file, http.tls_key_file: no certificate" in told


def test_secrets_that_everybody_may_read_are_refused_and_not_told() -> None:
    camera = {**GOOD["cameras"][0], "source": "rtsp://viewer:hunter2@camera/1"}
    with tempfile.TemporaryDirectory(dir="/tmp") as name:  # pytest's own is private
        folder = Path(name)
        folder.chmod(0o755)
        file = write_config(folder / "c.yaml", {**GOOD, "cameras": [camera]})
        (folder / "password").write_text("hunter2\n")
        (folder / "password").chmod(0o644)
        mqtt = {"url": "mqtt://broker", "username": "u", "password_file": f"{folder}/password"}
        public = write_config(folder / "d.yaml", {**GOOD, "mqtt": mqtt})
        told = [
            refused(command, "--config", str(bad), code=78)
            for command in ("check", "run")
            for bad in (file, public)
        ]

    assert all("hunter2" not in line for line in told)
    assert (
        told[0]
        .strip()
        .endswith(
            f"{file}: cameras.0.source: holds a secret, and every user of this machine may read"
            f" this file -- chmod 600 {file} (640 for its group), or write ${{NAME}} for it"
        )
    )
    assert f"{public}: mqtt.password_file: every user of this machine may read" in told[1]
    assert told[2:] == told[:2]


def test_scene_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    camera = {**GOOD["cameras"][0], "source": "test:beach"}
    file = write_config(tmp_path / "c.yaml", {**GOOD, "cameras": [camera]})

    assert "cameras.0.source" in refused("check", "--config", str(file), code=78)


def ask(source: Path | str, bundle: Path | str) -> tuple[str, ...]:
    return ("ask", str(source), "-q", "Is it red?", "--bundle", str(bundle))


def test_picture_that_cannot_be_read_is_told(tmp_path: Path, tiny_bundle: Path) -> None:
    bad = garbage(tmp_path / "bad.png")

    assert "none.png" in refused(*ask(tmp_path / "none.png", tiny_bundle), code=69)
    assert "bad.png" in refused(*ask(bad, tiny_bundle), code=69)


def test_bundle_with_one_byte_changed_is_refused(
    tmp_path: Path, tiny_bundle: Path, picture: Path
) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in tiny_bundle.iterdir():
        if file.is_file():
            (copy / file.name).write_bytes(file.read_bytes())
    graph = copy / "image.fp32.onnx"
    content = bytearray(graph.read_bytes())
    content[len(content) // 2] ^= 1
    graph.write_bytes(bytes(content))

    assert "image.fp32.onnx" in refused(*ask(picture, copy), code=69)
    assert "none" in refused(*ask(picture, tmp_path / "none"), code=69)


@pytest.fixture
def broken_sources(tmp_path: Path) -> dict[str, str]:
    clip = write_colours(tmp_path / "clip.mp4", [(RED, 2.0)])
    (tmp_path / "empty").mkdir()
    return {
        "missing file": str(tmp_path / "none.mp4"),
        "glob without match": str(tmp_path / "*.mov"),
        "directory without pictures": str(tmp_path / "empty"),
        "garbage": str(garbage(tmp_path / "garbage.mp4")),
        "truncated header": str(truncated(clip, 0.5, tmp_path / "short.mp4")),
        "no video": str(write_config(tmp_path / "text.mp4", {"a": 1})),
    }


@pytest.mark.parametrize(
    "name",
    ["missing file", "glob without match", "directory without pictures", "garbage",
     "truncated header", "no video"],
)  # fmt: skip
def test_source_that_cannot_be_read_is_told_by_video_and_run(
    name: str, broken_sources: dict[str, str], tmp_path: Path, tiny_bundle: Path
) -> None:
    source = broken_sources[name]
    out = str(tmp_path / "out")
    refused(
        "video", source, "-q", "Is it red?", "--out", out, "--bundle", str(tiny_bundle), code=69
    )
    config = {**GOOD, "engine": {"bundle": str(tiny_bundle)}, "http": None}
    config["cameras"] = [{**GOOD["cameras"][0], "source": source}]
    file = write_config(tmp_path / "c.yaml", {**config, "data_dir": str(tmp_path / "data")})
    done = edge_daemon("run", "--config", str(file))

    assert done.returncode == 69
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "out").glob("*.jsonl"))


def test_port_that_is_taken_is_told(tmp_path: Path, tiny_bundle: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        http = {"listen": f"127.0.0.1:{other.getsockname()[1]}"}
        engine = {"bundle": str(tiny_bundle)}
        data = {**GOOD, "http": http, "engine": engine, "data_dir": str(tmp_path)}
        told = refused("run", "--config", str(write_config(tmp_path / "c.yaml", data)), code=69)

    assert "cannot listen" in told


def test_broker_that_is_away_keeps_a_file_run_waiting_until_it_is_told_to_end(
    tmp_path: Path, tiny_bundle: Path
) -> None:
    clip = write_colours(tmp_path / "clip.mp4", [(RED, 2.0)])
    camera = {**GOOD["cameras"][0], "source": str(clip)}
    data = {
        **GOOD,
        "mqtt": {"url": f"mqtt://127.0.0.1:{free_port()}"},
        "http": None,
        "log": {"format": "text"},
        "engine": {"bundle": str(tiny_bundle)},
        "data_dir": str(tmp_path / "data"),
        "cameras": [camera],
    }
    with Daemon(write_config(tmp_path / "c.yaml", data)) as daemon:
        wait_until(lambda: daemon.said("2 events to deliver"), 30)
        daemon.send(signal.SIGTERM)
        assert daemon.ended(10) == 0

    assert "Traceback" not in daemon.log.read_text()


def test_picture_without_faults_is_answered(picture: Path, tiny_bundle: Path) -> None:
    done = edge_daemon(*ask(picture, tiny_bundle), "--json", "--explain", str(picture) + ".x.png")

    assert done.returncode == 0, done.stderr
    assert '"verdict": "YES"' in done.stdout
    explained = cv2.imread(str(picture) + ".x.png")
    assert explained is not None
    assert explained.dtype == np.uint8
