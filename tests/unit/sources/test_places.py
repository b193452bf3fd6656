from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edge_daemon.config.models import CameraConfig
from edge_daemon.errors import SourceUnavailableError
from edge_daemon.sources.files import matching_files
from edge_daemon.sources.open import open_source
from edge_daemon.sources.places import files_in
from edge_daemon.types import SourceAddress

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY = 65534
MAY_NOT = "Permission denied -- let the user that runs this read it, and enter the directories"


@pytest.fixture
def locked() -> Iterator[Path]:
    """A directory that this process may not look into, below one that it may."""
    with tempfile.TemporaryDirectory() as name:
        above = Path(name)
        (above / "locked").mkdir(0o000)
        above.chmod(0o755)
        me = os.geteuid()
        if me == 0:
            os.seteuid(NOBODY)
        yield above / "locked"
        os.seteuid(me)
        (above / "locked").chmod(0o700)


def said_of(address: str) -> str:
    """Return what is told when a source is opened that cannot be."""
    question = {"id": "person", "ask": "Is there a person?"}
    settings = CameraConfig(id="gate", source=address, questions=[question])
    with (
        pytest.raises(SourceUnavailableError) as caught,
        open_source(settings, threading.Event()),
    ):
        pass
    return str(caught.value)


@pytest.mark.parametrize("name", ["", "/", "/x.mp4", "/x.jpg", "/pictures/"])
def test_a_source_that_may_not_be_looked_at_is_that_sources_fault(locked: Path, name: str) -> None:
    place = str(locked / name.strip("/"))

    assert said_of(f"{locked}{name}").startswith(f"{place}: {MAY_NOT}")


@pytest.mark.parametrize("ending", [".mp4", ".jpg", ""])
def test_a_name_that_the_system_refuses_is_a_fault_with_its_reason(
    tmp_path: Path, ending: str
) -> None:
    path = str(tmp_path / ("a" * 300 + ending))

    assert said_of(path).startswith(f"{path}: File name too long -- check the path")


def test_a_match_that_may_not_be_looked_at_is_told(tmp_path: Path) -> None:
    (tmp_path / "link.mp4").symlink_to("a" * 300)

    with pytest.raises(SourceUnavailableError, match="File name too long"):
        matching_files(SourceAddress(str(tmp_path / "*.mp4")))


def test_a_home_that_is_not_known_is_a_fault_of_its_source() -> None:
    with pytest.raises(SourceUnavailableError, match=r"^~nosuchuser/x.mp4: ~ stands for no home"):
        matching_files(SourceAddress("~nosuchuser/x.mp4"))


def test_links_that_lead_nowhere_are_no_files(tmp_path: Path) -> None:
    (tmp_path / "dangling.jpg").symlink_to("none.jpg")
    (tmp_path / "itself.jpg").symlink_to("itself.jpg")
    (tmp_path / "whole.jpg").write_bytes(b"x")

    assert files_in(tmp_path, (".jpg",)) == [tmp_path / "whole.jpg"]
