"""Passwords, TLS and access lists of a real mosquitto: let in, or one clear line."""

from __future__ import annotations

import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from edge_daemon.config.models import MqttConfig
from edge_daemon.errors import ConfigError
from edge_daemon.publish.mqtt import Patience
from edge_daemon.publish.tls import tls_context
from tests.conftest import missing
from tests.integration.certificates import Authority
from tests.integration.publishing import publishing
from tests.processes import wait_until
from tests.publish_samples import STATE, camera, nth

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.mosquitto import Mosquitto

ROOT = "edge/porch-pi"
ONCE = Patience(first_wait_s=60, longest_wait_s=60, refused_wait_s=60)  # one attempt, and its fault


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("ca") / "ours")


@pytest.fixture
def guarded(new_broker: Callable[..., Mosquitto], tmp_path: Path) -> Mosquitto:
    """A broker that knows porch (password: secret) and lets nobody else in."""
    passwords = tmp_path / "passwords"
    exe = shutil.which("mosquitto_passwd")
    if exe is None:
        missing("no mosquitto_passwd: apt install mosquitto", "REQUIRE_BROKER")
    subprocess.run([exe, "-c", "-b", str(passwords), "porch", "secret"], check=True)
    subprocess.run([exe, "-b", str(passwords), "owner", "secret"], check=True)
    return new_broker(f"password_file {passwords}", allow_anonymous=False)


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text("secret\n")
    return path


@pytest.fixture
def tls_broker(new_broker: Callable[..., Mosquitto], authority: Authority) -> Mosquitto:
    certificate, key = authority.sign("server", "IP:127.0.0.1")
    return new_broker(f"certfile {certificate}", f"keyfile {key}", scheme="mqtts")


@pytest.fixture
def strict_broker(new_broker: Callable[..., Mosquitto], authority: Authority) -> Mosquitto:
    """A broker that wants to see a client certificate of our authority."""
    certificate, key = authority.sign("server", "IP:127.0.0.1")
    return new_broker(
        f"certfile {certificate}", f"keyfile {key}", f"cafile {authority.certificate}",
        "require_certificate true", scheme="mqtts",
    )  # fmt: skip


def first_fault(data_dir: Path, url: str, **config: object) -> str:
    with publishing(data_dir, url, is_awaited=False, patience=ONCE, **config) as at_work:
        wait_until(lambda: at_work.faults)
        assert not at_work.publisher.connected
    return at_work.faults[0]


def test_a_password_from_a_file_opens_the_door(guarded, data_dir, password_file) -> None:
    who = {"username": "porch", "password_file": password_file}
    with publishing(data_dir, guarded.url, **who) as at_work:
        at_work.event(nth(1))

        assert at_work.publisher.drain(30)
        assert at_work.faults == []


@pytest.mark.parametrize("who", [{}, {"username": "porch"}, {"username": "other"}])
def test_a_wrong_user_or_password_is_one_clear_line(guarded, data_dir, who, tmp_path) -> None:
    (tmp_path / "wrong").write_text("swordfish")
    if who:
        who = {**who, "password_file": tmp_path / "wrong"}

    assert first_fault(data_dir, guarded.url, **who) == (
        f"broker 127.0.0.1:{guarded.port}: refused: Not authorized"
        " -- see to mqtt.username, mqtt.password_file and the broker's access list"
    )


def test_a_password_mended_later_is_read_again(guarded, data_dir, password_file) -> None:
    password_file.write_text("swordfish\n")
    who = {"username": "porch", "password_file": password_file}
    with publishing(data_dir, guarded.url, is_awaited=False, **who) as at_work:
        wait_until(lambda: at_work.faults)
        password_file.write_text("secret\n")

        assert at_work.publisher.wait_connected(30)


@pytest.mark.parametrize(
    ("content", "what"),
    [(None, "cannot be read: No such file or directory"), ("", "is empty"), ("\n", "is empty")],
)
def test_a_password_file_of_no_use_is_named(broker, data_dir, tmp_path, content, what) -> None:
    path = tmp_path / "password"
    if content is not None:
        path.write_text(content)

    assert first_fault(data_dir, broker.url, username="porch", password_file=path) == (
        f"mqtt.password_file: {path} {what}"
        " -- put the secret alone on the first line, readable by the daemon's user"
    )


def test_tls_with_the_right_authority_connects(tls_broker, data_dir, authority) -> None:
    ca_file = authority.certificate
    with publishing(data_dir, tls_broker.url, ca_file=ca_file) as at_work:
        for n in range(1, 101):
            at_work.event(nth(n), STATE)
            at_work.publisher.publish_snapshot("gate", "pedestrian", bytes(50_000 + n))

        assert at_work.publisher.drain(20)
        assert at_work.faults == []


def test_an_unknown_authority_is_refused(tls_broker, data_dir, tmp_path) -> None:
    other = Authority.make(tmp_path / "theirs")

    fault = first_fault(data_dir, tls_broker.url, ca_file=other.certificate)

    assert fault == (
        f"broker 127.0.0.1:{tls_broker.port}: its certificate is not to be trusted:"
        " unable to get local issuer certificate"
        " -- set mqtt.ca_file to the authority that signed it, and use the name it is for"
    )


