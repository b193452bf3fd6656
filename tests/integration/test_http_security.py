"""Who may speak to the HTTP port, with what certificate, how many and for how long."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from edge_daemon.config.load import parse_settings
from edge_daemon.errors import ConfigError
from edge_daemon.service.plan import check_files
from tests.integration.certificates import Authority

if TYPE_CHECKING:
    from pathlib import Path

    from edge_daemon.config.models import Settings


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("ca") / "ours")


def settings(certificate: Path, key: Path) -> Settings:
    http = {"tls_cert_file": str(certificate), "tls_key_file": str(key)}
    asked = [{"id": "red", "ask": "Is it red?"}]
    cameras = [{"id": "gate", "source": "test:street", "questions": asked}]
    return parse_settings({"version": 1, "http": http, "cameras": cameras}, where="c.yaml")


def test_faulty_certificate_files_are_told_before_anything_starts(
    authority: Authority, tmp_path: Path
) -> None:
    certificate, key = authority.sign("server")
    _, other_key = authority.sign("stranger")
    junk, none, locked = tmp_path / "junk.pem", tmp_path / "none.pem", tmp_path / "locked.key"
    junk.write_text("not a certificate")
    command = ["openssl", "ec", "-in", str(key), "-aes128", "-passout", "pass:x", "-out"]
    subprocess.run([*command, str(locked)], check=True, capture_output=True)

    def faults(certificate: Path, key: Path) -> tuple[str, ...]:
        with pytest.raises(ConfigError) as caught:
            check_files(settings(certificate, key), where="c.yaml")
        return caught.value.faults

    remedy = " -- name PEM files that the daemon's user may read; the key without a passphrase"
    pair = "c.yaml: http.tls_cert_file, http.tls_key_file: "
    unfit = f"{pair}no certificate, or not the key to it"
    assert faults(junk, key)[0].startswith(unfit)
    assert faults(certificate, junk)[0].startswith(unfit)
    assert faults(certificate, other_key) == (f"{unfit} (KEY_VALUES_MISMATCH){remedy}",)
    assert faults(certificate, locked) == (f"{pair}the key has a passphrase{remedy}",)
    assert faults(none, key) == (
        f"c.yaml: http.tls_cert_file: {none} cannot be read -- check the path and its permissions",
    )
    check_files(settings(certificate, key), where="c.yaml")
