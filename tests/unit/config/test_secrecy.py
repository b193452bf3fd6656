"""Who may read what is secret."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from edge_daemon.config import secrecy
from edge_daemon.config.load import load_settings, read_secret
from edge_daemon.config.secrecy import is_public, places_of_secrets
from edge_daemon.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def folder() -> Iterator[Path]:
    """A directory that everybody may enter, which pytest's own is not."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def written(path: Path, mode: int, text: str = "s3cret\n") -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("mode", "folder_mode", "public"),
    [
        (0o644, 0o755, True),
        (0o604, 0o755, True),
        (0o444, 0o711, True),
        (0o640, 0o755, False),  # root and the service's group
        (0o600, 0o755, False),
        (0o400, 0o755, False),  # LoadCredential=
        (0o644, 0o750, False),  # /etc/edge-daemon as it is installed
        (0o644, 0o700, False),
    ],
)
def test_file_is_public_that_everybody_can_reach_and_read(
    folder: Path, mode: int, folder_mode: int, public: bool
) -> None:
    file = written(folder / "f", mode)
    folder.chmod(folder_mode)

    assert is_public(file) is public


def test_link_is_as_public_as_what_it_leads_to(folder: Path, tmp_path: Path) -> None:
    (folder / "link").symlink_to(written(tmp_path / "secret", 0o644))
    (tmp_path / "link").symlink_to(written(folder / "secret", 0o644))
    tmp_path.chmod(0o700)

    assert not is_public(folder / "link")
    assert is_public(tmp_path / "link")


def test_what_a_container_is_lent_is_not_public(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrecy, "_LENT", folder.resolve())

    assert not is_public(written(folder / "mqtt-password", 0o444))


def test_what_is_no_file_is_not_public(folder: Path) -> None:
    assert not is_public(folder / "none")
    assert not is_public(Path("/dev/null"))


@pytest.mark.parametrize(
    ("source", "secret"),
    [
        ("rtsp://viewer:hunter2@camera/1", True),
        ("rtsps://viewer:hun${X}ter@camera/1", False),
        ("rtsp://viewer:${PASSWORD}@camera/1", False),
        ("rtsp://viewer@camera/1", False),
        ("rtsp://camera:554/cam/realmonitor?channel=1&subtype=0", False),
        ("rtsp://camera:554/at:8@/x", False),
        ("http://camera/snap?user=admin&pwd=hunter2", True),
        ("http://camera/snap?user=admin&password=${PASSWORD}", False),
        ("http://camera/hls.m3u8?token=abc", True),
        ("rtsp://camera:554/user=admin&password=hunter2&channel=1&stream=0.sdp", True),
        ("rtsp://camera:554/user=admin_password=hunter2_channel=1_stream=0.sdp", True),
        ("rtsp://camera:554/user=admin&password=${PASSWORD}&channel=1&stream=0.sdp", False),
        ("http://[fe80::1]:80/a", False),
        ("gst:rtspsrc location=rtsp://camera/1 user-id=v user-pw=hunter2 ! decodebin", True),
        ("/dev/video0", False),
        ("test:crossing?people=3", False),
        ("/srv/clips/pass=1.mp4", False),
    ],
)
def test_secret_in_the_clear_is_found(source: str, secret: bool) -> None:
    data = {"cameras": [{"id": "a", "source": "/dev/video1"}, {"id": "b", "source": source}]}

    assert list(places_of_secrets(data)) == (["cameras.1.source"] if secret else [])


QUESTIONS = [{"id": "car", "ask": "Is there a car?"}]


def configuration(*passwords: str) -> str:
    cameras = [
        {"id": f"c{n}", "source": f"rtsp://viewer:{p}@camera/1", "questions": QUESTIONS}
        for n, p in enumerate(passwords)
    ]
    return yaml.safe_dump({"version": 1, "cameras": cameras})


def test_public_configuration_with_secrets_is_refused_in_one_line(folder: Path) -> None:
    file = written(folder / "my c.yaml", 0o644, configuration("hunter2", "${HOME}", "hunter3"))
    with pytest.raises(ConfigError) as refused:
        load_settings(file, {"HOME": "x"})

    assert refused.value.faults == (
        f"{file}: cameras.0.source (and 1 more): holds a secret, and every user of this machine"
        f" may read this file -- chmod 600 '{file}' (640 for its group), or write ${{NAME}} for it",
    )


@pytest.mark.parametrize(
    ("mode", "password"), [(0o640, "hunter2"), (0o600, "hunter2"), (0o644, "${HOME}")]
)
def test_configuration_is_read_that_tells_no_secrets(
    folder: Path, mode: int, password: str
) -> None:
    file = written(folder / "c.yaml", mode, configuration(password))

    assert load_settings(file, {"HOME": "x"}).cameras[0].id == "c0"


def test_secret_in_a_public_file_is_refused_and_not_told(folder: Path) -> None:
    file = written(folder / "password", 0o644)
    with pytest.raises(ConfigError) as refused:
        read_secret(file, where="mqtt.password_file")

    assert str(refused.value) == (
        f"mqtt.password_file: every user of this machine may read {file}"
        f" -- chmod 600 {file} (640 for its group)"
    )
    assert read_secret(written(file, 0o440), where="x").reveal() == "s3cret"
