"""scripts/setup-env, demo and test: everything from nothing, and nothing when all is there."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from subprocess import CompletedProcess

    from tests.integration.scripts.conftest import Project

STAMP = ".venv/.edge-daemon-installed"
UNFINISHED = ".venv/.edge-daemon-unfinished"
Stub = "Callable[[str, str], str]"


@pytest.fixture(scope="module")
def first_call(make_project: Callable[[], Project]) -> tuple[Project, CompletedProcess[str]]:
    """A project that was set up for the demo, and what that call said."""
    project = make_project()
    return project, project.call("setup-env", "demo")


@pytest.fixture
def project(first_call: tuple[Project, CompletedProcess[str]]) -> Project:
    """That project; each test leaves it usable."""
    return first_call[0]


def test_first_call_makes_the_environment(
    first_call: tuple[Project, CompletedProcess[str]],
) -> None:
    project, done = first_call

    assert (done.returncode, done.stdout) == (0, "")
    assert [line.split()[0] for line in done.stderr.splitlines()] == ["Making", "Installing", "Set"]
    assert (project.root / ".venv" / "bin" / "edge-daemon").is_file()


def test_second_call_does_nothing(project: Project) -> None:
    before = (project.root / STAMP).stat().st_mtime_ns
    done = project.call("setup-env", "demo")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (project.root / STAMP).stat().st_mtime_ns == before


def test_more_extras_are_added_to_what_is_there(project: Project) -> None:
    first = project.call("setup-env", "demo,test")
    again = project.call("setup-env", "demo")

    assert "edge-daemon[demo,test]" in first.stderr
    assert again.stderr == ""


def test_changed_dependencies_are_installed(project: Project) -> None:
    pyproject = project.root / "pyproject.toml"
    text = pyproject.read_text()
    pyproject.write_text(text.replace("requires = []", "requires = [ ]"))

    assert "Installing" in project.call("setup-env", "demo").stderr


def test_changed_settings_of_tools_install_nothing(project: Project) -> None:
    pyproject = project.root / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace("length = 100", "length = 90"))

    assert project.call("setup-env", "demo").stderr == ""


@pytest.mark.parametrize("harm", ["no interpreter", "interrupted"])
def test_broken_environment_is_made_again(project: Project, harm: str) -> None:
    if harm == "no interpreter":
        (project.root / ".venv/bin/python").unlink()
    else:
        (project.root / UNFINISHED).touch()
    done = project.call("setup-env", "demo")

    assert (done.returncode, "Making" in done.stderr) == (0, True)
    assert project.call("setup-env", "demo").stderr == ""


def test_moved_checkout_is_set_up_again(make_project: Callable[[], Project]) -> None:
    project = make_project()
    project.call("setup-env", "demo")
    project.root = project.root.rename(project.root.parent / "elsewhere")
    done = project.call("demo")

    assert "Making" in done.stderr
    assert done.stdout.startswith("edge-daemon demo")


def test_packages_of_other_environments_stay_out(project: Project, tmp_path: Path) -> None:
    (tmp_path / "pip.py").write_text("raise SystemExit('not ours')")
    (project.root / STAMP).unlink()
    done = project.call("setup-env", "demo", PYTHONPATH=str(tmp_path), PIP_TARGET=str(tmp_path))

    assert (done.returncode, "Installing" in done.stderr) == (0, True)
    assert [path.name for path in tmp_path.iterdir()] == ["pip.py"]


def test_pip_that_fails_is_heard(make_project: Callable[[], Project]) -> None:
    project = make_project()
    pyproject = project.root / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace("requires = []", 'requires = ["nowhere"]'))
    done = project.call("setup-env", "demo")

    assert done.returncode == 69
    assert "ERROR: No matching distribution found for nowhere" in done.stderr
    assert "pip failed -- mend what it says above" in done.stderr.splitlines()[-1]
    assert not (project.root / STAMP).exists()


def test_python_that_does_not_fit_is_refused(project: Project, stub: Stub) -> None:
    old = stub("python3.9", "exit 1").split(":")[0] + "/python3.9"
    (project.root / STAMP).unlink()
    done = project.call("setup-env", "demo", PYTHON=old)

    assert done.returncode == 69
    assert f"PYTHON={old} is no 64-bit Python 3.10 to 3.13 -- name another" in done.stderr


def test_python_without_ensurepip_is_told(make_project: Callable[[], Project], stub: Stub) -> None:
    no_pip = f'case "$*" in *ensurepip*) exit 1;; esac; exec "{sys.executable}" "$@"'
    bare = stub("python3.x", no_pip).split(":")[0] + "/python3.x"
    done = make_project().call("setup-env", "demo", PYTHON=bare)

    assert done.returncode == 69
    assert f"{bare} cannot make environments (it has no ensurepip)" in done.stderr


def test_system_packages_are_one_line_for_an_ordinary_user(project: Project, stub: Stub) -> None:
    stub("apt-get", "exit 1")
    done = project.call("system-packages", "mosquitto", "ffmpeg", PATH=stub("id", "echo 1000"))

    assert done.returncode == 69
    assert done.stderr == (
        "system packages: mosquitto ffmpeg"
        " -- type: sudo apt-get install -y --no-install-recommends mosquitto ffmpeg\n"
    )


def test_system_packages_are_installed_by_root(
    project: Project, stub: Stub, tmp_path: Path
) -> None:
    stub("id", "echo 0")
    path = stub("apt-get", f'echo "$DEBIAN_FRONTEND $@" >>"{tmp_path}/calls"')
    done = project.call("system-packages", "ffmpeg", PATH=path)
    update, install = (tmp_path / "calls").read_text().splitlines()

    assert done.returncode == 0
    assert update.endswith("update")
    assert install.startswith("noninteractive ")
    assert install.endswith("install -y --no-install-recommends ffmpeg")


def test_apt_that_fails_is_heard(project: Project, stub: Stub) -> None:
    stub("id", "echo 0")
    path = stub(
        "apt-get", 'case "$*" in *update) ;; *) echo "E: no such thing" >&2; exit 100;; esac'
    )
    done = project.call("system-packages", "ffmpeg", PATH=path)

    assert done.returncode == 69
    assert "E: no such thing" in done.stderr
    assert "apt-get could not install ffmpeg" in done.stderr


def test_demo_hands_its_arguments_on(project: Project, tmp_path: Path) -> None:
    done = project.call("demo", "my clip.mp4", "--json", cwd=tmp_path)

    assert done.stdout == f"edge-daemon demo my clip.mp4 --json in {tmp_path}\n"
    assert done.returncode == 3


def test_test_hands_its_arguments_on(project: Project, stub: Stub, tmp_path: Path) -> None:
    for program in ("mosquitto", "ffmpeg", "ffprobe"):
        path = stub(program, "exit 0")
    done = project.call("test", "-k", "a b", cwd=tmp_path, PATH=path)

    assert done.stdout == f"pytest -k a b in {project.root}\n"
    assert done.returncode == 0
