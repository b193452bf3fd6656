from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from edge_daemon.errors import RecordingError, StorageFullError
from edge_daemon.recording.storage import StorageFile, storage_faults

PATH = Path("/data/a.mp4")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_no_room_is_a_storage_full_error(number: int) -> None:
    with pytest.raises(StorageFullError) as caught, storage_faults(PATH):
        raise OSError(number, os.strerror(number))

    assert str(caught.value).startswith(f"/data/a.mp4: {os.strerror(number)} -- free some space")


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.EACCES, "let the daemon's user write there"),
        (errno.EROFS, r"mount the disk for writing \(a service: ReadWritePaths=\)"),
        (errno.EIO, "check the disk and its cable"),
        (errno.ENOTDIR, "a file is in the way"),
        (errno.EBADF, "check the disk"),
    ],
)
def test_other_faults_of_a_disk_are_recording_errors(number: int, hint: str) -> None:
    with pytest.raises(RecordingError, match=hint) as caught, storage_faults(PATH):
        raise OSError(number, os.strerror(number))

    assert type(caught.value) is RecordingError
    assert isinstance(caught.value.__cause__, OSError)


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(KeyError), storage_faults(PATH):
        raise KeyError("a bug")


def test_file_writes_all_and_knows_its_size(tmp_path: Path) -> None:
    with StorageFile(tmp_path / "a", "wb") as file:
        file.write(b"0123456789")
        file.seek(2)
        file.write(bytearray(b"xy"))

        assert file.size_bytes == 10
    assert (tmp_path / "a").read_bytes() == b"01xy456789"


def test_file_on_a_full_disk_raises() -> None:
    with pytest.raises(OSError, match="No space left"), StorageFile("/dev/full", "wb") as file:
        file.write(b"x")
