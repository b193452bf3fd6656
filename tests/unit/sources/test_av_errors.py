from __future__ import annotations

import inspect

import pytest
from av import error

from edge_daemon.errors import (
    SourceError,
    SourceFormatError,
    SourceRefusedError,
    SourceUnavailableError,
)
from edge_daemon.sources.av_errors import meaning_of, source_error
from edge_daemon.types import SourceAddress

ADDRESS = SourceAddress("rtsp://cam:s3cret%21@camera/stream1?token=t0ken")
CLASSES = sorted(
    (
        found
        for _, found in inspect.getmembers(error, inspect.isclass)
        if issubclass(found, error.FFmpegError)
    ),
    key=lambda found: found.__name__,
)


def test_the_library_still_has_its_exceptions() -> None:
    assert len(CLASSES) > 40


def test_every_exception_of_the_library_is_mapped() -> None:
    unmapped = [kind for kind in CLASSES if meaning_of(kind) is None]

    assert unmapped == [error.FFmpegError]  # the base of all; it says "cannot be read"


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_no_message_holds_a_secret(kind: type[error.FFmpegError]) -> None:
    quoting = f"failed: {ADDRESS.reveal()} (cam:s3cret%21@, s3cret!, ?token=t0ken)"

    said = str(source_error(kind(1, quoting, ADDRESS.reveal()), ADDRESS))

    assert not any(secret in said for secret in ("s3cret", "t0ken"))
    assert said.startswith("rtsp://camera/stream1: ")
    assert "\n" not in said


@pytest.mark.parametrize(
    ("kind", "meant", "said"),
    [
        (
            error.HTTPUnauthorizedError,
            SourceRefusedError,
            "wrong or missing user or password -- check user and password of its source,"
            " percent-encode special characters",
        ),
        (
            error.ConnectionRefusedError,
            SourceUnavailableError,
            "connection refused -- is the camera on, and are host and port of its source right?",
        ),
        (
            error.HTTPNotFoundError,
            SourceUnavailableError,
            "the camera knows no such stream -- check what comes after the host in its source;"
            " the camera's manual names its streams",
        ),
        (
            error.InvalidDataError,
            SourceFormatError,
            "is no video that can be read (words) -- check that it plays elsewhere; name a video"
            " file or a camera's stream",
        ),
        (
            error.DecoderNotFoundError,
            SourceFormatError,
            "is no video that can be read (words) -- check that it plays elsewhere; name a video"
            " file or a camera's stream",
        ),
    ],
)
def test_what_happens_often_is_said_so(
    kind: type[error.FFmpegError], meant: type[SourceError], said: str
) -> None:
    found = source_error(kind(1, "words", ADDRESS.reveal()), ADDRESS)

    assert type(found) is meant
    assert str(found) == f"rtsp://camera/stream1: {said}"
