"""Where output cannot go: a closed pipe, a full disk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.daemon import write_config

INTO: list[tuple[str, ...]] = [("--help",), ("check", "--config", "c.yaml")]


def into(output: int, *args: str, cwd: Path) -> tuple[int, str]:
    """Run a command with that standard output; return its exit code and what it told."""
    question = {"id": "red", "ask": "Is it red?"}
    camera = {"id": "gate", "source": "test:street", "questions": [question]}
    write_config(cwd / "c.yaml", {"version": 1, "data_dir": str(cwd), "cameras": [camera]})
    command = [sys.executable, "-m", "edge_daemon", *args]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        command, check=False, stdout=output, stderr=subprocess.PIPE, text=True, timeout=60,
        cwd=cwd, env=env,
    )  # fmt: skip
    os.close(output)
    return done.returncode, done.stderr


@pytest.mark.parametrize("args", INTO)
def test_closed_pipe_ends_a_command_well_and_quietly(args: tuple[str, ...], tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)

    assert into(writer, *args, cwd=tmp_path) == (0, "")


@pytest.mark.parametrize("args", INTO)
def test_output_on_a_full_disk_is_told_in_a_line(args: tuple[str, ...], tmp_path: Path) -> None:
    code, told = into(os.open("/dev/full", os.O_WRONLY), *args, cwd=tmp_path)

    assert code == 69
    assert told == (
        "standard output: No space left on device -- free some space, or send it elsewhere\n"
    )
