"""Whatever comes in: a line, or it is accepted; never a traceback, and never a secret told."""

from __future__ import annotations

import os
import signal
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_daemon.config.load import parse_settings
from edge_daemon.errors import ConfigError
from edge_daemon.service.plan import check_files
from tests.data.colours import RED, write_colours
from tests.e2e.conftest import MakeConfig
from tests.e2e.daemon import Daemon, write_config
from tests.faults import mischief
from tests.faults.flood import log_lines, password_file
from tests.integration.mosquitto import Ear, Mosquitto
from tests.processes import free_port, wait_until

LONG = os.environ.get("FAULTS_LONG", "0") not in ("", "0")
N_CONFIGURATIONS = 10_000 if LONG else 300
N_BATCHES = 500 if LONG else 25  # of 20 messages


@settings(max_examples=N_CONFIGURATIONS)
@given(mischief.configurations())
def test_any_configuration_is_accepted_or_told_line_by_line(data: Any) -> None:
    try:
        accepted = parse_settings(data, where="c.yaml", environ={"HOME": "s3cret"})
        check_files(accepted, where="c.yaml")
    except ConfigError as exc:
        faults = exc.faults
    else:
        return

    assert faults
    for line in faults:
        assert line.startswith("c.yaml: ")
        assert len(line.splitlines()) == 1
        assert "s3cret" not in line


@pytest.fixture
def listening(tmp_path: Path, make_config: MakeConfig, ear: Ear) -> Iterator[Daemon]:
    """A daemon that has seen its red picture."""
    clip = write_colours(tmp_path / "clip.mp4", [(RED, 60.0)])
    config = make_config(str(clip), loop=True, pace="realtime", blind_after=None)
    with Daemon(write_config(tmp_path / "c.yaml", config)) as daemon:
        ear.wait_for("gate/red/verdict", b"YES")
        yield daemon


@pytest.fixture
def ear(broker: Mosquitto, new_ear: Callable[..., Ear]) -> Ear:
    return new_ear(broker.port, "#")


MESSAGES = st.lists(
    st.tuples(
        st.sampled_from(
            ["gate/ask", "gate/red/set", "gate/none/set", "none/ask", "/ask", "//set", "Ω/x/set"]
        ),
        mischief.payloads,
        st.sampled_from([None, "reply/to", "$SYS/x", "{root}/gate/red/verdict", "a" * 2000]),
    ),
    min_size=20,
    max_size=20,
)


@settings(max_examples=N_BATCHES, suppress_health_check=list(HealthCheck))
@given(messages=MESSAGES)
def test_any_message_is_obeyed_or_told_and_answers_keep_coming(
    listening: Daemon, ear: Ear, base: str, messages: list[tuple[str, bytes, str | None]]
) -> None:
    root = f"{base}/box"
    for topic, payload, reply in messages:
        more = {"response_topic": reply.format(root=root), "correlation": b"c"} if reply else {}
        ear.say(f"{root}/{topic}", payload, **more)
    n_answers = len(ear.heard("asked/well"))
    ear.say(
        f"{root}/gate/ask",
        '{"question": "Is it red?"}',
        response_topic="asked/well",
        correlation=b"well",
    )
    answer = ear.wait("asked/well", n_answers + 1)[-1]

    assert answer.json()["verdict"] == "YES"
    assert listening.process.poll() is None
    assert not listening.said("Traceback")
    assert len(listening.log.read_text().splitlines()) < 50  # nobody fills the disk with our log
    assert {one.payload for one in ear.heard("gate/red/verdict")} <= {b"YES", b"UNKNOWN"}
    assert {one.payload for one in ear.heard("gate/blue/verdict")} <= {b"NO", b"UNKNOWN"}


SECRETS = {
    "source_password": "Zq7sourcepassword",
    "source_query": "Zq7sourcequery",
    "mqtt_password": "Zq7mqttpassword",
    "token": "Zq7bearertoken",
    "wrong_token": "Zq7wrongtoken",
}


@pytest.fixture
def secretive(tmp_path: Path, make_config: MakeConfig, guarded: Mosquitto) -> dict[str, Any]:
    """A configuration with secrets wherever there may be one, and cameras that cannot be had."""
    for name in ("mqtt_password", "token"):
        (tmp_path / name).write_text(SECRETS[name] + "\n")
        (tmp_path / name).chmod(0o600)
    clip = write_colours(tmp_path / "clip.mp4", [(RED, 60.0)])
    config = make_config(str(clip), loop=True, pace="realtime", blind_after=None)
    asked = config["cameras"][0]["questions"]
    for kind in ("rtsp", "http"):
        address = (
            f"{kind}://viewer:${{CAMERA}}@127.0.0.1:{free_port()}/s?t={SECRETS['source_query']}"
        )
        config["cameras"].append({"id": kind, "source": address, "questions": asked})
    config["http"]["token_file"] = str(tmp_path / "token")
    config["mqtt"] |= {
        "url": guarded.url,
        "username": "edge",
        "password_file": str(tmp_path / "mqtt_password"),
    }
    return config


@pytest.fixture
def guarded(tmp_path: Path, new_broker: Callable[..., Mosquitto]) -> Mosquitto:
    line = password_file(tmp_path, SECRETS["mqtt_password"])
    return new_broker(line, allow_anonymous=False)


def test_secrets_are_told_to_nobody_even_with_faults_and_verbose(
    tmp_path: Path, secretive: dict[str, Any], guarded: Mosquitto, new_ear: Callable[..., Ear]
) -> None:
    ear = new_ear(guarded.port, "#", user=("edge", SECRETS["mqtt_password"]))
    file = write_config(tmp_path / "c.yaml", secretive)
    environ = {"CAMERA": SECRETS["source_password"], "PYTHONFAULTHANDLER": "1"}
    with Daemon(file, "--verbose", **environ) as daemon:
        ear.wait_for("gate/red/verdict", b"YES")
        wait_until(lambda: daemon.said("camera rtsp") and daemon.said("camera http"))
        pages = [
            page(secretive, path, token)
            for path in ("/healthz", "/readyz", "/metrics", "/docs", "/nowhere")
            for token in (SECRETS["token"], SECRETS["wrong_token"])
        ]
        guarded.kill()
        guarded.start()
        write_config(file, {**secretive, "cameras": [{**secretive["cameras"][1], "sorce": "x"}]})
        daemon.send(signal.SIGHUP)
        wait_until(lambda: daemon.said("the running configuration is kept"))
        wait_until(lambda: log_lines(daemon, "MQTT 5")[1:])
        process = Path(f"/proc/{daemon.process.pid}/cmdline").read_bytes()
        daemon.send(signal.SIGABRT)
        daemon.ended()
    said = {
        "log": daemon.log.read_bytes(),
        "process list": process,
        "HTTP": "".join(pages).encode(),
        "MQTT": b"".join(one.topic.encode() + one.payload for one in ear.heard()),
        "disk": b"".join(p.read_bytes() for p in (tmp_path / "data").rglob("*") if p.is_file()),
    }

    assert "Fatal Python error: Aborted" in daemon.log.read_text()  # with every thread's stack
    assert all(text for text in said.values())
    for where, text in said.items():
        for name, secret in SECRETS.items():
            assert secret.encode() not in text, f"{name} in {where}"


def page(config: dict[str, Any], path: str, token: str) -> str:
    """Return an answer whole, headers included, whatever its status."""
    request = urllib.request.Request(f"http://{config['http']['listen']}{path}")
    request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(answer.headers) + answer.read().decode()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return str(refusal.headers) + refusal.read().decode()