def test_a_certificate_for_another_name_is_refused(new_broker, data_dir, authority) -> None:
    certificate, key = authority.sign("other", "DNS:other.example")
    broker = new_broker(f"certfile {certificate}", f"keyfile {key}", scheme="mqtts")

    fault = first_fault(data_dir, broker.url, ca_file=authority.certificate)

    assert "its certificate is not to be trusted: IP address mismatch" in fault


def test_a_client_certificate_is_shown(strict_broker, data_dir, authority) -> None:
    certificate, key = authority.sign("client")
    files = {"ca_file": authority.certificate, "cert_file": certificate, "key_file": key}
    with publishing(data_dir, strict_broker.url, **files) as at_work:
        at_work.event(nth(1))

        assert at_work.publisher.drain(30)


def test_a_client_certificate_that_is_wanted_and_missing_is_named(
    strict_broker, data_dir, authority
) -> None:
    fault = first_fault(data_dir, strict_broker.url, ca_file=authority.certificate)

    # OpenSSL says why, unless the broker's reset overtakes it.
    assert fault.startswith(f"broker 127.0.0.1:{strict_broker.port}: ")
    assert "client certificate (mqtt.cert_file" in fault


def test_tls_spoken_to_a_plain_port_is_named(broker, data_dir, authority) -> None:
    url = broker.url.replace("mqtt:", "mqtts:")

    fault = first_fault(data_dir, url, ca_file=authority.certificate)

    assert fault.startswith(f"broker 127.0.0.1:{broker.port}: hung up before its greeting")
    assert "with TLS or without as written in mqtt.url?" in fault


def test_plain_mqtt_spoken_to_a_tls_port_is_named(tls_broker, data_dir) -> None:
    assert first_fault(data_dir, tls_broker.url.replace("mqtts:", "mqtt:")) == (
        f"broker 127.0.0.1:{tls_broker.port}: hung up before its greeting"
        " -- is this an MQTT port, and with TLS or without as written in mqtt.url?"
    )


def test_faulty_certificate_files_are_named(authority, tmp_path, config) -> None:
    certificate, key = authority.sign("client")
    _, other_key = authority.sign("stranger")
    (tmp_path / "text.pem").write_text("not a certificate")
    locked = tmp_path / "locked.key"
    command = ["openssl", "ec", "-in", str(key), "-aes128", "-passout", "pass:x", "-out"]
    subprocess.run([*command, str(locked)], check=True, capture_output=True)

    def fault(**files: Path) -> str:
        with pytest.raises(ConfigError) as caught:
            tls_context(config(**files))
        return str(caught.value)

    remedy = " -- name PEM files that the daemon's user may read; the key without a passphrase"
    pair = "mqtt.cert_file, mqtt.key_file: "
    assert fault(ca_file=tmp_path / "none.pem") == (
        f"mqtt.ca_file: cannot be read: No such file or directory{remedy}"
    )
    assert fault(ca_file=tmp_path / "text.pem").startswith("mqtt.ca_file: no certificate")
    assert fault(cert_file=certificate, key_file=other_key).startswith(
        f"{pair}no certificate, or not the key to it"
    )
    assert fault(cert_file=certificate, key_file=locked) == (
        f"{pair}the key has a passphrase{remedy}"
    )


@pytest.fixture
def config() -> Callable[..., MqttConfig]:
    return lambda **files: MqttConfig(url="mqtts://127.0.0.1", **files)


def test_a_refused_topic_is_no_success_and_tried_again(
    new_broker: Callable[..., Mosquitto], data_dir: Path, tmp_path: Path, new_ear
) -> None:
    access = tmp_path / "access"
    status = f"topic readwrite {ROOT}/status\n"
    access.write_text(f"{status}topic readwrite {ROOT}/gate/car/#\ntopic read {ROOT}/#\n")
    broker = new_broker(f"acl_file {access}")
    ear = new_ear(broker.port, f"{ROOT}/#")
    with publishing(data_dir, broker.url, cameras=[camera()]) as at_work:
        for n in (1, 2):
            at_work.event(nth(n))
            at_work.event(nth(n, "car"))
        ear.wait("/car/event", 2)
        wait_until(lambda: at_work.outcomes["refused"] >= 2)
        assert not at_work.publisher.drain(0.05)
        assert len(at_work.outbox) == 2
        access.write_text("topic readwrite #\n")
        broker.signal(signal.SIGHUP)

        assert at_work.publisher.drain(30), at_work.faults
        events = [one.json() for one in ear.wait("/pedestrian/event", 2)]

    assert [event["seq"] for event in events] == [1, 2]
    assert any(
        fault.startswith("mqtt: may not publish ")
        and fault.endswith(f" -- let this user write {ROOT}/#; events wait in the outbox")
        for fault in at_work.faults
    )


def test_a_user_who_may_write_nothing_is_told(new_broker, data_dir, tmp_path) -> None:
    access = tmp_path / "access"
    access.write_text("topic read #\n")
    broker = new_broker(f"acl_file {access}")
    with publishing(data_dir, broker.url) as at_work:
        wait_until(lambda: at_work.faults)
        told = list(at_work.faults)

    assert told == [
        f"mqtt: may not publish {ROOT}/status -- let this user write {ROOT}/#; events wait in the"
        " outbox"
    ]
