"""scripts/install into a directory: what goes where, and that edits survive."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from subprocess import CompletedProcess

    from tests.integration.scripts.conftest import Project

CONFIG = "etc/edge-daemon/edge-daemon.yaml"
COMMAND = "usr/local/bin/edge-daemon"
UNIT = "etc/systemd/system/edge-daemon.service"
DROP_IN = "etc/systemd/system/edge-daemon.service.d/nvidia.conf"
EXAMPLE = "configs/pi-usb-camera.yaml"


class Machine:
    """A directory in the place of /, and the project that is installed there."""

    def __init__(self, project: Project, root: Path) -> None:
        self.project, self.root = project, root

    def install(self, *options: str, **env: str) -> CompletedProcess[str]:
        return self.project.call("install", *options, DESTDIR=str(self.root), **env)

    def files(self) -> dict[str, tuple[int, int]]:
        """Every file outside the environment, with its mode and time of change."""
        return {
            path.relative_to(self.root).as_posix(): (path.stat().st_mode, path.stat().st_mtime_ns)
            for path in self.root.rglob("*")
            if path.is_file() and "venv" not in path.parts
        }


@pytest.fixture(scope="module")
def machine(
    make_project: Callable[[], Project], tmp_path_factory: pytest.TempPathFactory
) -> Machine:
    """A machine with the program on it; each test leaves it installed."""
    made = Machine(make_project(), tmp_path_factory.mktemp("machine") / "root dir")
    done = made.install()
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture
def bare(make_project: Callable[[], Project], tmp_path: Path) -> Machine:
    """A machine without the program."""
    return Machine(make_project(), tmp_path / "bare")


def test_install_puts_program_unit_and_configuration(machine: Machine) -> None:
    program = machine.root / "opt/edge-daemon/venv/bin/edge-daemon"
    done = subprocess.run([program, "run"], capture_output=True, text=True, check=False)

    assert done.stdout.startswith("edge-daemon run")
    assert str((machine.root / COMMAND).readlink()) == "/opt/edge-daemon/venv/bin/edge-daemon"
    assert set(machine.files()) - {COMMAND} == {
        CONFIG,
        UNIT,
        "opt/edge-daemon/CHANGELOG.md",
        "opt/edge-daemon/CONTRIBUTING.md",
        "opt/edge-daemon/DESIGN.md",
        "opt/edge-daemon/LICENSE",
        "opt/edge-daemon/README.md",
        "opt/edge-daemon/configs/jetson-four-cameras.yaml",
        "opt/edge-daemon/configs/pi-usb-camera.yaml",
        "opt/edge-daemon/docs/mqtt.md",
        "opt/edge-daemon/installed.sha256",
    }
    assert (machine.root / CONFIG).read_text() == "for: a Pi\n"
    assert (machine.root / CONFIG).stat().st_mode & 0o777 == 0o640


def test_installed_program_needs_no_checkout(machine: Machine) -> None:
    (package,) = machine.root.glob("opt/edge-daemon/venv/lib/python3*/site-packages/edge_daemon")

    assert (package / "__init__.py").is_file()


def test_second_install_changes_nothing(machine: Machine) -> None:
    config, unit = machine.files()[CONFIG], machine.files()[UNIT]
    done = machine.install()

    assert (done.returncode, done.stderr) == (0, "")
    assert "putting" not in done.stdout
    assert (machine.files()[CONFIG], machine.files()[UNIT]) == (config, unit)


def test_update_replaces_what_nobody_edited(machine: Machine) -> None:
    (machine.project.root / EXAMPLE).write_text("for: a newer Pi\n")
    done = machine.install()

    assert f"putting {machine.root / CONFIG}" in done.stdout
    assert (machine.root / CONFIG).read_text() == "for: a newer Pi\n"


def test_edited_configuration_is_kept(machine: Machine) -> None:
    config = machine.root / CONFIG
    config.write_text("mine\n")
    same = machine.install()
    (machine.project.root / EXAMPLE).write_text("for: the newest Pi\n")
    newer = machine.install()
    again = machine.install()

    assert config.read_text() == "mine\n"
    assert config.with_name("edge-daemon.yaml.new").read_text() == "for: the newest Pi\n"
    assert "keeping" not in same.stdout
    assert f"keeping {config}, which was edited; the new version is {config}.new" in newer.stdout
    assert "keeping" not in again.stdout


def test_secrets_are_left_to_nobody_else(bare: Machine) -> None:
    etc = (bare.root / CONFIG).parent
    (etc / "secrets").mkdir(parents=True)
    for name in ("edge-daemon.yaml", "environment", "secrets/mqtt-password"):
        (etc / name).write_text("mine\n")
        (etc / name).chmod(0o644)
    bare.install()
    modes = {p.name: p.stat().st_mode & 0o777 for p in (etc, *etc.rglob("*"))}
    modes.pop("edge-daemon.yaml.new")

    assert modes == {
        "edge-daemon": 0o750,
        "secrets": 0o700,
        "edge-daemon.yaml": 0o640,
        "environment": 0o640,
        "mqtt-password": 0o640,
    }
    assert (bare.root / CONFIG).read_text() == "mine\n"


def test_configuration_written_beforehand_is_kept(bare: Machine) -> None:
    config = bare.root / CONFIG
    config.parent.mkdir(parents=True)
    config.write_text("mine\n")
    bare.install()

    assert config.read_text() == "mine\n"


def test_dry_run_only_talks(bare: Machine) -> None:
    done = bare.install("--dry-run")

    assert done.returncode == 0
    assert f"putting {bare.root / UNIT}" in done.stdout
    assert not bare.root.exists()


def test_jetson_sees_the_packages_of_its_system(bare: Machine) -> None:
    (bare.root / "etc").mkdir(parents=True)
    (bare.root / "etc/nv_tegra_release").touch()
    bare.install()
    settings = (bare.root / "opt/edge-daemon/venv/pyvenv.cfg").read_text()

    assert "include-system-site-packages = true" in settings
    assert (bare.root / CONFIG).read_text() == "for: a Jetson\n"
    assert (bare.root / DROP_IN).is_file()


def test_prefix_is_written_into_the_unit(bare: Machine) -> None:
    bare.install(PREFIX="/srv/edge")

    assert (bare.root / "srv/edge/venv/bin/edge-daemon").is_file()
    assert "ExecStart=/srv/edge/venv/bin/edge-daemon run" in (bare.root / UNIT).read_text()


def test_uninstall_leaves_configuration_and_data(machine: Machine) -> None:
    state = machine.root / "var/lib/edge-daemon/outbox.sqlite"
    state.parent.mkdir(parents=True)
    state.touch()
    done = machine.install("--uninstall")
    kept, linked = set(machine.files()), (machine.root / COMMAND).is_symlink()
    machine.install("--uninstall", "--purge")
    purged = set(machine.files())
    machine.install()

    assert done.returncode == 0
    assert CONFIG in kept
    assert state.relative_to(machine.root).as_posix() in kept
    assert not {name for name in kept if name.startswith(("opt/", UNIT))}
    assert not linked
    assert purged == set()


def test_uninstall_keeps_an_edited_unit_aside(machine: Machine) -> None:
    (machine.root / UNIT).write_text("mine\n")
    machine.install("--uninstall")
    edited = machine.root / f"{UNIT}.edited"
    text = edited.read_text()
    edited.unlink()
    machine.install()

    assert text == "mine\n"


def test_install_wants_root(
    machine: Machine, stub: Callable[[str, str], str], tmp_path: Path
) -> None:
    done = machine.project.call("install", PATH=stub("id", "echo 1000"), DESTDIR="")

    assert done.returncode == 69
    assert "must be root -- type: sudo" in done.stderr


@pytest.mark.parametrize("option", ["--unistall", "--purge"])
def test_unknown_or_lone_option_is_usage(machine: Machine, option: str) -> None:
    done = machine.install(option)

    assert done.returncode == 2
    assert done.stderr.startswith(f"scripts/install: {option}")
